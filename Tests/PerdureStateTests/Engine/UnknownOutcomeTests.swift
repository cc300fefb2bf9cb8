import PerdureTestKit
import Testing

@testable import PerdureState

/// Nobody knows whether a write happened: the entity reads before it does anything else.
@Suite struct UnknownOutcomeTests {
    private func entity(_ fault: Fault, at match: FaultPlan.Match) -> (TestStore, Entity<Account>) {
        let store = testStore(FaultPlan().with(fault, at: match))
        return (store, bank(store).entity(Account.self, "ada"))
    }

    private func expectUnknown(_ entity: Entity<Account>, _ command: Account.Command) async {
        let error = await entity.failure(of: command)
        #expect(error?.outcome == .unknown)
        #expect(error?.storeError?.code == .timeout)
    }

    @Test func theAnswerWasLost() async throws {
        let (store, ada) = self.entity(.loseAnswer, at: .write(number: 2))
        try await ada.send(.deposit(10, token: 1))
        await self.expectUnknown(ada, .withdraw(10, token: 2))
        // It happened: nobody withdraws twice.
        guard case .rejected(.insufficientFunds(balance: 0))? = await ada.failure(of: .withdraw(10, token: 3)) else {
            Issue.record("withdrawn twice")
            return
        }
        #expect(try await ada.send(.deposit(1, token: 4)).version == 3)
        #expect(store.count(.read) == 2)
    }

    @Test func theRequestWasLost() async throws {
        let (store, ada) = self.entity(.loseRequest, at: .write(number: 2))
        try await ada.send(.deposit(10, token: 1))
        await self.expectUnknown(ada, .withdraw(10, token: 2))
        let result = try await ada.send(.withdraw(10, token: 3))
        #expect(result.version == 2 && result.state.tokens == [1, 3])
        #expect(store.count(.read) == 2)
    }

    /// It arrives before the read, between the read and the write, or after the write: in the last case it is too late.
    @Test(arguments: [1, 2, 3]) func itArrivesLate(operations: Int) async throws {
        let (store, ada) = self.entity(.applyLate(afterOperations: operations), at: .write(number: 2))
        try await ada.send(.deposit(10, token: 1))
        await self.expectUnknown(ada, .deposit(10, token: 2))
        let result = try await ada.send(.deposit(1, token: 3))
        await store.landLateWrites()
        let isIn = operations <= 2
        #expect(result.version == (isIn ? 3 : 2))
        #expect(result.state.tokens == (isIn ? [1, 2, 3] : [1, 3]))
        #expect(try await store.wrapped.account("ada") == result.state)
        #expect(try await ada.send(.read).version == result.version)
    }

    @Test func theFirstWriteOfAll() async throws {
        let (_, ada) = self.entity(.loseAnswer, at: .write(number: 1))
        await self.expectUnknown(ada, .deposit(10, token: 1))
        #expect(try await ada.send(.deposit(1, token: 2)).state.tokens == [1, 2])
    }

    @Test func ofADeletion() async throws {
        let (store, ada) = self.entity(.loseAnswer, at: .delete(number: 1))
        try await ada.send(.deposit(10, token: 1))
        await self.expectUnknown(ada, .delete)
        #expect(try await ada.send(.read).state == Account.State())
        let result = try await ada.send(.deposit(1, token: 2))
        #expect(result.version == 3 && result.state.tokens == [2])
        #expect(try await store.wrapped.latestState(of: "ada")?.version == 3)
    }

    @Test func theReadFailsToo() async throws {
        let (store, ada) = self.entity(.loseAnswer, at: .write(number: 1))
        await self.expectUnknown(ada, .deposit(10, token: 1))
        store.plan = FaultPlan().with(.refuse(.unavailable), at: .read(), times: 2)
        for _ in 0..<2 {
            let error = await ada.failure(of: .read)
            #expect(error?.storeError?.code == .unavailable && error?.outcome == .notApplied)
        }
        #expect(try await ada.send(.read).state.tokens == [1])
    }
}
