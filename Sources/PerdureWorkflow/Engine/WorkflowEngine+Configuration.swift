internal import Glibc
public import PerdureModel

extension WorkflowEngine {
    /// How an engine behaves.
    ///
    /// Every value has a default that suits a handful of processes on one store.
    public struct Configuration: Sendable {
        /// What the process is called among those that share the store. A second worker of one name takes the place of the first: where
        /// a process has a name that survives its restarts, it has its runs back at once. Default: the host's name and the PID.
        public var name: String

        /// How long this worker may be silent until others take it for dead and adopt its runs. It is renewed three times as often, with
        /// one write however many runs there are. Default: 15 seconds.
        public var lease: Duration = .seconds(15)

        /// How often to look whether other workers live. Default: 1 second.
        public var watchInterval: Duration = .seconds(1)

        /// The most runs in memory at once. Runs that sleep for long, or wait for a signal, are not in memory. Default: 1,000.
        public var maximumRuns = 1_000

        /// The most runs that are asked for at once. Default: 100.
        public var claimBatch = 100

        /// The most runs of dead workers that are adopted at once. Default: 100.
        public var adoptionBatch = 100

        /// How long to wait between one batch of adopted runs and the next. Default: 100 milliseconds.
        public var adoptionPause: Duration = .milliseconds(100)

        /// How often a run may be adopted without a step of it being recorded; then it is parked: it seems to end the processes that
        /// drive it. Default: 5.
        public var maximumAdoptions = 5

        /// How often to ask for runs while there are none, from the shortest to the longest pause; a store that tells of itself is asked
        /// with the longest. Default: 10 milliseconds to 1 second.
        public var pollInterval: ClosedRange<Duration> = .milliseconds(10) ... .seconds(1)

        /// How often to look for signals and cancellations from other processes; a store that tells of itself is asked a tenth as often.
        /// Default: 250 milliseconds.
        public var mailInterval: Duration = .milliseconds(250)

        /// A run that has nothing to do for longer than this leaves memory until then. Default: 5 seconds.
        public var releaseAfter: Duration = .seconds(5)

        /// How long stopping waits for handlers under way. Default: 30 seconds.
        public var drainTimeout: Duration = .seconds(30)

        /// How often to remove ended runs whose retention is over. Default: 1 minute.
        public var purgeInterval: Duration = .seconds(60)

        /// The time to go by. Default: the machine's.
        public var clock: any PerdureClock = SystemClock()

        /// Who is told what happens inside; nil for nobody. Default: nil.
        public var observer: (any EventObserver)?

        /// Makes a configuration of defaults.
        public init() {
            var host = [CChar](repeating: 0, count: 256)
            gethostname(&host, 255)
            let bytes = host.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            self.name = "\(String(decoding: bytes, as: UTF8.self).prefix(100))-\(getpid())"
        }

        /// Why it cannot work, each reason in words; empty when it can.
        public var violations: [String] {
            var found: [String] = []
            func check(_ holds: Bool, _ rule: String) { if !holds { found.append(rule) } }
            if let reason = PersistenceID.violation(in: self.name) { found.append("the worker's name: \(reason)") }
            check(self.lease >= .milliseconds(100), "lease must be at least 100 milliseconds, it is \(self.lease)")
            check(self.watchInterval > .zero, "watchInterval must be more than nothing, it is \(self.watchInterval)")
            check(self.maximumRuns >= 1, "maximumRuns must be at least 1, it is \(self.maximumRuns)")
            check(self.claimBatch >= 1, "claimBatch must be at least 1, it is \(self.claimBatch)")
            check(self.adoptionBatch >= 1, "adoptionBatch must be at least 1, it is \(self.adoptionBatch)")
            check(self.adoptionPause >= .zero, "adoptionPause must not be negative, it is \(self.adoptionPause)")
            check(self.maximumAdoptions >= 1, "maximumAdoptions must be at least 1, it is \(self.maximumAdoptions)")
            check(
                self.pollInterval.lowerBound > .zero,
                "pollInterval must begin above nothing, it begins at \(self.pollInterval.lowerBound)")
            check(self.mailInterval > .zero, "mailInterval must be more than nothing, it is \(self.mailInterval)")
            check(self.releaseAfter >= .zero, "releaseAfter must not be negative, it is \(self.releaseAfter)")
            check(self.drainTimeout >= .zero, "drainTimeout must not be negative, it is \(self.drainTimeout)")
            check(self.purgeInterval > .zero, "purgeInterval must be more than nothing, it is \(self.purgeInterval)")
            return found
        }
    }
}
