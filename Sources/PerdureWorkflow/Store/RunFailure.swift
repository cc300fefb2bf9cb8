/// Why a run or a step failed, as it is recorded.
public struct RunFailure: Sendable, Hashable, Codable {
    /// What went wrong, as far as a program should care.
    public var code: Code
    /// What went wrong, in words: of a thrown error, its description.
    public var message: String
    /// The type of the error that was thrown, if one was.
    public var type: String?
    /// The step that failed, if it was a step.
    public var step: String?
    /// The number of the attempt that failed, from 1.
    public var attempt: Int?

    /// Makes a failure.
    public init(_ code: Code, message: String, type: String? = nil, step: String? = nil, attempt: Int? = nil) {
        self.code = code
        self.message = message
        self.type = type
        self.step = step
        self.attempt = attempt
    }

    /// What went wrong: Gorkflow's codes.
    public enum Code: String, Sendable, Hashable, Codable, CaseIterable {
        /// An input was refused by its validation; never tried again.
        case validation = "VALIDATION_ERROR"
        /// Something that was named is not there: a run, a step, a workflow.
        case notFound = "NOT_FOUND"
        /// An attempt, a wait or a run took longer than it may.
        case timeout = "TIMEOUT"
        /// A limit of concurrency refused it.
        case concurrencyLimit = "CONCURRENCY_LIMIT"
        /// A handler threw.
        case executionFailed = "EXECUTION_FAILED"
        /// Somebody cancelled it.
        case cancelled = "CANCELLED"
        /// A handler ended its process, again and again. (A panic in Go.)
        case panic = "PANIC"
        /// The engine or the store failed.
        case internalError = "INTERNAL_ERROR"
    }
}
