import PerdureConcurrency
import PerdureTestKit
import Testing

@Suite(.timeLimit(.minutes(10))) struct StatePromisesTests {
    let settings = PromiseSettings(
        seed: 1, largestPayload: 1 << 16, writers: 4, rounds: 1, timeLimit: .seconds(600))

    @Test func everyPromiseHasANameOfItsOwn() {
        #expect(Set(StatePromise.all.map(\.name)).count == StatePromise.all.count)
        #expect(StatePromise.all.map(\.number) == StatePromise.all.map(\.number).sorted())
        #expect(Set(StatePromise.all.map(\.number)) == Set(1...14))
        #expect(StatePromise.all.count >= 160)
    }

    /// Others' states stay, and nothing is left of the run.
    @Test func leavesNothingBehind() async throws {
        let store = InMemoryStateStore(maximumPayloadByteCount: 1 << 16)
        let payload = StatePayload(manifest: "m", bytes: [1])
        let others = ["a", "check", "zebra"].map { DurableState(persistenceID: $0, version: 3, payload: payload) }
        for state in others { try await store.write(state, if: .absent) }
        for promise in StatePromise.all { try await promise.verify(on: store, settings: self.settings) }
        let left = try await store.persistenceIDs(withPrefix: "", after: nil, limit: 100)
        #expect(left.ids == ["a", "check", "zebra"])
        for state in others { #expect(try await store.latestState(of: state.persistenceID) == state) }
    }

    /// What goes on in other promises at the same time makes no difference.
    @Test func sharesAStoreWithItself() async {
        let store = Shared()
        let reports = await withTaskGroup(of: PromiseReport.self) { group in
            for _ in 0..<3 {
                group.addTask { await StatePromises.verify("shared", settings: self.settings) { store.open() } }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        for report in reports { #expect(report.isKept, "\(report)") }
    }

    @Test func reportsAStoreThatHangs() async {
        struct Hangs: BrokenStore {
            let base = memory()
            func latestState(of id: String) async throws(StoreError) -> DurableState? {
                // Longer than the test may take; ends when the promise gives up and cancels it.
                try? await Task.sleep(for: .seconds(600))
                return nil
            }
        }
        var settings = self.settings
        settings.timeLimit = .milliseconds(50)
        let promises = Array(StatePromise.all.prefix(2))
        let report = await StatePromises.verify("hangs", promises: promises, settings: settings) { Hangs() }
        #expect(report.broken.map(\.found) == ["it was still busy then", "it was still busy then"])
    }

    @Test func breaksNoPromiseByNotKeepingUpAtFirst() async {
        let plan = FaultPlan().with(.refuse(.timeout), at: .write(), times: 4)
        let store = FaultyStateStore(memory(), plan: plan)
        let promises = Array(StatePromise.all.filter { $0.number == 3 }.prefix(8))
        let report = await StatePromises.verify("busy", promises: promises, settings: self.settings) { store }
        #expect(report.isKept && report.keptCount == 8, "\(report)")
        #expect(report.entries.contains { $0.remark != nil }, "\(report)")
    }

    @Test func reportsAStoreThatCannotBeOpened() async {
        let report = await StatePromises.verify("closed", settings: self.settings) { throw CancellationError() }
        #expect(report.broken.count == StatePromise.all.count)
        await #expect(throws: BrokenPromise.self) {
            try await StatePromise.all[0].verify(
                on: StateStoreFixture("closed", makeStore: { throw CancellationError() }))
        }
    }

    @Test func saysWhatIsNotOfferedAndNotTested() async {
        struct Plain: BrokenStore { let base = memory() }
        let report = await StatePromises.verify("plain", settings: self.settings) { Plain() }
        #expect(report.isKept, "\(report)")
        #expect(Set(report.notOffered.map(\.number)) == [11, 12, 13, 14])
        #expect(Set(report.untested.map(\.number)) == [1, 5, 8])
        let counts = report.keptCount + report.notOffered.count + report.untested.count
        #expect(counts == StatePromise.all.count)
    }

    @Test func saysThatACancelledRunTestedNothing() async {
        let run = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return await StatePromises.verify("memory", settings: self.settings) { memory() }
        }
        let report = await run.value
        #expect(report.broken.isEmpty, "\(report)")
        #expect(report.keptCount == 0)
    }

    @Test func disconnectsTheStoresThatItMade() async {
        let stores = LockedState<[InMemoryStateStore]>([])
        _ = await StatePromises.verify("memory", settings: self.settings) {
            let store = memory()
            stores.withLock { $0.append(store) }
            return store
        }
        let all = stores.withLock { $0 }
        #expect(all.count == 1 + StatePromise.all.count { $0.needsOwnStore })
        for store in all { await #expect(throws: StoreError.self) { try await store.latestState(of: "a") } }
    }

    /// Several stores on the same data; disconnecting one leaves the others alone.
    private struct Shared: Sendable {
        let data = memory()
        func open() -> any StateStore { Handle(data: self.data) }

        private final class Handle: StateStore, StateListing, StateBatching, StateChanges {
            let data: InMemoryStateStore
            private let gate = InMemoryStateStore()
            init(data: InMemoryStateStore) { self.data = data }
            var maximumPayloadByteCount: Int { self.data.maximumPayloadByteCount }
            func connect() async throws(StoreError) { try await self.gate.connect() }
            func disconnect() async { await self.gate.disconnect() }
            func ping() async throws(StoreError) { try await self.gate.ping() }
            func write(_ state: DurableState, if condition: WriteCondition) async throws(StoreError) {
                _ = try await self.gate.latestState(of: "gate")
                try await self.data.write(state, if: condition)
            }
            func latestState(of id: String) async throws(StoreError) -> DurableState? {
                _ = try await self.gate.latestState(of: "gate")
                return try await self.data.latestState(of: id)
            }
            func delete(_ id: String, if condition: WriteCondition) async throws(StoreError) {
                _ = try await self.gate.latestState(of: "gate")
                try await self.data.delete(id, if: condition)
            }
            func persistenceIDs(
                withPrefix prefix: String, after cursor: StateIDPage.Cursor?, limit: Int
            ) async throws(StoreError) -> StateIDPage {
                try await self.data.persistenceIDs(withPrefix: prefix, after: cursor, limit: limit)
            }
            func latestStates(of ids: [String]) async -> [Result<DurableState?, StoreError>] {
                await self.data.latestStates(of: ids)
            }
            func write(_ writes: [StateWrite]) async -> [Result<Void, StoreError>] { await self.data.write(writes) }
            func changes(
                after cursor: StateChangePage.Cursor?, limit: Int
            ) async throws(StoreError) -> StateChangePage {
                try await self.data.changes(after: cursor, limit: limit)
            }
        }
    }
}
