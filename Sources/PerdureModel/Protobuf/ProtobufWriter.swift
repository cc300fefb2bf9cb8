/// Writes the fields of a message into an array.
///
/// Fields with their default value are left out, as proto3 has it.
package struct ProtobufWriter: Sendable {
    package private(set) var bytes: [UInt8] = []

    package init(reserving count: Int = 0) { self.bytes.reserveCapacity(count) }

    package mutating func write(_ value: UInt64, field number: Int) {
        if value == 0 { return }
        self.tag(number, wireType: 0)
        self.varint(value)
    }

    /// A plain `int64`: negative numbers have ten bytes.
    package mutating func write(_ value: Int64, field number: Int) {
        self.write(UInt64(bitPattern: value), field: number)
    }

    package mutating func write(_ value: Double, field number: Int) {
        // Minus zero is not the default.
        if value.bitPattern == 0 { return }
        self.tag(number, wireType: 1)
        Swift.withUnsafeBytes(of: value.bitPattern.littleEndian) { self.bytes.append(contentsOf: $0) }
    }

    package mutating func write(_ value: String, field number: Int) {
        if value.isEmpty { return }
        self.tag(number, wireType: 2)
        self.varint(UInt64(value.utf8.count))
        self.bytes.append(contentsOf: value.utf8)
    }

    /// A nested message; written even when it is empty.
    package mutating func write(message: [UInt8], field number: Int) {
        self.tag(number, wireType: 2)
        self.varint(UInt64(message.count))
        self.bytes.append(contentsOf: message)
    }

    private mutating func tag(_ number: Int, wireType: UInt64) { self.varint(UInt64(number) << 3 | wireType) }

    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            self.bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        self.bytes.append(UInt8(rest))
    }

    /// How many bytes a number takes.
    package static func byteCount(ofVarint value: UInt64) -> Int {
        (max(UInt64.bitWidth - value.leadingZeroBitCount, 1) + 6) / 7
    }
}
