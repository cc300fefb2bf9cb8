import CBaselines
import PerdureSQLite
import Synchronization

/// The SQLite store, and entities on it, against a loop in C on SQLite's own API with the same statement, batched alike.
enum SQLiteBenchmarks {
    static let all: [Benchmark] =
        [
            write(inFlight: 1, count: 3_000), write(inFlight: 1, count: 3_000, onStore: true),
            write(inFlight: 64, count: 100_000), write(inFlight: 256, count: 200_000),
            write(inFlight: 1_024, count: 300_000),
        ] + [
            entity(inFlight: 1, count: 3_000), entity(inFlight: 1, count: 3_000, onStore: true),
            entity(inFlight: 256, count: 150_000),
            Benchmark("activation-sqlite", unit: "activations/s", measure: activations),
        ]

    private static let batches = BatchSizes()

    private static let payload = StatePayload(manifest: "bench", bytes: [UInt8](repeating: 7, count: 200))

    /// With `onStore`, by tasks that prefer the store's executor.
    private static func write(inFlight: Int, count: Int, onStore: Bool = false) -> Benchmark {
        Benchmark(
            "sqlite-write-\(inFlight)\(onStore ? "-executor" : "")", unit: "writes/s",
            measure: {
                try await withStore { store in
                    for task in 0..<inFlight { try await store.write(row(task, version: 1), if: .absent) }
                    let first = UInt64(warmUp(inFlight)) + 1
                    for version in 1..<first {
                        try await store.write(row(0, version: version + 1), if: .version(version))
                    }
                    return try await rate(of: count, over: inFlight, on: onStore ? store.taskExecutor : nil) {
                        task, share in
                        for version in first..<first + UInt64(share) {
                            try await store.write(row(task, version: version + 1), if: .version(version))
                        }
                    }
                }
            }, against: "C on SQLite's API, batched alike", baseline: { try await raw(inFlight, count) })
    }

    private static func entity(inFlight: Int, count: Int, onStore: Bool = false) -> Benchmark {
        Benchmark(
            "entity-sqlite-\(inFlight)\(onStore ? "-executor" : "")", unit: "commands/s",
            measure: {
                try await withStore { store in
                    let engine = StateEngine(store: store) { Account() }
                    for _ in 0..<warmUp(inFlight) {
                        try await engine.entity(Account.self, "account-0").send(.credit(1))
                    }
                    return try await rate(of: count, over: inFlight, on: onStore ? store.taskExecutor : nil) {
                        task, share in
                        let entity = engine.entity(Account.self, "account-\(task)")
                        for _ in 0..<share { try await entity.send(.credit(1)) }
                    }
                }
            }, against: "C on SQLite's API, batched alike", baseline: { try await raw(inFlight, count) })
    }

    /// How many writes do not count. The log grows until its first checkpoint, and flushing a file that grows takes half as long again:
    /// lone writes are measured as they are from then on. Those of many are past it in no time.
    private static func warmUp(_ inFlight: Int) -> Int {
        inFlight == 1 ? SQLiteStore.Configuration().checkpointPageCount + 500 : 0
    }

    /// Entities per second that come into memory, read from the file by 64 tasks.
    private static func activations() async throws -> Double {
        try await withStore { store in
            let count = 64_000
            let state = Account.Codec().encode(Account.State())
            for start in stride(from: 0, to: count, by: 1_000) {
                let writes = (start..<start + 1_000).map { number in
                    StateWrite(
                        DurableState(persistenceID: "account-\(number)", version: 1, payload: state), if: .absent)
                }
                for result in await store.write(writes) { try result.get() }
            }
            let engine = StateEngine(store: store) { Account() }
            return try await rate(of: count, over: 64) { task, share in
                for number in 0..<share {
                    try await engine.entity(Account.self, "account-\(task * share + number)").send(.look)
                }
            }
        }
    }

    private static func row(_ task: Int, version: UInt64) -> DurableState {
        DurableState(
            persistenceID: "account-\(task)", version: version, payload: self.payload, timestamp: 1_700_000_000_000)
    }

    private static func withStore<Result>(_ body: (SQLiteStore) async throws -> Result) async throws -> Result {
        try await withTemporaryFolder { folder in
            batches.reset()
            var configuration = SQLiteStore.Configuration()
            configuration.observer = batches
            let store = try SQLiteStore(folder + "/bench.sqlite", configuration: configuration)
            try await store.connect()
            let result = try await body(store)
            await store.disconnect()
            return result
        }
    }

    /// The loop in C over as many IDs, in batches of the size that the store's had in the round before.
    private static func raw(_ ids: Int, _ count: Int) async throws -> Double {
        try await withTemporaryFolder { folder in
            let batch = min(ids, max(1, batches.mean))
            let rate = baseline_sqlite_updates(
                folder + "/bench.sqlite", Int32(ids), Int32(batch), Int32(warmUp(ids)), Int32(count), 200)
            guard rate > 0 else { throw BenchmarkFailure("the loop in C failed") }
            return rate
        }
    }
}

/// How many writes the store's commits have had on average.
private final class BatchSizes: EventObserver {
    private let sums = Mutex((batches: 0, writes: 0))

    func observe(_ event: PerdureEvent) {
        guard case .batchCommitted(_, let writes, _) = event else { return }
        self.sums.withLock { $0 = ($0.batches + 1, $0.writes + writes) }
    }

    func reset() { self.sums.withLock { $0 = (0, 0) } }

    var mean: Int {
        self.sums.withLock { $0.batches == 0 ? 1 : Int((Double($0.writes) / Double($0.batches)).rounded()) }
    }
}
