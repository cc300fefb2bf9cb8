// The signed integers of variable length that durations are made of: zig-zag, then as many leading one bits as bytes
// follow the first, then the number, most significant byte first.

extension CQLBuffer {
    mutating func append(vint value: Int64) {
        let number = UInt64(bitPattern: (value >> 63) ^ (value << 1))
        let bits = 64 - (number | 1).leadingZeroBitCount
        // One byte holds 7 bits, two hold 14 …, eight hold 56; with nine all bits of the first only count.
        let extra = min(8, (bits - 1) / 7)
        if extra == 8 {
            self.append(UInt8(0xFF))
        } else {
            let mark = UInt8(truncatingIfNeeded: ~(0xFF >> extra))
            self.append(mark | UInt8(truncatingIfNeeded: number >> (8 * UInt64(extra))))
        }
        for index in stride(from: extra - 1, through: 0, by: -1) {
            self.append(UInt8(truncatingIfNeeded: number >> (8 * UInt64(index))))
        }
    }
}

extension WireReader {
    mutating func vint(_ what: StaticString) throws(CQLProtocolError) -> Int64 {
        let first = try self.integer(UInt8.self, what)
        let extra = (~first).leadingZeroBitCount
        var number = extra >= 7 ? 0 : UInt64(first & (0xFF >> UInt8(extra)))
        for byte in try self.lend(extra, what) { number = number << 8 | UInt64(byte) }
        return Int64(bitPattern: number >> 1) ^ -Int64(bitPattern: number & 1)
    }
}
