import PerdureConcurrency
import PerdureModel
import PerdureTestKit
import PerdureWorkflow
import Testing

@testable import PerdureDynamoDB

/// Engines on one table: side by side, on a bad network, and killed before and after each of their writes.
@Suite(
    "Workers on one table", .enabled(if: TestServer.url != nil, "needs PERDURE_TEST_DYNAMODB"), .timeLimit(.minutes(10))
)
struct RunWorkerTests {
    private static func outputs(
        of count: Int, _ engine: WorkflowEngine, _ workflow: Workflow<Int, Int>
    ) async throws -> [Int] {
        var outputs: [Int] = []
        for number in 0..<count { outputs.append(try await engine.run(workflow, "run-\(number)").value) }
        return outputs
    }

    @Test("drive each run once, whoever asked for it", arguments: [1, 3])
    func sideBySide(indexShards: Int) async throws {
        let layout = DynamoDBRunLayout(indexShards: indexShards, scheduleShards: indexShards)
        try await RunTestTable.with(layout: layout) { table in
            let ledger = FiveStepRun.Ledger()
            let stores = [try table.store(), try table.store(), try table.store()]
            let count = 40
            let asking = try WorkflowEngine(store: stores[2]) { FiveStepRun.workflow(ledger) }
            let workflow = FiveStepRun.workflow(ledger)
            for number in 0..<count { try await asking.start(workflow, number, id: "run-\(number)") }
            let outputs = try await FiveStepRun.withWorker("a", on: stores[0], ledger) { _, _ in
                try await FiveStepRun.withWorker("b", on: stores[1], ledger) { engine, workflow in
                    try await Self.outputs(of: count, engine, workflow)
                }
            }
            #expect(outputs == (0..<count).map { $0 + 5 })
            #expect(ledger.counts.count == 5 * count && ledger.counts.values.allSatisfy { $0 == 1 })
            var filter = RunFilter()
            filter.statuses = [.completed]
            #expect(try await stores[2].countRuns(where: filter, now: .max) == count)
            let page = try await stores[2].runs(where: filter, after: nil, limit: 100, now: .max)
            #expect(page.runs.count == count && page.next == nil)
            for store in stores { await store.disconnect() }
        }
    }

    @Test("bring runs to their end while requests and answers get lost")
    func badNetwork() async throws {
        let seed = UInt64.random(in: 0 ... .max)
        try await RunTestTable.with { table in
            let proxy = try LossyProxy()
            defer { proxy.peer.stop() }
            proxy.loseAtRandom(perMille: 80, seed: seed)
            let ledger = FiveStepRun.Ledger()
            let store = try table.store(endpoint: proxy.peer.url) { $0.retries.budget = 10_000 }
            let outputs = try await FiveStepRun.withWorker("a", on: store, ledger) { engine, workflow in
                for number in 0..<15 { try await engine.start(workflow, number, id: "run-\(number)") }
                return try await Self.outputs(of: 15, engine, workflow)
            }
            #expect(outputs == (0..<15).map { $0 + 5 }, "seed \(seed)")
            await store.disconnect()
        }
    }

    /// The process that drives a run loses its store for good at one of its writes, before it arrives or after it was carried out;
    /// the next process of its name goes on, and nothing that was recorded is done again.
    @Test("go on where a process ended, at whichever write", arguments: [LossyProxy.Loss.request, .answer])
    func crashes(at loss: LossyProxy.Loss) async throws {
        try await RunTestTable.with { table in
            var points = 0
            for point in 1...40 {
                let run = "run-\(loss)-\(point)"
                let proxy = try LossyProxy()
                defer { proxy.peer.stop() }
                proxy.die(atChange: point, loss)
                let ledger = FiveStepRun.Ledger()
                let mortal = try table.store(endpoint: proxy.peer.url) {
                    $0.retries.maximumAttempts = 1
                    $0.writeTimeout = .seconds(5)
                    $0.readTimeout = .seconds(5)
                }
                try await FiveStepRun.withWorker("w", on: mortal, ledger) { engine, workflow in
                    let ending = Task { try? await engine.execute(workflow, 1, id: run) }
                    // Either the run comes to its end, or its process does.
                    await proxy.waitForDeath(or: { _ = await ending.value })
                    ending.cancel()
                }
                await mortal.disconnect()
                let store = try table.store()
                let result = try await FiveStepRun.withWorker("w", on: store, ledger) { engine, workflow in
                    try await engine.execute(workflow, 1, id: run)
                }
                #expect(result == 6, "\(loss) at change \(point)")
                let snapshot = try #require(try await store.snapshot(of: run))
                #expect(snapshot.steps.map(\.id) == FiveStepRun.steps && snapshot.run.status == .completed)
                // At most the step under way was begun twice.
                #expect(ledger.counts.values.allSatisfy { $0 <= 2 } && ledger.counts.values.count { $0 == 2 } <= 1)
                await store.disconnect()
                points = point
                if !proxy.isDead { break }
            }
            #expect(points > FiveStepRun.steps.count && points < 40)
            print("\(points - 1) crash points, \(loss) lost")
        }
    }
}
