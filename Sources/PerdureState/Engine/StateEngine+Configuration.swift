extension StateEngine {
    /// How an engine behaves.
    ///
    /// Every value has a default that suits one process on its own store.
    public struct Configuration: Sendable {
        /// Whether other processes write the same IDs.
        public enum Sharing: Sendable, Hashable {
            /// This process is the only one that normally serves these IDs. Writes are checked by the store all the same; answers that
            /// write nothing (reads, refusals) come from memory at once, and could be outdated if another process did write.
            case exclusive
            /// Several processes serve the same IDs. An answer that writes nothing is given only after reading the store again.
            case shared
        }

        /// Whether other processes write the same IDs. Default: ``Sharing/exclusive``.
        public var sharing: Sharing = .exclusive

        /// The most commands that may wait for one entity; more are refused as ``CommandError/overloaded(_:)``. Default: 1,000.
        public var maximumWaitingCommands = 1_000

        /// How long ``Entity/send(_:)`` waits for an answer; nil for as long as the store takes. Default: nil.
        ///
        /// A command with a time limit needs a task of its own, which costs about a microsecond.
        public var commandTimeout: Duration?

        /// How often a command is tried while other processes write first, before it ends as
        /// ``CommandError/contended(attempts:last:)``. Default: 16.
        public var maximumConflicts = 16

        /// After how much idle time an entity leaves memory; nil for never. Needs ``StateEngine/run()``. Default: 2 minutes.
        public var idleTimeBeforePassivation: Duration? = .seconds(120)

        /// The most entities of each behavior in memory; the least recently used ones leave first. Nil for no limit. Default: nil.
        ///
        /// Kept exactly below 512; above, each of several tables keeps its share. Entities at work never leave, so the limit can be
        /// exceeded by as many as are at work, until the next entity comes in. Uses between two comings of new entities
        /// count as of the same moment.
        public var maximumLiveEntities: Int?

        /// The number of shards over which IDs are spread; the shard is stored with each state. Default: 1,024.
        ///
        /// Entities work the same whatever it is, but programs that distribute work by shard must agree on it.
        public var shardCount: UInt64 = 1_024

        /// How many changes may wait for each publisher; then commands are refused until it has caught up. Default: 10,000.
        public var publisherBuffer = 10_000

        /// How long stopping waits for commands under way and for publishers. Default: 30 seconds.
        public var drainTimeout: Duration = .seconds(30)

        /// The time to go by. Default: the machine's.
        public var clock: any PerdureClock = SystemClock()

        /// Who is told what happens inside; nil for nobody. Default: nil.
        public var observer: (any EventObserver)?

        /// Makes a configuration of defaults.
        public init() {}

        /// Traps on values that cannot work: they are mistakes in the program.
        func check() {
            precondition(self.maximumWaitingCommands >= 0, "maximumWaitingCommands must not be negative")
            precondition(self.maximumConflicts >= 1, "maximumConflicts must be at least 1")
            precondition(self.maximumLiveEntities ?? 1 >= 1, "maximumLiveEntities must be at least 1, or nil")
            precondition(
                (1...UInt64(Int64.max)).contains(self.shardCount), "shardCount must be from 1 to \(Int64.max)")
            precondition(self.publisherBuffer >= 1, "publisherBuffer must be at least 1")
            precondition(self.commandTimeout ?? .seconds(1) > .zero, "commandTimeout must be positive, or nil")
            precondition(
                self.idleTimeBeforePassivation ?? .seconds(1) > .zero,
                "idleTimeBeforePassivation must be positive, or nil")
        }
    }
}
