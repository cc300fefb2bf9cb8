/// What a peer sent, or what a caller wanted to send, breaks the protocol.
///
/// Thrown by every decoder and encoder of this module. After an error of a ``CQLFrameDecoder`` the connection is of no
/// use any more: the place of the next frame is not known. An error while reading one response concerns that response
/// only.
public struct CQLProtocolError: Error, Sendable, Hashable {
    /// What kind of rule was broken; more codes may be added.
    public let code: Code
    /// Which rule, with the sizes and numbers concerned; never a value that a user stored.
    public let reason: String

    /// Makes an error.
    public init(_ code: Code, _ reason: String) {
        self.code = code
        self.reason = reason
    }

    /// What kind of rule was broken.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        private let name: String
        private init(_ name: String) { self.name = name }

        /// The bytes are not what the protocol says: a wrong checksum, a count that cannot be, an unknown opcode.
        public static let malformed = Code("malformed")
        /// A message ends before it should.
        public static let truncated = Code("truncated")
        /// A frame, count or nesting is over the limit that was set; nothing was allocated for it.
        public static let limitExceeded = Code("limitExceeded")
        /// The value does not fit the type, or is null where null cannot be expressed.
        public static let valueMismatch = Code("valueMismatch")
        /// The version of the protocol that is in use cannot express what was asked for.
        public static let unsupported = Code("unsupported")
        /// A message that makes no sense at this point of the conversation.
        public static let unexpectedMessage = Code("unexpectedMessage")

        /// The code's name.
        public var description: String { self.name }
    }
}

extension CQLProtocolError: CustomStringConvertible {
    /// Code and reason; neither holds values.
    public var description: String { "CQL protocol error (\(self.code)): \(self.reason)" }
}

// Out of line, so that the paths that succeed stay small.
extension CQLProtocolError {
    @inline(never)
    static func malformed(_ reason: @autoclosure () -> String) -> CQLProtocolError { .init(.malformed, reason()) }
    @inline(never)
    static func mismatch(_ reason: @autoclosure () -> String) -> CQLProtocolError { .init(.valueMismatch, reason()) }
    @inline(never)
    static func limit(_ reason: @autoclosure () -> String) -> CQLProtocolError { .init(.limitExceeded, reason()) }
    @inline(never)
    static func unsupported(_ reason: @autoclosure () -> String) -> CQLProtocolError { .init(.unsupported, reason()) }
    @inline(never)
    static func unexpected(_ reason: @autoclosure () -> String) -> CQLProtocolError {
        .init(.unexpectedMessage, reason())
    }
    @inline(never)
    static func truncated(_ what: StaticString, need: Int, have: Int) -> CQLProtocolError {
        .init(.truncated, "\(what) needs \(need) bytes where \(have) are left")
    }
}
