import PerdureTestKit
import Testing

@testable import PerdureState

@Suite struct RecencyTableTests {
    private final class Thing {
        let name: String
        var lastUse: UInt64
        var isBusy = false
        init(_ name: String, _ moment: UInt64) { (self.name, self.lastUse) = (name, moment) }
    }

    private static func removeOldest(
        _ limit: Int, from table: inout RecencyTable<Thing>, usedBefore moment: UInt64 = .max, now: UInt64 = 100
    ) -> [String] {
        table.removeOldest(
            limit, usedBefore: moment, now: now, lastUse: \.lastUse, letsGo: { !$0.isBusy }
        ).map(\.name)
    }

    private static func table(_ things: [Thing]) -> RecencyTable<Thing> {
        var table = RecencyTable<Thing>()
        for thing in things { table.insert(thing, for: IDKey(thing.name), at: thing.lastUse) }
        return table
    }

    @Test func theLeastRecentlyUsedGoFirst() {
        let things = (1...5).map { Thing("\($0)", UInt64($0)) }
        var table = Self.table(things)
        // Used since, in another order than they came in.
        things[0].lastUse = 12
        things[1].lastUse = 11
        #expect(Self.removeOldest(2, from: &table) == ["3", "4"])
        #expect(Self.removeOldest(2, from: &table) == ["5", "2"])
        #expect(table.count == 1)
        #expect(table[IDKey("1")] === things[0])
        #expect(Self.removeOldest(9, from: &table) == ["1"])
        #expect(Self.removeOldest(9, from: &table) == [])
    }

    /// All have been used since the table was told: it must find the oldest all the same.
    @Test func findsOneWhenAllHaveBeenUsed() {
        let things = (1...5).map { Thing("\($0)", UInt64($0)) }
        var table = Self.table(things)
        for thing in things { thing.lastUse += 20 }
        #expect(Self.removeOldest(1, from: &table) == ["1"])
    }

    /// However many are stuck, those behind them can leave.
    @Test func thoseInUseDoNotKeepTheOthers() {
        let things = (1...200).map { Thing("\($0)", UInt64($0)) }
        for thing in things.prefix(100) { thing.isBusy = true }
        var table = Self.table(things)
        #expect(Self.removeOldest(3, from: &table, now: 300) == ["101", "102", "103"])
        for thing in things { thing.isBusy = false }
        // Being in use counted as a use: the others come first.
        #expect(Self.removeOldest(98, from: &table, now: 300).last == "1")
    }

    @Test func whatWasUsedAtTheMomentOrLaterStays() {
        var table = Self.table((1...5).map { Thing("\($0)", UInt64($0)) })
        #expect(Self.removeOldest(.max, from: &table, usedBefore: 3) == ["1", "2"])
        #expect(table.count == 3)
    }

    @Test(arguments: 0..<40 as Range<UInt64>) func doesAsASearchThroughAllDoes(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var table = RecencyTable<Thing>()
        var model: [Thing] = []
        var moment: UInt64 = 0
        for number in 0..<600 {
            moment += 1
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<4:
                let thing = Thing("\(number)", moment)
                table.insert(thing, for: IDKey(thing.name), at: moment)
                model.append(thing)
            case 4..<7 where !model.isEmpty:
                let thing = model[Int.random(in: 0..<model.count, using: &random)]
                thing.lastUse = moment
            case 7 where !model.isEmpty:
                let thing = model.remove(at: Int.random(in: 0..<model.count, using: &random))
                table.remove(IDKey(thing.name))
            default:
                let limit = Int.random(in: 1...4, using: &random)
                let before = random.chance(0.5) ? UInt64.max : moment - min(moment, 20)
                let expected = model.filter { $0.lastUse < before }.sorted { $0.lastUse < $1.lastUse }.prefix(limit)
                #expect(
                    Self.removeOldest(limit, from: &table, usedBefore: before, now: moment) == expected.map(\.name))
                model.removeAll { thing in expected.contains { $0 === thing } }
            }
            #expect(table.count == model.count)
        }
        #expect(Set(table.values.map(\.name)) == Set(model.map(\.name)))
        for thing in model { #expect(table[IDKey(thing.name)] === thing) }
    }
}
