/// The outer framing of version 5.
///
/// A header with its checksum, a payload of whole messages or of a part of one, and the payload's checksum. All integers
/// are little-endian.
enum Segment {
    /// The most bytes that fit into the payload of one segment.
    static let maximumPayload = (1 << 17) - 1
    static let trailerLength = 4

    struct Header {
        /// Bytes of the payload as it travels.
        var length: Int
        /// Bytes of the payload when decompressed; 0 where it travels as it is.
        var uncompressedLength: Int
        /// Whether the payload holds whole messages.
        var isSelfContained: Bool

        /// How many bytes a header has, its checksum included.
        @inline(__always)
        static func byteCount(compressed: Bool) -> Int { compressed ? 8 : 6 }

        /// Reads a header from bytes of which there are enough.
        init(_ bytes: UnsafeRawBufferPointer, compressed: Bool) throws(CQLProtocolError) {
            let size = compressed ? 5 : 3
            var fields: UInt64 = 0
            for index in 0..<size { fields |= UInt64(bytes[index]) << (8 * UInt64(index)) }
            var crc: UInt32 = 0
            for index in 0..<3 { crc |= UInt32(bytes[size + index]) << (8 * UInt32(index)) }
            guard crc == CRC24.of(fields, count: size) else {
                throw .malformed("the checksum of a segment's header is wrong")
            }
            self.length = Int(fields & 0x1FFFF)
            self.uncompressedLength = compressed ? Int((fields >> 17) & 0x1FFFF) : 0
            self.isSelfContained = (fields >> (compressed ? 34 : 17)) & 1 == 1
        }

        init(length: Int, uncompressedLength: Int, isSelfContained: Bool) {
            self.length = length
            self.uncompressedLength = uncompressedLength
            self.isSelfContained = isSelfContained
        }

        /// Writes the header over the zeros that stand at `position`.
        func write(into buffer: inout CQLBuffer, at position: Int, compressed: Bool) {
            let size = compressed ? 5 : 3
            var fields = UInt64(self.length)
            if compressed { fields |= UInt64(self.uncompressedLength) << 17 }
            if self.isSelfContained { fields |= 1 << (compressed ? 34 : 17) }
            let crc = UInt64(CRC24.of(fields, count: size))
            if compressed {
                buffer.overwrite((fields | crc << 40).byteSwapped, at: position)
            } else {
                buffer.overwrite(UInt32(truncatingIfNeeded: fields | crc << 24).byteSwapped, at: position)
                buffer.overwrite(UInt16(truncatingIfNeeded: crc >> 8).byteSwapped, at: position + 4)
            }
        }
    }

    /// Appends one segment with `payload`, compressed if that makes it smaller.
    static func append(
        _ payload: UnsafeRawBufferPointer, isSelfContained: Bool, compressed: Bool, to buffer: inout CQLBuffer
    ) {
        let start = buffer.count
        buffer.reserve(8 + payload.count + self.trailerLength)
        if compressed {
            buffer.append(UInt64(0))
        } else {
            buffer.append(UInt32(0))
            buffer.append(UInt16(0))
        }
        let payloadStart = buffer.count
        var header = Header(length: payload.count, uncompressedLength: 0, isSelfContained: isSelfContained)
        if compressed, LZ4Block.compress(payload, into: &buffer) {
            header.length = buffer.count - payloadStart
            header.uncompressedLength = payload.count
        } else {
            buffer.append(bytes: payload)
        }
        header.write(into: &buffer, at: start, compressed: compressed)
        let crc = buffer.withUnsafeBytes { CRC32.of(UnsafeRawBufferPointer(rebasing: $0[payloadStart...])) }
        buffer.append(crc.byteSwapped)
    }
}
