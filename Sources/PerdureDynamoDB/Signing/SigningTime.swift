/// A moment as signatures write it, `20150830T123600Z`, made by hand: formatters are forty times slower.
struct SigningTime: Equatable {
    /// Unix seconds.
    let second: Int64
    private let high: UInt64
    private let low: UInt64

    init(unixMilliseconds: Int64) { self.init(second: unixMilliseconds / 1_000) }

    init(second: Int64) {
        self.second = second
        let (year, month, day) = Self.date(ofDay: second / 86_400)
        let time = Int(second % 86_400)
        var text: (UInt64, UInt64) = (0, 0)
        withUnsafeMutableBytes(of: &text) { text in
            func digits(_ value: Int, at place: Int, count: Int) {
                var value = value
                for index in stride(from: place + count - 1, through: place, by: -1) {
                    text[index] = UInt8(ascii: "0") + UInt8(value % 10)
                    value /= 10
                }
            }
            digits(year, at: 0, count: 4)
            digits(month, at: 4, count: 2)
            digits(day, at: 6, count: 2)
            text[8] = UInt8(ascii: "T")
            digits(time / 3_600, at: 9, count: 2)
            digits(time / 60 % 60, at: 11, count: 2)
            digits(time % 60, at: 13, count: 2)
            text[15] = UInt8(ascii: "Z")
        }
        (self.high, self.low) = text
    }

    /// Lends the 16 bytes of the text; its first 8 are the date.
    func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        withUnsafeBytes(of: (self.high, self.low), body)
    }

    /// The day, as a number that changes with it.
    var day: Int64 { self.second / 86_400 }

    /// Year, month and day of a day since 1970, by counting in eras of 400 years that begin in March.
    static func date(ofDay day: Int64) -> (year: Int, month: Int, day: Int) {
        let shifted = Int(day) + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
    }

    /// The day since 1970 of a date; the inverse of ``date(ofDay:)``.
    static func day(year: Int, month: Int, day: Int) -> Int64 {
        let year = month <= 2 ? year - 1 : year
        let era = (year >= 0 ? year : year - 399) / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return Int64(era * 146_097 + dayOfEra - 719_468)
    }
}
