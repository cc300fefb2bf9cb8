import PerdureModel
import PerdureState
import PerdureStores
import PerdureWorkflow
import Testing
import Waiting

/// What the commands on runs do, whichever the store is.
struct RunTour {
    let kind: TestStore

    /// A run as a worker would have left it, at times of its own.
    private func record(
        _ id: String, status: RunStatus, steps: [(String, Int, StepStatus, Int64, Int64?)], in store: any RunStore
    ) async throws {
        let start: Int64 = 1_700_000_000_000
        var request = RunRequest(
            id: id, workflow: "fulfil-order", version: "2", input: RunValue(bytes: Array("{\"order\":7}".utf8)),
            createdAt: start)
        request.tags = ["city": "Oslo"]
        request.resourceID = "customer-1"
        var progress = RunProgress(status: status, definitionHash: 9, wake: .never, at: start)
        progress.startedAt = start + 5
        progress.progress = 0.5
        if status.isEnded { progress.completedAt = start + 2_009 }
        if status == .failed {
            progress.failure = RunFailure(
                .executionFailed, message: "card refused", type: "BankError", step: "charge", attempt: 4)
        }
        if status == .completed { progress.output = RunValue(bytes: Array("\"done\"".utf8)) }
        let records = steps.enumerated().map { place, step in
            var record = StepRecord(id: step.0, position: place, definitionHash: UInt64(place), status: step.2)
            record.attempt = step.1
            record.startedAt = start + step.3
            record.completedAt = step.4.map { start + $0 }
            record.output = step.2 == .completed ? RunValue(bytes: Array("\(place)".utf8)) : nil
            if step.2 == .failed {
                record.failure = RunFailure(.executionFailed, message: "card refused", type: "BankError", step: step.0)
            }
            return record
        }
        guard case .created = try await store.create(RunCreation(request: request, progress: progress, steps: records))
        else { throw BadTest() }
    }

    private struct BadTest: Error {}

