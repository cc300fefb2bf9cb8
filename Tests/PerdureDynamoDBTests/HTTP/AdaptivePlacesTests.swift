import Testing

@testable import PerdureDynamoDB

/// How many requests are under way at once follows what the server can bear.
@Suite struct AdaptivePlacesTests {
    @Test func growsWithEachAnswerUntilOneIsLate() {
        var places = AdaptivePlaces(most: 64)
        #expect(places.count == 4)
        for _ in 0..<20 { places.answered() }
        #expect(places.count == 24)
        places.late(begunAt: .seconds(1), now: .seconds(4))
        #expect(places.count == 12)
        // A round of answers makes one place more.
        for _ in 0..<12 { places.answered() }
        #expect(places.count == 12)
        for _ in 0..<2 { places.answered() }
        #expect(places.count == 13)
        for _ in 0..<100_000 { places.answered() }
        #expect(places.count == 64)
    }

    @Test func countsWhatWasUnderWayTogetherOnce() {
        var places = AdaptivePlaces(most: 64)
        for _ in 0..<100 { places.answered() }
        for _ in 0..<64 { places.late(begunAt: .seconds(1), now: .seconds(4)) }
        #expect(places.count == 32)
        // Begun since, and late again: down to one that asks whether it is over.
        for round in 1...10 { places.late(begunAt: .seconds(4 * round), now: .seconds(4 * round + 3)) }
        #expect(places.count == 1)
        #expect(AdaptivePlaces(most: 2).count == 2)
    }
}
