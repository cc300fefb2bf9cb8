import CBaselines
import PerdureSQLite
import PerdureWorkflow

/// Many runs that wait: what they cost in memory, and how soon there is somebody who drives them.
enum WaitingRuns {
    /// What a run costs in the engine's memory while it sleeps.
    static func footprint(runs: Int) async throws -> Double {
        try await RunStores.withSQLite { store in
            try await RunStores.withWorker(on: store) {
                RunWorkflows.night
            } body: { engine in
                let before = baseline_heap_bytes()
                try await RunStores.start(runs, of: RunWorkflows.night, on: engine)
                await engine.untilNothingIsInMemory()
                return max(0, Double(baseline_heap_bytes()) - Double(before)) / Double(runs)
            }
        }
    }

    /// How long a new process takes to open a file with runs that sleep, and to carry out one run beside them.
    static func startup(runs: Int) async throws -> Double {
        try await withTemporaryFolder { folder in
            let path = folder + "/bench.sqlite"
            try await RunStores.connected(try SQLiteStore(path)) { store in
                try await RunStores.withWorker(on: store) {
                    RunWorkflows.night
                } body: { engine in
                    try await RunStores.start(runs, of: RunWorkflows.night, on: engine)
                    await engine.untilNothingIsInMemory()
                }
            }
            let start = seconds()
            return try await RunStores.connected(try SQLiteStore(path)) { store in
                let client = try WorkflowEngine(store: store) { RunWorkflows.five }
                let run = try await client.start(RunWorkflows.five, Parcel(id: "new", count: 0), id: "new")
                return try await RunStores.withWorker(on: store) {
                    RunWorkflows.night
                    RunWorkflows.five
                } body: { _ in
                    _ = try await run.value
                    return seconds() - start
                }
            }
        }
    }

    /// How long a new worker takes until all runs of one that was killed in the midst of them have come to their ends.
    static func recovery(runs: Int) async throws -> Double {
        try await withTemporaryFolder { folder in
            let path = folder + "/bench.sqlite"
            return try await RunStores.connected(try SQLiteStore(path)) { store in
                let client = try WorkflowEngine(store: store) { RunWorkflows.five }
                try await RunStores.start(runs, of: RunWorkflows.five, on: client)
                // It has as many of them in memory as it may when it says so, each with two steps done, and none ends.
                try await SecondProcess.withWorker(.hold, on: path) { $0.kill() }
                let start = seconds()
                let counter = RunCounter()
                return try await RunStores.withWorker(on: store, counter: counter) {
                    RunWorkflows.five
                } body: { _ in
                    await counter.ended(runs)
                    return seconds() - start
                }
            }
        }
    }
}
