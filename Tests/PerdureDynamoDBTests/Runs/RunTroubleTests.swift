import PerdureConcurrency
import PerdureWorkflow
import Testing

@testable import PerdureDynamoDB

/// A service that has too much to do, or fails, at each request of a run in turn.
@Suite(
    "Runs on a service in trouble", .serialized, .enabled(if: TestServer.url != nil, "needs PERDURE_TEST_DYNAMODB"),
    .timeLimit(.minutes(10)))
struct RunTroubleTests {
    enum Trouble: String, CaseIterable, Sendable {
        case throttling = "ThrottlingException"
        case throughput = "ProvisionedThroughputExceededException"
        case throttledTransaction = "a transaction cancelled by ThrottlingError"
        case contendedTransaction = "a transaction cancelled by TransactionConflict"
        case failure = "500 before the work"
        case failureAfterwards = "500 after the work"
        case cut = "cut before the work"
        case cutAfterwards = "cut after the work"

        /// What becomes of a request; nil where this cannot happen to it.
        func fate(of request: ScriptedPeer.Request) -> LossyProxy.Fate? {
            func cancelled(_ reason: String) -> LossyProxy.Fate? {
                guard request.operation == "TransactWriteItems" else { return nil }
                // One of its actions is in the way, the last.
                let others = request.text.ranges(of: "\"TableName\"").count - 1
                let reasons =
                    Array(repeating: #"{"Code":"None"}"#, count: max(0, others))
                    + [#"{"Code":"\#(reason)","Message":"words"}"#]
                return .refusal(
                    400,
                    ScriptedFaultTests.answer(
                        "TransactionCanceledException",
                        #","CancellationReasons":[\#(reasons.joined(separator: ","))]"#))
            }
            switch self {
            case .throttling, .throughput: return .refusal(400, ScriptedFaultTests.answer(self.rawValue))
            case .throttledTransaction: return cancelled("ThrottlingError")
            case .contendedTransaction: return cancelled("TransactionConflict")
            case .failure: return .refusal(500, ScriptedFaultTests.answer("InternalServerError"))
            case .failureAfterwards: return .lie(500, ScriptedFaultTests.answer("InternalServerError"))
            case .cut: return .lost(.request)
            case .cutAfterwards: return .lost(.answer)
            }
        }
    }

    /// Lets trouble come over the request of a number, among those that name a run, and over its repetitions for a while.
    private final class Plan: Sendable {
        private struct State {
            var run = ""
            var number = 0
            var seen = 0
            var left = 0
            var hasHappened = false
            var body: [UInt8] = []
        }
        private let state = LockedState(State())
        let trouble: Trouble

        init(_ trouble: Trouble) { self.trouble = trouble }

        func arm(_ number: Int, of run: String, times: Int) {
            self.state.withLock { $0 = State(run: "\"\(run)\"", number: number, left: times) }
        }

        var hasHappened: Bool { self.state.withLock { $0.hasHappened } }

        func fate(of request: ScriptedPeer.Request) -> LossyProxy.Fate? {
            // Its own items, or what leads to it.
            let text = request.text
            return self.state.withLock { state in
                guard !state.run.isEmpty, text.contains(state.run.dropFirst().dropLast()) else { return nil }
                if state.hasHappened {
                    guard state.left > 0, request.body == state.body else { return nil }
                } else {
                    guard self.trouble.fate(of: request) != nil else { return nil }
                    state.seen += 1
                    guard state.seen == state.number else { return nil }
                    state.hasHappened = true
                    state.body = request.body
                }
                state.left -= 1
                return self.trouble.fate(of: request)
            }
        }
    }

    @Test("end as they would without, each step recorded once", arguments: Trouble.allCases)
    func everyRequest(_ trouble: Trouble) async throws {
        try await RunTestTable.with { table in
            let plan = Plan(trouble)
            let proxy = try LossyProxy()
            defer { proxy.peer.stop() }
            proxy.set { plan.fate(of: $0) }
            let ledger = FiveStepRun.Ledger()
            let store = try table.store(endpoint: proxy.peer.url) {
                $0.retries.firstPause = .milliseconds(1)
                $0.retries.firstPauseWhenThrottled = .milliseconds(1)
                $0.retries.budget = 10_000
            }
            let asking = try WorkflowEngine(store: table.store()) { FiveStepRun.workflow(ledger) }
            var (points, violations) = (0, [String]())
            try await FiveStepRun.withWorker("w", on: store, ledger) { engine, workflow in
                let model = try await Self.shape(of: "model", store) {
                    try await engine.execute(workflow, 1, id: "model")
                }
                // Begun at once by its worker, and claimed; troubled once, and thrice.
                for (isClaimed, times) in [(false, 1), (true, 3)] {
                    for number in 1...60 {
                        let run = "\(isClaimed ? "claimed" : "begun")-\(number)-"
                        plan.arm(number, of: run, times: times)
                        let shape = try await Self.shape(of: run, store) {
                            if isClaimed { try await asking.start(workflow, 1, id: run) }
                            return try await engine.execute(workflow, 1, id: run)
                        }
                        if shape != model { violations.append("\(run): \(shape) is not \(model)") }
                        for step in FiveStepRun.steps where ledger.counts["\(run)/\(step)"] != 1 {
                            violations.append("\(run): \(step) ran \(ledger.counts["\(run)/\(step)"] ?? 0) times")
                        }
                        if !plan.hasHappened { break }
                        points += 1
                    }
                }
            }
            await store.disconnect()
            print("\(trouble.rawValue): \(points) points, \(violations.count) violations")
            #expect(violations.isEmpty, "\(violations.prefix(5))")
            #expect(points > 2 * FiveStepRun.steps.count)
        }
    }

    /// What is left of a run when it has ended, without times.
    private static func shape(
        of run: String, _ store: DynamoDBRunStore, _ body: () async throws -> Int
    ) async throws -> [String] {
        let output = try await body()
        let found = try #require(try await store.snapshot(of: run))
        let progress = found.run.progress
        return [
            "\(output) \(progress.status.rawValue) \(progress.progress) \(progress.owner ?? "-") of \(found.messages.count)"
        ]
            + (try found.steps.map { step in
                let output: Int? = try step.output?.decoded()
                return "\(step.position) \(step.id) \(step.status.rawValue) \(step.attempt) \(output ?? 0)"
            })
    }
}
