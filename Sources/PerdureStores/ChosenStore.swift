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
    private let makeTables: @Sendable () async throws(StoreError) -> Void

    /// Makes the store; opens nothing.
    ///
    /// **This is the one place to add another kind of store.** A store that keeps runs as well says so by its conformance.
    ///
    /// - Throws: ``StoreError/Code/misconfigured`` or ``StoreError/Code/invalidRequest`` when the store refuses what the URL says.
    package init(_ url: StoreURL) throws(StoreError) {
        switch url.kind {
        case .memory:
            self.init(url, InMemoryStateStore(), runs: InMemoryRunStore()) { () throws(StoreError) in }
        case .sqlite:
            let store = try SQLiteStore(url.rest)
            self.init(url, store) { () throws(StoreError) in try await store.setup() }
        case .postgres:
            let store = try PostgresStore(url: url.text)
            self.init(url, store) { () throws(StoreError) in try await store.setup() }
        case .dynamodb:
            let store = try DynamoDBStore(url: url.text)
            // Runs have another key than states, so they have a table of their own beside it.
            var configuration = store.configuration
            configuration.table += "-runs"
            let runs = try DynamoDBRunStore(configuration)
            self.init(url, store, runs: runs) { () throws(StoreError) in
                try await store.setup()
                try await runs.setup()
            }
        case .cassandra:
            let store = try CassandraStore(url: url.text)
            self.init(url, store) { () throws(StoreError) in try await store.setup() }
        }
    }

    private init(
        _ url: StoreURL, _ states: any StateStore, runs: (any RunStore)? = nil,
        makeTables: @escaping @Sendable () async throws(StoreError) -> Void
    ) {
        self.url = url
        self.states = states
        self.runs = runs ?? states as? any RunStore
        self.makeTables = makeTables
    }

    /// Creates the tables, or brings them to this release's schema. Idempotent.
    package func setup() async throws(StoreError) { try await self.makeTables() }

    /// Finishes what is under way and lets go of every resource. Idempotent.
    package func disconnect() async {
        await self.states.disconnect()
        // In most stores both are the same.
        if !(self.states is any RunStore) { await self.runs?.disconnect() }
    }
}