    func looking() async throws {
        try await withStores(self.kind, ownRuns: true) { folder, urls in
            func run(_ line: String...) async throws -> ToolProcess {
                try await ToolProcess.run(line, in: folder, environment: ["PERDURE_STORE": urls[0]])
            }
            let store = try ChosenStore(StoreURL(urls[0]))
            let runs = try #require(store.runs)
            try await self.record(
                "order-7", status: .failed,
                steps: [("reserve", 1, .completed, 5, 17), ("charge", 4, .failed, 2_000, 2_009)], in: runs)
            try await self.record(
                "order-8", status: .completed,
                steps: [
                    ("reserve", 1, .completed, 5, 6), ("charge", 1, .completed, 6, 9), ("pack", 1, .completed, 7, 8),
                    ("ship", 1, .completed, 9, 2_009),
                ], in: runs)
            try await self.record("order-9", status: .paused, steps: [], in: runs)
            await store.disconnect()

            #expect(
                try await run("run", "list").output == """
                    2023-11-14T22:13:20.000Z  FAILED     order-7  fulfil-order  2.004 s
                    2023-11-14T22:13:20.000Z  COMPLETED  order-8  fulfil-order  2.004 s
                    2023-11-14T22:13:20.000Z  PAUSED     order-9  fulfil-order

                    """)
            #expect(try await run("run", "list", "--count").output == "3\n")
            #expect(try await run("run", "list", "--status", "failed,paused", "--count").output == "2\n")
            #expect(try await run("run", "list", "--tag", "city=Oslo", "--count", "--json").output == "{\"count\":3}\n")
            #expect(try await run("run", "list", "--tag", "city=Bergen").output == "")
            #expect(try await run("run", "list", "--workflow", "other").output == "")
            #expect(try await run("run", "list", "--resource", "customer-1", "--count").output == "3\n")
            #expect(try await run("run", "list", "--since", "1h", "--count").output == "0\n")
            #expect(try await run("run", "list", "--since", "2023-11-14T22:13:20Z", "--count").output == "3\n")
            #expect(try await run("run", "list", "--until", "2023-11-14T22:13:20Z", "--count").output == "0\n")
            let first = try await run("run", "list", "--limit", "2")
            #expect(first.output.split(separator: "\n").count == 2)
            let words = try #require(first.errors.split(separator: "\n").first).split(separator: " ")
            #expect(first.errors.hasPrefix("perdure: there may be more; go on with --after "))
            let cursor = String(words.last ?? "").filter { $0 != "'" }
            #expect(try await run("run", "list", "--after", cursor).output.hasSuffix("order-9  fulfil-order\n"))
            #expect(try await run("run", "list", "--status", "lost").status == 2)
            #expect(try await run("run", "list", "--tag", "lost").status == 2)
            #expect(try await run("run", "list", "--since", "yesterday").status == 2)

            #expect(
                try await run("run", "show", "order-7").output == """
                    id          order-7
                    workflow    fulfil-order, version 2
                    status      FAILED, 50 %
                    created     2023-11-14T22:13:20.000Z
                    started     2023-11-14T22:13:20.005Z
                    ended       2023-11-14T22:13:22.009Z, after 2.004 s
                    failure     EXECUTION_FAILED in charge: card refused (BankError)
                    resource    customer-1
                    tags        city=Oslo

                    STEP     STATUS     ATTEMPTS  TOOK
                    reserve  COMPLETED  1         12 ms
                    charge   FAILED     4         9 ms   EXECUTION_FAILED in charge: card refused (BankError)

                    2023-11-14T22:13:20.000Z  +0 ms         created
                    2023-11-14T22:13:20.005Z  +5 ms         started
                    2023-11-14T22:13:20.005Z  +5 ms         reserve: attempt 1 began
                    2023-11-14T22:13:20.017Z  +17 ms        reserve: COMPLETED
                    2023-11-14T22:13:22.000Z  +2.000 s      charge: attempt 4 began
                    2023-11-14T22:13:22.009Z  +2.009 s      charge: FAILED
                    2023-11-14T22:13:22.009Z  +2.009 s      FAILED

                    """)
            let json = try await run("run", "show", "order-8", "--json", "--values").output
            #expect(
                json.hasPrefix(
                    "{\"id\":\"order-8\",\"workflow\":\"fulfil-order\",\"version\":\"2\",\"status\":\"COMPLETED\","))
            #expect(
                json.contains("\"tags\":{\"city\":\"Oslo\"},\"input\":{\"order\":7},\"output\":\"done\",\"steps\":["))
            #expect(
                try await run("run", "graph", "order-8").output == """
                    fulfil-order, version 2
                    ├─ ✓ reserve
                    ├─ side by side
                    │  ├─ ✓ charge
                    │  └─ ✓ pack
                    └─ ✓ ship

                    """)
            #expect(
                try await run("run", "graph", "order-7", "--format", "mermaid").output.hasPrefix(
                    "flowchart TD\n    input([\"fulfil-order\"])\n    s0[\"reserve\"]\n    s1[\"charge\"]\n"))
            let watched = try await run("run", "watch", "order-8")
            #expect(watched.status == 0 && watched.output.hasSuffix("+2.009 s      COMPLETED\n"))
            let failed = try await run("run", "watch", "order-7")
            #expect(failed.status == 1 && failed.errors == "perdure: EXECUTION_FAILED: card refused\n")
            #expect(
                try await run("run", "stats").output == """
                    STATUS     RUNS
                    PENDING    0
                    RUNNING    0
                    PAUSED     1
                    PARKED     0
                    COMPLETED  1
                    FAILED     1
                    CANCELLED  0
                    total      3

                    """)
            #expect(
                try await run("run", "stats", "--by-workflow").output == """
                    WORKFLOW      RUNS  WAITING  RUNNING  HELD  COMPLETED  FAILED  CANCELLED  MEAN     LONGEST
                    fulfil-order  3     0        0        1     1          1       0          2.004 s  2.004 s

                    """)
            let nobody = try await run("run", "show", "nobody")
            #expect(nobody.status == 1 && nobody.errors == "perdure: NOT_FOUND: there is no run \"nobody\"\n")
            #expect(try await run("worker", "list").output == "NAME  LEASE  LAST HEARD OF  SINCE  ID\n")
        }
    }

    func operations() async throws {
        try await withStores(self.kind, ownRuns: true) { folder, urls in
            func run(_ line: String..., input: String = "") async throws -> ToolProcess {
                try await ToolProcess.run(line, in: folder, input: input, environment: ["PERDURE_STORE": urls[0]])
            }
            let store = try ChosenStore(StoreURL(urls[0]))
            let runs = try #require(store.runs)
            let workflow = Workflow("bookings", version: "1", configuration: .init(retry: .none)) {
                Step("quote") { (seats: Int) in seats * 100 }
                WaitForSignal("approval", Bool.self) { (price: Int, isApproved: Bool) throws -> Int in
                    if !isApproved { throw Refused() }
                    return price
                }
            }
            var configuration = WorkflowEngine.Configuration()
            configuration.name = "desk"
            configuration.pollInterval = .milliseconds(5) ... .milliseconds(20)
            configuration.mailInterval = .milliseconds(5)
            configuration.releaseAfter = .milliseconds(1)
            let engine = try WorkflowEngine(store: runs, configuration: configuration) { workflow }
            let working = Task { try await engine.run() }
            for id in ["a", "b", "c"] { try await engine.start(workflow, 2, id: id) }
            for id in ["a", "b", "c"] { try await eventually("\(id) waits") { try await self.waits(id, runs) } }

            let workers = try await run("worker", "list").output.split(separator: "\n")
            #expect(workers.count == 2 && workers[1].hasPrefix("desk  15.000 s  "), "\(workers)")
            #expect(try await run("run", "signal", "a", "approval", "-", input: "true").output == "a is told\n")
            #expect(try await run("run", "watch", "a", "--interval", "10").status == 0)
            let ended = try await run("run", "signal", "a", "approval", "-", input: "true")
            #expect(ended.status == 1 && ended.output == "a has ended: COMPLETED; nothing is stored\n")
            #expect(try await run("run", "signal", "b", "approval", "-", input: "no").status == 2)

            #expect(
                try await run("run", "pause", "b").output == "b is paused, or will be as soon as its worker notices\n")
            try await eventually("b is paused") { try await runs.run("b")?.status == .paused }
            let again = try await run("run", "pause", "b")
            #expect(again.status == 1 && again.errors == "perdure: b had ended, or was held back already: PAUSED\n")
            #expect(try await run("run", "resume", "b").output == "b goes on\n")
            #expect(try await run("run", "signal", "b", "approval", "-", "--id", "1", input: "false").status == 0)
            let refused = try await run("run", "watch", "b", "--interval", "10")
            #expect(refused.status == 1 && refused.errors.hasPrefix("perdure: EXECUTION_FAILED: "))
            #expect(try await run("run", "retry", "b").output == "b goes on\n")
            try await eventually("b waits") { try await self.waits("b", runs) }
            #expect(
                try await run("run", "cancel", "b", "--reason", "late", "--json").output.hasPrefix(
                    "{\"id\":\"b\",\"done\":true"))
            try await eventually("b is cancelled") { try await runs.run("b")?.status == .cancelled }
            #expect(try await run("run", "show", "b").output.contains("failure     CANCELLED: late\n"))
            #expect(try await run("run", "cancel", "b").status == 1)

            let fork = try await run("run", "fork", "a", "--from", "quote", "--input", "-", "--id", "d", input: "5")
            #expect(fork.output == "d\n" && fork.status == 0, "\(fork.errors)")
            #expect(try await run("run", "signal", "d", "approval", "-", input: "true").status == 0)
            let output = try await engine.run(workflow, "d").value
            #expect(output == 500)
            let unknown = try await run("run", "fork", "a", "--from", "charge")
            #expect(unknown.status == 1)
            #expect(
                unknown.errors
                    == "perdure: NOT_FOUND: nothing is recorded of the step \"charge\"; there are records of \"quote\", \"approval\"\n"
            )
            #expect(try await run("run", "fork", "a").status == 2)
            #expect(try await run("run", "delete", "a").output == "a is deleted\n")
            #expect(try await run("run", "delete", "a").status == 1)
            working.cancel()
            try? await working.value
            await store.disconnect()
        }
    }

    func copying() async throws {
        try await withStores(self.kind, ["a", "b"], ownRuns: true) { folder, urls in
            let store = try ChosenStore(StoreURL(urls[0]))
            let runs = try #require(store.runs)
            let workflow = Workflow("bookings", version: "1", configuration: .init(retry: .none)) {
                Step("quote") { (seats: Int, context) in
                    context.state[RunStateKey<Int>("seats", default: 0)] = seats
                    return seats * 100
                }
                WaitForSignal("approval", Bool.self) { (price: Int, isApproved: Bool) throws -> Int in
                    if !isApproved { throw Refused() }
                    return price
                }
            }
            let engine = try WorkflowEngine(store: runs) { workflow }
            let working = Task { try await engine.run() }
            let options = StartOptions(resourceID: "oslo")
            for id in ["good", "bad", "open"] { try await engine.start(workflow, 3, id: id, options: options) }
            try await engine.signal("good", "approval", true)
            try await engine.signal("bad", "approval", false)
            for id in ["good", "bad"] {
                try await eventually("\(id) ends") { try await runs.run(id)?.status.isEnded == true }
            }
            working.cancel()
            try? await working.value
            await store.disconnect()
            let copy = ["store", "copy", urls[0], urls[1], "--only", "runs"]
            let first = try await ToolProcess.run(copy, in: folder)
            #expect(
                first.output == "2 finished runs; 2 written, 0 refused; both stores hold the same\n", "\(first.errors)")
            let again = try await ToolProcess.run(copy, in: folder)
            #expect(again.output == "2 finished runs; 0 written, 0 refused; both stores hold the same\n")
            for id in ["good", "bad"] {
                let show = ["run", "show", id, "--values", "--store"]
                let here = try await ToolProcess.run(show + [urls[0]], in: folder)
                let there = try await ToolProcess.run(show + [urls[1]], in: folder)
                #expect(here.status == 0 && here.output == there.output)
                #expect(here.output.contains("state seats, by quote: 3\n") && here.output.contains("message 1: "))
            }
            // The target's own run is left alone, and named.
            #expect(try await ToolProcess.run(["run", "delete", "good", "--store", urls[1]], in: folder).status == 0)
            let other = try ChosenStore(StoreURL(urls[1]))
            try await self.record("good", status: .completed, steps: [], in: #require(other.runs))
            await other.disconnect()
            let refused = try await ToolProcess.run(copy, in: folder)
            #expect(
                refused.status == 1 && refused.output == "2 finished runs; 0 written, 1 refused; the stores differ\n")
            #expect(refused.errors.hasPrefix("perdure: run \"good\": the target has another: "))
        }
    }

    private struct Refused: Error {}

    /// Whether a run waits for its signal, and nobody drives it.
    private func waits(_ id: String, _ store: any RunStore) async throws -> Bool {
        guard let run = try await store.snapshot(of: id) else { return false }
        return run.run.progress.owner == nil && run.steps.contains { $0.status == .waiting }
    }
}

