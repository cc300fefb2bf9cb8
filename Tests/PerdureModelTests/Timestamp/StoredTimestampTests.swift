import PerdureModel
import Testing

@Suite struct StoredTimestampTests {
    /// The same second in all three units.
    @Test(
        arguments: [
            (1_700_000_000, 1_700_000_000_000), (1_700_000_000_123, 1_700_000_000_123),
            (1_700_000_000_123_456_789, 1_700_000_000_123), (0, 0),
        ] as [(Int64, Int64)])
    func readsAllUnits(_ raw: Int64, _ milliseconds: Int64) {
        #expect(StoredTimestamp.milliseconds(fromStored: raw) == milliseconds)
    }

    @Test(arguments: [-6_795_364_578_871_345_152, -62_135_596_800, -62_135_596_800_000] as [Int64])
    func goZeroTimeIsUnknown(_ raw: Int64) {
        #expect(StoredTimestamp.milliseconds(fromStored: raw) == 0)
        // Its neighbours are times like others.
        #expect(StoredTimestamp.milliseconds(fromStored: raw - 1_000_000) != 0)
        #expect(StoredTimestamp.milliseconds(fromStored: raw + 1_000_000) != 0)
    }

    @Test(
        arguments: [
            (1, 1), (999_999_999, 999_999_999),
            (1_000_000_000, 1_000_000_000_000), (99_999_999_999, 99_999_999_999_000),
            (100_000_000_000, 100_000_000_000), (999_999_999_999_999, 999_999_999_999_999),
            (1_000_000_000_000_000, 1_000_000_000), (Int64.max, 9_223_372_036_854),
            (-1, -1), (-999_999_999, -999_999_999), (-1_000_000_000, -1_000_000_000_000),
            (-99_999_999_999, -99_999_999_999_000), (-100_000_000_000, -100_000_000_000),
            (-999_999_999_999_999, -999_999_999_999_999), (-1_000_000_000_000_000, -1_000_000_000),
            (-1_000_000_000_000_001, -1_000_000_001), (Int64.min, -9_223_372_036_855),
        ] as [(Int64, Int64)])
    func tellsTheUnitAtEachBoundary(_ raw: Int64, _ milliseconds: Int64) {
        #expect(StoredTimestamp.milliseconds(fromStored: raw) == milliseconds)
    }

    @Test func writesMillisecondsUnlessToldOtherwise() {
        #expect(StoredTimestamp.stored(milliseconds: 1_700_000_000_123) == 1_700_000_000_123)
        #expect(StoredTimestamp.stored(milliseconds: 1_700_000_000_123, as: .nanoseconds) == 1_700_000_000_123_000_000)
        #expect(StoredTimestamp.stored(milliseconds: 0, as: .nanoseconds) == 0)
        // In 1970, where milliseconds would be taken for seconds.
        #expect(StoredTimestamp.stored(milliseconds: 1_000_000_000) == 1_000_000_000_000_000)
        #expect(StoredTimestamp.stored(milliseconds: .max) == 999_999_999_999_999)
        #expect(StoredTimestamp.stored(milliseconds: .min, as: .nanoseconds) == -999_999_999_999_999)
    }

    @Test(arguments: [StoredTimestamp.Unit.milliseconds, .nanoseconds])
    func whatIsWrittenIsReadBack(_ unit: StoredTimestamp.Unit) throws {
        let seed = SeededGenerator.printedSeed("timestamps")
        var random = SeededGenerator(seed: seed)
        let edges: [Int64] = [
            1_000_000_000, 100_000_000_000, 9_223_372_036_854, 999_999_999_999_998, 62_135_596_800, 0,
        ]
        var times: [Int64] = []
        for edge in edges { times += [edge - 1, edge, edge + 1, -edge - 1, -edge, -edge + 1] }
        for _ in 0..<20_000 {
            // Every magnitude is as likely as another.
            let time = Int64.random(in: -999_999_999_999_999...999_999_999_999_999, using: &random)
            times.append(time >> Int64.random(in: 0...48, using: &random))
        }
        for time in times {
            let stored = StoredTimestamp.stored(milliseconds: time, as: unit)
            try #require(StoredTimestamp.milliseconds(fromStored: stored) == time, "\(time) as \(stored), seed \(seed)")
        }
    }
}
