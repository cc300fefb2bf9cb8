import CBaselines
import Glibc
import PerdurePostgres
import Synchronization

/// The PostgreSQL store, and entities on it, against rows one by one on one connection, and against `pgbench`.
///
/// The server's URL is in `PERDURE_BENCH_POSTGRES`; `script/bench` starts one.
enum PostgresBenchmarks {
    static let all: [Benchmark] = [
        write(inFlight: 1, count: 2_000, baselineCount: 2_000),
        write(inFlight: 64, count: 50_000, baselineCount: 3_000),
        write(inFlight: 256, count: 100_000, baselineCount: 3_000),
        Benchmark(
            "postgres-write-ceiling", unit: "rows/s", measure: { try await writes(inFlight: 256, count: 200_000) },
            against: "pgbench, batches of 64 rows on 2 connections", baseline: pgbench),
        latency(.elsewhere), latency(.onStore), latency(.onPollingStore),
        Benchmark("postgres-write-allocations", unit: "allocs/write") { try await allocations(inFlight: 1) },
        Benchmark("postgres-write-allocations-64", unit: "allocs/write") { try await allocations(inFlight: 64) },
        Benchmark("postgres-write-cpu", unit: "µs of client/write") { try await cpu(inFlight: 256, count: 100_000) },
        Benchmark(
            "postgres-read-64", unit: "reads/s", measure: { try await reads(inFlight: 64, count: 150_000) },
            against: "one by one on one connection, C on libpq",
            baseline: { try await rows(ids: 64, count: 20_000, reading: true) }),
        entity(live: 64, count: 50_000), entity(live: 256, count: 100_000),
        Benchmark(
            "entity-postgres-64-p99", unit: "ms", measure: { try await entities(live: 64, count: 50_000).p99 }),
        Benchmark(
            "entity-postgres-256-p99", unit: "ms", measure: { try await entities(live: 256, count: 100_000).p99 }),
    ]

    private static let payload = StatePayload(manifest: "bench", bytes: [UInt8](repeating: 7, count: 200))

    static func url() throws -> String {
        guard let url = getenv("PERDURE_BENCH_POSTGRES") else {
            throw BenchmarkFailure("PERDURE_BENCH_POSTGRES is not set; script/bench starts a server and sets it")
        }
        return String(cString: url)
    }

    // MARK: Ours

    private static func write(inFlight: Int, count: Int, baselineCount: Int) -> Benchmark {
        Benchmark(
            "postgres-write-\(inFlight)", unit: "writes/s",
            measure: { try await writes(inFlight: inFlight, count: count) },
            against: "one by one on one connection, C on libpq",
            baseline: { try await rows(ids: inFlight, count: baselineCount, reading: false) })
    }

    private static func writes(inFlight: Int, count: Int, _ calling: Calling = .elsewhere) async throws -> Double {
        try await withStore(busyPolling: calling.busyPolling) { store in
            try await fill(store, inFlight)
            // The table is new: its first writes are not like others, and a lone writer is long in making them.
            let first: UInt64 = inFlight == 1 ? 1_001 : 1
            for version in 1..<first { try await store.write(row(0, version: version + 1), if: .version(version)) }
            return try await rate(of: count, over: inFlight, on: calling.executor(of: store)) { task, share in
                for version in first..<first + UInt64(share) {
                    try await store.write(row(task, version: version + 1), if: .version(version))
                }
            }
        }
    }

    /// The mean time of a write that has the store to itself, in microseconds, over about as long as pgbench is given.
    private static func latency(_ calling: Calling) -> Benchmark {
        Benchmark(
            "postgres-write-latency\(calling.rawValue)", unit: "µs",
            measure: { 1e6 / (try await writes(inFlight: 1, count: 9_000, calling)) },
            against: "pgbench, one client, a like statement", baseline: pgbenchLatency)
    }

    /// Heap allocations of all threads, libpq's included, for each write.
    private static func allocations(inFlight: Int) async throws -> Double {
        try await withStore { store in
            try await fill(store, inFlight)
            let share = 4_096 / inFlight
            for isCounted in [false, true] {
                let first: UInt64 = isCounted ? UInt64(share) + 1 : 1
                let states = (0..<inFlight).map { task in
                    (first..<(first + UInt64(share))).map { row(task, version: $0 + 1) }
                }
                if isCounted { baseline_count_all_allocations() }
                _ = try await rate(of: share * inFlight, over: inFlight) { task, _ in
                    for state in states[task] { try await store.write(state, if: .version(state.version - 1)) }
                }
            }
            return Double(baseline_all_allocations()) / Double(share * inFlight)
        }
    }

    /// Processor time of this process, all its threads, for each write, in microseconds.
    private static func cpu(inFlight: Int, count: Int) async throws -> Double {
        return try await withStore { store in
            try await fill(store, inFlight)
            let before = processorSeconds()
            _ = try await rate(of: count, over: inFlight) { task, share in
                for version in 1...UInt64(share) {
                    try await store.write(row(task, version: version + 1), if: .version(version))
                }
            }
            return (processorSeconds() - before) / Double(count) * 1e6
        }
    }

