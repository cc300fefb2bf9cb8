internal import EngineCases
internal import FoundationEssentials
internal import Glibc
internal import PerdureConcurrency
package import PerdureTestKit
internal import Processes
internal import Waiting
internal import WorkflowZoo

/// Several worker processes on one store, which are killed, stopped and started again by chance, while runs of the zoo go through.
///
/// In the end every run has ended as its model says, whatever happened to its workers.
package struct Chaos: Sendable {
    /// Where the workers' store is: a path of an SQLite file, or a server's URL.
    package var place: String
    /// Where the tables are there: PostgreSQL's schema, DynamoDB's table, the beginning of the names of Cassandra's.
    package var tables: String
    /// A folder of its own, for ledgers.
    package var folder: String
    package var workerCount: Int
    package var seed: UInt64
    package var duration: Duration
    /// How long a worker may be silent; everything that happens to it takes its time from this.
    package var lease = Duration.milliseconds(500)
    /// The most runs under way at once.
    package var room = 80

    package init(
        place: String, tables: String = "-", folder: String, workerCount: Int, seed: UInt64, duration: Duration
    ) {
        self.place = place
        self.tables = tables
        self.folder = folder
        self.workerCount = workerCount
        self.seed = seed
        self.duration = duration
    }

    /// How long to torment, in all: `PERDURE_CHAOS_SECONDS`, or 16 seconds.
    package static var wantedDuration: Duration {
        .seconds(getenv("PERDURE_CHAOS_SECONDS").flatMap { Double(String(cString: $0)) } ?? 16)
    }

    /// `PERDURE_SEED`, or one of its own.
    package static var wantedSeed: UInt64 {
        getenv("PERDURE_SEED").flatMap { UInt64(String(cString: $0)) } ?? UInt64.random(in: 0...UInt64.max)
    }

    /// Gives `body` a folder of its own, which is removed afterwards.
    package static func withFolder(_ body: (String) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/perdure-chaos-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await body(folder)
    }

    /// Torments the workers of `store`, and judges.
    package func report(on store: some RunStore) async throws -> ChaosReport {
        try await self.report(on: store) { herd, feeder in
            let torment = Torment(herd, feeder, store, seed: self.seed, lease: self.lease)
            try await torment.run(for: self.duration)
            return torment.report
        }
    }

    /// Leaves the workers of `store` alone, while `body` torments what the store is made of; and judges.
    ///
    /// `body` can wait until so many more runs have ended.
    package func report(
        on store: some RunStore,
        whilst body: @Sendable (_ more: @Sendable (Int) async throws -> Void) async throws -> Void
    ) async throws -> ChaosReport {
        try await self.report(on: store) { _, feeder in
            try await body { count in
                let target = feeder.endedCount + count
                let end = ContinuousClock.now + .seconds(120)
                guard try await poll(while: { ContinuousClock.now < end }, { feeder.endedCount >= target }) else {
                    throw ChaosTrouble(description: "\(target - feeder.endedCount) of \(count) runs have not ended")
                }
            }
            return ChaosReport()
        }
    }

    private func report(
        on store: some RunStore, _ torment: (Herd, Feeder) async throws -> ChaosReport
    ) async throws -> ChaosReport {
        let herd = Herd(self)
        let feeder = try Feeder(store, room: self.room, ledger: Ledger("\(self.folder)/feeder"))
        for worker in 0..<self.workerCount { try herd.start(worker, runs: feeder.reserve(20)) }
        let isOver = LockedState(false)
        let report = try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                // Fed until the end of the torment.
                while !isOver.withLock({ $0 }) { await feeder.feed() }
            }
            let report: ChaosReport
            do {
                report = try await torment(herd, feeder)
            } catch {
                isOver.withLock { $0 = true }
                herd.killAll()
                throw error
            }
            isOver.withLock { $0 = true }
            try await group.waitForAll()
            return report
        }
        var whole = report
        whole.unended = await feeder.finish(within: .seconds(60))
        whole.failures = try await herd.end()
        try await feeder.judge(&whole, herd.lines)
        return whole
    }
}

/// What came of it.
package struct ChaosReport: Sendable, CustomStringConvertible {
    package var runs = 0
    package var kills = 0
    package var pauses = 0
    package var pausesWithoutHeirs = 0
    package var shortPauses = 0
    package var peacefulEnds = 0
    package var takenCount = 0
    package var storedCount = 0
    package var refusedCount = 0
    package var effects = 0
    package var executions = 0
    package var unended: [String] = []
    package var failures: [String] = []
    package var violations: [String] = []

    package var description: String {
        """
        \(self.runs) runs, \(self.kills) kills, \(self.pauses) pauses past the lease (\(self.pausesWithoutHeirs) without an heir), \
        \(self.shortPauses) short pauses, \(self.peacefulEnds) peaceful ends; runs taken \(self.takenCount) times, \
        \(self.storedCount) changes acknowledged, \(self.refusedCount) refused to those fenced off, \(self.effects) effects in \
        \(self.executions) executions; \(self.unended.count) runs not ended, \(self.violations.count) violations
        """
    }

    /// Everything that is wrong.
    package var complaints: [String] {
        self.violations + self.unended.map { "\($0) has not ended" } + self.failures.map { "a worker: \($0)" }
    }
}
