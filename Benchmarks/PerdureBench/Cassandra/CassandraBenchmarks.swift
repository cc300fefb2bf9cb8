import CBaselines
import Glibc
import PerdureCassandra

/// The Cassandra store against gocql on the same node and the same table.
///
/// Plain writes and reads (`writes=latest`) and conditional ones are measured each. The node's URL is in `PERDURE_BENCH_CASSANDRA`, the
/// program in Go in `PERDURE_BENCH_CASSANDRA_GO`; `script/bench` sees to both.
enum CassandraBenchmarks {
    static let all: [Benchmark] = [
        speed("cassandra-write-1", .write, inFlight: 1, count: 2_000),
        speed("cassandra-write-64", .write, inFlight: 64, count: 60_000),
        speed("cassandra-read-1", .read, inFlight: 1, count: 2_000),
        speed("cassandra-write-1", .write, inFlight: 1, count: 2_000, .onStore),
        speed("cassandra-read-1", .read, inFlight: 1, count: 2_000, .onStore),
        speed("cassandra-write-1", .write, inFlight: 1, count: 2_000, .onPollingStore),
        speed("cassandra-read-1", .read, inFlight: 1, count: 2_000, .onPollingStore),
        speed("cassandra-read-64", .read, inFlight: 64, count: 60_000),
        cpu("cassandra-write-cpu", .write, inFlight: 64, count: 60_000),
        cpu("cassandra-read-cpu", .read, inFlight: 64, count: 60_000),
        speed("cassandra-cas-64", .cas, inFlight: 64, count: 10_000),
        Benchmark("cassandra-write-allocations", unit: "allocs/write") { try await allocations(.write, inFlight: 64) },
        Benchmark("cassandra-read-allocations", unit: "allocs/read") { try await allocations(.read, inFlight: 64) },
    ]

    /// What is done, in the words of the program in Go.
    enum Kind: String { case write, read, cas }

    private struct Outcome {
        var rate: Double
        /// Microseconds of the client's CPU per operation.
        var cpu: Double
    }

    private static func speed(
        _ name: String, _ kind: Kind, inFlight: Int, count: Int, _ calling: Calling = .elsewhere
    ) -> Benchmark {
        Benchmark(
            name + calling.rawValue, unit: kind == .read ? "reads/s" : "writes/s",
            measure: { try await ours(kind, inFlight, count, calling).rate },
            against: inFlight == 1 ? "gocql 1.7 without gathering" : "gocql 1.7",
            baseline: { try await theirs(kind, inFlight, count).rate })
    }

    private static func cpu(_ name: String, _ kind: Kind, inFlight: Int, count: Int) -> Benchmark {
        Benchmark(
            name, unit: "µs CPU/operation", measure: { try await ours(kind, inFlight, count).cpu },
            against: "gocql 1.7", baseline: { try await theirs(kind, inFlight, count).cpu })
    }

    // MARK: Ours

    /// A node with as much time as it needs.
    static func configuration() throws -> CassandraConfiguration {
        guard let url = getenv("PERDURE_BENCH_CASSANDRA") else {
            throw BenchmarkFailure("PERDURE_BENCH_CASSANDRA is not set; script/bench starts a node and sets it")
        }
        var configuration = try CassandraConfiguration(url: String(cString: url))
        configuration.writeTimeout = .seconds(60)
        configuration.readTimeout = .seconds(60)
        configuration.attemptTimeout = .seconds(60)
        return configuration
    }

    /// What writes of states come to.
    static func writes(
        _ kind: Kind, inFlight: Int, count: Int, size: Int
    ) async throws -> (rate: Double, cpu: Double) {
        let outcome = try await self.ours(kind, inFlight, count, size: size)
        return (outcome.rate, outcome.cpu)
    }

    private static func configuration(_ kind: Kind) async throws -> CassandraConfiguration {
        var configuration = try self.configuration()
        configuration.table = kind == .cas ? "bench_conditional" : "bench_latest"
        configuration.writes = kind == .cas ? .conditional : .latest
        let store = try CassandraStore(configuration)
        try await store.setup()
        await store.disconnect()
        return configuration
    }

