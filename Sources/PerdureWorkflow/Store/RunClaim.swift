/// What a worker asks for when it is free.
public struct RunClaim: Sendable {
    /// The ID of the worker.
    public var worker: String
    /// The workflows that it can drive.
    public var workflows: [String]
    /// How many runs it takes at most; at least 1.
    public var limit: Int
    /// The time, in Unix milliseconds.
    public var now: Int64

    /// Makes a claim.
    public init(worker: String, workflows: [String], limit: Int, now: Int64) {
        self.worker = worker
        self.workflows = workflows
        self.limit = limit
        self.now = now
    }
}

/// What a worker got.
public struct ClaimedRuns: Sendable {
    /// The runs, which are the worker's from now on: running, with a higher fence and revision.
    public var runs: [RunSnapshot]
    /// When the next run of these workflows is due that is not yet, in Unix milliseconds; nil when none is.
    public var nextWake: Int64?

    /// Makes an answer.
    public init(runs: [RunSnapshot], nextWake: Int64?) {
        self.runs = runs
        self.nextWake = nextWake
    }
}
