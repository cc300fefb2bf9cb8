import PerdureCassandra
import PerdureDynamoDB
import PerdurePostgres
import PerdureSQLite
import PerdureWorkflow

/// Empty stores, and engines on them.
enum RunStores {
    static func withSQLite<Result>(_ body: (SQLiteStore) async throws -> Result) async throws -> Result {
        try await withTemporaryFolder { folder in
            try await self.connected(try SQLiteStore(folder + "/bench.sqlite"), body)
        }
    }

    static func withPostgres<Result>(_ body: (PostgresStore, _ url: String) async throws -> Result) async throws
        -> Result
    {
        let url = try PostgresBenchmarks.url()
        let store = try PostgresStore(url: url)
        try await store.setup()
        try await PostgresBenchmarks.sql(
            """
            TRUNCATE workflow_runs, workflow_inputs, step_executions, workflow_state, workflow_messages, workflow_tags,
                workflow_workers
            """)
        return try await self.connected(store) { try await body($0, url) }
    }

    static func withDynamoDB<Result>(_ body: (DynamoDBRunStore) async throws -> Result) async throws -> Result {
        let store = try DynamoDBRunStore(DynamoDBBenchmarks.newTable())
        try await store.setup()
        return try await self.connected(store, body)
    }

    static func withCassandra<Result>(_ body: (CassandraStore) async throws -> Result) async throws -> Result {
        let store = try CassandraStore(CassandraBenchmarks.configuration())
        try await store.setup()
        return try await self.connected(store, body)
    }

    /// Connects a store, and disconnects it whatever happens.
    static func connected<Store: RunStore, Result>(
        _ store: Store, _ body: (Store) async throws -> Result
    ) async throws -> Result {
        try await store.connect()
        let result: Swift.Result<Result, any Error>
        do { result = .success(try await body(store)) } catch { result = .failure(error) }
        await store.disconnect()
        return try result.get()
    }

    /// An engine that is a worker as long as the body runs.
    static func withWorker<Result>(
        on store: any RunStore, counter: RunCounter? = nil, @WorkflowsBuilder _ workflows: () -> [RegisteredWorkflow],
        body: (WorkflowEngine) async throws -> Result
    ) async throws -> Result {
        var configuration = WorkflowEngine.Configuration()
        configuration.observer = counter
        let engine = try WorkflowEngine(store: store, configuration: configuration, workflows: workflows)
        let running = Task { try await engine.run() }
        let result: Swift.Result<Result, any Error>
        do { result = .success(try await body(engine)) } catch { result = .failure(error) }
        running.cancel()
        try await running.value
        return try result.get()
    }

    /// Starts so many runs, 64 at a time, and waits until they are stored.
    static func start<Output>(
        _ count: Int, of workflow: Workflow<Parcel, Output>, on engine: WorkflowEngine
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for lane in 0..<64 {
                group.addTask {
                    for number in stride(from: lane, to: count, by: 64) {
                        try await engine.start(workflow, Parcel(id: "\(number)", count: 0), id: "run-\(number)")
                    }
                }
            }
            try await group.waitForAll()
        }
    }
}
