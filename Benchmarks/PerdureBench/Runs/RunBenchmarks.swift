import PerdureWorkflow

/// Workflow runs, end to end, against DBOS for Python where it can be had.
///
/// PostgreSQL's URL is in `PERDURE_BENCH_POSTGRES`; `script/bench` starts a server.
enum RunBenchmarks {
    static let all: [Benchmark] =
        [
            Benchmark("run-memory-1", unit: "runs/s") { try await RunRates.inMemory(starters: 1, count: 60_000) },
            Benchmark("run-memory-64", unit: "runs/s") { try await RunRates.inMemory(starters: 64, count: 120_000) },
            RunRates.sqlite(starters: 1, count: 1_500), RunRates.sqlite(starters: 16, count: 12_000),
            RunRates.sqlite(starters: 64, count: 24_000),
            Benchmark("run-sqlite-writes", unit: "writes/run") {
                try await RunStores.withSQLite { try await RunRates.writes(on: $0) }
            },
            RunRates.postgres(starters: 1, count: 1_000), RunRates.postgres(starters: 16, count: 6_000),
            RunRates.postgres(starters: 64, count: 12_000),
            Benchmark("run-postgres-writes", unit: "writes/run") {
                try await RunStores.withPostgres { store, _ in try await RunRates.writes(on: store) }
            },
        ] + RunRates.onServers + [
            Benchmark("enqueue-to-start", unit: "ms, median") {
                try await RunDelays.here(starters: 1, count: 100).median
            },
            Benchmark("enqueue-to-start-p99", unit: "ms, 16 starters") {
                try await RunDelays.here(starters: 16, count: 8_000).p99
            },
            Benchmark("enqueue-to-start-postgres", unit: "ms, median") {
                try await RunDelays.elsewhere(starters: 1, count: 100).median
            },
            Benchmark("enqueue-to-start-postgres-p99", unit: "ms, 16 starters") {
                try await RunDelays.elsewhere(starters: 16, count: 8_000).p99
            },
            Benchmark("run-footprint", unit: "bytes/run") { try await WaitingRuns.footprint(runs: 100_000) },
            Benchmark("run-startup", unit: "s, 100 k asleep") { try await WaitingRuns.startup(runs: 100_000) },
            Benchmark("recovery-time", unit: "s, 10 k runs") { try await WaitingRuns.recovery(runs: 10_000) },
        ]
}

/// A small JSON value, handed on from step to step.
struct Parcel: Codable, Sendable {
    var id: String
    var count: Int

    /// The same after one more step.
    var next: Parcel { Parcel(id: self.id, count: self.count + 1) }
}

enum RunWorkflows {
    static let five = five { $0.next }

    /// The same steps, with a handler of one's own for the third.
    static func five(third: @escaping @Sendable (Parcel) async throws -> Parcel) -> Workflow<Parcel, Parcel> {
        Workflow("five") {
            step("one")
            step("two")
            Step("three", third)
            step("four")
            step("five")
        }
    }

    /// Tells when it began, on the clock that all processes of the machine share.
    static let begin = Workflow("begin") {
        Step("begin") { (_: Parcel) in seconds() }
    }

    static let night = Workflow("night") {
        Sleep("night", for: .seconds(86_400))
        step("wake")
    }

    private static func step(_ name: String) -> Step<Parcel, Parcel> { Step(name) { (parcel: Parcel) in parcel.next } }
}
