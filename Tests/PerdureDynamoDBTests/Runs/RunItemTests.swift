import PerdureConcurrency
import PerdureModel
import PerdureWorkflow
import Testing

@testable import PerdureDynamoDB

/// What other programs find in the table: keys and attributes as the table of the format says.
@Suite("Items of runs", .enabled(if: TestServer.url != nil, "needs PERDURE_TEST_DYNAMODB"))
struct RunItemTests {
    static let time: Int64 = 1_700_000_000_123
    static let text = "2023-11-14T22:13:20.123Z"

    /// A run of one step that has ended, with something in every attribute.
    static func writeRun(_ store: DynamoDBRunStore) async throws {
        var request = RunRequest(
            id: "order#7", workflow: "fulfil-order", version: "1", input: RunValue(bytes: Array("{\"n\":1}".utf8)),
            createdAt: self.time)
        request.context = RunValue(bytes: [1, 2])
        request.resourceID = "customer-42"
        request.tags = ["team": "blue"]
        request.trigger = RunTrigger(
            type: "api", source: "web", timestamp: self.time, metadata: ["ip": "::1"])
        var progress = RunProgress(status: .running, definitionHash: 7, at: self.time)
        progress.owner = "worker-1"
        progress.startedAt = self.time
        _ = try await store.create(RunCreation(request: request, progress: progress))
        progress.revision = 2
        progress.status = .completed
        progress.owner = nil
        progress.progress = 1
        progress.output = RunValue(bytes: Array("\"done\"".utf8))
        progress.completedAt = self.time + 1_500
        progress.updatedAt = self.time + 1_500
        progress.expiresAt = self.time + 86_400_000
        var commit = RunCommit(runID: "order#7", expectedRevision: 1, expectedFence: 0, progress: progress)
        var step = StepRecord(id: "reserve", position: 0, definitionHash: 3, status: .completed)
        (step.attempt, step.startedAt, step.completedAt) = (2, self.time, self.time + 250)
        step.output = RunValue(bytes: Array("\"ok\"".utf8))
        step.failure = RunFailure(.timeout, message: "slow", step: "reserve", attempt: 1)
        commit.steps = [step]
        commit.state = [StateRecord(key: "seats", step: "reserve", value: RunValue(bytes: [0x31]))]
        _ = try await store.commit(commit)
    }

    /// A run `r` that a worker `w` has begun.
    private static func beginRun(_ store: DynamoDBRunStore) async throws -> RunProgress {
        var progress = RunProgress(status: .running, definitionHash: 7, at: self.time)
        progress.owner = "w"
        let request = RunRequest(
            id: "r", workflow: "w", version: "1", input: RunValue(bytes: []), createdAt: self.time)
        _ = try await store.create(RunCreation(request: request, progress: progress))
        return progress
    }

