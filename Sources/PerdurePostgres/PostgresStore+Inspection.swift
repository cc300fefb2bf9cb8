internal import PerdureIO
package import PerdureState

extension PostgresStore: StoreInspection {
    /// The grants for a role that uses tables in the schema of the configuration.
    package var policy: String? {
        let schema = SessionSettings.quoted(self.configuration.schema ?? "public")
        let role = SessionSettings.quoted(self.configuration.user ?? "app")
        let tables = [
            "states_store", "states_tombstones", "workflow_runs", "workflow_inputs", "step_executions",
            "workflow_state",
            "workflow_messages", "workflow_tags", "workflow_workers",
        ].map { "\(schema).\($0)" }
        return [
            "GRANT USAGE ON SCHEMA \(schema) TO \(role);",
            "GRANT SELECT ON \(schema).perdure_schema TO \(role);",
            "GRANT SELECT, INSERT, UPDATE, DELETE ON",
            "    \(tables.joined(separator: ",\n    "))",
            "    TO \(role);",
            "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA \(schema) TO \(role);",
        ].joined(separator: "\n")
    }

    package func setupSteps() async throws(StoreError) -> [String] {
        try await self.inSession(.setup) { (session) async throws(StoreError) in
            let commands = try await self.commands(session, Setup()).commands
            return ["BEGIN"] + commands.map(\.sql) + ["COMMIT"]
        }
    }

    package func inspect() async throws(StoreError) -> [StoreFinding] {
        try await self.inSession(.read) { (session) async throws(StoreError) in
            var findings: [StoreFinding] = []
            func ask(_ sql: String) async throws(StoreError) -> [String] {
                try await session.run([.init(sql: sql)], within: self.configuration.readTimeout).first ?? []
            }
            let start = self.clock.now
            let answer = try await ask("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint::text")
            let took = self.clock.now - start
            let server = try await ask(
                """
                SELECT unnest(ARRAY[split_part(version(), ' on ', 1), current_user || ' in ' || current_database(),
                    current_setting('fsync'), pg_is_in_recovery()::text])
                """)
            if server.count == 4 {
                findings.append(.init(.good, "server", server[0]))
                findings.append(.init(.good, "role", server[1]))
                if server[2] != "on" {
                    findings.append(
                        .init(
                            .trouble, "fsync",
                            "is \(server[2]): what is acknowledged is lost with the power; turn it on"))
                }
                if server[3] == "true" {
                    findings.append(
                        .init(.trouble, "server", "is a standby, and takes no writes; give the URL of the primary"))
                }
            }
            if let time = answer.first.flatMap({ Int64($0) }) {
                findings.append(.clock(server: time, here: self.clock.unixMilliseconds, took: took))
            }
            switch await session.layout {
            case .missing:
                findings.append(.init(.trouble, "tables", "there is no table states_store; `store setup` makes it"))
            case .half(let schema):
                findings.append(
                    .init(
                        .trouble, "tables",
                        "some of our columns and tables in \(schema) are missing; `store setup` completes them"))
            case .found(let layout):
                findings += try await self.findings(in: layout, ask)
            }
            return findings
        }
    }

    private func findings(
        in layout: TableLayout, _ ask: (String) async throws(StoreError) -> [String]
    ) async throws(StoreError) -> [StoreFinding] {
        let table = "\(layout.schema).states_store"
        // Inside of a text.
        let quoted = "'\(table.replacing("'", with: "''"))'"
        guard layout.isExtended else {
            return [
                StoreFinding(
                    .advice, "tables",
                    "\(table) as eGo's instructions make it; deleting and finding out lost answers take `store setup`")
            ]
        }
        var findings = [StoreFinding(.good, "tables", "\(table), with our columns")]
        let versions = try await ask(
            "SELECT component || ' ' || version FROM \(layout.schema).perdure_schema ORDER BY 1")
        for part in PostgresSchema.all {
            let stored = versions.first { $0.hasPrefix(part.component + " ") }.flatMap {
                Int($0.split(separator: " ").last ?? "")
            }
            if let stored, stored >= part.version {
                findings.append(.init(.good, "schema", "\(part.component), version \(stored)"))
            } else {
                findings.append(
                    .init(
                        .trouble, "schema",
                        "\(part.component) has version \(stored ?? 0), this release \(part.version); `store setup` migrates it"
                    ))
            }
        }
        let rights = try await ask(
            """
            SELECT r FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) r
            WHERE NOT has_table_privilege(\(quoted), r)
            """)
        findings.append(
            rights.isEmpty
                ? .init(.good, "rights", "states can be read, written and deleted")
                : .init(
                    .trouble, "rights",
                    "the role lacks \(rights.joined(separator: ", ")) on \(table); see `store policy`"))
        let listing = try await ask(
            "SELECT 'x' WHERE to_regclass('\(layout.schema.replacing("'", with: "''")).idx_states_store_listing') IS NOT NULL"
        )
        findings.append(
            listing.isEmpty
                ? .init(
                    .advice, "index",
                    "there is none by the bytes of IDs: listing goes through the whole table; `store setup` adds it")
                : .init(.good, "index", "by the bytes of IDs, for listing"))
        let rows = try await ask(
            """
            SELECT unnest(ARRAY[count(*), count(*) FILTER (WHERE write_id IS NULL)])::text
            FROM (SELECT write_id FROM \(table) LIMIT 1000) s
            """
        ).compactMap { Int($0) }
        if rows.count == 2 { findings.append(.foreignRows(rows[1], of: rows[0])) }
        return findings
    }

    /// Lends a connection of its own.
    private func inSession<Result: Sendable>(
        _ operation: StoreError.Operation, _ body: (PostgresSession) async throws(StoreError) -> Result
    ) async throws(StoreError) -> Result {
        let works = try self.works(for: operation, reopening: true)
        let session = PostgresSession(self.configuration, on: works.loop)
        do throws(StoreError) {
            try await session.open()
            let result = try await body(session)
            await session.close()
            return result
        } catch {
            await session.close()
            throw error.with(operation: operation)
        }
    }
}
