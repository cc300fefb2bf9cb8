import PerdureConcurrency
import PerdureModel
import PerdureTestKit
import PerdureWorkflow
import Testing

@testable import PerdureDynamoDB

/// What a run of five steps costs, in requests and in capacity units.
@Suite("The cost of runs", .enabled(if: TestServer.url != nil, "needs PERDURE_TEST_DYNAMODB"))
struct RunCostTests {
    private static let changes: Set = [
        "TransactWriteItems", "UpdateItem", "PutItem", "DeleteItem", "BatchWriteItem",
    ]

    private static func units(_ observer: RecordingObserver) -> [String: Double] {
        var units: [String: Double] = [:]
        for event in observer.events {
            guard case .capacityConsumed(_, let operation, _, let consumed) = event else { continue }
            units[operation, default: 0] += consumed
        }
        return units
    }

    @Test("is one request for each step, and two beside at most", arguments: [false, true])
    func writes(isClaimed: Bool) async throws {
        try await RunTestTable.with { table in
            let proxy = try LossyProxy()
            defer { proxy.peer.stop() }
            let observer = RecordingObserver()
            let ledger = FiveStepRun.Ledger()
            let store = try table.store(endpoint: proxy.peer.url) { $0.observer = observer }
            if isClaimed {
                // Asked for by a process that drives nothing itself.
                let workflow = FiveStepRun.workflow(ledger)
                try await WorkflowEngine(store: store) { workflow }.start(workflow, 1, id: "run-5")
            }
            try await FiveStepRun.withWorker("w", on: store, ledger) { engine, workflow in
                let result =
                    try await isClaimed
                    ? engine.run(workflow, "run-5").value : engine.execute(workflow, 1, id: "run-5")
                #expect(result == 6)
            }
            await store.disconnect()
            let requests = proxy.peer.requests.filter {
                Self.changes.contains($0.operation) && $0.text.contains("run-5")
            }
            let all = requests.map(\.operation)
            #expect(requests.count <= FiveStepRun.steps.count + 2, "\(all)")
            let scans = proxy.peer.requests.filter { $0.operation == "Scan" }
            #expect(scans.isEmpty)
            let writes = Self.units(observer)["TransactWriteItems"] ?? 0
            let items = requests.map { $0.text.ranges(of: "\"TableName\"").count }.reduce(0, +)
            print(
                "a five-step run \(isClaimed ? "claimed" : "begun at once"): \(all.count) requests, \(items) items,"
                    + " \(writes) WCU")
            // Of DynamoDB Local's own counting; the indexes are counted by it too.
            #expect(writes > 0 && writes <= 75, "\(Self.units(observer))")
        }
    }

    @Test("of each access pattern is that of what it finds")
    func patterns() async throws {
        try await RunTestTable.with { table in
            let ledger = FiveStepRun.Ledger()
            let store = try table.store()
            try await FiveStepRun.withWorker("w", on: store, ledger) { engine, workflow in
                for number in 0..<20 { _ = try await engine.execute(workflow, 1, id: "run-\(number)") }
            }
            await store.disconnect()
            let observer = RecordingObserver()
            try await RawClient.with({ $0.observer = observer }) { client in
                func cost(_ what: String, of expected: Int, _ body: () async throws -> Int) async throws -> Double {
                    observer.removeAll()
                    let count = try await body()
                    #expect(count == expected, "\(what)")
                    let units = Self.units(observer).values.reduce(0, +)
                    print("\(what): \(count) items, \(units) RCU")
                    return units
                }
                func query(_ expression: Expression, _ index: RunIndex? = nil) async throws -> Int {
                    let page = try await client.perform(
                        .query(
                            table: table.name, index: index?.rawValue, expression, isConsistent: index == nil,
                            reportsCapacity: true))
                    return page.items.count
                }
                func get(_ sort: String) async throws -> Int {
                    let item = try await client.perform(
                        .getItem(
                            table: table.name, key: RunKey.key("RUN#run-7", sort), isConsistent: true,
                            reportsCapacity: true))
                    return item == nil ? 0 : 1
                }
                let ofRun = try await cost("1 a run", of: 1, { try await get("RUN#run-7") })
                let ofSteps = try await cost(
                    "2 all steps of a run", of: 5,
                    { try await query(.partition("RUN#run-7", from: "STEP#", below: "STEP$")) })
                let ofOutput = try await cost("3 a step's output", of: 1, { try await get("OUTPUT#three") })
                let ofWorkflow = try await cost(
                    "4 by workflow", of: 20, { try await query(.partition("WORKFLOW#five", of: .workflow), .workflow) })
                let ofStatus = try await cost(
                    "5 by status", of: 20, { try await query(.partition("STATUS#COMPLETED", of: .status), .status) })
                #expect(ofRun == 1 && ofOutput == 1 && ofSteps <= 2)
                #expect(ofWorkflow <= 4 && ofStatus <= 4)
            }
        }
    }
}
