/// Why an operation of a store failed, and whether what it was asked to write may have happened.
///
/// `description` says code, operation and outcome, and nothing that came from a user: it may go to strangers.
/// `debugDescription` says everything that is known, IDs and the store's own words included; never a payload or a password.
public struct StoreError: Error, Sendable {
    /// What went wrong, as far as a program should care; more codes may be added.
    public let code: Code
    /// Whether the write may have happened. Reads have changed nothing: theirs is always ``Outcome/notApplied``.
    public let outcome: Outcome
    /// What was being done.
    public let operation: Operation
    /// The persistence ID concerned, if it is about one.
    public let persistenceID: String?
    /// What was wrong, with what value, and what to do; for people who run the service.
    public let message: String
    /// With ``Code/conflict``: the version that is stored. The version of the tombstone where the state was deleted, 0 where none ever was.
    public let storedVersion: UInt64?
    /// The error beneath, if there was one.
    public let underlying: (any Error)?
    /// Where in the code the error was made, as `Module/File.swift:line`.
    public let location: String

    /// Makes an error; `location` defaults to the caller's.
    public init(
        _ code: Code,
        outcome: Outcome = .notApplied,
        operation: Operation,
        persistenceID: String? = nil,
        message: String,
        storedVersion: UInt64? = nil,
        underlying: (any Error)? = nil,
        fileID: StaticString = #fileID,
        line: UInt = #line
    ) {
        self.code = code
        self.outcome = outcome
        self.operation = operation
        self.persistenceID = persistenceID
        self.message = message
        self.storedVersion = storedVersion
        self.underlying = underlying
        self.location = "\(fileID):\(line)"
    }

    /// Whether a failed write may have happened: the question that every retry must ask.
    public enum Outcome: String, Sendable, Hashable {
        /// The store is as if the write had never been asked for, and it will not happen later.
        case notApplied
        /// It may have happened, or may still: read again before deciding anything.
        case unknown
    }

    /// What a store was asked to do.
    public enum Operation: String, Sendable, Hashable {
        /// Connecting, or setting up.
        case connect
        /// A round trip to see whether the store answers.
        case ping
        /// Reading states.
        case read
        /// Writing a state.
        case write
        /// Deleting a state.
        case delete
        /// Listing IDs.
        case list
        /// Creating or migrating tables.
        case setup
        /// Copying the store to a file while it is in use.
        case backup
    }

    /// What went wrong: a value that can be compared, of which there may be more in a later release.
    ///
    /// `catch` can match it: `catch StoreError.Code.conflict { … }`.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        private let name: String
        private init(_ name: String) { self.name = name }

        /// The condition of a write did not hold; ``StoreError/storedVersion`` says what is there.
        public static let conflict = Code("conflict")
        /// The store cannot be reached, or is not able to work at the moment; the same request may succeed later.
        public static let unavailable = Code("unavailable")
        /// No answer came before the deadline.
        public static let timeout = Code("timeout")
        /// The store asks to be called less often.
        public static let throttled = Code("throttled")
        /// The payload is larger than the store takes; nothing was sent.
        public static let payloadTooLarge = Code("payloadTooLarge")
        /// The request breaks a rule of the contract (an ID, a manifest or a version that is not allowed); nothing was sent.
        public static let invalidRequest = Code("invalidRequest")
        /// What is stored cannot be read as what it claims to be.
        public static let corrupted = Code("corrupted")
        /// The bytes of a state cannot be decoded, or a state cannot be encoded.
        public static let undecodable = Code("undecodable")
        /// The store is set up wrongly: a missing table, a wrong schema, a wrong key, a file that is something else.
        public static let misconfigured = Code("misconfigured")
        /// The credentials or rights do not suffice, or the store can only be read.
        public static let forbidden = Code("forbidden")
        /// The store has no room left.
        public static let full = Code("full")
        /// The store was disconnected by this program.
        public static let closed = Code("closed")
        /// The caller's task was cancelled before anything was sent.
        public static let cancelled = Code("cancelled")
        /// Something that should not happen did.
        public static let internalError = Code("internalError")

        /// The code's name.
        public var description: String { self.name }

        /// Lets `catch StoreError.Code.conflict` match an error by its code.
        public static func ~= (code: Code, error: any Error) -> Bool { (error as? StoreError)?.code == code }
    }
}

extension StoreError: CustomStringConvertible, CustomDebugStringConvertible {
    /// Operation, code and outcome: fit for strangers.
    public var description: String {
        switch self.operation {
        case .write, .delete: "\(self.operation.rawValue) failed: \(self.code) (\(self.outcomeInWords))"
        default: "\(self.operation.rawValue) failed: \(self.code)"
        }
    }

    /// Everything that is known, for people who run the service.
    public var debugDescription: String {
        var text = self.description
        if let id = self.persistenceID { text += " of \(id.debugDescription)" }
        text += ": \(self.message)"
        if let version = self.storedVersion { text += "; stored version: \(version)" }
        if let underlying = self.underlying { text += "; because: \(String(reflecting: underlying))" }
        return text + " [\(self.location)]"
    }

    private var outcomeInWords: String {
        switch self.outcome {
        case .notApplied: "not applied"
        case .unknown: "it may have been applied"
        }
    }
}

extension StoreError {
    /// The same error under another operation or ID: for a layer that knows better what was being done.
    package func with(
        operation: Operation? = nil, persistenceID: String? = nil, outcome: Outcome? = nil
    ) -> StoreError {
        StoreError(self, operation: operation, persistenceID: persistenceID, outcome: outcome)
    }

    private init(_ error: StoreError, operation: Operation?, persistenceID: String?, outcome: Outcome?) {
        self.code = error.code
        self.outcome = outcome ?? error.outcome
        self.operation = operation ?? error.operation
        self.persistenceID = persistenceID ?? error.persistenceID
        self.message = error.message
        self.storedVersion = error.storedVersion
        self.underlying = error.underlying
        self.location = error.location
    }
}
