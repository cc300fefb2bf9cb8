import PerdureConcurrency
import PerdureTestKit
import Testing
import Waiting

@testable import PerdureState

@Suite struct PassivationTests {
    private func passivated(_ observer: RecordingObserver) -> [String] {
        observer.events.compactMap { event in
            if case .entityPassivated(let id, let reason) = event { return "\(id) \(reason.rawValue)" }
            return nil
        }
    }

    @Test func onlyCommandsRead() async throws {
        let store = testStore()
        let engine = bank(store)
        let ada = engine.entity(Account.self, "ada")
        #expect(store.trace.isEmpty)
        try await ada.send(.deposit(1, token: 1))
        try await ada.send(.read)
        #expect(store.count(.read) == 1 && store.count(.write) == 1)
    }

    @Test func explicitlyAndTheStateIsRightAfterwards() async throws {
        let store = testStore()
        let observer = RecordingObserver()
        let engine = bank(store) { $0.observer = observer }
        let ada = engine.entity(Account.self, "ada")
        try await ada.send(.deposit(5, token: 1))
        let before = store.trace.count
        await ada.passivate()
        #expect(engine.liveEntityCount == 0)
        #expect(store.trace.count == before, "nothing is written, nothing is read")
        #expect(self.passivated(observer) == ["ada stopped"])
        await ada.passivate()
        let result = try await ada.send(.deposit(5, token: 2))
        #expect(result.version == 2 && result.state.tokens == [1, 2])
        #expect(store.count(.read) == 2)
    }

    /// Leaving memory must not shuffle those who wait behind it.
    @Test func thoseWhoWaitKeepTheirOrder() async throws {
        let store = testStore(FaultPlan().with(.hold, at: .write(number: 1)))
        let engine = bank(store)
        let ada = engine.entity(Account.self, "ada")
        let first = ada.begin(.deposit(1, token: 0))
        try await store.waitForHeld()
        let leaving = Task { await ada.passivate() }
        #expect(await eventually { ada.turn.waiting == 1 })
        var others: [Task<CommandError<Account.Rejection>?, Never>] = []
        for token in 1...30 { others.append(await ada.line(up: .deposit(1, token: token))) }
        store.releaseHeld()
        await leaving.value
        for task in [first] + others { #expect(await task.value == nil) }
        #expect(try await store.wrapped.account("ada")?.tokens == Array(0...30))
        #expect(store.count(.read) == 2, "it was read again, once")
    }

    @Test func theLeastRecentlyUsedLeaveFirst() async throws {
        let observer = RecordingObserver()
        let engine = bank(InMemoryStateStore()) { configuration in
            configuration.maximumLiveEntities = 3
            configuration.observer = observer
        }
        func use(_ id: String) async throws { try await engine.entity(Account.self, id).send(.deposit(1, token: 1)) }
        for id in ["a", "b", "c", "a", "d", "b", "e"] { try await use(id) }
        // d took the place of b, then b that of c, and e that of a.
        #expect(self.passivated(observer) == ["b crowded", "c crowded", "a crowded"])
        #expect(engine.liveEntityCount == 3)
        #expect(try await engine.entity(Account.self, "b").send(.read).version == 2)
    }

    @Test func manyEntitiesInLittleRoom() async throws {
        let store = InMemoryStateStore()
        let engine = bank(store) { $0.maximumLiveEntities = 4 }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for sender in 0..<8 {
                group.addTask {
                    for number in 0..<60 {
                        let id = "\((sender * 7 + number) % 20)"
                        try await engine.entity(Account.self, id).send(.deposit(1, token: sender * 1_000 + number))
                    }
                }
            }
            try await group.waitForAll()
        }
        var total = 0
        for id in 0..<20 { total += try await store.account("\(id)")?.balance ?? 0 }
        #expect(total == 480)
        _ = engine.entity(Account.self, "one more")
        #expect(engine.liveEntityCount == 4)
    }

    @Test func theIdleLeave() async throws {
        let clock = ManualClock()
        let store = testStore()
        let observer = RecordingObserver()
        let engine = bank(store) { configuration in
            configuration.clock = clock
            configuration.observer = observer
            configuration.idleTimeBeforePassivation = .seconds(40)
        }
        let running = Task { try await engine.run() }
        let ada = engine.entity(Account.self, "ada")
        let ben = engine.entity(Account.self, "ben")
        try await ada.send(.deposit(1, token: 1))
        try await ben.send(.deposit(1, token: 1))
        for _ in 0..<6 {
            try await clock.waitForSleepers()
            try await ben.send(.read)
            clock.advance(by: .seconds(10))
        }
        try await clock.waitForSleepers()
        #expect(self.passivated(observer) == ["ada idle"])
        #expect(engine.liveEntityCount == 1)
        #expect(store.count(.write) == 2)
        #expect(try await ada.send(.read).state.tokens == [1])
        running.cancel()
        try await running.value
        #expect(engine.liveEntityCount == 0)
    }

    // MARK: Memory

    private final class Thing: Sendable {}

    private struct Holder: DurableStateBehavior {
        struct Codec: StateCodec {
            func encode(_ state: Thing) -> StatePayload { StatePayload(manifest: "thing", bytes: []) }
            func decode(_ payload: StatePayload) -> Thing { Thing() }
        }
        let initialState = Thing()
        var codec: any StateCodec<Thing> { Codec() }
        func handle(_ command: Thing, in state: Thing) -> Effect<Thing> { .persist(command) }
    }

    /// Whoever keeps an ``Entity`` keeps a name, not the state.
    @Test func whatLeftMemoryIsGone() async throws {
        let engine = StateEngine(store: InMemoryStateStore()) { Holder() }
        let kept = engine.entity(Holder.self, "kept")
        weak var state: Thing?
        weak var turn: EntityTurn?
        func use() async throws {
            let new = Thing()
            state = new
            try await kept.send(new)
            let other = engine.entity(Holder.self, "other")
            turn = other.turn
            try await other.send(Thing())
        }
        try await use()
        #expect(state != nil && turn != nil)
        await kept.passivate()
        await engine.entity(Holder.self, "other").passivate()
        #expect(state == nil)
        #expect(turn == nil)
    }

    @Test func anEvictedStateIsGoneToo() async throws {
        var configuration = StateEngine.Configuration()
        configuration.maximumLiveEntities = 1
        let engine = StateEngine(store: InMemoryStateStore(), configuration: configuration) { Holder() }
        let kept = engine.entity(Holder.self, "kept")
        weak var state: Thing?
        func use() async throws {
            let new = Thing()
            state = new
            try await kept.send(new)
        }
        try await use()
        #expect(state != nil)
        _ = engine.entity(Holder.self, "other")
        #expect(state == nil)
    }

    /// A behavior that is made for an ID may look up other entities while it is made.
    @Test func makingABehaviorMayLookUpEntities() async throws {
        let known = LockedState<StateEngine?>(nil)
        let engine = StateEngine(store: InMemoryStateStore()) {
            Behaviors(Account.self) { id in
                if id == "ada" { _ = known.withLock { $0 }?.entity(Account.self, "bank") }
                return Account()
            }
        }
        known.withLock { $0 = engine }
        try await engine.entity(Account.self, "ada").send(.deposit(1, token: 1))
        #expect(engine.liveEntityCount == 2)
        known.withLock { $0 = nil }
    }
}
