/// A run to be stored for the first time.
public struct RunCreation: Sendable {
    /// What is asked for.
    public var request: RunRequest
    /// How it begins: with revision 1. With an owner the run is taken by that worker at once; it has no limits then.
    public var progress: RunProgress
    /// Steps that are recorded already.
    public var steps: [StepRecord]
    /// Shared state that is recorded already.
    public var state: [StateRecord]

    /// Makes a creation.
    public init(request: RunRequest, progress: RunProgress, steps: [StepRecord] = [], state: [StateRecord] = []) {
        self.request = request
        self.progress = progress
        self.steps = steps
        self.state = state
    }
}

/// What became of a creation.
public enum CreateVerdict: Sendable {
    /// The run is stored.
    case created
    /// There is a run of that ID already; nothing was changed.
    case exists(RunRecord)
}

/// One atomic change of one run: all of it is stored, or nothing.
public struct RunCommit: Sendable {
    /// The run's ID.
    public var runID: String
    /// The revision that this change replaces.
    public var expectedRevision: UInt64
    /// The fence that the run must still have.
    public var expectedFence: UInt64
    /// How far the run has come, with the revision after the expected one.
    public var progress: RunProgress
    /// The steps that changed; each replaces the record of its ID as a whole.
    public var steps: [StepRecord]
    /// The shared state that was set; each replaces the record of its key and step.
    public var state: [StateRecord]
    /// The IDs of messages that were taken, and of the steps that took them.
    public var consumed: [(message: String, step: String)]
    /// Steps whose records, and whose shared state, are removed: where a run is started again from an earlier step.
    public var removedSteps: [String]
    /// Messages to other runs that are posted with this change; those to runs that are gone or ended are dropped.
    public var posts: [(runID: String, message: RunMessage)]

    /// Makes a change of nothing but the progress.
    public init(runID: String, expectedRevision: UInt64, expectedFence: UInt64, progress: RunProgress) {
        self.runID = runID
        self.expectedRevision = expectedRevision
        self.expectedFence = expectedFence
        self.progress = progress
        self.steps = []
        self.state = []
        self.consumed = []
        self.removedSteps = []
        self.posts = []
    }
}

/// What a store says to a change that it has made.
public struct CommitReceipt: Sendable, Hashable {
    /// The number of the last message that was posted to the run: more than the change had seen means mail.
    public var inboxCount: UInt64

    /// Makes a receipt.
    public init(inboxCount: UInt64) { self.inboxCount = inboxCount }
}
