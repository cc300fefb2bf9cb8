internal import PerdureIO
package import PerdureState

extension PostgresStore: StoreInspection {
    /// The grants for a role that uses tables in the schema of the configuration.
    package var grants: String {
        let schema = SessionSettings.quoted(self.configuration.schema ?? "public")
        let role = SessionSettings.quoted(self.configuration.user ?? "app")
        let tables = PostgresSchema.all.flatMap(\.parts.tables).map { "\(schema).\($0)" }
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
                findings += try await self.missing(part.parts, in: layout.schema, ask)
            } else {
                findings.append(
                    .init(
                        .trouble, "schema",
                        "\(part.component) has version \(stored ?? 0), this release \(part.version); `store setup` migrates it"
                    ))
            }
        }
        let tables = PostgresSchema.all.flatMap(\.parts.tables)
        let rights = try await ask(
            """
            SELECT string_agg(r, ', ') || ' on ' || t FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) r,
                unnest(\(Self.array(tables))) t
            WHERE NOT has_table_privilege(to_regclass(\(Self.text(layout.schema + ".")) || t), r) GROUP BY t ORDER BY t
            """)
        findings += rights.map {
            .init(.trouble, "rights", "the role lacks \($0) in \(layout.schema); see `store policy`")
        }
        if rights.isEmpty {
            findings.append(.init(.good, "rights", "states and runs can be read, written and deleted"))
        }
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

    /// What there should be and is not.
    private func missing(
        _ parts: PostgresSchema.Parts, in schema: String, _ ask: (String) async throws(StoreError) -> [String]
    ) async throws(StoreError) -> [StoreFinding] {
        let place = Self.text(schema + ".")
        let made = try await ask(
            """
            SELECT 'the table ' || t FROM unnest(\(Self.array(parts.tables))) t WHERE to_regclass(\(place) || t) IS NULL
            UNION ALL
            SELECT 'the index ' || i FROM unnest(\(Self.array(parts.indexes))) i WHERE to_regclass(\(place) || i) IS NULL
            UNION ALL
            SELECT 'the function ' || f FROM unnest(\(Self.array(parts.functions))) f WHERE NOT EXISTS (SELECT
                FROM pg_catalog.pg_proc p WHERE p.pronamespace = to_regnamespace(\(Self.text(schema))) AND p.proname = f)
            """)
        let lost = try await ask(
            """
            SELECT 'the column ' || c FROM (SELECT c, to_regclass(\(place) || split_part(c, '.', 1)) AS t
                FROM unnest(\(Self.array(parts.columns))) c) x
            WHERE t IS NOT NULL AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a
                WHERE a.attrelid = t AND a.attname = split_part(c, '.', 2) AND NOT a.attisdropped)
            """)
        return StoreFinding.missing(made, "`store setup` makes it again")
            + StoreFinding.missing(lost, "restore the table from a backup")
    }

    /// A text as SQL has it.
    private static func text(_ text: String) -> String { "'\(text.replacing("'", with: "''"))'" }

    private static func array(_ names: [String]) -> String {
        "ARRAY[\(names.map(Self.text).joined(separator: ", "))]::text[]"
    }

    /// Removes the schema of the configuration, which was made for a while, with all that is in it.
    package func dropSchema() async throws(StoreError) {
        guard let schema = self.configuration.schema else { return }
        try await self.inSession(.setup) { (session) async throws(StoreError) in
            _ = try await session.run(
                [.init(sql: "DROP SCHEMA IF EXISTS \(SessionSettings.quoted(schema)) CASCADE")], within: .seconds(60))
        }
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
