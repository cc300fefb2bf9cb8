import PerdureConcurrency
import PerdureTestKit
import Testing
import Waiting

@testable import PerdureState

@Suite struct LifecycleTests {
    @Test func cancellingRunCarriesOutWhatWaitsAndStops() async throws {
        let store = testStore(FaultPlan().with(.hold, at: .write(number: 1)))
        let engine = bank(store)
        let running = Task { try await engine.run() }
        let ada = engine.entity(Account.self, "ada")
        let ben = engine.entity(Account.self, "ben")
        try await ben.send(.read)
        let first = ada.begin(.deposit(1, token: 1))
        try await store.waitForHeld()
        let second = await ada.line(up: .deposit(1, token: 2))
        running.cancel()
        // Whatever comes now is refused, to idle entities and to those at work.
        #expect(await eventually { await ben.failure(of: .read)?.isStopped == true })
        #expect(await ada.failure(of: .deposit(1, token: 3))?.isStopped == true)
        #expect(await engine.entity(Account.self, "cyd").failure(of: .read)?.isStopped == true)
        store.releaseHeld()
        try await running.value
        #expect(await first.value == nil)
        #expect(await second.value == nil)
        #expect(try await store.wrapped.account("ada")?.tokens == [1, 2])
        #expect(engine.liveEntityCount == 0)
        #expect(await ada.failure(of: .read)?.isStopped == true)
        #expect(await ada.failure(of: .read, within: .seconds(1))?.isStopped == true)
        await ada.passivate()
    }

    @Test func stopsWithoutRun() async throws {
        let publisher = ListPublisher()
        let engine = bank(InMemoryStateStore(), publishers: [publisher])
        let ada = engine.entity(Account.self, "ada")
        for token in 1...3 { try await ada.send(.deposit(1, token: token)) }
        try await engine.stop()
        #expect(publisher.changes.map(\.version) == [1, 2, 3])
        #expect(publisher.closed == 1)
        #expect(await ada.failure(of: .read)?.isStopped == true)
        try await engine.stop()
        #expect(publisher.closed == 1)
    }

    @Test func aStoreThatHangsIsNotWaitedForForever() async throws {
        let clock = ManualClock()
        let store = testStore(FaultPlan().with(.hold, at: .write(of: "ada", number: 1)))
        let engine = bank(store) { $0.clock = clock }
        let ada = engine.entity(Account.self, "ada")
        let others = (0..<20).map { engine.entity(Account.self, "\($0)") }
        for other in others { try await other.send(.deposit(1, token: 1)) }
        var changes = engine.changes(of: Account.self).makeAsyncIterator()
        let hanging = ada.begin(.deposit(1, token: 1))
        try await store.waitForHeld()
        let stopping = Task { try await engine.stop() }
        try await clock.waitForSleepers()
        for other in others { #expect(await other.failure(of: .read)?.isStopped == true) }
        clock.advance(by: engine.configuration.drainTimeout)
        await #expect(throws: StateEngine.StopIncomplete.self) { try await stopping.value }
        #expect(engine.liveEntityCount == 1, "only the one that hangs is left")
        // It comes to itself: stopping can be finished.
        store.releaseHeld()
        #expect(await hanging.value == nil)
        try await engine.stop()
        #expect(await changes.next()?.persistenceID == "ada")
        #expect(await changes.next() == nil)
        #expect(try await store.wrapped.account("ada")?.tokens == [1])
    }

    private struct Other: DurableStateBehavior {
        let initialState = 0
        func handle(_ command: Int, in state: Int) -> Effect<Int> { .persist(state + command) }
    }

    /// One kind that hangs does not keep the others in service.
    @Test func allKindsRefuseAtOnce() async throws {
        let clock = ManualClock()
        for id in ["ada", "other"] {
            let store = testStore(FaultPlan().with(.hold, at: .write(of: id, number: 1)))
            var configuration = StateEngine.Configuration()
            configuration.clock = clock
            let engine = StateEngine(store: store, configuration: configuration) {
                Account()
                Other()
            }
            let ada = engine.entity(Account.self, "ada")
            let other = engine.entity(Other.self, "other")
            let tasks = [
                Task { _ = try? await ada.send(.deposit(1, token: 1)) }, Task { _ = try? await other.send(1) },
            ]
            try await store.waitForHeld()
            let stopping = Task { try await engine.stop() }
            try await clock.waitForSleepers()
            #expect(await engine.entity(Account.self, "x").failure(of: .read)?.isStopped == true)
            var isStopped = false
            do { try await engine.entity(Other.self, "x").send(1) } catch { isStopped = error.isStopped }
            #expect(isStopped)
            store.releaseHeld()
            try await stopping.value
            for task in tasks { await task.value }
        }
    }

    /// Cannot be connected as often as told.
    private final class Shy: StateStore {
        let memory = InMemoryStateStore()
        private let refusals: LockedState<Int>
        private let code: StoreError.Code
        init(refusals: Int, code: StoreError.Code = .unavailable) {
            self.refusals = LockedState(refusals)
            self.code = code
        }
        var maximumPayloadByteCount: Int { self.memory.maximumPayloadByteCount }
        func connect() async throws(StoreError) {
            let isRefused = self.refusals.withLock { refusals in
                refusals -= 1
                return refusals >= 0
            }
            if isRefused { throw StoreError(self.code, operation: .connect, message: "not now") }
        }
        func disconnect() async {}
        func ping() async throws(StoreError) {}
        func write(_ state: DurableState, if condition: WriteCondition) async throws(StoreError) {
            try await self.memory.write(state, if: condition)
        }
        func latestState(of id: String) async throws(StoreError) -> DurableState? {
            try await self.memory.latestState(of: id)
        }
        func delete(_ id: String, if condition: WriteCondition) async throws(StoreError) {
            try await self.memory.delete(id, if: condition)
        }
    }

    @Test func whereConnectingFailsRunMayBeTriedAgain() async throws {
        let clock = ManualClock()
        let engine = bank(Shy(refusals: 2)) { $0.clock = clock }
        for _ in 0..<2 { await #expect(throws: StoreError.self) { try await engine.run() } }
        let running = Task { try await engine.run() }
        try await clock.waitForSleepers()
        try await engine.entity(Account.self, "ada").send(.deposit(1, token: 1))
        running.cancel()
        try await running.value
    }

    @Test func cancelledBeforeItConnected() async throws {
        let publisher = ListPublisher()
        let engine = bank(Shy(refusals: 1, code: .cancelled), publishers: [publisher])
        let running = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try await engine.run()
        }
        try await running.value
        #expect(await engine.entity(Account.self, "ada").failure(of: .read)?.isStopped == true)
        #expect(publisher.closed == 1)
    }

    @Test func nothingKeepsAnEngineThatIsNotUsed() async throws {
        weak var known: StateEngine?
        func use() async throws -> EntityChanges<Account.State> {
            let engine = bank(InMemoryStateStore())
            known = engine
            try await engine.entity(Account.self, "ada").send(.deposit(1, token: 1))
            return engine.changes(of: Account.self)
        }
        let changes = try await use()
        #expect(known == nil)
        var iterator = changes.makeAsyncIterator()
        #expect(await iterator.next() == nil, "nobody is left to send anything")
    }
}
