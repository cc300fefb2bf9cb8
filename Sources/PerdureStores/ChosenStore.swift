internal import Glibc
internal import PerdureCassandra
internal import PerdureDynamoDB
internal import PerdurePostgres
internal import PerdureSQLite
package import PerdureState
package import PerdureWorkflow

/// A store that a URL names: what it keeps, and how its tables are made.
package struct ChosenStore: Sendable {
    package let url: StoreURL
    package let states: any StateStore
    /// Where workflow runs are kept; nil where the store keeps none.
    package let runs: (any RunStore)?
    private let tables: Tables

    /// What can be done with tables as a whole.
    private struct Tables: Sendable {
        var make: @Sendable () async throws(StoreError) -> Void
        var remove: (@Sendable () async throws(StoreError) -> Void)?
    }

    /// Makes the store; opens nothing.
    ///
    /// **This is the one place to add another kind of store.** A store that keeps runs as well says so by its conformance.
    ///
    /// - Parameters:
    ///   - url: which store.
    ///   - scratch: a name of letters, digits and underscores for tables that are made for a while, in the same database: a file beside the
    ///     URL's, a schema, a keyspace, or tables. Nil for the tables that the URL names.
    /// - Throws: ``StoreError/Code/misconfigured`` or ``StoreError/Code/invalidRequest`` when the store refuses what the URL says.
    package init(_ url: StoreURL, scratch: String? = nil) throws(StoreError) {
        var tables: Tables
        switch url.kind {
        case .memory:
            self.states = InMemoryStateStore()
            self.runs = InMemoryRunStore()
            tables = Tables { () throws(StoreError) in
            } remove: { () throws(StoreError) in
            }
        case .sqlite:
            let path = scratch.map { "\(url.rest).\($0)" } ?? url.rest
            let store = try SQLiteStore(path)
            (self.states, self.runs) = (store, store)
            tables = Tables { () throws(StoreError) in
                try await store.setup()
            } remove: { () throws(StoreError) in
                for end in ["", "-wal", "-shm"] { unlink(path + end) }
            }
        case .postgres:
            var configuration = try PostgresConfiguration(url: url.text)
            if let scratch { configuration.schema = scratch }
            let store = try PostgresStore(configuration)
            (self.states, self.runs) = (store, store)
            tables = Tables { () throws(StoreError) in
                try await store.setup()
            } remove: { () throws(StoreError) in
                try await store.dropSchema()
            }
        case .dynamodb:
            var configuration = try DynamoDBConfiguration(url: url.text)
            if let scratch { configuration.table = scratch }
            let store = try DynamoDBStore(configuration)
            // Runs have another key than states, so they have a table of their own beside it.
            configuration.table += "-runs"
            let runs = try DynamoDBRunStore(configuration)
            (self.states, self.runs) = (store, runs)
            tables = Tables { () throws(StoreError) in
                try await store.setup()
                try await runs.setup()
            } remove: { () throws(StoreError) in
                try await store.deleteTable()
                try await runs.deleteTable()
            }
        case .cassandra:
            var configuration = try CassandraConfiguration(url: url.text)
            if let scratch { configuration.keyspace = scratch }
            let store = try CassandraStore(configuration)
            (self.states, self.runs) = (store, store)
            tables = Tables { () throws(StoreError) in
                try await store.setup()
            } remove: { () throws(StoreError) in
                try await store.dropKeyspace()
            }
        }
        // Nobody removes what was there before.
        if scratch == nil { tables.remove = nil }
        self.url = url
        self.tables = tables
    }

    /// Creates the tables, or brings them to this release's schema. Idempotent.
    package func setup() async throws(StoreError) { try await self.tables.make() }

    /// Removes scratch tables with all that is in them, after closing the store; does nothing to any others. Idempotent.
    package func removeScratch() async throws(StoreError) {
        await self.disconnect()
        try await self.tables.remove?()
        await self.disconnect()
    }

    /// Finishes what is under way and lets go of every resource. Idempotent.
    package func disconnect() async {
        await self.states.disconnect()
        // In most stores both are the same.
        if !(self.states is any RunStore) { await self.runs?.disconnect() }
    }

    /// Whoever can say how the store is: one for all tables, or first one for states and then one for runs.
    package var inspections: [any StoreInspection] {
        let runs = self.states is any RunStore ? nil : self.runs
        return [self.states, runs as (any Sendable)?].compactMap { $0 as? any StoreInspection }
    }
}
