/// A time that a person named: `2026-11-21`, `2026-11-21T14:05:09Z`, or how long ago, as in `90s`, `15m`, `2h`, `7d`.
struct TimeOption: Sendable, Equatable {
    /// In Unix milliseconds.
    let milliseconds: Int64

    /// Nil where the text names no time.
    init?(_ text: String, now: Int64) {
        if let unit = text.last, let length = Self.units[unit], let count = Int64(text.dropLast()) {
            guard (0...1_000_000_000).contains(count) else { return nil }
            self.milliseconds = now - count * length
            return
        }
        let parts = text.split(separator: "T", maxSplits: 1, omittingEmptySubsequences: false)
        let date = Self.numbers(parts[0], separatedBy: "-", widths: [4, 2, 2])
        guard let date, (1...12).contains(date[1]), (1...31).contains(date[2]) else { return nil }
        var seconds: Int64 = 0
        if parts.count == 2 {
            guard parts[1].hasSuffix("Z") else { return nil }
            let time = parts[1].dropLast().prefix { $0 != "." }
            guard let time = Self.numbers(time, separatedBy: ":", widths: [2, 2, 2]), time[0] < 24, time[1] < 60,
                time[2] < 61
            else { return nil }
            seconds = time[0] * 3_600 + time[1] * 60 + time[2]
        }
        self.milliseconds = (Self.day(date[0], date[1], date[2]) * 86_400 + seconds) * 1_000
    }

    private static let units: [Character: Int64] = ["s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000]

    private static func numbers(_ text: Substring, separatedBy separator: Character, widths: [Int]) -> [Int64]? {
        let parts = text.split(separator: separator, omittingEmptySubsequences: false)
        guard parts.map(\.count) == widths else { return nil }
        let numbers = parts.compactMap { part in part.allSatisfy { "0123456789".contains($0) } ? Int64(part) : nil }
        return numbers.count == widths.count ? numbers : nil
    }

    /// The days since 1970-01-01, in the Gregorian calendar. Years are counted from March; see ``UTCTime``.
    private static func day(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}

extension Invocation {
    /// An option as a time.
    ///
    /// - Throws: ``Misuse`` when it is none.
    func time(_ name: String, now: Int64) throws(Misuse) -> Int64? {
        guard let text = self.option(name) else { return nil }
        guard let time = TimeOption(text, now: now) else {
            throw Misuse(
                "--\(name) takes a time such as 2026-11-21, 2026-11-21T14:05:09Z or 2h (ago); not \(text.debugDescription)"
            )
        }
        return time.milliseconds
    }
}
