internal import PerdureCQLClient
internal import PerdureModel
internal import PerdureState

/// Makes the keyspace and the tables, or completes them.
struct SchemaWriter {
    let configuration: CassandraConfiguration
    let setup: CassandraSetup

    func run() async throws(StoreError) {
        let client = try await CQLClient.connected(self.configuration, .setup)
        do throws(StoreError) {
            let from = try await self.migrate(client)
            await client.disconnect()
            if from < CassandraSchema.version {
                self.configuration.observer?.observe(
                    .schemaMigrated(store: CassandraStore.name, from: from, to: CassandraSchema.version))
            }
        } catch {
            await client.disconnect()
            throw error.with(operation: .setup)
        }
    }

    /// The statements that ``run()`` would send to what there is now.
    func steps(_ client: CQLClient) async throws(StoreError) -> [String] {
        let names = self.configuration.names
        let reader = SchemaReader(client: client, names: names, timeout: self.configuration.setupTimeout)
        let findings: SchemaFindings
        do throws(CQLClientError) { findings = try await reader.findings() } catch { throw error.storeError(.setup) }
        var steps = findings.hasKeyspace ? [] : [self.makeKeyspace(client, names)]
        let key = try findings.keyLayout(names, .setup) ?? (self.setup.key == .shard ? .shard : .id)
        for statement in CassandraSchema.statements(names, key: key) {
            let column = CassandraSchema.addedColumn(statement)
            if let column, findings.columns[names.table]?[column] != nil { continue }
            steps.append(statement)
        }
        return steps + [Self.recording(names)] + CassandraSchema.runStatements(names) + [Self.recordingRuns(names)]
    }

    private static func recordingRuns(_ names: CassandraSchema.Names) -> String {
        "INSERT INTO \(names.record) (component, version) VALUES (?, ?)"
    }

    private static func recording(_ names: CassandraSchema.Names) -> String {
        "INSERT INTO \(names.record) (component, version, shards, writes) VALUES (?, ?, ?, ?)"
    }

    /// Brings the tables to this release's schema and returns the version that they had.
    private func migrate(_ client: CQLClient) async throws(StoreError) -> Int {
        let names = self.configuration.names
        let reader = SchemaReader(client: client, names: names, timeout: self.configuration.setupTimeout)
        do throws(CQLClientError) {
            var findings = try await reader.findings()
            // Only where it is missing: asking for it takes a right that is not needed otherwise.
            if !findings.hasKeyspace { try await reader.rows(self.makeKeyspace(client, names)) }
            let key: KeyLayout
            do throws(StoreError) {
                key = try findings.keyLayout(names, .setup) ?? (self.setup.key == .shard ? .shard : .id)
            } catch { throw CQLClientError(.misconfigured, message: error.message, underlying: error) }
            for statement in CassandraSchema.statements(names, key: key) {
                if let column = CassandraSchema.addedColumn(statement) {
                    if findings.columns[names.table]?[column] != nil { continue }
                    do throws(CQLClientError) { try await self.change(statement, reader) } catch {
                        // Somebody else was faster, or an attempt whose answer was lost.
                        findings = try await reader.findings()
                        guard findings.columns[names.table]?[column] != nil else { throw error }
                    }
                } else {
                    try await self.change(statement, reader)
                }
            }
            try await self.record(client, names, key, findings.record)
            for statement in CassandraSchema.runStatements(names) { try await self.change(statement, reader) }
            try await self.recordRuns(client, names)
            return findings.record.map { Int($0.version) } ?? 0
        } catch {
            if error.code == .misconfigured, let refusal = error.underlying as? StoreError { throw refusal }
            throw error.storeError(.setup)
        }
    }

    /// Keeps what all programs that use the table must agree on; what was agreed on before stays.
    private func record(
        _ client: CQLClient, _ names: CassandraSchema.Names, _ key: KeyLayout, _ found: SchemaFindings.Record?
    ) async throws(CQLClientError) {
        let options = CQLExecutionOptions(timeout: self.configuration.setupTimeout, isIdempotent: true)
        let shards = found?.shards ?? self.configuration.shards ?? 1_024
        let writes = found?.writes ?? self.configuration.writes.rawValue
        let version = max(found?.version ?? 0, Int32(CassandraSchema.version))
        try await self.patiently { () throws(CQLClientError) in
            let insert = try await client.prepare(Self.recording(names))
            return try await client.execute(insert, options: options) { values in
                try values.bind(names.table)
                try values.bind(version)
                try values.bind(key == .shard ? Int64(bitPattern: shards) : nil)
                try values.bind(writes)
            }
        }
    }

    private func recordRuns(_ client: CQLClient, _ names: CassandraSchema.Names) async throws(CQLClientError) {
        let options = CQLExecutionOptions(timeout: self.configuration.setupTimeout, isIdempotent: true)
        try await self.patiently { () throws(CQLClientError) in
            let insert = try await client.prepare(Self.recordingRuns(names))
            return try await client.execute(insert, options: options) { values in
                try values.bind("\(names.runs)_runs")
                try values.bind(Int32(CassandraSchema.runsVersion))
            }
        }
    }

    private func change(_ statement: String, _ reader: SchemaReader) async throws(CQLClientError) {
        try await self.patiently { () throws(CQLClientError) in try await reader.rows(statement) }
    }

    /// Does something again for a while where a node has not heard yet of what was made a moment ago, or failed at a change of the
    /// schema, as a cluster does that is asked for several at once: each statement may be repeated, done or not.
    private func patiently(_ body: () async throws(CQLClientError) -> CQLResult) async throws(CQLClientError) {
        let clock = SystemClock()
        let deadline = clock.now + min(.seconds(20), self.configuration.setupTimeout)
        while true {
            do throws(CQLClientError) {
                _ = try await body()
                return
            } catch {
                guard error.isAboutUnknownTable || error.isTransient, clock.now < deadline else { throw error }
                try? await clock.sleep(for: .milliseconds(250))
            }
        }
    }

    private func makeKeyspace(_ client: CQLClient, _ names: CassandraSchema.Names) -> String {
        var copies: [(String, Int)] = []
        switch self.setup.replication {
        case .automatic:
            let centers = Dictionary(grouping: client.nodes) { $0.node.dataCenter }
            copies = [("replication_factor", min(3, max(1, centers.values.map(\.count).min() ?? 1)))]
        case .copies(let count): copies = [("replication_factor", count)]
        case .dataCenters(let counts): copies = counts.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        }
        let words = copies.map { name, count in "'\(name.replacing("'", with: "''"))': \(count)" }
        return "CREATE KEYSPACE IF NOT EXISTS \"\(names.keyspace)\""
            + " WITH replication = {'class': 'NetworkTopologyStrategy', \(words.joined(separator: ", "))}"
    }
}
