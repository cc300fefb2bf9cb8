internal import PerdureCQLClient

/// The statements of a session, prepared for the layout that its tables have.
///
/// Conditions name `write_id != ?` although it always holds for a write that did not happen yet: a refused write is told the columns
/// that its conditions name, and so learns whether the row is its own.
struct StateStatements: Sendable {
    // Reading.
    let read: CQLStatement
    let head: CQLStatement
    /// The shards under which an ID has rows; only where the shard is part of the key.
    let find: CQLStatement?

    // Writing.
    /// Replaces a row of one version.
    let replace: CQLStatement
    /// Makes a row where there is none.
    let create: CQLStatement
    /// Makes or replaces a row, as a lightweight transaction.
    let put: CQLStatement
    /// Makes or replaces a row; the latest timestamp wins.
    let putLatest: CQLStatement
    let deleteLatest: CQLStatement
    let extra: Extra?

    // Listing.
    let list: CQLStatement
    let listAfter: CQLStatement
    /// The rest of a shard; only where the shard is part of the key.
    let listShard: CQLStatement?

    /// What only tables with our columns have.
    struct Extra: Sendable {
        /// Says that a row did not begin in the shadow of a deletion.
        let confirm: CQLStatement
        /// Takes away a row that did.
        let discard: CQLStatement
        let delete: CQLStatement
        let tombstone: CQLStatement
        let claimFirst: CQLStatement
        let claimNext: CQLStatement
        let buryLatest: CQLStatement
        let writeChunk: CQLStatement
        let readChunks: CQLStatement
        let deleteChunks: CQLStatement
        let listChunkSets: CQLStatement
    }

    init(_ client: CQLClient, _ layout: TableLayout) async throws(CQLClientError) {
        let text = StatementTexts(layout)
        self.read = try await client.prepare(text.read)
        self.head = try await client.prepare(text.head)
        self.replace = try await client.prepare(text.replace)
        self.create = try await client.prepare(text.create)
        self.put = try await client.prepare(text.put)
        self.putLatest = try await client.prepare(text.putLatest)
        self.deleteLatest = try await client.prepare("DELETE FROM \(text.states) WHERE \(text.key)")
        self.list = try await client.prepare("SELECT \(text.listed) FROM \(text.states)")
        switch layout.key {
        case .id:
            (self.find, self.listShard) = (nil, nil)
            self.listAfter = try await client.prepare(
                "SELECT \(text.listed) FROM \(text.states) WHERE token(persistence_id) >= token(?)")
        case .shard:
            self.find =
                layout.searchesOtherShards
                ? try await client.prepare("SELECT shard_number FROM \(text.states) WHERE persistence_id = ?") : nil
            self.listShard = try await client.prepare(
                "SELECT \(text.listed) FROM \(text.states) WHERE shard_number = ? AND persistence_id > ?")
            self.listAfter = try await client.prepare(
                "SELECT \(text.listed) FROM \(text.states) WHERE token(shard_number) > token(?)")
        }
        self.extra = layout.isExtended ? try await Extra(client, text) : nil
    }
}

extension StateStatements.Extra {
    init(_ client: CQLClient, _ text: StatementTexts) async throws(CQLClientError) {
        self.confirm = try await client.prepare(
            "UPDATE \(text.states) SET newborn = null WHERE \(text.key) IF write_id = ? AND newborn = ?")
        self.discard = try await client.prepare(
            "DELETE FROM \(text.states) WHERE \(text.key) IF write_id = ? AND newborn = ?")
        self.delete = try await client.prepare(
            "DELETE FROM \(text.states) WHERE \(text.key) IF version_number = ? AND write_id = ?")
        self.tombstone = try await client.prepare(
            "SELECT version_number, write_id, target_version, target_write_id FROM \(text.tombstones)"
                + " WHERE persistence_id = ?")
        self.claimFirst = try await client.prepare(
            "INSERT INTO \(text.tombstones) (version_number, write_id, target_version, target_write_id, persistence_id)"
                + " VALUES (?, ?, ?, ?, ?) IF NOT EXISTS")
        self.claimNext = try await client.prepare(
            "UPDATE \(text.tombstones) SET version_number = ?, write_id = ?, target_version = ?, target_write_id = ?"
                + " WHERE persistence_id = ? IF version_number = ? AND write_id = ?")
        self.buryLatest = try await client.prepare(
            "INSERT INTO \(text.tombstones) (version_number, write_id, target_version, target_write_id, persistence_id)"
                + " VALUES (?, ?, ?, ?, ?)")
        self.writeChunk = try await client.prepare(
            "INSERT INTO \(text.chunks) (set_id, number, bytes, persistence_id, written_at) VALUES (?, ?, ?, ?, ?)")
        self.readChunks = try await client.prepare("SELECT number, bytes FROM \(text.chunks) WHERE set_id = ?")
        self.deleteChunks = try await client.prepare("DELETE FROM \(text.chunks) WHERE set_id = ?")
        self.listChunkSets = try await client.prepare(
            "SELECT DISTINCT set_id, persistence_id, written_at FROM \(text.chunks)")
    }
}

/// The texts of statements, for one layout.
struct StatementTexts {
    let states: String
    let tombstones: String
    let chunks: String
    /// The condition for one row.
    let key: String
    let read: String
    let head: String
    let replace: String
    let create: String
    let put: String
    let putLatest: String
    /// What a listing reads.
    let listed: String

    init(_ layout: TableLayout) {
        self.states = layout.names.quoted()
        self.tombstones = layout.names.quoted("_tombstones")
        self.chunks = layout.names.quoted("_chunks")
        self.key = layout.key == .id ? "persistence_id = ?" : "shard_number = ? AND persistence_id = ?"
        let ours = layout.isExtended
        var read = "version_number, state_payload, state_manifest, timestamp, shard_number"
        if ours, layout.isConditional { read += ", write_id, newborn, chunk_count, chunked_manifest" }
        if ours, layout.key == .shard { read += ", state_shard" }
        self.read = "SELECT \(read) FROM \(self.states) WHERE \(self.key)"
        let head = "version_number\(ours ? ", write_id, newborn, chunk_count" : "")"
        self.head = "SELECT \(head) FROM \(self.states) WHERE \(self.key)"
        self.listed =
            "persistence_id\(layout.key == .shard ? ", shard_number" : "")\(ours ? ", version_number, newborn" : "")"

        // What `bind(_:)` binds, in this order.
        var columns = ["version_number", "state_payload", "state_manifest", "timestamp"]
        if layout.key == .id { columns.append("shard_number") }
        if ours { columns += ["write_id", "newborn", "chunk_count", "chunked_manifest"] }
        if ours, layout.key == .shard { columns.append("state_shard") }
        let set =
            "UPDATE \(self.states) SET \(columns.map { "\($0) = ?" }.joined(separator: ", ")) WHERE \(self.key)"
        self.replace =
            "\(set) IF version_number = ?\(ours ? " AND write_id != ? AND newborn = ? AND chunk_count = ?" : "")"
        self.put = "\(set) IF \(ours ? "write_id != ? AND chunk_count = ?" : "version_number != ?")"
        columns += layout.key == .id ? ["persistence_id"] : ["shard_number", "persistence_id"]
        let insert =
            "INSERT INTO \(self.states) (\(columns.joined(separator: ", ")))"
            + " VALUES (\(columns.map { _ in "?" }.joined(separator: ", ")))"
        self.create = "\(insert) IF NOT EXISTS"
        self.putLatest = insert
    }
}
