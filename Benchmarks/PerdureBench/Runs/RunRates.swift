import PerdureTestKit
import PerdureWorkflow

/// How many runs of five steps that do nothing come to their ends in a second.
enum RunRates {
    /// Starters start a run, wait for its output, and start the next.
    private static func runs(on store: any RunStore, starters: Int, count: Int) async throws -> Double {
        try await RunStores.withWorker(on: store) {
            RunWorkflows.five
        } body: { engine in
            try await rate(of: count, over: starters) { starter, share in
                for number in 0..<share {
                    let parcel = Parcel(id: "\(starter)-\(number)", count: 0)
                    let result = try await engine.execute(RunWorkflows.five, parcel, id: "run-\(starter)-\(number)")
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

    /// Writes for each run, as the store counts what is asked of it.
    static func writes(on store: any RunStore) async throws -> Double {
        let counting = CountingRunStore(store)
        _ = try await self.runs(on: counting, starters: 4, count: 400)
        let writes = (0..<4).flatMap { starter in (0..<100).map { counting.writes(of: "run-\(starter)-\($0)") } }
        return Double(writes.reduce(0, +)) / Double(writes.count)
    }
}
