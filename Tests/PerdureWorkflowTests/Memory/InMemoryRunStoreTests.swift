import PerdureConcurrency
import PerdureTestKit
import Testing

/// Every promise of the contract, on the reference.
@Suite(.timeLimit(.minutes(10))) struct InMemoryRunStoreTests {
    @Test("keeps its promise", arguments: RunPromise.all)
    func keeps(_ promise: RunPromise) async throws {
        let fixture = RunStoreFixture(
            "memory", makeStore: { InMemoryRunStore() }, makeSecondStore: { Shared(base: $0) })
        let verdict = try await promise.verify(on: fixture, settings: PromiseSettings(rounds: 2))
        // Nothing gets lost on the way to memory.
        let isLoss = promise.name.contains("is lost") || promise.name.contains("does not arrive")
        #expect(verdict == .kept || isLoss, "\(verdict)")
    }

    @Test func isNamedWithoutRepetition() {
        #expect(Set(RunPromise.all.map(\.name)).count == RunPromise.all.count)
        #expect(Set(RunPromise.all.map(\.number)) == Set(1...13))
        #expect(RunPromise.all.count >= 160)
        for number in 1...13 { #expect(RunPromise.title(ofNumber: number) != nil) }
    }

    @Test func keepsLiveValues() async throws {
        struct NotJSON: Codable, Sendable, Equatable { var number = Double.nan }
        let store = InMemoryRunStore()
        let request = RunRequest(id: "a", workflow: "w", version: "1", input: RunValue(NotJSON()), createdAt: 0)
        _ = try await store.create(
            RunCreation(request: request, progress: RunProgress(definitionHash: 0, at: 0)))
        let found = try await store.run("a")?.request.input.decoded(as: NotJSON.self)
        #expect(found?.number.isNaN == true)
        #expect(store.keepsLiveValues)
    }

    @Test func tellsOfWhatHappensUntilCancelled() async throws {
        let store = InMemoryRunStore()
        let heard = LockedState<[RunNotice]>([])
        func all() -> [RunNotice] { heard.withLock { $0 } }
        let listening = Task { try await store.notices { notice in heard.withLock { $0.append(notice) } } }
        var request = RunRequest(id: "a", workflow: "w", version: "1", input: RunValue(1), createdAt: 0)
        // Until it listens nothing is heard; bounded, and every round makes a run that is ready.
        for number in 0..<100_000 {
            let isSilent = heard.withLock { $0.isEmpty }
            guard isSilent else { break }
            request.id = "r\(number)"
            _ = try await store.create(
                RunCreation(request: request, progress: RunProgress(definitionHash: 0, at: 0)))
            await Task.yield()
        }
        #expect(all().contains(.ready))
        request.id = "driven"
        var progress = RunProgress(status: .running, definitionHash: 0, at: 0)
        progress.owner = "me"
        _ = try await store.create(RunCreation(request: request, progress: progress))
        _ = try await store.post(RunMessage(id: "m", kind: .pause, postedAt: 0), to: "driven")
        #expect(all().contains(.mail(runID: "driven")))
        (progress.owner, progress.status, progress.revision) = (nil, .completed, 2)
        _ = try await store.commit(
            RunCommit(runID: "driven", expectedRevision: 1, expectedFence: 0, progress: progress))
        #expect(all().contains(.ended(runID: "driven")))
        listening.cancel()
        try await listening.value
        heard.withLock { $0 = [] }
        request.id = "unheard"
        _ = try await store.create(RunCreation(request: request, progress: RunProgress(definitionHash: 0, at: 0)))
        #expect(all().isEmpty)
    }

    /// The same data, under another handle.
    private final class Shared: RunStoreWrapper {
        let base: any RunStore
        init(base: any RunStore) { self.base = base }
        func disconnect() async {}
    }
}
