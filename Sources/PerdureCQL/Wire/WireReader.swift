/// Reads the notations of the protocol from lent bytes; throws where they end too early, never traps.
struct WireReader {
    private let bytes: UnsafeRawBufferPointer
    private(set) var offset: Int

    @inline(__always)
    init(_ bytes: UnsafeRawBufferPointer, at offset: Int = 0) {
        self.bytes = bytes
        self.offset = offset
    }

    @inline(__always)
    var remaining: Int { self.bytes.count - self.offset }

    /// An integer, most significant byte first.
    @inline(__always)
    mutating func integer<Integer: FixedWidthInteger>(
        _: Integer.Type = Integer.self, _ what: StaticString = "an integer"
    ) throws(CQLProtocolError) -> Integer {
        let size = MemoryLayout<Integer>.size
        guard self.remaining >= size else { throw .truncated(what, need: size, have: self.remaining) }
        let value = self.bytes.loadUnaligned(fromByteOffset: self.offset, as: Integer.self)
        self.offset += size
        return Integer(bigEndian: value)
    }

    /// `count` bytes, lent.
    @inline(__always)
    mutating func lend(_ count: Int, _ what: StaticString) throws(CQLProtocolError) -> UnsafeRawBufferPointer {
        guard count >= 0, self.remaining >= count else { throw .truncated(what, need: count, have: self.remaining) }
        let start = self.offset
        self.offset += count
        return UnsafeRawBufferPointer(rebasing: self.bytes[start..<start + count])
    }

    /// `[bytes]`, lent: nil where the length is negative.
    @inline(__always)
    mutating func bytesOrNull(_ what: StaticString) throws(CQLProtocolError) -> UnsafeRawBufferPointer? {
        let count = Int(try self.integer(Int32.self, what))
        return count < 0 ? nil : try self.lend(count, what)
    }

    /// `[bytes]`, copied.
    mutating func bytesCopy(_ what: StaticString) throws(CQLProtocolError) -> [UInt8]? {
        try self.bytesOrNull(what).map { [UInt8]($0) }
    }

    /// `[short bytes]`, copied.
    mutating func shortBytes(_ what: StaticString) throws(CQLProtocolError) -> [UInt8] {
        [UInt8](try self.lend(Int(try self.integer(UInt16.self, what)), what))
    }

    /// `[string]`.
    mutating func string(_ what: StaticString) throws(CQLProtocolError) -> String {
        try String(utf8: try self.lend(Int(try self.integer(UInt16.self, what)), what), what)
    }

    /// `[string list]`.
    mutating func stringList(_ what: StaticString) throws(CQLProtocolError) -> [String] {
        let count = try self.count(of: UInt16.self, eachAtLeast: 2, what)
        var list: [String] = []
        list.reserveCapacity(count)
        for _ in 0..<count { list.append(try self.string(what)) }
        return list
    }

    /// A count whose elements take at least so many bytes each: a count that cannot be true is refused before anything
    /// is allocated for it.
    mutating func count<Integer: FixedWidthInteger>(
        of _: Integer.Type, eachAtLeast size: Int, _ what: StaticString
    ) throws(CQLProtocolError) -> Int {
        let count = Int(try self.integer(Integer.self, what))
        guard count >= 0, count <= self.remaining / size else {
            throw .malformed("\(what): \(count) elements cannot be in the \(self.remaining) bytes that are left")
        }
        return count
    }
}

extension String {
    /// A text from bytes that must be UTF-8.
    @inline(__always)
    init(utf8 bytes: UnsafeRawBufferPointer, _ what: StaticString) throws(CQLProtocolError) {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw .malformed("\(what) is not UTF-8 (\(bytes.count) bytes)")
        }
        self = text
    }
}

extension CQLBuffer {
    /// Writes a `[string]`.
    mutating func append(string: String, _ what: StaticString) throws(CQLProtocolError) {
        let position = self.count
        self.append(UInt16(0))
        let length = self.append(utf8: string)
        guard let short = UInt16(exactly: length) else {
            throw .limit("\(what) has \(length) bytes; at most 65535 can be sent")
        }
        self.overwrite(short, at: position)
    }

    /// Writes a `[long string]`.
    mutating func append(longString: String) throws(CQLProtocolError) {
        let position = self.count
        self.append(Int32(0))
        let length = self.append(utf8: longString)
        guard let int = Int32(exactly: length) else { throw .limit("a text of \(length) bytes cannot be sent") }
        self.overwrite(int, at: position)
    }

    /// Writes `[short bytes]`.
    mutating func append(shortBytes: [UInt8], _ what: StaticString) throws(CQLProtocolError) {
        guard let short = UInt16(exactly: shortBytes.count) else {
            throw .limit("\(what) has \(shortBytes.count) bytes; at most 65535 can be sent")
        }
        self.append(short)
        self.append(bytes: shortBytes)
    }

    /// Writes `[bytes]`: nil as null.
    mutating func append(bytesOrNull bytes: [UInt8]?) throws(CQLProtocolError) {
        guard let bytes else { return self.append(Int32(-1)) }
        guard let count = Int32(exactly: bytes.count) else { throw .limit("\(bytes.count) bytes cannot be sent") }
        self.append(count)
        self.append(bytes: bytes)
    }
}
