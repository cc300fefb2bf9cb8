internal import CLZ4

/// LZ4 blocks: the only place that calls the C library.
enum LZ4Block {
    /// No block expands by more than this; a length that claims to is a lie.
    static let maximumExpansion = 255

    /// Appends the compressed form of `source`, if it is smaller than the source itself.
    ///
    /// - Returns: Whether anything was appended.
    static func compress(_ source: UnsafeRawBufferPointer, into buffer: inout CQLBuffer) -> Bool {
        guard let start = source.baseAddress, let count = Int32(exactly: source.count), count > 0 else { return false }
        let written = buffer.fill(atLeast: source.count) { room in
            guard let target = room.baseAddress else { return 0 }
            // One byte less than the source: what does not get smaller is not worth unpacking.
            return Int(LZ4_compress_default(start, target, count, count - 1))
        }
        return written > 0
    }

    /// Decompresses `source` to exactly `room.count` bytes.
    ///
    /// - Returns: Whether the block was sound and had that length.
    static func decompress(_ source: UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer) -> Bool {
        guard let start = source.baseAddress, let target = room.baseAddress,
            let count = Int32(exactly: source.count), let length = Int32(exactly: room.count)
        else { return false }
        return LZ4_decompress_safe(start, target, count, length) == length
    }

    /// Decompresses the first `count` bytes of `source`, appending exactly `length` bytes to `buffer`.
    ///
    /// - Returns: Whether the block was sound and had that length.
    static func decompress(
        _ source: borrowing CQLBuffer, count: Int, to length: Int, into buffer: inout CQLBuffer
    ) -> Bool {
        let written = source.withUnsafeBytes { bytes in
            let block = UnsafeRawBufferPointer(rebasing: bytes[..<count])
            return buffer.fill(atLeast: length) { room in
                self.decompress(block, into: UnsafeMutableRawBufferPointer(rebasing: room[..<length])) ? length : 0
            }
        }
        return written == length
    }
}
