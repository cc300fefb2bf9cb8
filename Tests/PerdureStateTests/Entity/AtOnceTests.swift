import PerdureConcurrency
import PerdureTestKit
import Testing

@testable import PerdureState

/// Commands that are carried out without any waiting, on a store that takes changes at once.
@Suite struct AtOnceTests {
    /// Counts how often it is asked.
    private struct Counting: DurableStateBehavior {
        struct State: Codable, Sendable, Hashable { var number = 0 }
        enum Command: Sendable { case add(Int), look, delete, refuse }
        struct Refusal: Error {}

        let initialState = State()
        let asked: LockedState<Int>

        func handle(_ command: Command, in state: State) throws(Refusal) -> Effect<State> {
            self.asked.withLock { $0 += 1 }
            switch command {
            case .add(let number): return .persist(State(number: state.number + number))
            case .look: return .none
            case .delete: return .delete
            case .refuse: throw Refusal()
            }
        }
    }

    @Test func theBehaviorIsAskedOncePerCommand() async throws {
        let asked = LockedState(0)
        let store = InMemoryStateStore()
        let engine = StateEngine(store: store) { Counting(asked: asked) }
        let entity = engine.entity(Counting.self, "x")
        #expect(engine.entity(Counting.self, "x").kind.host.storeAtOnce != nil)
        #expect(try await entity.send(.look).version == 0)
        #expect(try await entity.send(.delete).version == 0, "there is nothing to delete")
        #expect(try await entity.send(.add(2)).version == 1)
        #expect(try await entity.send(.add(3)).state == Counting.State(number: 5))
        #expect(try await store.latestState(of: "x")?.version == 2)
        await #expect(throws: CommandError<Counting.Refusal>.self) { try await entity.send(.refuse) }
        let deleted = try await entity.send(.delete)
        #expect(deleted.version == 3 && deleted.state == Counting.State())
        #expect(try await store.latestState(of: "x") == nil)
        #expect(try await entity.send(.add(1)).version == 4)
        #expect(asked.withLock { $0 } == 7)
        #expect(entity.turn.take(at: 1).isTurn, "the turn was passed on each time")
    }

    @Test func notWhereOthersMustBeTold() async throws {
        func isAtOnce(_ engine: StateEngine) -> Bool { engine.entity(Account.self, "x").kind.host.storeAtOnce != nil }
        let store = InMemoryStateStore()
        #expect(isAtOnce(bank(store)))
        #expect(!isAtOnce(bank(testStore())))
        #expect(!isAtOnce(bank(store) { $0.sharing = .shared }))
        #expect(!isAtOnce(bank(store) { $0.observer = RecordingObserver() }))
        #expect(!isAtOnce(bank(store, publishers: [ListPublisher()])))
    }

    @Test func whatTheStoreRefusesIsRefusedInItsWords() async throws {
        let store = InMemoryStateStore(maximumPayloadByteCount: 20)
        let ada = bank(store).entity(Account.self, "ada")
        try await ada.send(.deposit(1, token: 1))
        #expect(await ada.failure(of: .deposit(1, token: 2))?.storeError?.code == .payloadTooLarge)
        await store.disconnect()
        #expect(await ada.failure(of: .delete)?.storeError?.code == .closed)
        try await store.connect()
        #expect(try await ada.send(.read).state == Account.State(balance: 1, tokens: [1]))
    }

    @Test func inOrderForManySendersAndForObservers() async throws {
        let store = InMemoryStateStore()
        let engine = bank(store)
        let changes = engine.changes(of: Account.self, buffer: 10_000)
        let entity = engine.entity(Account.self, "ada")
        let cancelled = try await withThrowingTaskGroup(of: Int.self) { group in
            for sender in 0..<16 {
                group.addTask {
                    var cancelled = 0
                    for number in 0..<100 {
                        let task = Task { try await entity.send(.deposit(1, token: sender * 100 + number)).version }
                        if number % 10 == 9 { task.cancel() }
                        do { _ = try await task.value } catch let error as CommandError<Account.Rejection> {
                            guard error.isCancelled else { throw error }
                            cancelled += 1
                        }
                    }
                    return cancelled
                }
            }
            return try await group.reduce(0, +)
        }
        try await engine.stop()
        var last: UInt64 = 0
        for await change in changes {
            last += 1
            #expect(change.version == last && change.state?.balance == Int(last) && change.missed == 0)
        }
        #expect(Int(last) + cancelled == 1_600)
        let stored = try #require(try await store.latestState(of: "ada"))
        #expect(stored.version == last)
        // Each sender's in its order.
        let tokens = try stored.account.tokens
        #expect(Set(tokens).count == Int(last))
        for sender in 0..<16 {
            let own = tokens.filter { $0 / 100 == sender }
            #expect(own == own.sorted())
        }
    }
}

extension EntityTurn.Admission {
    var isTurn: Bool { if case .turn = self { true } else { false } }
}