    private static func reads(inFlight: Int, count: Int) async throws -> Double {
        try await withStore { store in
            try await fill(store, inFlight)
            return try await rate(of: count, over: inFlight) { task, share in
                for _ in 0..<share { _ = try await store.latestState(of: "account-\(task)") }
            }
        }
    }

    private static func entity(live: Int, count: Int) -> Benchmark {
        Benchmark(
            "entity-postgres-\(live)", unit: "commands/s",
            measure: { try await entities(live: live, count: count).rate },
            against: "upserts one by one on one connection, C on libpq",
            baseline: { try await rows(ids: live, count: 3_000, reading: false) })
    }

    /// Commands per second, and the 99th percentile of a command's time in milliseconds.
    private static func entities(live: Int, count: Int) async throws -> (rate: Double, p99: Double) {
        try await withStore { store in
            let engine = StateEngine(store: store) { Account() }
            let times = Mutex<[Double]>([])
            let rate = try await rate(of: count, over: live) { task, share in
                let entity = engine.entity(Account.self, "account-\(task)")
                var own: [Double] = []
                own.reserveCapacity(share)
                for _ in 0..<share {
                    let start = seconds()
                    try await entity.send(.credit(1))
                    own.append(seconds() - start)
                }
                let mine = own
                times.withLock { $0 += mine }
            }
            let sorted = times.withLock { $0.sorted() }
            return (rate, sorted[sorted.count * 99 / 100] * 1_000)
        }
    }

    private static func fill(_ store: PostgresStore, _ count: Int) async throws {
        for task in 0..<count { try await store.write(row(task, version: 1), if: .absent) }
    }

    private static func row(_ task: Int, version: UInt64) -> DurableState {
        DurableState(
            persistenceID: "account-\(task)", version: version, payload: self.payload, timestamp: 1_700_000_000_000)
    }

    private static func withStore<Result>(
        busyPolling: Duration = .zero, _ body: (PostgresStore) async throws -> Result
    ) async throws -> Result {
        var configuration = try PostgresConfiguration(url: try self.url())
        configuration.busyPolling = busyPolling
        let store = try PostgresStore(configuration)
        try await store.setup()
        try await self.sql("TRUNCATE states_store, states_tombstones")
        let result = try await body(store)
        await store.disconnect()
        return result
    }

    // MARK: What it is held against

    private static func rows(ids: Int, count: Int, reading: Bool) async throws -> Double {
        let rate = baseline_postgres_rows(try self.url(), Int32(ids), Int32(count), 200, reading ? 1 : 0)
        guard rate > 0 else { throw BenchmarkFailure("the loop in C failed") }
        return rate
    }

    /// The same rows by `pgbench`: what the server takes in batches of 64 on two connections, whatever the client.
    private static func pgbench() async throws -> Double {
        try await self.pgbench(
            """
            \\set base random(0, 3) * 64
            UPDATE states_store AS s SET version_number = s.version_number + 1, state_payload = i.payload,
                state_manifest = 'bench', timestamp = 1700000000000, shard_number = 1
            FROM (SELECT 'account-' || (:base + n) AS id, decode(repeat('07', 200), 'hex') AS payload
                FROM generate_series(0, 63) AS n ORDER BY 1) AS i
            WHERE s.persistence_id = i.id;

            """, clients: 2) * 64
    }

    /// One row, one client, one transaction after the other: the mean time of each in microseconds.
    private static func pgbenchLatency() async throws -> Double {
        1e6
            / (try await self.pgbench(
                """
                UPDATE states_store SET version_number = version_number + 1,
                    state_payload = decode(repeat('07', 200), 'hex'), state_manifest = 'bench',
                    timestamp = 1700000000000, shard_number = 1
                WHERE persistence_id = 'account-0';

                """, clients: 1))
    }

    /// The transactions per second of a script on 256 rows.
    private static func pgbench(_ text: String, clients: Int) async throws -> Double {
        let script = "/tmp/perdure-bench-\(getpid()).sql"
        // A statement of a pgbench script stands on one line or ends with a semicolon; its own commands end with their line.
        try self.save(text, in: script)
        defer { remove(script) }
        let store = try PostgresStore(url: try self.url())
        for task in 0..<256 { try await store.write(self.row(task, version: 1), if: .always) }
        await store.disconnect()
        let command =
            "pgbench --no-vacuum --protocol prepared --client \(clients) --jobs \(clients) --time 3 --file \(script) '\(try self.url())'"
        let output = try self.run(command)
        guard let line = output.split(separator: "\n").first(where: { $0.hasPrefix("tps = ") }),
            let transactions = line.split(separator: " ").dropFirst(2).first.flatMap({ Double($0) })
        else { throw BenchmarkFailure("pgbench said: \(output)") }
        return transactions
    }

    static func sql(_ text: String) async throws {
        _ = try self.run("psql '\(try self.url())' -qAtc '\(text)'")
    }

    private static func save(_ text: String, in path: String) throws {
        guard let file = fopen(path, "w") else { throw BenchmarkFailure("cannot write \(path)") }
        fputs(text, file)
        fclose(file)
    }

    /// What a command prints; its programs are found beside the server's.
    private static func run(_ command: String) throws -> String {
        try Command.output(of: "PATH=$PATH:$PERDURE_POSTGRES_PROGRAMS; \(command)")
    }
}
