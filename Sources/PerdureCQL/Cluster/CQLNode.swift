/// A node of a cluster, as the cluster describes it.
public struct CQLNode: Sendable, Hashable {
    /// What the cluster knows it by; it stays when the address changes.
    public var hostID: CQLUUID
    /// Where clients reach it.
    public var endpoint: CQLEndpoint
    /// Its data centre.
    public var dataCenter: String
    /// Its rack.
    public var rack: String
    /// Its tokens; those of other partitioners than Murmur3 are left out.
    public var tokens: [CQLToken]
    /// Its version of Cassandra.
    public var releaseVersion: String
    /// The version of the schema that it has; nodes agree when theirs are equal.
    public var schemaVersion: CQLUUID?

    /// Makes a description of a node.
    public init(
        hostID: CQLUUID, endpoint: CQLEndpoint, dataCenter: String, rack: String, tokens: [CQLToken] = [],
        releaseVersion: String = "", schemaVersion: CQLUUID? = nil
    ) {
        self.hostID = hostID
        self.endpoint = endpoint
        self.dataCenter = dataCenter
        self.rack = rack
        self.tokens = tokens
        self.releaseVersion = releaseVersion
        self.schemaVersion = schemaVersion
    }

    /// Reads the row of `system.local`.
    ///
    /// - Parameters:
    ///   - row: The row, with its columns.
    ///   - contact: Where the node was reached, for nodes that do not say.
    /// - Throws: ``CQLProtocolError`` where it lacks the host's ID, data centre or rack.
    public init(local row: CQLRow, contact: CQLEndpoint) throws(CQLProtocolError) {
        var endpoint = contact
        if let address: CQLInet = row.find("rpc_address"), !address.isWildcard {
            endpoint = CQLEndpoint(address: address, port: row.port("rpc_port") ?? contact.port)
        }
        try self.init(row, endpoint: endpoint)
    }

    /// Reads a row of `system.peers_v2`, or of `system.peers` where that does not exist.
    ///
    /// - Parameters:
    ///   - row: The row, with its columns.
    ///   - port: The port, for servers before 4.0, which have one for all nodes.
    /// - Throws: ``CQLProtocolError`` where it lacks the host's ID, data centre, rack or address: such rows are left-overs, and
    ///   to be ignored.
    public init(peer row: CQLRow, port: UInt16) throws(CQLProtocolError) {
        let candidates: [CQLInet?] = [row.find("native_address"), row.find("rpc_address"), row.find("peer")]
        guard let address = candidates.lazy.compactMap({ $0 }).first(where: { !$0.isWildcard }) else {
            throw .mismatch("a row of the peers has no address")
        }
        try self.init(row, endpoint: CQLEndpoint(address: address, port: row.port("native_port") ?? port))
    }

    private init(_ row: CQLRow, endpoint: CQLEndpoint) throws(CQLProtocolError) {
        let tokens: Set<String>? = row.find("tokens")
        self.init(
            hostID: try row.decode(named: "host_id"), endpoint: endpoint,
            dataCenter: try row.decode(named: "data_center"),
            rack: try row.decode(named: "rack"), tokens: (tokens ?? []).compactMap { CQLToken($0) }.sorted(),
            releaseVersion: row.find("release_version") ?? "", schemaVersion: row.find("schema_version"))
    }

    /// Asks for what ``init(local:contact:)`` reads.
    public static let localQuery = "SELECT * FROM system.local WHERE key = 'local'"
    /// Asks for what ``init(peer:port:)`` reads; servers before 4.0 answer that the table does not exist.
    public static let peersQuery = "SELECT * FROM system.peers_v2"
    /// Asks the same of servers before 4.0.
    public static let oldPeersQuery = "SELECT * FROM system.peers"
    /// Asks for the replication of every keyspace: `keyspace_name` and `replication`.
    public static let keyspacesQuery = "SELECT keyspace_name, replication FROM system_schema.keyspaces"
}

extension CQLRow {
    /// A column that may be missing, null, or of another type in another version of the server.
    fileprivate func find<Value: CQLDecodable>(_ name: String) -> Value? {
        try? self.decode(Value?.self, named: name)
    }

    fileprivate func port(_ name: String) -> UInt16? {
        let port: Int32? = self.find(name)
        return port.flatMap { $0 > 0 ? UInt16(exactly: $0) : nil }
    }
}

extension CQLInet {
    /// Whether this is the address that stands for any.
    var isWildcard: Bool { self == .v4(0) || self == .v6(0, 0) }
}
