/// A run and all that it owns, as of one moment.
public struct RunSnapshot: Sendable {
    /// The run.
    public var run: RunRecord
    /// Its steps, by position and item.
    public var steps: [StepRecord]
    /// Its shared state, in no particular order.
    public var state: [StateRecord]
    /// Its messages, by number; those that were taken included.
    public var messages: [RunMessage]

    /// Makes a snapshot.
    public init(run: RunRecord, steps: [StepRecord], state: [StateRecord], messages: [RunMessage]) {
        self.run = run
        self.steps = steps
        self.state = state
        self.messages = messages
    }
}
