internal import PerdureCQL

/// Whether the nodes that are up have the same schema, as one node sees it; a plain value.
struct SchemaAgreement: Sendable {
    /// How long to wait before looking again.
    static let pause = Duration.milliseconds(100)
    static let localQuery = "SELECT schema_version FROM system.local WHERE key = 'local'"

    static func peersQuery(old: Bool) -> String {
        "SELECT host_id, schema_version FROM " + (old ? "system.peers" : "system.peers_v2")
    }

    private var local: CQLUUID?
    private var peers: [CQLUUID]?

    /// Takes in the row of the node itself.
    mutating func take(local rows: CQLRows) throws(CQLProtocolError) {
        self.local = try rows.first?.decode(CQLUUID?.self, at: 0)
    }

    /// Takes in the rows of the others; what nodes that are down have does not count.
    mutating func take(peers rows: CQLRows, isUp: (CQLUUID) -> Bool) throws(CQLProtocolError) {
        var versions: [CQLUUID] = []
        for row in rows {
            guard let host = try row.decode(CQLUUID?.self, at: 0), isUp(host),
                let version = try row.decode(CQLUUID?.self, at: 1)
            else { continue }
            versions.append(version)
        }
        self.peers = versions
    }

    /// Nil until both have been taken in.
    var isReached: Bool? {
        guard let local = self.local, let peers = self.peers else { return nil }
        return peers.allSatisfy { $0 == local }
    }
}
