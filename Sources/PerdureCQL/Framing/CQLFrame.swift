/// The version of the protocol that a connection speaks.
public enum CQLVersion: UInt8, Sendable, Hashable, Comparable {
    /// Cassandra 2.2 and later: plain frames, the body of each compressed or not.
    case v4 = 4
    /// Cassandra 4.0 and later: messages travel in segments with checksums.
    case v5 = 5

    /// Orders versions by age.
    public static func < (left: CQLVersion, right: CQLVersion) -> Bool { left.rawValue < right.rawValue }
}

/// The compression of a connection.
public enum CQLCompression: String, Sendable, Hashable {
    /// LZ4 blocks.
    case lz4
}

/// What kind of message a frame holds.
public enum CQLOpcode: UInt8, Sendable, Hashable {
    /// An error of the server.
    case error = 0x00
    /// Opens the conversation.
    case startup = 0x01
    /// The server is ready.
    case ready = 0x02
    /// The server wants to know who it talks to.
    case authenticate = 0x03
    /// Asks what the server supports; also the heartbeat.
    case options = 0x05
    /// What the server supports.
    case supported = 0x06
    /// A query as text.
    case query = 0x07
    /// The result of a query.
    case result = 0x08
    /// Asks the server to remember a query.
    case prepare = 0x09
    /// A query that the server remembers.
    case execute = 0x0A
    /// Asks for events.
    case register = 0x0B
    /// An event.
    case event = 0x0C
    /// Several writes in one.
    case batch = 0x0D
    /// The server wants to know more.
    case authChallenge = 0x0E
    /// Who we are.
    case authResponse = 0x0F
    /// The server believes it.
    case authSuccess = 0x10
}

/// What a frame's header says.
public struct CQLFrameHeader: Sendable, Hashable {
    /// How many bytes a header has.
    public static let byteCount = 9

    /// The protocol's version without the bit for the direction; during the handshake a server may answer in its own.
    public var version: UInt8
    /// What stands before the message proper, and whether the body is compressed.
    public var flags: Flags
    /// The number that pairs a response with its request; -1 for events.
    public var stream: Int16
    /// What kind of message the body holds.
    public var opcode: CQLOpcode
    /// The length of the body in bytes, as it was sent.
    public var length: Int

    /// Marks on a frame.
    public struct Flags: OptionSet, Sendable, Hashable {
        /// The bits on the wire.
        public let rawValue: UInt8
        /// Makes flags from the bits on the wire.
        public init(rawValue: UInt8) { self.rawValue = rawValue }
        /// The body is compressed (only in version 4).
        public static let compressed = Flags(rawValue: 0x01)
        /// Tracing is wanted; in a response: the body begins with the ID of the trace.
        public static let tracing = Flags(rawValue: 0x02)
        /// The body has a custom payload before the message.
        public static let customPayload = Flags(rawValue: 0x04)
        /// The body has warnings before the message.
        public static let warnings = Flags(rawValue: 0x08)
        /// The client accepts a version that is still in beta.
        public static let beta = Flags(rawValue: 0x10)
    }
}

/// One message as it came: header and body, decompressed, not yet looked into.
///
/// A response is decoded from it with ``CQLResponse/init(_:)``, wherever and whenever that suits: a connection can hand
/// the frame to whoever waits for it and go on with the next. Copying a frame shares its bytes.
public struct CQLFrame: Sendable, Hashable {
    /// The header; its length is that of the body as it was sent, before decompression.
    public let header: CQLFrameHeader
    let storage: [UInt8]
    let start: Int

    init(header: CQLFrameHeader, storage: [UInt8], start: Int = 0) {
        self.header = header
        self.storage = storage
        self.start = start
    }

    /// A copy of the body's bytes.
    public var body: [UInt8] { self.start == 0 ? self.storage : [UInt8](self.storage[self.start...]) }
}