@Suite("Commands on runs, on SQLite")
struct RunsOnSQLiteTests {
    private let tour = RunTour(kind: .sqlite)

    @Test("looking") func looking() async throws { try await self.tour.looking() }
    @Test("operations") func operations() async throws { try await self.tour.operations() }
    @Test("copying") func copying() async throws { try await self.tour.copying() }
}

@Suite("Commands on runs, on PostgreSQL", .enabled(if: TestStore.postgres.isThere, "PERDURE_TEST_POSTGRES is not set"))
struct RunsOnPostgresTests {
    private let tour = RunTour(kind: .postgres)

    @Test("looking") func looking() async throws { try await self.tour.looking() }
    @Test("operations") func operations() async throws { try await self.tour.operations() }
    @Test("copying") func copying() async throws { try await self.tour.copying() }
}

@Suite(
    "Commands on runs, on DynamoDB",
    .enabled(if: TestStore.dynamodb.isThereWithRuns, "PERDURE_TEST_DYNAMODB is not set, or runs are not kept there"))
struct RunsOnDynamoDBTests {
    private let tour = RunTour(kind: .dynamodb)

    @Test("looking") func looking() async throws { try await self.tour.looking() }
    @Test("operations") func operations() async throws { try await self.tour.operations() }
    @Test("copying") func copying() async throws { try await self.tour.copying() }
}

@Suite(
    "Commands on runs, on Cassandra",
    .enabled(if: TestStore.cassandra.isThereWithRuns, "PERDURE_TEST_CASSANDRA is not set, or runs are not kept there"))
struct RunsOnCassandraTests {
    private let tour = RunTour(kind: .cassandra)

    @Test("looking") func looking() async throws { try await self.tour.looking() }
    @Test("operations") func operations() async throws { try await self.tour.operations() }
    @Test("copying") func copying() async throws { try await self.tour.copying() }
}
