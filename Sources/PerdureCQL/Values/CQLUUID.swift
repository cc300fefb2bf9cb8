/// A UUID: 16 bytes, compared and ordered as bytes.
public struct CQLUUID: Sendable, Hashable {
    /// The first eight bytes, most significant first.
    public var high: UInt64
    /// The last eight bytes, most significant first.
    public var low: UInt64

    /// Makes a UUID from its two halves.
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Reads the usual form, `8-4-4-4-12` hexadecimal digits in either case; nil for anything else.
    public init?(_ text: String) {
        var value: (UInt64, UInt64) = (0, 0)
        var digits = 0
        for (position, character) in text.utf8.enumerated() {
            switch position {
            case 8, 13, 18, 23:
                guard character == UInt8(ascii: "-") else { return nil }
            default:
                guard digits < 32, let digit = Character(UnicodeScalar(character)).hexDigitValue, character < 0x80
                else {
                    return nil
                }
                value = (value.0 << 4 | value.1 >> 60, value.1 << 4 | UInt64(digit))
                digits += 1
            }
        }
        guard digits == 32, text.utf8.count == 36 else { return nil }
        self.init(high: value.0, low: value.1)
    }

    /// The version that the UUID says it has: 1 for time-based, 4 for random, 7 for time-ordered.
    public var version: Int { Int((self.high >> 12) & 0xF) }

    /// For version 1: the time in it, in units of 100 ns since 1582-10-15; nil for other versions.
    public var timestamp: UInt64? {
        guard self.version == 1 else { return nil }
        return (self.high & 0xFFF) << 48 | ((self.high >> 16) & 0xFFFF) << 32 | self.high >> 32
    }

    /// For version 1: the time in it, in milliseconds since 1970; nil for other versions.
    public var unixMilliseconds: Int64? {
        self.timestamp.map { (Int64($0) - 0x01B2_1DD2_1381_4000).flooredQuotient(by: 10_000) }
    }
}

extension Int64 {
    func flooredQuotient(by divisor: Int64) -> Int64 {
        let (quotient, remainder) = self.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}

extension CQLUUID: Comparable, CustomStringConvertible {
    /// Orders by bytes.
    public static func < (left: CQLUUID, right: CQLUUID) -> Bool {
        left.high != right.high ? left.high < right.high : left.low < right.low
    }

    /// The usual form in lower case.
    public var description: String {
        func hex(_ value: UInt64, _ digits: Int) -> String {
            let text = String(value, radix: 16)
            return String(repeating: "0", count: digits - text.utf8.count) + text
        }
        let parts = [
            hex(self.high >> 32, 8), hex((self.high >> 16) & 0xFFFF, 4), hex(self.high & 0xFFFF, 4),
            hex(self.low >> 48, 4), hex(self.low & 0xFFFF_FFFF_FFFF, 12),
        ]
        return parts.joined(separator: "-")
    }
}
