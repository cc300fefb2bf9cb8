/// A step of a run as it is stored: one for each step that has begun, and for each element of a loop.
public struct StepRecord: Sendable {
    /// The step's name; of an element of a loop, the name and the element's number: `rebook[3]`. Unique in its run.
    public var id: String
    /// The step's place in the definition, from 0: records are listed by it.
    public var position: Int
    /// The element's number in a loop, from 0; nil for other steps.
    public var item: Int?
    /// The structure of this step and of all before it; a definition that has changed there cannot go on from here.
    public var definitionHash: UInt64
    /// Where it stands.
    public var status: StepStatus
    /// The number of its last attempt, from 1; 0 before the first. One that takes the place of an attempt that a crash cut off has its
    /// number.
    public var attempt: Int
    /// When its last attempt began, in Unix milliseconds.
    public var startedAt: Int64?
    /// When it ended, in Unix milliseconds.
    public var completedAt: Int64?
    /// When it goes on, in Unix milliseconds: the end of a sleep, of a wait, or of the pause before an attempt.
    public var wakesAt: Int64?
    /// Only where it was edited; otherwise a step's input is what the steps before it gave.
    public var input: RunValue?
    /// What it gave, once ended.
    public var output: RunValue?
    /// Why it, or its last attempt, failed.
    public var failure: RunFailure?

    /// Makes the record of a step that has not begun.
    public init(id: String, position: Int, item: Int? = nil, definitionHash: UInt64, status: StepStatus = .pending) {
        self.id = id
        self.position = position
        self.item = item
        self.definitionHash = definitionHash
        self.status = status
        self.attempt = 0
        self.startedAt = nil
        self.completedAt = nil
        self.wakesAt = nil
        self.input = nil
        self.output = nil
        self.failure = nil
    }
}

/// A value that a step put into the run's shared state.
///
/// Kept for each step that set the key, so that what a step sees does not depend on who of its siblings was faster: a step
/// sees what the steps before it have set, and of several that set one key the one that is declared last.
public struct StateRecord: Sendable {
    /// The key.
    public var key: String
    /// The ID of the step that set it.
    public var step: String
    /// The value; nil where the step removed the key.
    public var value: RunValue?

    /// Makes a record.
    public init(key: String, step: String, value: RunValue?) {
        self.key = key
        self.step = step
        self.value = value
    }
}
