import Testing

@testable import PerdureDynamoDB

@Suite("Texts in keys")
struct KeyTextTests {
    @Test("times are RFC 3339, come back, and sort as they do")
    func times() {
        #expect(KeyText.time(1_700_000_000_123) == "2023-11-14T22:13:20.123Z")
        #expect(KeyText.time(0) == "1970-01-01T00:00:00.000Z")
        #expect(KeyText.time(-1) == "1969-12-31T23:59:59.999Z")
        let times: [Int64] = [
            .min, .min + 1, -62_167_219_200_001, -62_167_219_200_000, -62_135_596_800_000, -1, 0, 1, 999, 1_000,
            951_782_400_000, 1_700_000_000_123, 253_402_300_799_999, 253_402_300_800_000, .max - 1, .max,
        ]
        for time in times { #expect(KeyText.milliseconds(KeyText.time(time)) == time) }
        let texts = times.map { Array(KeyText.time($0).utf8) }
        for (earlier, later) in zip(texts, texts.dropFirst()) { #expect(earlier.lexicographicallyPrecedes(later)) }
    }

    @Test(
        "times of other programs are read",
        arguments: [
            ("2023-11-14T22:13:20Z", 1_700_000_000_000), ("2023-11-14T22:13:20.5Z", 1_700_000_000_500),
            ("2023-11-14T22:13:20.123456789Z", 1_700_000_000_123),
        ])
    func foreign(_ text: String, _ time: Int64) { #expect(KeyText.milliseconds(text) == time) }

    @Test("what is no time is none", arguments: ["", "now", "2023-13-14T22:13:20Z", "2023-11-14 22:13:20Z", "!x", "~"])
    func noise(_ text: String) { #expect(KeyText.milliseconds(text) == nil) }

    @Test("long names are shortened, and none for another")
    func longNames() {
        let long = String(repeating: "é", count: 600)
        let shortened = KeyText.fitting("STEP#", long + "a")
        #expect(shortened.utf8.count < 1_024)
        #expect(shortened != KeyText.fitting("STEP#", long + "b"))
        #expect(KeyText.fitting("STEP#", "reserve") == "STEP#reserve")
        #expect(KeyText.fitting("", String(shortened.dropFirst(5))) != String(shortened.dropFirst(5)))
    }

    @Test("higher priorities come first")
    func priorities() {
        let texts = [Int.max, 7, 1, 0, -1, .min].map { KeyText.digits(descending: $0) }
        #expect(texts == texts.sorted() && Set(texts.map(\.count)) == [20])
    }
}
