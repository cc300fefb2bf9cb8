import PerdureTestKit
import Testing

@testable import PerdureState

/// Several processes on one store: another engine stands for another process.
@Suite struct ConflictTests {
    @Test func whoLosesReadsAgainAndHandlesAgain() async throws {
        let store = testStore()
        let observer = RecordingObserver()
        let here = bank(store) { $0.observer = observer }.entity(Account.self, "ada")
        let there = bank(store).entity(Account.self, "ada")
        try await here.send(.deposit(10, token: 1))
        #expect(try await there.send(.withdraw(7, token: 2)).version == 2)
        // In memory there are still 10.
        let refused = await here.failure(of: .withdraw(8, token: 3))
        guard case .rejected(.insufficientFunds(balance: 3))? = refused else {
            Issue.record("withdrawn what was not there")
            return
        }
        let result = try await here.send(.withdraw(3, token: 4))
        #expect(result.version == 3 && result.state == Account.State(balance: 0, tokens: [1, 2, 4]))
        #expect(observer.events(named: "entity.write.conflicted").count == 1)
    }

    @Test func twoEnginesNeverLoseAnUpdate() async throws {
        let store = InMemoryStateStore()
        let engines = (0..<4).map { _ in
            bank(store) { configuration in
                configuration.maximumConflicts = 10_000
                configuration.clock = HastyClock()
            }
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (number, engine) in engines.enumerated() {
                group.addTask {
                    let entity = engine.entity(Account.self, "shared")
                    for token in 0..<50 { try await entity.send(.deposit(1, token: number * 100 + token)) }
                }
            }
            try await group.waitForAll()
        }
        let stored = try #require(try await store.latestState(of: "shared"))
        #expect(stored.version == 200)
        #expect(Set(try stored.account.tokens).count == 200)
    }

    @Test(arguments: [1, 3]) func afterSoManyAttemptsItIsGivenUp(attempts: Int) async throws {
        let store = testStore()
        let ada = bank(store) { configuration in
            configuration.maximumConflicts = attempts
            configuration.clock = HastyClock()
        }.entity(Account.self, "ada")
        try await ada.send(.deposit(1, token: 1))
        store.plan = FaultPlan().with(.foreignWrite, at: .write(), times: attempts)
        let error = await ada.failure(of: .deposit(1, token: 2))
        guard case .contended(attempts, let last)? = error else {
            Issue.record("failed as \(String(describing: error))")
            return
        }
        #expect(last.code == .conflict && error?.outcome == .notApplied)
        // What is in memory is not what it was before the fight.
        #expect(try await ada.send(.read).version == UInt64(1 + attempts))
        let result = try await ada.send(.deposit(1, token: 3))
        #expect(result.version == UInt64(2 + attempts) && result.state.tokens == [1, 3])
    }

    @Test func sharedMeansFreshAnswers() async throws {
        let store = testStore()
        let engines = (0..<2).map { _ in bank(store) { $0.sharing = .shared } }
        let (here, there) = (engines[0].entity(Account.self, "ada"), engines[1].entity(Account.self, "ada"))
        #expect(try await here.send(.read).version == 0)
        try await there.send(.deposit(10, token: 1))
        #expect(try await here.send(.read).state.balance == 10)
        try await there.send(.deposit(10, token: 2))
        // By memory this would be refused.
        #expect(try await here.send(.withdraw(20, token: 3)).state.balance == 0)
        try await here.send(.deposit(1, token: 4))
        try await there.send(.delete)
        #expect(try await here.send(.read).state == Account.State())
        #expect(try await here.send(.deposit(5, token: 5)).version == 6)
        // A delete of what is gone already is an answer that writes nothing.
        #expect(try await there.send(.delete).version == 7)
        #expect(try await here.send(.delete).reply == 0)
    }

    @Test func deletedElsewhere() async throws {
        let store = testStore()
        let (here, there) = (bank(store).entity(Account.self, "ada"), bank(store).entity(Account.self, "ada"))
        try await here.send(.deposit(10, token: 1))
        try await there.send(.delete)
        let result = try await here.send(.deposit(1, token: 2))
        #expect(result.version == 3 && result.state == Account.State(balance: 1, tokens: [2]))
        await there.passivate()
        try await there.send(.delete)
        #expect(try await here.send(.delete).reply == 0, "there was nothing left to delete")
        #expect(store.trace.last { $0.effect == .applied }?.operation == .delete)
    }
}
