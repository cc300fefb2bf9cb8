import PerdureConcurrency
import PerdureTestKit
import PerdureWorkflow
import Testing

@testable import PerdureCassandra

/// Engines on a real node: what a run costs, and that several workers get on with each other.
@Suite(
    "Engines on Cassandra", .serialized,
    .enabled(if: TestCluster.single != nil, "needs a node: script/server cassandra start"), .timeLimit(.minutes(10)))
struct RunEngineTests {
    /// Adds 5, one at a time.
    private static func fiveSteps(_ name: String) -> Workflow<Int, Int> {
        Workflow(name) {
            Step("a") { (number: Int) in number + 1 }
            Step("b") { (number: Int) in number + 1 }
            Step("c") { (number: Int) in number + 1 }
            Step("d") { (number: Int) in number + 1 }
            Step("e") { (number: Int) in number + 1 }
        }
    }

    @Test("spends at most n + 2 conditional writes on a run of n steps") func countsWrites() async throws {
        let chain = Self.fiveSteps("chain-\(UInt64.random(in: 0 ... .max))")
        try await #require(TestCluster.single).withRunTables("runs") { tables in
            let proxy = try LossyProxy(to: tables.port)
            defer { proxy.stop() }
            var configuration = tables
            (configuration.port, configuration.newestVersion) = (proxy.port, .v4)
            // A node that has too much to do lets writes be sent again.
            let repeats = RepeatCounter()
            configuration.observer = repeats
            let store = try CassandraStore(configuration)
            try await withWorker(store, { chain }) { engine in
                // The first makes names known that others find known.
                _ = try await engine.start(chain, 0).value
                // Of several runs the one that cost least: while one lasts, its worker also renews its lease and looks for work.
                var (conditional, all) = (Int.max, Int.max)
                for _ in 0..<5 {
                    let (before, repeatsBefore) = (proxy.writes, repeats.count.withLock { $0 })
                    let value = try await engine.start(chain, 0).value
                    #expect(value == 5)
                    let after = proxy.writes
                    print(
                        "a run of 5 steps: \(after.conditional - before.conditional) conditional writes,"
                            + " \(after.all - before.all) requests that write")
                    let repeated = repeats.count.withLock { $0 } - repeatsBefore
                    conditional = min(conditional, after.conditional - before.conditional - repeated)
                    all = min(all, after.all - before.all - repeated)
                }
                #expect(conditional <= 7)
                #expect(all <= 12)
            }
            await store.disconnect()
        }
    }

    @Test("shares runs between two workers, each step recorded once, limits kept") func twoWorkers() async throws {
        let tally = LockedState<[String: Int]>([:])
        let busy = LockedState((now: 0, most: 0))
        let configuration = WorkflowConfiguration(concurrencyLimit: 4)
        let work = Workflow("work-\(UInt64.random(in: 0 ... .max))", configuration: configuration) {
            Step("first") { (number: Int) in
                busy.withLock { busy in
                    busy.now += 1
                    busy.most = max(busy.most, busy.now)
                }
                for _ in 0..<10 { await Task.yield() }
                tally.withLock { $0["first \(number)", default: 0] += 1 }
                return number
            }
            Step("second") { (number: Int) in
                tally.withLock { $0["second \(number)", default: 0] += 1 }
                busy.withLock { $0.now -= 1 }
                return number * 2
            }
        }
        let count = 60
        try await #require(TestCluster.single).withRunTables("runs") { tables in
            let stores = [try CassandraStore(tables), try CassandraStore(tables)]
            let start = SystemClock().now
            try await withWorker(stores[0], { work }) { first in
                try await withWorker(stores[1], { work }) { second in
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        for number in 0..<count {
                            group.addTask {
                                let engine = number % 2 == 0 ? first : second
                                let value = try await engine.start(work, number).value
                                #expect(value == number * 2)
                            }
                        }
                        try await group.waitForAll()
                    }
                }
            }
            let took = SystemClock().now - start
            print(
                "\(count) runs of 2 steps by two workers under a limit of 4: \(took), at most \(busy.withLock { $0.most }) at once"
            )
            let done = tally.withLock { $0 }
            #expect(done.count == 2 * count && done.values.allSatisfy { $0 == 1 })
            #expect(busy.withLock { $0.most } <= 4)
            for store in stores { await store.disconnect() }
        }
    }

    @Test("ends every run rightly while requests and answers get lost") func losses() async throws {
        let seed = UInt64.random(in: 0 ... .max)
        let chain = Workflow("lossy-\(seed)") {
            Step("a") { (number: Int) in number + 1 }
            Step("b") { (number: Int) in number + 1 }
            Step("c") { (number: Int) in number + 1 }
        }
        try await #require(TestCluster.single).withRunTables("runs") { tables in
            let proxy = try LossyProxy(to: tables.port)
            defer { proxy.stop() }
            var configuration = tables
            (configuration.port, configuration.newestVersion) = (proxy.port, .v4)
            let store = try CassandraStore(configuration)
            let direct = try CassandraStore(tables)
            try await withWorker(store, { chain }) { engine in
                _ = try await engine.start(chain, 0).value
                proxy.loseAtRandom(perMille: 40, seed: seed)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for number in 0..<40 {
                        group.addTask {
                            let value = try await engine.start(chain, number, id: "\(seed)-\(number)").value
                            #expect(value == number + 3)
                        }
                    }
                    try await group.waitForAll()
                }
                proxy.loseAtRandom(perMille: 0, seed: seed)
            }
            for number in 0..<40 {
                let steps = try await direct.snapshot(of: "\(seed)-\(number)")?.steps.map(\.id)
                #expect(steps == ["a", "b", "c"])
            }
            print("40 runs, \(proxy.count) requests or answers lost, seed \(seed)")
            #expect(proxy.count > 0)
            await store.disconnect()
            await direct.disconnect()
        }
    }

    @Test("does runs of two workers side by side") func throughput() async throws {
        let chain = Self.fiveSteps("load-\(UInt64.random(in: 0 ... .max))")
        try await #require(TestCluster.single).withRunTables("runs") { tables in
            let stores = [try CassandraStore(tables), try CassandraStore(tables)]
            let clock = SystemClock()
            try await withWorker(stores[0], { chain }) { first in
                try await withWorker(stores[1], { chain }) { second in
                    let start = clock.now
                    let count = 400
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        for lane in 0..<32 {
                            group.addTask {
                                for number in stride(from: lane, to: count, by: 32) {
                                    let engine = number % 2 == 0 ? first : second
                                    let value = try await engine.start(chain, number).value
                                    #expect(value == number + 5)
                                }
                            }
                        }
                        try await group.waitForAll()
                    }
                    let took = clock.now - start
                    var filter = RunFilter()
                    (filter.workflow, filter.statuses) = (chain.name, [.completed])
                    let found = try await stores[0].countRuns(where: filter, now: clock.unixMilliseconds)
                    #expect(found == count)
                    print("\(count) runs of 5 steps by two workers: \(took)")
                }
            }
            for store in stores { await store.disconnect() }
        }
    }
}

/// An engine that works while `body` does.
private func withWorker(
    _ store: CassandraStore, @WorkflowsBuilder _ workflows: () -> [RegisteredWorkflow],
    _ body: @Sendable (WorkflowEngine) async throws -> Void
) async throws {
    var configuration = WorkflowEngine.Configuration()
    configuration.name = "worker-\(UInt64.random(in: 0 ... .max))"
    configuration.lease = .seconds(600)
    let engine = try WorkflowEngine(store: store, configuration: configuration, workflows: workflows)
    let running = Task { try await engine.run() }
    let result: Result<Void, any Error>
    do { result = .success(try await body(engine)) } catch { result = .failure(error) }
    running.cancel()
    try? await running.value
    try result.get()
}

/// Counts how often something was sent again.
private final class RepeatCounter: EventObserver {
    let count = LockedState(0)

    func observe(_ event: PerdureEvent) {
        switch event {
        case .writeRepeated, .requestRetried: self.count.withLock { $0 += 1 }
        default: break
        }
    }
}
