internal import PerdureCQLClient
internal import PerdureState

/// Asks the system schema for what the store has to know.
struct SchemaReader {
    let client: CQLClient
    let names: CassandraSchema.Names
    /// The driver's own waiting included.
    let timeout: Duration

    func findings() async throws(CQLClientError) -> SchemaFindings {
        var findings = SchemaFindings()
        let keyspaces = try await self.rows(
            "SELECT keyspace_name FROM system_schema.keyspaces WHERE keyspace_name = ?", [self.names.keyspace])
        findings.hasKeyspace = !keyspaces.isEmpty
        guard findings.hasKeyspace else { return findings }
        let tables = ["", "_tombstones", "_chunks"].map { self.names.table + $0 } + [CassandraSchema.record]
        for table in tables {
            let columns = try await self.columns(of: table)
            if !columns.isEmpty { findings.columns[table] = columns }
        }
        let indexes = try await self.rows(
            "SELECT options FROM system_schema.indexes WHERE keyspace_name = ? AND table_name = ?",
            [self.names.keyspace, self.names.table])
        for row in indexes {
            let options = try self.read(row) { row throws(CQLProtocolError) in
                try row.decode([String: String].self, at: 0)
            }
            if let target = options["target"] { findings.indexed.insert(target.filter { $0 != "\"" }) }
        }
        if findings.columns[CassandraSchema.record] != nil { findings.record = try await self.record() }
        return findings
    }

    /// The columns of a table of the keyspace; none where it is not there.
    func columns(of table: String) async throws(CQLClientError) -> [String: SchemaFindings.Column] {
        let rows = try await self.rows(
            "SELECT column_name, kind, position, type FROM system_schema.columns"
                + " WHERE keyspace_name = ? AND table_name = ?", [self.names.keyspace, table])
        var columns: [String: SchemaFindings.Column] = [:]
        for row in rows {
            let (name, column) = try self.read(row) { row throws(CQLProtocolError) in
                (
                    try row.decode(String.self, at: 0),
                    SchemaFindings.Column(
                        kind: try row.decode(at: 1), position: try row.decode(at: 2), type: try row.decode(at: 3))
                )
            }
            columns[name] = column
        }
        return columns
    }

    /// What is recorded of the table of states.
    func record() async throws(CQLClientError) -> SchemaFindings.Record? {
        let rows = try await self.rows(
            "SELECT version, shards, writes FROM \(self.names.record) WHERE component = ?", [self.names.table])
        guard let row = rows.first else { return nil }
        return try self.read(row) { row throws(CQLProtocolError) in
            SchemaFindings.Record(
                version: try row.decode(Int32?.self, at: 0) ?? 0,
                shards: try row.decode(Int64?.self, at: 1).map { UInt64(bitPattern: $0) },
                writes: try row.decode(at: 2))
        }
    }

    /// Sends a query, or a statement that changes the schema.
    @discardableResult
    func rows(_ text: String, _ values: [String] = []) async throws(CQLClientError) -> CQLResult {
        try await self.client.query(text, options: CQLExecutionOptions(timeout: self.timeout)) { bound in
            for value in values { try bound.bind(value) }
        }
    }

    func read<Value>(
        _ row: CQLRow, _ body: (CQLRow) throws(CQLProtocolError) -> Value
    ) throws(CQLClientError) -> Value {
        do throws(CQLProtocolError) { return try body(row) } catch {
            throw CQLClientError(.unreadable, message: "the system schema cannot be read", underlying: error)
        }
    }
}
