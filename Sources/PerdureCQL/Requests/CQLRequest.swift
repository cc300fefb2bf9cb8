/// A request as a value: for what is sent rarely, for the machines, and for tests.
///
/// Statements in a hurry go through the methods of ``CQLFrameEncoder`` of the same names, which make no values between.
public enum CQLRequest: Sendable, Hashable {
    /// Opens the conversation.
    case startup(CQLStartup)
    /// Asks what the server supports.
    case options
    /// Answers AUTHENTICATE or a challenge.
    case authResponse([UInt8]?)
    /// A query as text.
    case query(String, CQLQueryOptions, [CQLValue])
    /// A query as text, with values by the names of its markers.
    case queryNamed(String, CQLQueryOptions, [NamedValue])
    /// Asks the server to remember a query; the keyspace needs version 5.
    case prepare(String, keyspace: String?)
    /// A prepared statement.
    case execute(CQLPreparedStatement, CQLQueryOptions, [CQLValue])
    /// Several writes in one.
    case batch(CQLBatchKind, CQLQueryOptions, [BatchStatement])
    /// Asks for events.
    case register([CQLEventKind])

    /// A value and the marker that it belongs to.
    public struct NamedValue: Sendable, Hashable {
        /// The marker's name.
        public var name: String
        /// The value.
        public var value: CQLValue

        /// Makes a named value.
        public init(name: String, value: CQLValue) {
            self.name = name
            self.value = value
        }
    }

    /// A statement of a batch.
    public enum BatchStatement: Sendable, Hashable {
        /// A statement as text.
        case query(String, [CQLValue])
        /// A prepared statement.
        case prepared(CQLPreparedStatement, [CQLValue])
    }
}

/// What a client says about itself when it opens a conversation.
public struct CQLStartup: Sendable, Hashable {
    /// The compression to use, of those that SUPPORTED named.
    public var compression: CQLCompression?
    /// The driver's name, shown by the server's tools.
    public var driverName: String?
    /// The driver's version, shown by the server's tools.
    public var driverVersion: String?
    /// Whether the server should answer with an error when it is overloaded, instead of reading more slowly.
    public var throwsOnOverload: Bool

    /// Makes a description of a client.
    public init(
        compression: CQLCompression? = nil, driverName: String? = nil, driverVersion: String? = nil,
        throwsOnOverload: Bool = false
    ) {
        self.compression = compression
        self.driverName = driverName
        self.driverVersion = driverVersion
        self.throwsOnOverload = throwsOnOverload
    }

    /// As the protocol has it, in a fixed order.
    var entries: [(String, String)] {
        var entries = [("CQL_VERSION", "3.0.0")]
        if let compression = self.compression { entries.append(("COMPRESSION", compression.rawValue)) }
        if let name = self.driverName { entries.append(("DRIVER_NAME", name)) }
        if let version = self.driverVersion { entries.append(("DRIVER_VERSION", version)) }
        if self.throwsOnOverload { entries.append(("THROW_ON_OVERLOAD", "1")) }
        return entries
    }
}

/// How the statements of a batch belong together.
public enum CQLBatchKind: UInt8, Sendable, Hashable {
    /// All or none in the end: written to a log first.
    case logged = 0
    /// Each by itself; within one partition still atomic.
    case unlogged = 1
    /// Counter updates only.
    case counter = 2
}

/// The kinds of events that a connection can ask for.
public enum CQLEventKind: String, Sendable, Hashable, CaseIterable {
    /// Nodes come and go.
    case topologyChange = "TOPOLOGY_CHANGE"
    /// Nodes go up and down.
    case statusChange = "STATUS_CHANGE"
    /// Keyspaces, tables, types and functions change.
    case schemaChange = "SCHEMA_CHANGE"
}
