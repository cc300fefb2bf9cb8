/// Why a run or a step failed, as it is recorded.
public struct RunFailure: Sendable, Hashable, Codable {
    /// In a box: failures are seldom, and the records that may have one are copied at each step.
    private var box: Box

    /// Makes a failure.
    public init(_ code: Code, message: String, type: String? = nil, step: String? = nil, attempt: Int? = nil) {
        self.box = Box(Fields(code: code, message: message, type: type, step: step, attempt: attempt))
    }

    /// What went wrong, as far as a program should care.
    public var code: Code {
        get { self.box.fields.code }
        set { self.change { $0.code = newValue } }
    }
    /// What went wrong, in words: of a thrown error, its description.
    public var message: String {
        get { self.box.fields.message }
        set { self.change { $0.message = newValue } }
    }
    /// The type of the error that was thrown, if one was.
    public var type: String? {
        get { self.box.fields.type }
        set { self.change { $0.type = newValue } }
    }
    /// The step that failed, if it was a step.
    public var step: String? {
        get { self.box.fields.step }
        set { self.change { $0.step = newValue } }
    }
    /// Which attempt failed, from 1; counted anew when a person has the step tried again. One that a crash cut off does not count.
    public var attempt: Int? {
        get { self.box.fields.attempt }
        set { self.change { $0.attempt = newValue } }
    }

    /// Whether two say the same in every field.
    public static func == (left: RunFailure, right: RunFailure) -> Bool { left.box.fields == right.box.fields }

    /// Hashes every field.
    public func hash(into hasher: inout Hasher) { self.box.fields.hash(into: &hasher) }

    /// Reads the fields from an object.
    public init(from decoder: any Decoder) throws { self.box = Box(try Fields(from: decoder)) }

    /// Writes an object of the fields that are set.
    public func encode(to encoder: any Encoder) throws { try self.box.fields.encode(to: encoder) }

    private mutating func change(_ body: (inout Fields) -> Void) {
        var fields = self.box.fields
        body(&fields)
        self.box = Box(fields)
    }

    private struct Fields: Sendable, Hashable, Codable {
        var code: Code
        var message: String
        var type: String?
        var step: String?
        var attempt: Int?
    }

    private final class Box: Sendable {
        let fields: Fields
        init(_ fields: Fields) { self.fields = fields }
    }

    /// What went wrong: Gorkflow's codes.
    public enum Code: String, Sendable, Hashable, Codable, CaseIterable {
        /// An input was refused by its validation; never tried again.
        case validation = "VALIDATION_ERROR"
        /// Something that was named is not there: a run, a step, a workflow.
        case notFound = "NOT_FOUND"
        /// An attempt, a wait or a run took longer than it may.
        case timeout = "TIMEOUT"
        /// A limit of concurrency refused it: never given here, where a run over a limit waits as pending, and its steps for their turn.
        /// It is in the list because records of others may have it.
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
