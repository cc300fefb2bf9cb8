/// A place on the ring: what Cassandra's `Murmur3Partitioner` makes of a partition key.
public struct CQLToken: Sendable, Hashable, Comparable {
    /// The place; from the lowest number but one to the highest.
    public var value: Int64

    /// Makes a token from its number.
    public init(_ value: Int64) { self.value = value }

    /// Reads a token as `system.local` and `system.peers_v2` hold it; nil for those of other partitioners.
    public init?(_ text: String) {
        guard let value = Int64(text) else { return nil }
        self.value = value
    }

    /// Orders tokens along the ring.
    public static func < (left: CQLToken, right: CQLToken) -> Bool { left.value < right.value }

    /// The token of a partition key: of one column its bytes, of several a ``CQLPartitionKey``.
    public init(partitionKey bytes: UnsafeRawBufferPointer) {
        guard !bytes.isEmpty else {
            self.value = .min
            return
        }
        let hash = Murmur3.hash(bytes)
        // The lowest number means "before everything" and is no key's.
        self.value = hash == .min ? .max : hash
    }

    /// The token of a partition key: of one column its bytes, of several a ``CQLPartitionKey``.
    public init(partitionKey bytes: [UInt8]) {
        self = bytes.withUnsafeBytes { CQLToken(partitionKey: $0) }
    }
}

/// Puts the columns of a partition key together, as Cassandra hashes them.
public struct CQLPartitionKey: Sendable, Hashable {
    private var parts: [[UInt8]] = []

    /// Makes a key without columns.
    public init() {}

    /// Adds the bytes of the next column.
    public mutating func append(_ bytes: [UInt8]) { self.parts.append(bytes) }

    /// Adds the next column.
    ///
    /// - Throws: ``CQLProtocolError`` where it is null or not of that type.
    public mutating func append<Value: CQLEncodable>(
        _ value: Value, as type: CQLType? = nil
    ) throws(CQLProtocolError) {
        guard !value.isCQLNull else { throw .mismatch("a column of a partition key cannot be null") }
        var buffer = CQLBuffer()
        try value.encodeCQL(into: &buffer, as: type)
        self.parts.append(buffer.withUnsafeBytes { [UInt8]($0) })
    }

    /// The bytes that are hashed: of one column its own; of several each with its length before and a zero behind.
    ///
    /// - Throws: ``CQLProtocolError`` for a column of more than 65 535 bytes: the server refuses such a key too.
    public func encoded() throws(CQLProtocolError) -> [UInt8] {
        if self.parts.count == 1 { return self.parts[0] }
        var bytes: [UInt8] = []
        for part in self.parts {
            guard let length = UInt16(exactly: part.count) else {
                throw .limit("a column of \(part.count) bytes cannot be in a partition key")
            }
            bytes.append(UInt8(length >> 8))
            bytes.append(UInt8(length & 0xFF))
            bytes.append(contentsOf: part)
            bytes.append(0)
        }
        return bytes
    }

    /// The key's token.
    ///
    /// - Throws: ``CQLProtocolError`` as ``encoded()`` does.
    public func token() throws(CQLProtocolError) -> CQLToken { CQLToken(partitionKey: try self.encoded()) }
}

/// The first half of MurmurHash3's 128 bits for x64, with Cassandra's deviation.
enum Murmur3 {
    private static let c1: UInt64 = 0x87C3_7B91_1142_53D5
    private static let c2: UInt64 = 0x4CF5_AD43_2745_937F

    static func hash(_ bytes: UnsafeRawBufferPointer) -> Int64 {
        var h1: UInt64 = 0
        var h2: UInt64 = 0
        let blocks = bytes.count / 16
        for block in 0..<blocks {
            let k1 = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: block * 16, as: UInt64.self))
            let k2 = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: block * 16 + 8, as: UInt64.self))
            h1 ^= self.mix1(k1)
            h1 = self.rotate(h1, 27) &+ h2
            h1 = h1 &* 5 &+ 0x52DC_E729
            h2 ^= self.mix2(k2)
            h2 = self.rotate(h2, 31) &+ h1
            h2 = h2 &* 5 &+ 0x3849_5AB5
        }
        var k1: UInt64 = 0
        var k2: UInt64 = 0
        let tail = blocks * 16
        for index in tail..<bytes.count {
            // The deviation: Java's bytes are signed, so that one over 127 sets all the bits above it too.
            let byte = UInt64(bitPattern: Int64(Int8(bitPattern: bytes[index])))
            let place = UInt64(index - tail)
            if place < 8 { k1 ^= byte << (place * 8) } else { k2 ^= byte << ((place - 8) * 8) }
        }
        h1 ^= self.mix1(k1)
        h2 ^= self.mix2(k2)
        h1 ^= UInt64(bytes.count)
        h2 ^= UInt64(bytes.count)
        h1 &+= h2
        h2 &+= h1
        h1 = self.finish(h1)
        h2 = self.finish(h2)
        return Int64(bitPattern: h1 &+ h2)
    }

    @inline(__always)
    private static func rotate(_ value: UInt64, _ bits: UInt64) -> UInt64 { value << bits | value >> (64 - bits) }

    @inline(__always)
    private static func mix1(_ value: UInt64) -> UInt64 { self.rotate(value &* self.c1, 31) &* self.c2 }

    @inline(__always)
    private static func mix2(_ value: UInt64) -> UInt64 { self.rotate(value &* self.c2, 33) &* self.c1 }

    @inline(__always)
    private static func finish(_ value: UInt64) -> UInt64 {
        var value = value
        value ^= value >> 33
        value = value &* 0xFF51_AFD7_ED55_8CCD
        value ^= value >> 33
        value = value &* 0xC4CE_B9FE_1A85_EC53
        value ^= value >> 33
        return value
    }
}
