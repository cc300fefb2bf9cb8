/// Why a run did not give its output, or why what was asked of a run cannot be done.
///
/// `description` says what kind of thing went wrong and may go to strangers; `debugDescription` says everything.
public struct WorkflowError: Error, Sendable {
    /// What went wrong, as far as a program should care.
    public let code: RunFailure.Code
    /// The run concerned, if it is about one.
    public let runID: String?
    /// The step that failed, if it was a step.
    public let step: String?
    /// Which attempt failed, from 1, as ``RunFailure/attempt`` counts them.
    public let attempt: Int?
    /// What went wrong, in words: of an error that a handler threw, its text.
    public let message: String
    /// The type of the error that a handler threw.
    public let type: String?
    /// The error itself, where the run failed in this process.
    public let underlying: (any Error)?

    /// Makes an error.
    public init(
        _ code: RunFailure.Code, runID: String? = nil, step: String? = nil, attempt: Int? = nil, message: String,
        type: String? = nil, underlying: (any Error)? = nil
    ) {
        self.code = code
        self.runID = runID
        self.step = step
        self.attempt = attempt
        self.message = message
        self.type = type
        self.underlying = underlying
    }

    /// What is recorded of a run that did not end well.
    init(_ failure: RunFailure, runID: String, underlying: (any Error)? = nil) {
        self.init(
            failure.code, runID: runID, step: failure.step, attempt: failure.attempt, message: failure.message,
            type: failure.type, underlying: underlying)
    }
}

extension WorkflowError: CustomStringConvertible, CustomDebugStringConvertible {
    /// The code: fit for strangers.
    public var description: String { "workflow failed: \(self.code.rawValue)" }

    /// Everything that is known.
    public var debugDescription: String {
        var text = "\(self.code.rawValue)"
        if let runID = self.runID { text += " in run \(runID.debugDescription)" }
        if let step = self.step { text += ", step \(step.debugDescription)" }
        if let attempt = self.attempt { text += ", attempt \(attempt)" }
        text += ": \(self.message)"
        if let type = self.type { text += " (\(type))" }
        return text
    }
}
