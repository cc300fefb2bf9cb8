import Testing

@testable import PerdureCLI

@Suite("Times as people write them")
struct TimeOptionTests {
    @Test(
        "dates, times and durations",
        arguments: [
            ("1970-01-01", 0), ("2000-02-29", 951_782_400_000), ("2023-11-14T22:13:20Z", 1_700_000_000_000),
            ("2023-11-14T22:13:20.123Z", 1_700_000_000_000), ("0s", 5_000_000_000), ("90s", 4_999_910_000),
            ("2h", 4_992_800_000), ("7d", 4_395_200_000), ("1m", 4_999_940_000),
        ])
    func times(_ text: String, _ expected: Int64) {
        #expect(TimeOption(text, now: 5_000_000_000)?.milliseconds == expected)
    }

    @Test(
        "what is none",
        arguments: [
            "", "s", "-1s", "2x", "2023", "2023-13-01", "2023-1-01", "2023-01-32", "2023-01-01T", "2023-01-01T10:00:00",
            "2023-01-01T25:00:00Z", "2023-01-01T+1:00:00Z", "99999999999999999999s", "é", "T", "Z", "2023-01-01TZ",
        ])
    func nonsense(_ text: String) { #expect(TimeOption(text, now: 0) == nil) }

    @Test("durations are told in their two largest units")
    func took() {
        let texts = [-1, 0, 999, 1_000, 59_999, 60_000, 3_725_000, 90_000_000].map { TookText(milliseconds: $0).text }
        #expect(texts == ["0 ms", "0 ms", "999 ms", "1.000 s", "59.999 s", "1 min 0 s", "1 h 2 min", "1 d 1 h"])
    }
}
