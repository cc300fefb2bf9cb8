/// What a handler is told about the run and the attempt that it is part of.
public struct StepContext: Sendable {
    /// The run's ID.
    public let runID: String
    /// The step's ID in the run; of an element of a loop, with its number.
    public let step: String
    /// The number of this attempt, from 1. It goes on counting after a crash.
    public let attempt: Int

    let source: any StepContextSource

    init(runID: String, step: String, attempt: Int, source: any StepContextSource) {
        self.runID = runID
        self.step = step
        self.attempt = attempt
        self.source = source
    }
}

/// What a context asks of the run it belongs to.
protocol StepContextSource: Sendable {}
