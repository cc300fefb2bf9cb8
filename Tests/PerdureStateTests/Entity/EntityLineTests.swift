import PerdureConcurrency
import PerdureTestKit
import Testing
import Waiting

@testable import PerdureState

/// Entities that are fought over, on a store that never waits: commands wait as jobs.
@Suite struct EntityLineTests {
    /// An entity whose turn the test has, in memory or still to be read.
    private static func held(
        _ engine: StateEngine, isRead: Bool = true
    ) async throws -> Entity<Account> {
        let entity = engine.entity(Account.self, "ada")
        if isRead { try await entity.send(.deposit(1, token: 0)) }
        #expect(entity.turn.take(at: 1).isTurn)
        return entity
    }

    @Test(arguments: [true, false]) func servesInTheOrderOfArrival(isRead: Bool) async throws {
        let engine = bank(InMemoryStateStore())
        let entity = try await Self.held(engine, isRead: isRead)
        var waiting: [Task<CommandError<Account.Rejection>?, Never>] = []
        for token in 1...50 { waiting.append(await entity.line(up: .deposit(1, token: token))) }
        entity.turn.pass()
        for task in waiting { #expect(await task.value == nil) }
        #expect(try await entity.send(.read).state.tokens == Array((isRead ? 0 : 1)...50))
        #expect(entity.turn.waiting == 0)
        #expect(entity.turn.take(at: 1).isTurn, "nobody kept the turn")
    }

    @Test func whoIsCancelledInTheLineHasChangedNothing() async throws {
        let entity = try await Self.held(bank(InMemoryStateStore()))
        let first = await entity.line(up: .deposit(1, token: 1))
        let second = await entity.line(up: .deposit(1, token: 2))
        let third = await entity.line(up: .deposit(1, token: 3))
        second.cancel()
        entity.turn.pass()
        #expect(await first.value == nil)
        #expect(await second.value?.isCancelled == true)
        #expect(await third.value == nil)
        #expect(try await entity.send(.read).state.tokens == [0, 1, 3])
    }

    @Test func aRefusalPassesTheTurnOn() async throws {
        let entity = try await Self.held(bank(InMemoryStateStore()))
        let refused = await entity.line(up: .withdraw(100, token: 1))
        let next = await entity.line(up: .deposit(1, token: 2))
        entity.turn.pass()
        guard case .rejected(.insufficientFunds(balance: 1))? = await refused.value else {
            Issue.record("it was not refused")
            return
        }
        #expect(await next.value == nil)
    }

    @Test func takesAsManyAsMayWaitAndNoMore() async throws {
        let engine = bank(InMemoryStateStore()) { $0.maximumWaitingCommands = 3 }
        let entity = try await Self.held(engine)
        var waiting: [Task<CommandError<Account.Rejection>?, Never>] = []
        for token in 1...3 { waiting.append(await entity.line(up: .deposit(1, token: token))) }
        guard case .overloaded(let words)? = await entity.failure(of: .deposit(1, token: 4)) else {
            Issue.record("a fourth was let in")
            return
        }
        #expect(words.contains("3 commands wait"))
        entity.turn.pass()
        for task in waiting { #expect(await task.value == nil) }
        #expect(try await entity.send(.deposit(1, token: 5)).state.tokens == [0, 1, 2, 3, 5])
    }

    @Test func whatWaitsWhenTheEngineStopsIsCarriedOut() async throws {
        let store = InMemoryStateStore()
        let engine = bank(store)
        let entity = try await Self.held(engine)
        var waiting: [Task<CommandError<Account.Rejection>?, Never>] = []
        for token in 1...5 { waiting.append(await entity.line(up: .deposit(1, token: token))) }
        let stopping = Task { try await engine.stop() }
        #expect(await eventually { if case .retired = entity.turn.take(at: 1) { true } else { false } })
        entity.turn.pass()
        for task in waiting { #expect(await task.value == nil) }
        try await stopping.value
        #expect(try await store.account("ada")?.tokens == [0, 1, 2, 3, 4, 5])
        guard case .stopped? = await entity.failure(of: .read) else {
            Issue.record("it is still at work")
            return
        }
    }

    @Test func leavingMemoryKeepsTheOrderOfTheLine() async throws {
        let engine = bank(InMemoryStateStore())
        let entity = try await Self.held(engine)
        let first = await entity.line(up: .deposit(1, token: 1))
        let leaving = Task { await entity.passivate() }
        #expect(await eventually { entity.turn.inLine == 2 })
        let second = await entity.line(up: .deposit(1, token: 2))
        entity.turn.pass()
        #expect(await first.value == nil)
        await leaving.value
        #expect(await second.value == nil)
        #expect(try await entity.send(.read).state.tokens == [0, 1, 2])
    }

    /// Cancelled, leaving memory, refused: whatever comes together, nothing is lost and nobody is left waiting.
    @Test func everythingAtOnce() async throws {
        let store = InMemoryStateStore()
        let engine = bank(store)
        let entity = engine.entity(Account.self, "ada")
        let done = try await withThrowingTaskGroup(of: Int.self) { group in
            for sender in 0..<16 {
                group.addTask {
                    var done = 0
                    for number in 0..<200 {
                        switch (sender + number) % 10 {
                        case 7:
                            await entity.passivate()
                        case 8:
                            let task = entity.begin(.deposit(1, token: sender * 1_000 + number))
                            task.cancel()
                            if await task.value == nil { done += 1 }
                        case 9:
                            guard case .rejected? = await entity.failure(of: .withdraw(.max, token: -1)) else {
                                Issue.record("more was withdrawn than there is")
                                continue
                            }
                        default:
                            try await entity.send(.deposit(1, token: sender * 1_000 + number))
                            done += 1
                        }
                    }
                    return done
                }
            }
            return try await group.reduce(0, +)
        }
        let stored = try #require(try await store.account("ada"))
        #expect(stored.balance == done && Set(stored.tokens).count == done)
        for sender in 0..<16 {
            let own = stored.tokens.filter { $0 / 1_000 == sender }
            #expect(own == own.sorted())
        }
        #expect(entity.turn.waiting == 0)
        try await engine.stop()
    }
}