    private static func payload(_ size: Int) -> StatePayload {
        StatePayload(manifest: "bench", bytes: [UInt8](repeating: 7, count: size))
    }

    private static func row(_ task: Int, version: UInt64, _ payload: StatePayload) -> DurableState {
        DurableState(
            persistenceID: "account-\(task)", version: version, payload: payload, timestamp: 1_700_000_000_000)
    }

    private static func ours(
        _ kind: Kind, _ inFlight: Int, _ count: Int, size: Int = 200, _ calling: Calling = .elsewhere
    ) async throws -> Outcome {
        try await self.withStore(kind, inFlight, busyPolling: calling.busyPolling) { store, first in
            let before = processorSeconds()
            let perSecond = try await self.operate(
                store, kind, first, count, size, on: calling.executor(of: store))
            let used = processorSeconds() - before
            return Outcome(rate: perSecond, cpu: used * 1e6 / Double(count / inFlight * inFlight))
        }
    }

    /// Heap allocations of all threads for each operation, the rows of writes included.
    private static func allocations(_ kind: Kind, inFlight: Int) async throws -> Double {
        try await self.withStore(kind, inFlight) { store, first in
            let count = 16_384
            _ = try await self.operate(store, kind, first, count, 200)
            baseline_count_all_allocations()
            _ = try await self.operate(store, kind, first, count, 200)
            return Double(baseline_all_allocations()) / Double(count)
        }
    }

    /// A store with a row for each of so many tasks, and the rows' versions.
    private static func withStore<Result>(
        _ kind: Kind, _ inFlight: Int, busyPolling: Duration = .zero,
        _ body: (CassandraStore, [UInt64]) async throws -> Result
    ) async throws -> Result {
        var configuration = try await self.configuration(kind)
        configuration.busyPolling = busyPolling
        let store = try CassandraStore(configuration)
        var versions: [UInt64] = []
        for task in 0..<inFlight {
            let version = try await store.latestState(of: "account-\(task)")?.version ?? 0
            if version == 0 {
                try await store.write(
                    self.row(task, version: 1, self.payload(200)), if: kind == .cas ? .absent : .always)
            }
            versions.append(max(1, version))
        }
        let result = try await body(store, versions)
        await store.disconnect()
        return result
    }

    /// Does so many operations, a task for each of the versions; returns how many there were in a second.
    private static func operate(
        _ store: CassandraStore, _ kind: Kind, _ first: [UInt64], _ count: Int, _ size: Int,
        on executor: (any TaskExecutor)? = nil
    ) async throws -> Double {
        let payload = self.payload(size)
        return try await rate(of: count, over: first.count, on: executor) { task, share in
            switch kind {
            case .write:
                for number in 1...UInt64(share) {
                    try await store.write(self.row(task, version: number, payload), if: .always)
                }
            case .read:
                for _ in 0..<share { _ = try await store.latestState(of: "account-\(task)") }
            case .cas:
                for version in first[task]..<first[task] + UInt64(share) {
                    try await store.write(self.row(task, version: version + 1, payload), if: .version(version))
                }
            }
        }
    }

    // MARK: What it is held against

    private static func theirs(_ kind: Kind, _ inFlight: Int, _ count: Int) async throws -> Outcome {
        let configuration = try await self.configuration(kind)
        guard let program = getenv("PERDURE_BENCH_CASSANDRA_GO").map({ String(cString: $0) }) else {
            throw BenchmarkFailure(
                "PERDURE_BENCH_CASSANDRA_GO is not set; script/bench builds the program, which takes Go")
        }
        let figures = try Command.figures(
            2,
            of: "'\(program)' \(configuration.contactPoints[0]) \(configuration.port) \(configuration.keyspace)"
                + " \(configuration.table) \(kind.rawValue) \(inFlight) \(count)")
        return Outcome(rate: figures[0], cpu: figures[1])
    }
}
