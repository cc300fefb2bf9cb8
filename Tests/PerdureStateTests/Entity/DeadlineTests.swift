import PerdureTestKit
import Testing
import Waiting

@testable import PerdureState

@Suite struct DeadlineTests {
    private let clock = ManualClock()

    private func bank(_ store: TestStore) -> Entity<Account> {
        PerdureStateTests.bank(store) { $0.clock = self.clock }.entity(Account.self, "ada")
    }

    private func begin(
        _ command: Account.Command, on entity: Entity<Account>, within timeout: Duration = .seconds(1)
    ) -> Task<CommandError<Account.Rejection>?, Never> {
        Task { await entity.failure(of: command, within: timeout) }
    }

    @Test func inTimeNothingIsDifferent() async throws {
        let ada = self.bank(testStore())
        #expect(try await ada.send(.deposit(1, token: 1), within: .seconds(1)).version == 1)
        guard case .rejected? = await ada.failure(of: .withdraw(2, token: 2), within: .seconds(1)) else {
            Issue.record("it should be refused")
            return
        }
        #expect(await eventually { self.clock.sleeperCount == 0 }, "the timer is gone")
    }

    @Test func beforeTheWriteItIsWithdrawnForGood() async throws {
        let store = testStore(FaultPlan().with(.hold, at: .read(number: 1)))
        let ada = self.bank(store)
        let late = self.begin(.deposit(1, token: 1), on: ada)
        try await store.waitForHeld()
        try await self.clock.waitForSleepers()
        self.clock.advance(by: .seconds(1))
        #expect(await late.value?.missedDeadline == .notApplied)
        store.releaseHeld()
        #expect(try await ada.send(.deposit(2, token: 2)).state.tokens == [2])
        #expect(store.count(.write) == 1)
    }

    @Test func inTheLineItIsWithdrawnForGood() async throws {
        let store = testStore(FaultPlan().with(.hold, at: .write(number: 1)))
        let ada = self.bank(store)
        let first = ada.begin(.deposit(1, token: 1))
        try await store.waitForHeld()
        let late = self.begin(.deposit(1, token: 2), on: ada)
        #expect(await eventually { ada.turn.waiting == 1 })
        try await self.clock.waitForSleepers()
        self.clock.advance(by: .seconds(1))
        #expect(await late.value?.missedDeadline == .notApplied)
        #expect(await eventually { ada.turn.waiting == 0 })
        store.releaseHeld()
        #expect(await first.value == nil)
        #expect(try await ada.send(.read).state.tokens == [1])
    }

    /// The held write notices a cancelled caller: it must not be cancelled.
    @Test func duringTheWriteItGoesOn() async throws {
        let store = testStore(FaultPlan().with(.hold, at: .write(number: 1)))
        let ada = self.bank(store)
        let late = self.begin(.deposit(1, token: 1), on: ada)
        try await store.waitForHeld()
        try await self.clock.waitForSleepers()
        self.clock.advance(by: .seconds(1))
        #expect(await late.value?.missedDeadline == .unknown)
        store.releaseHeld()
        let result = try await ada.send(.read)
        #expect(result.state.tokens == [1] && result.version == 1)
        #expect(store.count(.read) == 1, "nothing went wrong that would need reading again")
    }

    /// A write that lost against another process leaves nothing in flight: whoever has gone by then is not tried for again.
    @Test func afterAConflictItIsNotTriedForNobody() async throws {
        let store = testStore(FaultPlan().with(.hold, at: .write(number: 2)))
        let ada = self.bank(store)
        try await ada.send(.deposit(1, token: 1))
        let late = self.begin(.deposit(1, token: 2), on: ada)
        try await store.waitForHeld()
        try await self.clock.waitForSleepers()
        self.clock.advance(by: .seconds(1))
        #expect(await late.value?.missedDeadline == .unknown)
        try await store.wrapped.write(
            DurableState(account: "ada", version: 2, Account.State(balance: 5, tokens: [9])), if: .version(1))
        store.releaseHeld()
        #expect(try await ada.send(.deposit(1, token: 3)).state.tokens == [9, 3])
    }

    @Test func theTimeBeginsWithTheCall() async throws {
        let store = testStore(FaultPlan().with(.hold, at: .write(number: 1)))
        let engine = PerdureStateTests.bank(store) { configuration in
            configuration.clock = self.clock
            configuration.commandTimeout = .seconds(5)
        }
        let ada = engine.entity(Account.self, "ada")
        let late = ada.begin(.deposit(1, token: 1))
        try await self.clock.waitForSleepers()
        #expect(self.clock.nextDeadline == .seconds(5))
        try await store.waitForHeld()
        self.clock.advance(by: .seconds(5))
        #expect(await late.value?.missedDeadline == .unknown)
        store.releaseHeld()
        try await engine.stop()
    }

    @Test func cancellingTheCallerWithdrawsIt() async throws {
        let store = testStore(FaultPlan().with(.hold, at: .write(number: 1)))
        let ada = self.bank(store)
        let first = ada.begin(.deposit(1, token: 1))
        try await store.waitForHeld()
        let second = self.begin(.deposit(1, token: 2), on: ada)
        #expect(await eventually { ada.turn.waiting == 1 })
        second.cancel()
        #expect(await second.value?.isCancelled == true)
        store.releaseHeld()
        #expect(await first.value == nil)
        #expect(try await ada.send(.read).state.tokens == [1])
    }
}
