/// The checksum that DynamoDB sends with its answers (`x-amz-crc32`): CRC-32 as in zip and Ethernet, eight bytes a step.
enum CRC32 {
    static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        guard let start = bytes.baseAddress, let tables = Self.tables.baseAddress else { return 0 }
        var crc: UInt32 = 0xffff_ffff
        var index = 0
        while index + 8 <= bytes.count {
            let low = UInt32(littleEndian: start.loadUnaligned(fromByteOffset: index, as: UInt32.self)) ^ crc
            let high = UInt32(littleEndian: start.loadUnaligned(fromByteOffset: index + 4, as: UInt32.self))
            crc =
                tables[7 * 256 + Int(low & 255)] ^ tables[6 * 256 + Int(low >> 8 & 255)]
                ^ tables[5 * 256 + Int(low >> 16 & 255)] ^ tables[4 * 256 + Int(low >> 24)]
            crc ^=
                tables[3 * 256 + Int(high & 255)] ^ tables[2 * 256 + Int(high >> 8 & 255)]
                ^ tables[256 + Int(high >> 16 & 255)] ^ tables[Int(high >> 24)]
            index += 8
        }
        while index < bytes.count {
            crc = tables[Int((crc ^ UInt32(bytes[index])) & 255)] ^ crc >> 8
            index += 1
        }
        return ~crc
    }

    /// Table `n` advances a byte over `n` zero bytes. Never freed.
    nonisolated(unsafe) private static let tables: UnsafeBufferPointer<UInt32> = {
        let tables = UnsafeMutableBufferPointer<UInt32>.allocate(capacity: 8 * 256)
        for byte in 0..<256 {
            var crc = UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xedb8_8320 : crc >> 1 }
            tables[byte] = crc
        }
        for place in 256..<(8 * 256) {
            let before = tables[place - 256]
            tables[place] = tables[Int(before & 255)] ^ before >> 8
        }
        return UnsafeBufferPointer(tables)
    }()
}
