/// The checksum over the header of a segment.
enum CRC24 {
    private static let polynomial: UInt32 = 0x197_4F0B
    private static let initial: UInt32 = 0x87_5060

    private static let table: [UInt32] = (0..<256).map { byte in
        var crc = UInt32(byte) << 16
        for _ in 0..<8 {
            crc <<= 1
            if crc & 0x100_0000 != 0 { crc ^= polynomial }
        }
        return crc & 0xFF_FFFF
    }

    /// Of the lowest `count` bytes of `value`, the lowest first.
    static func of(_ value: UInt64, count: Int) -> UInt32 {
        var crc = self.initial
        var rest = value
        for _ in 0..<count {
            let index = Int(((crc >> 16) ^ UInt32(truncatingIfNeeded: rest)) & 0xFF)
            crc = ((crc << 8) & 0xFF_FFFF) ^ self.table[index]
            rest >>= 8
        }
        return crc
    }
}

/// The checksum over the payload of a segment: CRC-32 as in zip, begun with four fixed bytes.
enum CRC32 {
    // Sixteen tables, so that sixteen bytes are taken at a time: 0.4 ns a byte instead of 2.3.
    // Never written after it was made; hence it can be read from anywhere.
    nonisolated(unsafe) private static let tables: UnsafePointer<UInt32> = {
        let tables = UnsafeMutablePointer<UInt32>.allocate(capacity: 16 * 256)
        for byte in 0..<256 {
            var crc = UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 != 0 ? (crc >> 1) ^ 0xEDB8_8320 : crc >> 1 }
            tables[byte] = crc
        }
        for table in 1..<16 {
            for byte in 0..<256 {
                let before = tables[(table - 1) * 256 + byte]
                tables[table * 256 + byte] = (before >> 8) ^ tables[Int(before & 0xFF)]
            }
        }
        return UnsafePointer(tables)
    }()

    private static let afterPrefix: UInt32 = {
        let prefix: [UInt8] = [0xFA, 0x2D, 0x55, 0xCA]
        return ~prefix.withUnsafeBytes { update(~0, with: $0) }
    }()

    static func of(_ payload: UnsafeRawBufferPointer) -> UInt32 { ~self.update(~self.afterPrefix, with: payload) }

    private static func update(_ crc: UInt32, with bytes: UnsafeRawBufferPointer) -> UInt32 {
        let tables = self.tables
        var crc = crc
        var position = 0
        while bytes.count - position >= 16 {
            let a = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt32.self)) ^ crc
            let b = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: position + 4, as: UInt32.self))
            let c = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: position + 8, as: UInt32.self))
            let d = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: position + 12, as: UInt32.self))
            let first = Self.four(tables + 12 * 256, a) ^ Self.four(tables + 8 * 256, b)
            crc = first ^ Self.four(tables + 4 * 256, c) ^ Self.four(tables, d)
            position += 16
        }
        while position < bytes.count {
            crc = (crc >> 8) ^ tables[Int((crc ^ UInt32(bytes[position])) & 0xFF)]
            position += 1
        }
        return crc
    }

    @inline(__always)
    private static func four(_ tables: UnsafePointer<UInt32>, _ word: UInt32) -> UInt32 {
        tables[768 + Int(word & 0xFF)] ^ tables[512 + Int((word >> 8) & 0xFF)]
            ^ tables[256 + Int((word >> 16) & 0xFF)] ^ tables[Int(word >> 24)]
    }
}
