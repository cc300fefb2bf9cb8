/// A step of a run, or an element of a loop: what is attempted, and recorded, on its own.
struct StepUnit: Sendable, Hashable {
    /// The place of the node.
    var node: Int
    /// The number of the element; -1 where the node is meant.
    var item = -1
}

/// Something to be done for a unit, outside of the machine.
struct StepWork: Sendable {
    /// Tells it apart from everything else that the run asks for.
    let token: UInt64
    let unit: StepUnit
    let purpose: Purpose
    /// The unit's ID in the run.
    let id: String
    let attempt: Int
    let input: RunValue
    /// The signal that the unit has waited for.
    let signal: RunValue?
    /// Whether the unit's condition and validation come first.
    let isFirst: Bool

    enum Purpose: Sendable {
        /// Run the handler.
        case handler
        /// Only the condition and the validation: what follows is a wait.
        case condition
        /// Take the input apart into the elements of the loop.
        case elements
        /// Start the run of this ID.
        case child(runID: String)
    }
}

/// What came of a piece of work.
enum StepOutcome: Sendable {
    /// The handler gave this, and put this into the shared state.
    case value(RunValue, changes: [StateChange])
    /// The condition does not hold.
    case conditionDoesNotHold
    /// The condition holds: the wait begins.
    case conditionHolds
    /// The loop has these elements.
    case elements([RunValue])
    /// The child is stored and will tell when it has ended.
    case childRuns
    /// The child has ended already.
    case childEnded(RunStatus, RunFailure?, RunValue?)
    /// It failed.
    case failed(RunFailure, isRetryable: Bool)
}

/// What a handler did to the shared state.
struct StateChange: Sendable {
    let key: String
    /// Nil where the key was removed.
    let value: RunValue?
}
