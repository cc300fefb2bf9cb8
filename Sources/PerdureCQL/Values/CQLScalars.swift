/// A day, counted from 1970-01-01; `date` in CQL.
public struct CQLDate: Sendable, Hashable {
    /// Days since 1970-01-01; negative before.
    public var daysSince1970: Int32

    /// Makes a day.
    public init(daysSince1970: Int32) { self.daysSince1970 = daysSince1970 }
}

/// A time of day; `time` in CQL.
public struct CQLTime: Sendable, Hashable {
    /// Nanoseconds since midnight, from 0 to 86 399 999 999 999; the server refuses others.
    public var nanosecondsSinceMidnight: Int64

    /// Makes a time of day.
    public init(nanosecondsSinceMidnight: Int64) { self.nanosecondsSinceMidnight = nanosecondsSinceMidnight }
}

/// A point in time; `timestamp` in CQL.
public struct CQLTimestamp: Sendable, Hashable {
    /// Milliseconds since 1970, UTC; negative before.
    public var unixMilliseconds: Int64

    /// Makes a point in time.
    public init(unixMilliseconds: Int64) { self.unixMilliseconds = unixMilliseconds }
}

/// A span of months, days and nanoseconds, which cannot be converted into each other; `duration` in CQL.
public struct CQLDuration: Sendable, Hashable {
    /// Months.
    public var months: Int32
    /// Days.
    public var days: Int32
    /// Nanoseconds.
    public var nanoseconds: Int64

    /// Makes a span; the server refuses spans whose parts have different signs.
    public init(months: Int32, days: Int32, nanoseconds: Int64) {
        self.months = months
        self.days = days
        self.nanoseconds = nanoseconds
    }
}

/// An integer of any size, as bytes; `varint` in CQL.
public struct CQLVarint: Sendable, Hashable {
    /// Two's complement, most significant byte first, at least one byte.
    public var bytes: [UInt8]

    /// Makes a number from two's complement bytes.
    public init(bytes: [UInt8]) { self.bytes = bytes }

    /// Makes a number in its shortest form.
    public init(_ value: Int64) {
        let all = withUnsafeBytes(of: value.bigEndian) { [UInt8]($0) }
        var start = 0
        // A byte is left out where the sign of the next says the same.
        while start < 7, (all[start] == 0 && all[start + 1] < 0x80) || (all[start] == 0xFF && all[start + 1] >= 0x80) {
            start += 1
        }
        self.bytes = [UInt8](all[start...])
    }

    /// The number, if it fits 64 bits.
    public var int64: Int64? {
        guard let first = self.bytes.first else { return nil }
        let sign: UInt8 = first >= 0x80 ? 0xFF : 0
        let rest = self.bytes.drop { $0 == sign }
        let digits = rest.suffix(8)
        var value: UInt64 = sign == 0 ? 0 : .max
        for byte in digits { value = value << 8 | UInt64(byte) }
        let number = Int64(bitPattern: value)
        guard rest.count <= 8, (number < 0) == (sign != 0) else { return nil }
        return number
    }
}

/// A decimal number of any size: `unscaled × 10^(−scale)`; `decimal` in CQL.
public struct CQLDecimal: Sendable, Hashable {
    /// The digits as one integer.
    public var unscaled: CQLVarint
    /// How many of them stand behind the point.
    public var scale: Int32

    /// Makes a number. Two numbers are equal here only if scale and bytes are.
    public init(unscaled: CQLVarint, scale: Int32) {
        self.unscaled = unscaled
        self.scale = scale
    }
}
