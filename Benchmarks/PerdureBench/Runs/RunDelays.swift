import PerdureWorkflow
import Synchronization

/// From asking for a run to the beginning of its first step.
enum RunDelays {
    struct Delays {
        /// In milliseconds.
        let sorted: [Double]

        var median: Double { self.sorted[self.sorted.count / 2] }
        var p99: Double { self.sorted[self.sorted.count * 99 / 100] }
    }

    /// In one process, on SQLite: who starts a run is the worker that drives it.
    static func here(starters: Int, count: Int) async throws -> Delays {
        try await RunStores.withSQLite { store in
            try await RunStores.withWorker(on: store) {
                RunWorkflows.begin
            } body: { engine in
                try await self.delays(starters, count, engine)
            }
        }
    }

    /// In two processes, on PostgreSQL: one starts runs, the other drives them.
    static func elsewhere(starters: Int, count: Int) async throws -> Delays {
        try await RunStores.withPostgres { store, url in
            try await SecondProcess.withWorker(.begin, on: url) { _ in
                let engine = try WorkflowEngine(store: store) { RunWorkflows.begin }
                return try await self.delays(starters, count, engine)
            }
        }
    }

    private static func delays(_ starters: Int, _ count: Int, _ engine: WorkflowEngine) async throws -> Delays {
        let delays = Mutex<[Double]>([])
        _ = try await rate(of: count, over: starters) { starter, share in
            for number in 0..<share {
                let id = "run-\(starter)-\(number)"
                let asked = seconds()
                let began = try await engine.execute(RunWorkflows.begin, Parcel(id: id, count: 0), id: id)
                delays.withLock { $0.append((began - asked) * 1_000) }
            }
        }
        return Delays(sorted: delays.withLock { $0.sorted() })
    }
}
