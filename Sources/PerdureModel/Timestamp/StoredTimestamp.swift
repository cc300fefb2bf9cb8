/// The timestamp column of a table that other programs write too.
///
/// Three units are in use, and the column does not say which: seconds (eGo before 4.2), milliseconds (us), nanoseconds (eGo now).
/// The magnitude tells:
///
/// | magnitude | read as | so the range is |
/// |---|---|---|
/// | below 10⁹ | milliseconds | the first eleven days of 1970 |
/// | 10⁹ to 10¹¹ | seconds | September 2001 to the year 5138 |
/// | 10¹¹ to 10¹⁵ | milliseconds | March 1973 to the year 33658 |
/// | from 10¹⁵ | nanoseconds | 12 January 1970 to the year 2262 |
///
/// What Go's zero time becomes, in any unit, is read as 0: unknown. Every time that ``stored(milliseconds:as:)`` writes is read back
/// as it was, as long as its magnitude is below 10¹⁵ ms. No logic may depend on the column.
package enum StoredTimestamp {
    /// The unit that is written.
    package enum Unit: String, Sendable, Hashable {
        /// As the tables are described.
        case milliseconds
        /// As eGo writes them today.
        case nanoseconds
    }

    /// The Unix milliseconds that `raw` means; 0 where it is unknown.
    package static func milliseconds(fromStored raw: Int64) -> Int64 {
        if Self.zeroTimes.contains(raw) { return 0 }
        switch raw.magnitude {
        case ..<Self.firstSecond: return raw
        case ..<Self.firstMillisecond: return raw * 1000
        case ..<Self.firstNanosecond: return raw
        // Rounded down, also before 1970.
        default: return raw >= 0 ? raw / 1_000_000 : -((-(raw + 1)) / 1_000_000) - 1
        }
    }

    /// What to store for a time in Unix milliseconds.
    ///
    /// Times that would be taken for another unit are written in the unit that reads back right; times of 10¹⁵ ms and more
    /// (the year 33658) become the last before it.
    package static func stored(milliseconds: Int64, as unit: Unit = .milliseconds) -> Int64 {
        let limit = Int64(Self.firstNanosecond) - 1
        let time = min(max(milliseconds, -limit), limit)
        let (nanoseconds, overflow) = time.multipliedReportingOverflow(by: 1_000_000)
        let readAsSeconds = time.magnitude >= Self.firstSecond && time.magnitude < Self.firstMillisecond
        let readAsNanoseconds = !overflow && nanoseconds.magnitude >= Self.firstNanosecond
        switch unit {
        case .milliseconds: return readAsSeconds ? nanoseconds : time
        case .nanoseconds: return readAsNanoseconds ? nanoseconds : time
        }
    }

    private static let firstSecond: UInt64 = 1_000_000_000
    private static let firstMillisecond: UInt64 = 100_000_000_000
    private static let firstNanosecond: UInt64 = 1_000_000_000_000_000

    /// Go's zero time, the first of January of the year 1, in nanoseconds (which overflow), milliseconds and seconds.
    private static let zeroTimes: [Int64] = [-6_795_364_578_871_345_152, -62_135_596_800_000, -62_135_596_800]
}
