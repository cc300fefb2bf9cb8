import CBaselines
import Glibc
import PerdureState

/// Entities over the in-memory store: what the engine itself costs.
enum MemoryBenchmarks {
    static let all: [Benchmark] = [
        Benchmark("entity-memory-1", unit: "commands/s") {
            try await entities(1, tasks: 1, commands: 1_000_000)
        } against: {
            try await actors(1, tasks: 1, commands: 1_000_000)
        },
        Benchmark("entity-memory-64", unit: "commands/s") {
            try await entities(64, tasks: 64, commands: 2_000_000)
        } against: {
            try await actors(64, tasks: 64, commands: 2_000_000)
        },
        Benchmark("entity-memory-contended", unit: "commands/s") {
            try await entities(1, tasks: 64, commands: 500_000)
        } against: {
            try await actors(1, tasks: 64, commands: 500_000)
        },
        Benchmark("entity-memory-allocations", unit: "allocs/command", measure: allocations),
        Benchmark("entity-footprint", unit: "bytes/entity", measure: { try await footprint(of: 100_000) }),
        Benchmark("entity-footprint-1m", unit: "bytes/entity", measure: { try await footprint(of: 1_000_000) }),
    ]

    private static func entities(_ count: Int, tasks: Int, commands: Int) async throws -> Double {
        let engine = StateEngine(store: InMemoryStateStore()) { Account() }
        return try await rate(of: commands, over: tasks) { task, share in
            let entity = engine.entity(Account.self, "account-\(task % count)")
            for _ in 0..<share { try await entity.send(.credit(1)) }
        }
    }

    private static func actors(_ count: Int, tasks: Int, commands: Int) async throws -> Double {
        let store = InMemoryStateStore()
        let accounts = (0..<count).map { PlainAccount("account-\($0)", store) }
        return try await rate(of: commands, over: tasks) { task, share in
            let account = accounts[task % count]
            for _ in 0..<share { try await account.credit(1) }
        }
    }

    private static func allocations() async throws -> Double {
        let engine = StateEngine(store: InMemoryStateStore()) { Account() }
        let entity = engine.entity(Account.self, "account-1")
        for _ in 0..<1_000 { try await entity.send(.credit(1)) }
        // An uncontended command stays on its thread; should the task have moved, the counts do not fit and are taken again.
        for _ in 0..<100 {
            let thread = pthread_self()
            let before = baseline_allocations()
            for _ in 0..<10_000 { try await entity.send(.credit(1)) }
            let after = baseline_allocations()
            if pthread_self() == thread, after >= before { return Double(after - before) / 10_000 }
        }
        throw BenchmarkFailure("the task kept moving between threads")
    }

    /// Heap bytes that a live, idle entity takes, without its state's row in the store.
    private static func footprint(of count: Int) async throws -> Double {
        let store = InMemoryStateStore()
        let payload = Account.Codec().encode(Account.State())
        for number in 0..<count {
            let state = DurableState(persistenceID: "account-\(number)", version: 1, payload: payload)
            try await store.write(state, if: .absent)
        }
        let engine = StateEngine(store: store) { Account() }
        let before = baseline_heap_bytes()
        for number in 0..<count { try await engine.entity(Account.self, "account-\(number)").send(.look) }
        let after = baseline_heap_bytes()
        guard engine.liveEntityCount == count else { throw BenchmarkFailure("not all entities are live") }
        return Double(after - before) / Double(count)
    }
}

extension Benchmark {
    /// A benchmark of entities against plain actors.
    fileprivate init(
        _ name: String, unit: String, measure: @escaping @Sendable () async throws -> Double,
        against baseline: @escaping @Sendable () async throws -> Double
    ) {
        self.init(
            name, unit: unit, measure: measure, against: "plain actor, same store, no promises", baseline: baseline)
    }
}
