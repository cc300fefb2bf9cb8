public import PerdureCQL

/// Why a request failed, and whether what it was to write may have happened.
///
/// `description` and ``message`` name the node and say what to do; neither holds values, nor the server's words, which may
/// quote them: those are in ``serverError`` and in `debugDescription`.
public struct CQLClientError: Error, Sendable {
    /// What went wrong, as far as a program should care; more codes may be added.
    public let code: Code
    /// Whether a write may have happened. A request that only reads changes nothing: for it too this says whether it was done.
    public let outcome: CQLOutcome
    /// What was wrong and what to do, in words.
    public let message: String
    /// What the server said, if it did.
    public let serverError: CQLServerError?
    /// The node concerned, if it is about one.
    public let node: CQLEndpoint?
    /// The error beneath, if there was one: a ``CQLProtocolError``, a ``CQLConnectionError``, or what a closure threw.
    public let underlying: (any Error)?

    /// Makes an error.
    public init(
        _ code: Code, outcome: CQLOutcome = .notApplied, message: String, serverError: CQLServerError? = nil,
        node: CQLEndpoint? = nil, underlying: (any Error)? = nil
    ) {
        self.code = code
        self.outcome = outcome
        self.message = message
        self.serverError = serverError
        self.node = node
        self.underlying = underlying
    }

    /// What went wrong: a value that can be compared, of which there may be more in a later release.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        private let name: String
        private init(_ name: String) { self.name = name }

        /// A setting is out of its range; nothing was opened.
        public static let misconfigured = Code("misconfigured")
        /// The request cannot be written: a value of the wrong type, too large, or not there.
        public static let invalidRequest = Code("invalidRequest")
        /// No node could be reached in time.
        public static let unreachable = Code("unreachable")
        /// The cluster does not let us in: a wrong password, a certificate that is not trusted.
        public static let forbidden = Code("forbidden")
        /// No answer came in time.
        public static let timeout = Code("timeout")
        /// The connection broke before the answer came.
        public static let connectionLost = Code("connectionLost")
        /// The server said that it failed; ``CQLClientError/serverError`` has the details.
        public static let server = Code("server")
        /// The answer could not be read.
        public static let unreadable = Code("unreadable")
        /// Too many requests wait already.
        public static let overloaded = Code("overloaded")
        /// The client was disconnected.
        public static let closed = Code("closed")
        /// The caller's task was cancelled.
        public static let cancelled = Code("cancelled")
        /// The schema was changed, but not all nodes had the change in time.
        public static let schemaDisagreement = Code("schemaDisagreement")

        /// The code's name.
        public var description: String { self.name }
    }
}

extension CQLClientError: CustomStringConvertible, CustomDebugStringConvertible {
    /// Code, outcome and message: no values, and none of the server's words.
    public var description: String { "\(self.code) (\(self.outcome)): \(self.message)" }
    /// Everything, the server's words included.
    public var debugDescription: String {
        var text = self.description
        if let server = self.serverError { text += "; the server: \(server.debugDescription)" }
        if let underlying = self.underlying { text += "; beneath: \(String(reflecting: underlying))" }
        return text
    }
}
