import PerdureTestKit
import PerdureWorkflow

/// How many runs of five steps that do nothing come to their ends in a second.
enum RunRates {
    /// Starters start a run, wait for its output, and start the next.
    private static func runs(
        on store: any RunStore, starters: Int, count: Int, prefix: String = "run"
    ) async throws -> Double {
        // Where the store outlives the process, names must not come back.
        try await RunStores.withWorker(on: store) {
            RunWorkflows.five
        } body: { engine in
            try await rate(of: count, over: starters) { starter, share in
                for number in 0..<share {
                    let parcel = Parcel(id: "\(starter)-\(number)", count: 0)
                    let id = "\(prefix)-\(starter)-\(number)"
                    let result = try await engine.execute(RunWorkflows.five, parcel, id: id)
                    guard result.count == 5 else { throw BenchmarkFailure("a run gave \(result)") }
                }
            }
        }
    }

    static func inMemory(starters: Int, count: Int) async throws -> Double {
        try await self.runs(on: InMemoryRunStore(), starters: starters, count: count)
    }

    static func sqlite(starters: Int, count: Int) -> Benchmark {
        Benchmark(
            "run-sqlite-\(starters)", unit: "runs/s",
            measure: {
                try await RunStores.withSQLite { try await self.runs(on: $0, starters: starters, count: count) }
            },
            against: "DBOS for Python on SQLite, as many starters",
            baseline: {
                try await withTemporaryFolder { folder in
                    try Peers.dbos(url: "sqlite:///\(folder)/bench.sqlite", starters: starters, seconds: 3)
                }
            })
    }

    static func postgres(starters: Int, count: Int) -> Benchmark {
        Benchmark(
            "run-postgres-\(starters)", unit: "runs/s",
            measure: {
                try await RunStores.withPostgres { store, _ in
                    try await self.runs(on: store, starters: starters, count: count)
                }
            },
            against: "DBOS for Python on PostgreSQL, as many starters",
            baseline: {
                let url = Peers.dbosURL(ofPostgres: try PostgresBenchmarks.url())
                return try Peers.dbos(url: url, starters: starters, seconds: 3)
            })
    }

    // MARK: On servers where each write is a request

    /// Runs per second, and microseconds of this process's CPU for each.
    private static func cost(
        on store: any RunStore, starters: Int, count: Int
    ) async throws -> (rate: Double, cpu: Double) {
        let prefix = "run-\(UInt64.random(in: 0 ... .max))"
        // What is cold at first does not count.
        _ = try await self.runs(on: store, starters: starters, count: 4 * starters, prefix: "\(prefix)-first")
        let before = processorSeconds()
        let rate = try await self.runs(on: store, starters: starters, count: count, prefix: prefix)
        return (rate, (processorSeconds() - before) * 1e6 / Double(count))
    }

    /// What a run asks of a server, to be held against as much asked of it by states.
    struct Requests: Sendable {
        /// What the server writes for a run under a condition and what without one, and what that is.
        var writes: Double
        var plainWrites = 0.0
        var explanation: String
        /// How many requests that takes, and how many bytes a state must have for a request to be as large as theirs.
        var count: Int
        var plainCount = 0
        var stateSize: Int
    }

    static func served(
        _ name: String, starters: Int, count: Int, _ requests: Requests,
        on store: @escaping @Sendable (_ body: (any RunStore) async throws -> (rate: Double, cpu: Double)) async throws
            -> (rate: Double, cpu: Double),
        states: @escaping @Sendable (_ inFlight: Int, _ size: Int, _ isConditional: Bool) async throws -> (
            rate: Double, cpu: Double
        )
    ) -> [Benchmark] {
        [
            Benchmark(
                "run-\(name)-\(starters)", unit: "runs/s",
                measure: { try await store { try await self.cost(on: $0, starters: starters, count: count) }.rate },
                against: "as many writes of states (\(requests.explanation))",
                baseline: {
                    var time = requests.writes / (try await states(starters, 200, true).rate)
                    if requests.plainWrites > 0 {
                        time += requests.plainWrites / (try await states(starters, 200, false).rate)
                    }
                    return 1 / time
                }),
            Benchmark(
                "run-\(name)-cpu", unit: "µs CPU/run",
                measure: { try await store { try await self.cost(on: $0, starters: starters, count: count) }.cpu },
                against:
                    "1.5 x PostgreSQL's runs + \(requests.count + requests.plainCount) writes of states, requests as large",
                baseline: {
                    let postgres = try await RunStores.withPostgres { store, _ in
                        try await self.cost(on: store, starters: starters, count: 2_000)
                    }
                    var cpu = 1.5 * postgres.cpu
                    cpu += Double(requests.count) * (try await states(starters, requests.stateSize, true).cpu)
                    if requests.plainCount > 0 {
                        cpu += Double(requests.plainCount) * (try await states(starters, requests.stateSize, false).cpu)
                    }
                    return cpu
                }),
        ]
    }

    static let onServers =
        Self.served(
            "dynamodb", starters: 16, count: 480,
            Requests(
                writes: 39, explanation: "a run is 26 items, and 13 in the indexes", count: 7, stateSize: 1_060),
            on: { body in try await RunStores.withDynamoDB { try await body($0) } },
            states: { inFlight, size, _ in
                try await DynamoDBBenchmarks.conditionalWrites(inFlight: inFlight, count: 4_000, size: size)
            })
        + Self.served(
            "cassandra", starters: 16, count: 640,
            Requests(
                writes: 6, plainWrites: 8, explanation: "a run is 6 conditional batches, and 8 hints", count: 6,
                plainCount: 3, stateSize: 200),
            on: { body in try await RunStores.withCassandra { try await body($0) } },
            states: { inFlight, size, isConditional in
                try await CassandraBenchmarks.writes(
                    isConditional ? .cas : .write, inFlight: inFlight, count: 4_000, size: size)
            })

    /// Writes for each run, as the store counts what is asked of it.
    static func writes(on store: any RunStore) async throws -> Double {
        let counting = CountingRunStore(store)
        _ = try await self.runs(on: counting, starters: 4, count: 400)
        let writes = (0..<4).flatMap { starter in (0..<100).map { counting.writes(of: "run-\(starter)-\($0)") } }
        return Double(writes.reduce(0, +)) / Double(writes.count)
    }
}