    @Test("have the keys and the attributes that other programs look for")
    func brief() async throws {
        try await RunTestTable.with { table in
            let store = try table.store()
            try await Self.writeRun(store)
            await store.disconnect()
            let run = try #require(try await table.item("RUN#order#7", "RUN#order#7"))
            let expected: [(String, AttributeValue)] = [
                ("entity_type", .string("WorkflowRun")), ("run_id", .string("order#7")),
                ("workflow_id", .string("fulfil-order")), ("workflow_version", .string("1")),
                ("status", .string("COMPLETED")), ("progress", .number("1")), ("created_at", .string(Self.text)),
                ("started_at", .string(Self.text)), ("completed_at", .string("2023-11-14T22:13:21.623Z")),
                ("updated_at", .string("2023-11-14T22:13:21.623Z")), ("input", .binary(Array("{\"n\":1}".utf8))),
                ("output", .binary(Array("\"done\"".utf8))), ("context", .binary([1, 2])),
                ("resource_id", .string("customer-42")), ("tags", .map(["team": .string("blue")])),
                ("ttl", .number("1700086401")), ("GSI1PK", .string("WORKFLOW#fulfil-order")),
                ("GSI1SK", .string("\(Self.text)#order#7")), ("GSI2PK", .string("STATUS#COMPLETED")),
                ("GSI2SK", .string("\(Self.text)#order#7")),
                (
                    "trigger",
                    .map([
                        "type": .string("api"), "source": .string("web"), "timestamp": .string(Self.text),
                        "metadata": .map(["ip": .string("::1")]),
                    ])
                ),
            ]
            for (name, value) in expected { #expect(run[name] == value, "\(name)") }

            let step = try #require(try await table.item("RUN#order#7", "STEP#reserve"))
            let ofStep: [(String, AttributeValue)] = [
                ("run_id", .string("order#7")), ("step_id", .string("reserve")), ("execution_index", .number("0")),
                ("status", .string("COMPLETED")), ("started_at", .string(Self.text)),
                ("completed_at", .string("2023-11-14T22:13:20.373Z")), ("duration_ms", .number("250")),
                ("attempt", .number("2")), ("created_at", .string(Self.text)), ("ttl", .number("1700086401")),
            ]
            for (name, value) in ofStep { #expect(step[name] == value, "\(name)") }
            guard case .map(let error)? = step["error"] else { throw NoEndpoint() }
            #expect(error["code"] == .string("TIMEOUT") && error["message"] == .string("slow"))

            let output = try #require(try await table.item("RUN#order#7", "OUTPUT#reserve"))
            #expect(output["output"] == .binary(Array("\"ok\"".utf8)) && output["updated_at"]?.text != nil)
            let state = try #require(try await table.item("RUN#order#7", "STATE#seats"))
            #expect(state["value"] == .binary([0x31]) && state["updated_at"]?.text != nil)
        }
    }

    @Test("of an ended run all have its ttl, and lose it when the run goes on")
    func expiry() async throws {
        try await RunTestTable.with { table in
            let store = try table.store()
            try await Self.writeRun(store)
            // Waits for what goes on in the background.
            await store.disconnect()
            let shared = ["LAYOUT", "WORKFLOWS"]
            func owned() async throws -> [Item] {
                try await table.items().filter { !shared.contains($0.text("PK") ?? "") && $0.text("expires_ms") == nil }
            }
            let expiring = try await owned().filter { !($0.text("PK") ?? "").hasPrefix("EXPIRY#") }
            #expect(expiring.count >= 6)
            for item in expiring { #expect(item["ttl"] == .number("1700086401"), "\(item.text("SK") ?? "")") }

            try await store.connect()
            let record = try #require(try await store.run("order#7"))
            var progress = record.progress
            (progress.status, progress.expiresAt, progress.revision) = (.running, nil, 3)
            _ = try await store.commit(
                RunCommit(runID: "order#7", expectedRevision: 2, expectedFence: 0, progress: progress))
            await store.disconnect()
            for item in try await owned() { #expect(item["ttl"] == nil, "\(item.text("SK") ?? "")") }
        }
    }

    @Test("all go when the run is deleted")
    func deletion() async throws {
        try await RunTestTable.with { table in
            let store = try table.store()
            try await Self.writeRun(store)
            await store.disconnect()
            try await store.connect()
            try await store.delete("order#7", expectedRevision: 2, expectedFence: 0)
            await store.disconnect()
            let left = try await table.items().map { $0.text("PK") ?? "" }.sorted()
            #expect(left == ["LAYOUT", "WORKFLOWS"])
        }
    }

    @Test("keep what each step set a key to, the latest where other programs look for it")
    func states() async throws {
        try await RunTestTable.with { table in
            let store = try table.store()
            var progress = try await Self.beginRun(store)
            let sets: [(String, UInt8)] = [("a", 1), ("b", 2), ("a", 3), ("c", 4)]
            for (number, (step, value)) in sets.enumerated() {
                progress.revision = UInt64(number + 2)
                var commit = RunCommit(
                    runID: "r", expectedRevision: progress.revision - 1, expectedFence: 0, progress: progress)
                commit.state = [StateRecord(key: "k#1", step: step, value: RunValue(bytes: [value]))]
                _ = try await store.commit(commit)
            }
            let current = try #require(try await table.item("RUN#r", "STATE#k#1"))
            #expect(current["value"] == .binary([4]) && current["step_id"] == .string("c"))
            let state = try #require(try await store.snapshot(of: "r")).state
            let values = try state.sorted { $0.step < $1.step }.map { "\($0.step)\(try $0.value?.bytes ?? [])" }
            #expect(values == ["a[3]", "b[2]", "c[4]"])
            await store.disconnect()
        }
    }

    @Test("of an earlier life are no part of a run made anew")
    func lives() async throws {
        try await RunTestTable.with { table in
            let store = try table.store()
            try await Self.writeRun(store)
            await store.disconnect()
            // What a process left behind that ended in the middle of a deletion.
            try await RawClient.with {
                try await $0.perform(
                    .deleteItem(table: table.name, key: RunKey.run("order#7"), isRepeatable: true))
            }
            try await store.connect()
            let gone = try await store.snapshot(of: "order#7")
            #expect(gone?.run.id == nil)
            let request = RunRequest(
                id: "order#7", workflow: "w", version: "1", input: RunValue(bytes: []), createdAt: 5)
            _ = try await store.create(
                RunCreation(request: request, progress: RunProgress(definitionHash: 1, at: 5)))
            let found = try #require(try await store.snapshot(of: "order#7"))
            #expect(found.steps.isEmpty && found.state.isEmpty)
            // The next purge takes the rest away, and leaves the new run alone.
            _ = try await store.purgeRuns(expiredAt: .max, limit: 10)
            let after = try #require(try await store.snapshot(of: "order#7"))
            #expect(after.run.progress.revision == 1)
            #expect(try await table.item("RUN#order#7", "STEP#reserve") == nil)
            await store.disconnect()
        }
    }

    @Test("keep commits of more records than a transaction takes together")
    func manyRecords() async throws {
        try await RunTestTable.with { table in
            let store = try table.store()
            var progress = try await Self.beginRun(store)
            func steps(_ text: String) -> [StepRecord] {
                (0..<120).map { number in
                    var step = StepRecord(
                        id: "loop[\(number)]", position: 0, item: number, definitionHash: 3, status: .completed)
                    step.output = RunValue(bytes: Array("\(text)\(number)".utf8))
                    return step
                }
            }
            progress.revision = 2
            var commit = RunCommit(runID: "r", expectedRevision: 1, expectedFence: 0, progress: progress)
            commit.steps = steps("a")
            commit.state = (0..<120).map { StateRecord(key: "k", step: "loop[\($0)]", value: nil) }
            _ = try await store.commit(commit)
            // One of them again, by itself, and one removed.
            progress.revision = 3
            var next = RunCommit(runID: "r", expectedRevision: 2, expectedFence: 0, progress: progress)
            next.removedSteps = ["loop[7]"]
            next.steps = [steps("b")[3]]
            _ = try await store.commit(next)
            let found = try #require(try await store.snapshot(of: "r"))
            #expect(found.steps.count == 119 && found.state.count == 119)
            #expect(!found.steps.contains { $0.id == "loop[7]" } && !found.state.contains { $0.step == "loop[7]" })
            let outputs = try found.steps.prefix(5).map { String(decoding: try $0.output?.bytes ?? [], as: UTF8.self) }
            #expect(outputs == ["a0", "a1", "a2", "b3", "a4"])
            await store.disconnect()
        }
    }
}
