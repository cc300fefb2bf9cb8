internal import PerdureCQLClient
package import PerdureState

extension CassandraStore: StoreInspection {
    /// The grants for a role that uses tables that are set up.
    package var grants: String {
        let names = self.configuration.names
        let role = "\"\((self.configuration.user ?? "app").replacing("\"", with: "\"\""))\""
        let tables =
            ["", "_tombstones", "_chunks"].map { names.quoted($0) }
            + CassandraSchema.runTables(names).map { "\"\(names.keyspace)\".\"\($0.name)\"" }
        return
            (tables.flatMap { ["GRANT SELECT ON \($0) TO \(role);", "GRANT MODIFY ON \($0) TO \(role);"] }
            + ["GRANT SELECT ON \(names.record) TO \(role);"]).joined(separator: "\n")
    }

    package func setupSteps() async throws(StoreError) -> [String] {
        try await self.inClient(.setup) { (client) async throws(StoreError) in
            try await SchemaWriter(configuration: self.configuration, setup: CassandraSetup()).steps(client)
        }
    }

    package func inspect() async throws(StoreError) -> [StoreFinding] {
        try await self.inClient(.read) { (client) async throws(StoreError) in
            do throws(CQLClientError) { return try await self.findings(client) } catch { throw error.storeError(.read) }
        }
    }

    private func findings(_ client: CQLClient) async throws(CQLClientError) -> [StoreFinding] {
        let names = self.configuration.names
        let reader = SchemaReader(client: client, names: names, timeout: self.configuration.readTimeout)
        var findings: [StoreFinding] = []
        let clock = SystemClock()
        let start = clock.now
        let local = try await reader.rows(
            "SELECT release_version, cluster_name, data_center, toUnixTimestamp(now()) FROM system.local")
        let (here, took) = (clock.unixMilliseconds, clock.now - start)
        if let row = local.first {
            let (version, cluster, center, time) = try reader.read(row) { row throws(CQLProtocolError) in
                (
                    try row.decode(String.self, at: 0), try row.decode(String.self, at: 1),
                    try row.decode(String.self, at: 2), try row.decode(Int64.self, at: 3)
                )
            }
            findings.append(
                .init(
                    .good, "server", "Cassandra \(version), cluster \(cluster.debugDescription), data centre \(center)")
            )
            findings.append(.clock(server: time, here: here, took: took))
        }
        let nodes = client.nodes
        findings.append(.init(.good, "nodes", "\(nodes.count) known"))
        let schema = try await reader.findings()
        findings += try await self.states(schema, reader)
        if schema.hasKeyspace { findings += try await self.runs(reader) }
        return findings
    }

    /// The tables of states.
    private func states(
        _ schema: SchemaFindings, _ reader: SchemaReader
    ) async throws(CQLClientError) -> [StoreFinding] {
        let names = self.configuration.names
        var findings: [StoreFinding] = []
        do throws(StoreError) {
            let layout = try schema.layout(self.configuration)
            let key = layout.key == .id ? "(persistence_id), which eGo reads" : "(shard_number, persistence_id)"
            findings.append(.init(.good, "table", "\(names.quoted()) with the key \(key)"))
            findings.append(
                layout.isExtended
                    ? .init(.good, "schema", "version \(schema.record?.version ?? 0), with our columns")
                    : .init(
                        .advice, "schema",
                        "as eGo's instructions make it; deleting and finding out lost answers take `store setup`"))
            guard layout.isExtended else { return findings }
        } catch {
            findings.append(.init(.trouble, "table", error.message))
            return findings
        }
        let rows = try await reader.rows("SELECT write_id FROM \(names.quoted()) LIMIT 1000")
        var foreign = 0
        for row in rows {
            let id = try reader.read(row) { row throws(CQLProtocolError) in try row.decode(CQLUUID?.self, at: 0) }
            if id == nil { foreign += 1 }
        }
        findings.append(.foreignRows(foreign, of: rows.count))
        return findings
    }

    /// The tables of runs; none at all trouble nobody who has only entities.
    private func runs(_ reader: SchemaReader) async throws(CQLClientError) -> [StoreFinding] {
        let names = self.configuration.names
        let tables = CassandraSchema.runTables(names)
        var (absent, lost): ([String], [String]) = ([], [])
        for table in tables {
            let columns = try await reader.columns(of: table.name)
            if columns.isEmpty { absent.append("the table \(table.name)") }
            if !columns.isEmpty {
                lost += table.columns.filter { columns[$0] == nil }.map { "the column \(table.name).\($0)" }
            }
        }
        if absent.count == tables.count {
            return [
                .init(
                    .advice, "runs: tables",
                    "there are none that begin with \(names.runs)_, so no workflow can run; `store setup` makes them")
            ]
        }
        let missing =
            StoreFinding.missing(absent, "`store setup` makes it again")
            + StoreFinding.missing(lost, "restore the table from a backup")
        return missing.isEmpty
            ? [.init(.good, "runs: tables", "the \(tables.count) whose names begin with \(names.runs)_")] : missing
    }

    /// Removes the keyspace of the configuration, which was made for a while, with all that is in it.
    package func dropKeyspace() async throws(StoreError) {
        try await self.inClient(.setup) { (client) async throws(StoreError) in
            let reader = SchemaReader(
                client: client, names: self.configuration.names, timeout: self.configuration.setupTimeout)
            do throws(CQLClientError) {
                try await reader.rows("DROP KEYSPACE IF EXISTS \"\(self.configuration.keyspace)\"")
            } catch { throw error.storeError(.setup) }
        }
    }

    /// Lends a client of its own.
    private func inClient<Result: Sendable>(
        _ operation: StoreError.Operation, _ body: (CQLClient) async throws(StoreError) -> Result
    ) async throws(StoreError) -> Result {
        let client = try await CQLClient.connected(self.configuration, operation)
        do throws(StoreError) {
            let result = try await body(client)
            await client.disconnect()
            return result
        } catch {
            await client.disconnect()
            throw error
        }
    }
}
