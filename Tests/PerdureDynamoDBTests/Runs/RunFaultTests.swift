import PerdureConcurrency
import PerdureModel
import PerdureWorkflow
import Testing

@testable import PerdureDynamoDB

/// Requests that fail in the middle of an operation on runs: what was done by then is told, and what is left is done later.
@Suite(
    "Failures between the requests of an operation", .enabled(if: TestServer.url != nil, "needs PERDURE_TEST_DYNAMODB"))
struct RunFaultTests {
    private static let time: Int64 = 1_700_000_000_000

    private static let refusal = LossyProxy.Fate.refusal(
        400, ScriptedFaultTests.answer("AccessDeniedException"))

    private static func with(
        _ body: (RunTestTable, LossyProxy, DynamoDBRunStore) async throws -> Void
    ) async throws {
        try await RunTestTable.with { table in
            let proxy = try LossyProxy()
            defer { proxy.peer.stop() }
            let store = try table.store(endpoint: proxy.peer.url) { $0.retries.maximumAttempts = 1 }
            do {
                try await body(table, proxy, store)
                await store.disconnect()
            } catch {
                await store.disconnect()
                throw error
            }
        }
    }

    private static func create(_ id: String, on store: DynamoDBRunStore, owner: String? = nil) async throws {
        let request = RunRequest(id: id, workflow: "w", version: "1", input: RunValue(7), createdAt: self.time)
        var progress = RunProgress(status: owner == nil ? .pending : .running, definitionHash: 1, at: self.time)
        progress.owner = owner
        if owner != nil { progress.startedAt = self.time }
        _ = try await store.create(RunCreation(request: request, progress: progress))
    }

    private static let claim = RunClaim(worker: "me", workflows: ["w"], limit: 10, now: time + 50)

    @Test("a worker is told of the runs that it has taken, whatever becomes of the others")
    func claims() async throws {
        try await Self.with { _, proxy, store in
            for id in ["run-a", "run-b", "run-c"] { try await Self.create(id, on: store) }
            proxy.set { $0.operation == "TransactWriteItems" && $0.text.contains("run-b") ? Self.refusal : nil }
            let taken = try await store.claim(Self.claim).runs.map(\.run.id)
            #expect(taken.sorted() == ["run-a", "run-c"])
            proxy.set(nil)
            #expect(try await store.claim(Self.claim).runs.map(\.run.id) == ["run-b"])
        }
    }

    @Test("a worker is told that it may have a run without knowing it")
    func unknownClaims() async throws {
        try await Self.with { _, proxy, store in
            for id in ["run-a", "run-b"] { try await Self.create(id, on: store) }
            proxy.set {
                $0.operation == "TransactWriteItems" && $0.text.contains("run-b") ? .lost(.answer) : nil
            }
            let error = await ScriptedFaultTests.failure { () async throws(StoreError) in
                _ = try await store.claim(Self.claim)
            }
            #expect(error?.outcome == .unknown)
            proxy.set(nil)
            for id in ["run-a", "run-b"] {
                #expect(try await store.run(id)?.progress.owner == "me")
            }
        }
    }

    @Test("a worker is told of the runs that it has adopted")
    func adoptions() async throws {
        try await Self.with { _, proxy, store in
            for id in ["run-a", "run-b"] { try await Self.create(id, on: store, owner: "gone") }
            proxy.set { $0.operation == "TransactWriteItems" && $0.text.contains("run-b") ? Self.refusal : nil }
            #expect(try await store.adopt(Self.claim).map(\.run.id) == ["run-a"])
            proxy.set(nil)
            #expect(try await store.adopt(Self.claim).map(\.run.id) == ["run-b"])
        }
    }

    @Test("what a removed run owned is taken away by the next purge where it could not be at once")
    func leftovers() async throws {
        try await Self.with { table, proxy, store in
            try await Self.create("run-a", on: store, owner: "me")
            var progress = RunProgress(status: .running, definitionHash: 1, at: Self.time)
            (progress.owner, progress.startedAt, progress.revision) = ("me", Self.time, 2)
            var commit = RunCommit(runID: "run-a", expectedRevision: 1, expectedFence: 0, progress: progress)
            var step = StepRecord(id: "s", position: 0, definitionHash: 1, status: .completed)
            step.output = RunValue(8)
            commit.steps = [step]
            _ = try await store.commit(commit)
            proxy.set { $0.operation == "DeleteItem" && $0.text.contains("STEP#") ? Self.refusal : nil }
            try await store.delete("run-a", expectedRevision: 2, expectedFence: 0)
            #expect(try await store.run("run-a") == nil)
            proxy.set(nil)
            #expect(try await table.item("RUN#run-a", "STEP#s") != nil)
            #expect(try await store.purgeRuns(expiredAt: Self.time, limit: 10) == 0)
            let left = try await table.items().compactMap { $0.text("SK") }.filter { $0.contains("run-a") }
            #expect(left.isEmpty)
            #expect(try await table.item("RUN#run-a", "STEP#s") == nil)
        }
    }

    @Test("a worker whose item somebody else was just writing is not taken for dead")
    func contendedRenewals() async throws {
        try await Self.with { _, proxy, store in
            try await store.register(
                WorkerRecord(
                    id: "w-1", name: "w", leaseMilliseconds: 1_000, registeredAt: Self.time, renewedAt: Self.time))
            let left = LockedState(3)
            proxy.set { request in
                guard request.operation == "UpdateItem", left.withLock({ $0 > 0 }) else { return nil }
                left.withLock { $0 -= 1 }
                return .refusal(400, ScriptedFaultTests.answer("TransactionConflictException"))
            }
            #expect(try await store.renew("w-1", at: Self.time + 1))
            #expect(left.withLock { $0 } == 0)
            #expect(try await !store.renew("w-2", at: Self.time + 1))
        }
    }
}
