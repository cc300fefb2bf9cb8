import PerdureTestKit
import Testing

@testable import PerdureState

@Suite struct ObservationTests {
    @Test func changesInOrder() async throws {
        let engine = bank(InMemoryStateStore())
        let ada = engine.entity(Account.self, "ada")
        try await ada.send(.deposit(1, token: 0))
        let (all, mine) = (engine.changes(of: Account.self), ada.changes())
        try await engine.entity(Account.self, "ben").send(.deposit(1, token: 9))
        try await ada.send(.deposit(1, token: 1))
        try await ada.send(.read)
        _ = await ada.failure(of: .withdraw(99, token: 2))
        try await ada.send(.delete)
        try await ada.send(.deposit(1, token: 3))
        try await engine.stop()
        var seen: [String] = []
        for await change in all { seen.append("\(change.persistenceID) \(change.version)") }
        #expect(seen == ["ben 1", "ada 2", "ada 3", "ada 4"])
        var tokens: [[Int]?] = []
        for await change in mine { tokens.append(change.state?.tokens) }
        #expect(tokens == [[0, 1], nil, [3]])
    }

    @Test func gapsAreCounted() async throws {
        let engine = bank(InMemoryStateStore())
        let ada = engine.entity(Account.self, "ada")
        var changes = ada.changes(buffer: 2).makeAsyncIterator()
        for token in 1...5 { try await ada.send(.deposit(1, token: token)) }
        let first = try #require(await changes.next())
        #expect(first.version == 4 && first.missed == 3)
        try await ada.send(.deposit(1, token: 6))
        let second = try #require(await changes.next())
        #expect(second.version == 5 && second.missed == 0)
        let third = try #require(await changes.next())
        #expect(third.version == 6 && third.missed == 0)
    }

    /// What is reported as missed came just before, also while changes come in at the same time.
    @Test func gapsAreExactUnderContention() async throws {
        let engine = bank(InMemoryStateStore())
        let ada = engine.entity(Account.self, "ada")
        let changes = ada.changes(buffer: 1)
        let watching = Task {
            var last: UInt64 = 0
            for await change in changes {
                #expect(change.version == last + 1 + UInt64(change.missed))
                last = change.version
            }
            return last
        }
        for token in 1...400 { try await ada.send(.deposit(1, token: token % 5)) }
        try await engine.stop()
        #expect(await watching.value == 400)
    }

    @Test func whoLeavesCostsNothingMore() async throws {
        let engine = bank(InMemoryStateStore())
        let ada = engine.entity(Account.self, "ada")
        func watchBriefly() async throws {
            let changes = ada.changes()
            try await ada.send(.deposit(1, token: 1))
            #expect(ada.kind.isObserved)
            _ = changes
        }
        try await watchBriefly()
        try await ada.send(.deposit(1, token: 2))
        #expect(!ada.kind.isObserved)
    }

    @Test func aCancelledObserverStops() async throws {
        let engine = bank(InMemoryStateStore())
        let changes = engine.changes(of: Account.self)
        let watching = Task {
            var count = 0
            for await _ in changes { count += 1 }
            return count
        }
        watching.cancel()
        #expect(await watching.value == 0)
    }

    @Test func whoComesTooLateSeesTheEnd() async throws {
        let engine = bank(InMemoryStateStore())
        let ada = engine.entity(Account.self, "ada")
        try await engine.stop()
        var iterator = ada.changes().makeAsyncIterator()
        #expect(await iterator.next() == nil)
    }
}
