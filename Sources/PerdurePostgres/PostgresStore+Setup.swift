internal import PerdureIO
public import PerdureState

extension PostgresStore {
    /// The schema of states that this release makes, counted from 1.
    public static var schemaVersion: Int { PostgresSchema.states.version }

    /// How the tables are made.
    public struct Setup: Sendable, Hashable {
        /// Adds eGo's index on `version_number`; false.
        ///
        /// Nothing reads by version, and with the index every update must touch both indexes and can never be done within its
        /// page. An index that is there already is left.
        public var versionIndex = false
        /// Adds an index by the bytes of the IDs, so that listing a large table page by page stays quick; true.
        ///
        /// It costs a little when a state is created, and nothing when one is updated.
        public var listingIndex = true
        /// How full, in percent, pages of new tables are filled, so that updates find room beside the old row; 70, nil for the server's 100.
        public var fillFactor: Int? = 70

        /// Makes the usual choices.
        public init() {}
    }

    /// Creates the tables, or brings them to this release's schema.
    ///
    /// Idempotent, and safe while others do the same or use the tables.
    ///
    /// The schema that the configuration names is created too. A table that eGo made keeps its rows and gets our columns, which
    /// eGo does not mind; adding them locks the table for a moment. All happens in one transaction.
    ///
    /// - Throws: ``StoreError/Code/forbidden`` where the role may not do it, or what keeps the server from answering.
    public func setup(_ setup: Setup = Setup()) async throws(StoreError) {
        if let factor = setup.fillFactor, !(10...100).contains(factor) {
            throw StoreError(
                .invalidRequest, operation: .setup, message: "the fill factor is \(factor); it must be 10 to 100")
        }
        let works = try self.works(for: .setup, reopening: true)
        let session = PostgresSession(self.configuration, on: works.loop)
        do throws(StoreError) {
            try await session.open()
            let from = try await self.migrate(session, setup)
            await session.close()
            works.loop.perform { works.core.value.tablesChanged() }
            if from < PostgresSchema.states.version {
                self.configuration.observer?.observe(
                    .schemaMigrated(store: Self.name, from: from, to: PostgresSchema.states.version))
            }
        } catch {
            await session.close()
            throw error.with(operation: .setup)
        }
    }

    /// Brings the tables to this release's schema and returns the version that they had.
    private func migrate(_ session: PostgresSession, _ setup: Setup) async throws(StoreError) -> Int {
        let (commands, question) = try await self.commands(session, setup)
        let answers = try await session.run(commands, within: self.configuration.writeTimeout + .seconds(60))
        return answers[question].first.flatMap { Int($0) } ?? 0
    }

    /// The statements of a setup, and which of them asks for the version as it was before.
    func commands(
        _ session: PostgresSession, _ setup: Setup
    ) async throws(StoreError) -> (commands: [PostgresSession.Command], question: Int) {
        let (schema, exists) = try await self.schema(session)
        var commands = [
            // Before anything that waits: those who set up together wait for each other, longer than a row's lock is worth.
            PostgresSession.Command(sql: "SELECT set_config('lock_timeout', '60s', true)"),
            // Two at once would both find nothing and both create it.
            PostgresSession.Command(sql: "SELECT pg_advisory_xact_lock(hashtext('perdure setup'))::text"),
            PostgresSession.Command(sql: "SELECT set_config('lock_timeout', '10s', true)"),
        ]
        // Only where it is missing: asking for it takes a right that is not needed otherwise.
        if !exists { commands.append(.init(sql: "CREATE SCHEMA IF NOT EXISTS \(schema)")) }
        commands.append(
            .init(
                sql: "CREATE TABLE IF NOT EXISTS \(schema).perdure_schema"
                    + " (component VARCHAR(64) PRIMARY KEY, version BIGINT NOT NULL)"))
        // The version as it was before, for the event; the changes themselves can be made again.
        let question = commands.count
        commands.append(
            .init(
                sql:
                    "SELECT version::text FROM \(schema).perdure_schema WHERE component = '\(PostgresSchema.states.component)'"
            ))
        let isNew = await session.layout == .missing
        for part in PostgresSchema.all {
            for statement in part.migrations.joined() {
                commands.append(.init(sql: PostgresSchema.statement(statement, in: schema)))
            }
        }
        if let factor = setup.fillFactor, isNew {
            commands.append(.init(sql: "ALTER TABLE \(schema).states_store SET (fillfactor = \(factor))"))
        }
        if setup.versionIndex {
            commands.append(
                .init(
                    sql: "CREATE INDEX IF NOT EXISTS idx_states_store_version_number"
                        + " ON \(schema).states_store (version_number)"))
        }
        if setup.listingIndex {
            commands.append(
                .init(
                    sql: "CREATE INDEX IF NOT EXISTS idx_states_store_listing"
                        + " ON \(schema).states_store (persistence_id COLLATE \"C\")"))
        }
        for part in PostgresSchema.all {
            commands.append(
                .init(
                    sql:
                        "INSERT INTO \(schema).perdure_schema AS s VALUES ('\(part.component)', \(part.version))"
                        + " ON CONFLICT (component) DO UPDATE SET version = greatest(s.version, excluded.version)"))
        }
        return (commands, question)
    }

    /// The schema that has the tables, or is to have them, quoted, and whether it is there.
    private func schema(_ session: PostgresSession) async throws(StoreError) -> (name: String, exists: Bool) {
        switch await session.layout {
        case .found(let layout): return (layout.schema, true)
        case .half(let schema): return (schema, true)
        case .missing: break
        }
        let question =
            self.configuration.schema == nil
            ? PostgresSession.Command(sql: "SELECT quote_ident(current_schema())")
            : PostgresSession.Command(
                sql: "SELECT quote_ident(nspname) FROM pg_catalog.pg_namespace WHERE nspname = $1",
                parameters: [self.configuration.schema ?? ""])
        let answers = try await session.run([question], within: self.configuration.readTimeout)
        if let schema = answers.first?.first, !schema.isEmpty { return (schema, true) }
        if let schema = self.configuration.schema { return (SessionSettings.quoted(schema), false) }
        throw StoreError(
            .misconfigured, operation: .setup,
            message: "no schema of the search path exists; name one in the configuration")
    }
}
