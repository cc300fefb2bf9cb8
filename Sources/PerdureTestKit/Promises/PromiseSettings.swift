/// How thoroughly a run of the promise suite looks.
public struct PromiseSettings: Sendable, Hashable {
    /// Where everything random in the run comes from; give the seed of a report to repeat it.
    public var seed: UInt64
    /// Payloads up to this many bytes are tried; a store with a higher limit is not tested at its limit. 8 MiB unless said.
    public var largestPayload: Int
    /// How many tasks work at the same time in promises about concurrency, at least 2; 8 unless said.
    public var writers: Int
    /// How often promises with random schedules are repeated with other random numbers, at least 1; 3 unless said.
    public var rounds: Int
    /// How many promises are verified at the same time, at least 1; 4 unless said.
    public var parallelism: Int
    /// A promise that has not ended by then is reported as broken; 60 seconds unless said.
    public var timeLimit: Duration
    /// Whether unconditional writes may bring back versions that were there before, in promises about histories; true unless said.
    ///
    /// False on a network that loses answers at random: a conditional write that is sent again cannot be told from a new one where
    /// its condition has come true once more, so that it may happen twice, on every store.
    public var repeatsVersions = true

    /// The usual settings; a fresh random seed unless one is given.
    public init(
        seed: UInt64 = .random(in: 0...UInt64.max), largestPayload: Int = 8 << 20, writers: Int = 8, rounds: Int = 3,
        parallelism: Int = 4, timeLimit: Duration = .seconds(60)
    ) {
        precondition(largestPayload >= 0, "a payload size cannot be negative")
        precondition(writers >= 2, "concurrency takes at least 2 writers")
        precondition(rounds >= 1 && parallelism >= 1, "there must be at least 1 round and 1 promise at a time")
        self.seed = seed
        self.largestPayload = largestPayload
        self.writers = writers
        self.rounds = rounds
        self.parallelism = parallelism
        self.timeLimit = timeLimit
    }
}
