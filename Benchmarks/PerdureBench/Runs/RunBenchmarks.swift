import Glibc
import PerdureSQLite
import PerdureTestKit
import PerdureWorkflow
import Synchronization

/// Workflow runs of five steps that do nothing, end to end, against DBOS for Python where it can be had.
enum RunBenchmarks {
    static let all: [Benchmark] = [
        Benchmark("run-memory-1", unit: "runs/s", measure: { try await inMemory(starters: 1, count: 60_000) }),
        Benchmark("run-memory-64", unit: "runs/s", measure: { try await inMemory(starters: 64, count: 120_000) }),
        sqlite(starters: 1, count: 1_500), sqlite(starters: 16, count: 12_000), sqlite(starters: 64, count: 24_000),
        Benchmark(
            "run-sqlite-writes", unit: "writes/run", measure: { try await writesPerRun() }),
        Benchmark("enqueue-to-start", unit: "ms", measure: { try await enqueueToStart() }),
        Benchmark("run-footprint", unit: "bytes/run", measure: { try await footprint(runs: 100_000) }),
        Benchmark("recovery-time", unit: "s", measure: { try await recovery(runs: 10_000) }),
    ]

    /// A small JSON value, handed on from step to step.
    private struct Parcel: Codable, Sendable {
        var id: String
        var count: Int
    }

    private static let five = Workflow("five") {
        step("one")
        step("two")
        step("three")
        step("four")
        step("five")
    }

    private static func step(_ name: String) -> Step<Parcel, Parcel> {
        Step(name) { (parcel: Parcel) in Parcel(id: parcel.id, count: parcel.count + 1) }
    }

    // MARK: Rates

    /// Starters start a run, wait for its output, and start the next.
    private static func runs(on store: any RunStore, starters: Int, count: Int) async throws -> Double {
        try await withEngine(on: store) { engine in
            try await rate(of: count, over: starters) { starter, share in
                for number in 0..<share {
                    let parcel = Parcel(id: "\(starter)-\(number)", count: 0)
                    let result = try await engine.execute(five, parcel, id: "run-\(starter)-\(number)")
                    guard result.count == 5 else { throw BenchmarkFailure("a run gave \(result)") }
                }
            }
        }
    }

    private static func inMemory(starters: Int, count: Int) async throws -> Double {
        try await self.runs(on: InMemoryRunStore(), starters: starters, count: count)
    }

    private static func sqlite(starters: Int, count: Int) -> Benchmark {
        Benchmark(
            "run-sqlite-\(starters)", unit: "runs/s",
            measure: {
                try await withSQLite { try await self.runs(on: $0, starters: starters, count: count) }
            },
            against: "DBOS for Python on SQLite, as many starters",
            baseline: {
                try await withTemporaryFolder { folder in
                    try Peers.dbos(url: "sqlite:///\(folder)/bench.sqlite", starters: starters, seconds: 3)
                }
            })
    }

    private static func writesPerRun() async throws -> Double {
        try await withSQLite { store in
            let counting = CountingRunStore(store)
            _ = try await self.runs(on: counting, starters: 4, count: 400)
            let writes = (0..<4).flatMap { starter in (0..<100).map { counting.writes(of: "run-\(starter)-\($0)") } }
            return Double(writes.reduce(0, +)) / Double(writes.count)
        }
    }

    // MARK: Times

    /// The median time from storing a run that nobody drives to the beginning of its first step in the same process, when idle.
    private static func enqueueToStart() async throws -> Double {
        try await withSQLite { store in
            let begins = Mutex<[String: Double]>([:])
            let workflow = Workflow("begin") {
                Step("begin") { (id: String) -> Int in
                    let now = seconds()
                    begins.withLock { $0[id] = now }
                    return 0
                }
            }
            return try await withEngine(on: store, workflow) { engine in
                var times: [Double] = []
                for number in 0..<50 {
                    let id = "run-\(number)"
                    let start = seconds()
                    let run = try await engine.start(workflow, id, id: id)
                    _ = try await run.value
                    times.append(((begins.withLock { $0[id] } ?? start) - start) * 1_000)
                    usleep(2_000)
                }
                return times.sorted()[times.count / 2]
            }
        }
    }

    /// What a run costs in the engine's memory while it sleeps.
    private static func footprint(runs: Int) async throws -> Double {
        try await withSQLite { store in
            let workflow = Workflow("sleep") {
                Sleep("night", for: .seconds(86_400))
                Step("wake") { (id: Int) in id }
            }
            return try await withEngine(on: store, workflow) { engine in
                let before = residentBytes()
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for lane in 0..<64 {
                        group.addTask {
                            for number in stride(from: lane, to: runs, by: 64) {
                                _ = try await engine.start(workflow, number, id: "sleeper-\(number)")
                            }
                        }
                    }
                    try await group.waitForAll()
                }
                while engine.activeRunCount > 0 { usleep(10_000) }
                return max(0, Double(residentBytes() - before)) / Double(runs)
            }
        }
    }

    /// How long a new process takes until all runs of one that was killed have gone on to their ends.
    private static func recovery(runs: Int) async throws -> Double {
        try await withSQLite { store in
            try await withEngine(on: store, isRunning: false) { engine in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for lane in 0..<64 {
                        group.addTask {
                            for number in stride(from: lane, to: runs, by: 64) {
                                let parcel = Parcel(id: "\(number)", count: 0)
                                _ = try await engine.start(five, parcel, id: "left-\(number)")
                            }
                        }
                    }
                    try await group.waitForAll()
                }
            }
            let start = seconds()
            return try await withEngine(on: store) { engine in
                var filter = RunFilter()
                filter.statuses = [.completed]
                while try await engine.countRuns(where: filter) < runs { usleep(20_000) }
                return seconds() - start
            }
        }
    }

    // MARK: Means

    private static func withSQLite<Result>(_ body: (SQLiteStore) async throws -> Result) async throws -> Result {
        try await withTemporaryFolder { folder in
            let store = try SQLiteStore(folder + "/bench.sqlite")
            try await store.connect()
            do {
                let result = try await body(store)
                await store.disconnect()
                return result
            } catch {
                await store.disconnect()
                throw error
            }
        }
    }

    private static func withEngine<Result>(
        on store: any RunStore, isRunning: Bool = true, _ body: (WorkflowEngine) async throws -> Result
    ) async throws -> Result {
        try await self.withEngine(on: store, self.five, isRunning: isRunning, body)
    }

    private static func withEngine<Input, Output, Result>(
        on store: any RunStore, _ workflow: Workflow<Input, Output>, isRunning: Bool = true,
        _ body: (WorkflowEngine) async throws -> Result
    ) async throws -> Result {
        let engine = try WorkflowEngine(store: store) { workflow }
        guard isRunning else { return try await body(engine) }
        let running = Task { try await engine.run() }
        let result: Swift.Result<Result, any Error>
        do { result = .success(try await body(engine)) } catch { result = .failure(error) }
        running.cancel()
        try await running.value
        return try result.get()
    }

    private static func residentBytes() -> Int {
        guard let file = fopen("/proc/self/statm", "r") else { return 0 }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        guard fgets(&line, 256, file) != nil else { return 0 }
        let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return (text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0)
            * Int(sysconf(Int32(_SC_PAGESIZE)))
    }
}
