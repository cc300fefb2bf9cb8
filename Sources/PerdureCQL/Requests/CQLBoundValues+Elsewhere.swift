// Values that are bound before it is known which connection they travel on: a client binds them where its caller is, once,
// and copies their bytes into each message that it sends them with.
extension CQLBoundValues {
    /// Begins values outside of a message.
    ///
    /// - Parameter markers: The markers of the statement; nil where they are not known.
    package init(for markers: [CQLColumn]?) {
        self.init()
        self.markers = markers
    }

    /// How many bytes the values have.
    package var byteCount: Int { self.buffer.count }

    /// Begins the values of the next statement behind those that are there.
    package mutating func begin(for markers: [CQLColumn]) {
        self.markers = markers
        self.count = 0
        self.named = 0
    }

    /// Ends the values of a statement.
    ///
    /// - Returns: How many there are.
    /// - Throws: ``CQLProtocolError`` where a marker has no value, or only some values are bound by name.
    package func checkedCount() throws(CQLProtocolError) -> Int {
        guard self.count <= 65535 else { throw .limit("a statement has at most 65535 values") }
        guard self.named == 0 || self.named == self.count else {
            throw .mismatch("\(self.named) of \(self.count) values are bound by name; it must be all or none")
        }
        if let markers = self.markers, self.named == 0, self.count != markers.count {
            throw .mismatch("\(self.count) values are bound; the statement has \(markers.count) markers")
        }
        return self.count
    }

    /// Forgets the markers, and with them who shares them.
    package mutating func forgetMarkers() { self.markers = nil }

    /// Binds all values that were bound elsewhere.
    package mutating func bind(all other: borrowing CQLBoundValues) {
        self.count = other.count
        self.named = other.named
        other.buffer.withUnsafeBytes { self.buffer.append(bytes: $0) }
    }

    /// Binds those of the values bound elsewhere that lie in `bytes`.
    package mutating func bind(_ count: Int, of other: borrowing CQLBoundValues, in bytes: Range<Int>) {
        self.count = count
        other.buffer.withUnsafeBytes { self.buffer.append(bytes: UnsafeRawBufferPointer(rebasing: $0[bytes])) }
    }

    /// The token of the partition that the values from `start` on name.
    ///
    /// - Parameters:
    ///   - keyMarkers: Which values make the partition key, in the key's order.
    ///   - start: Where the values of the statement begin.
    /// - Returns: The token; nil where there is no key, or a part of it is null or too long: the server will say so.
    package func token(keyMarkers: [Int], from start: Int = 0) -> CQLToken? {
        guard let first = keyMarkers.first, self.named == 0 else { return nil }
        return self.buffer.withUnsafeBytes { bytes in
            func value(_ index: Int) -> UnsafeRawBufferPointer? {
                var position = start
                for _ in 0..<index {
                    guard position + 4 <= bytes.count else { return nil }
                    position = ValuePlace(at: position, in: bytes).end
                }
                guard position + 4 <= bytes.count else { return nil }
                return ValuePlace(at: position, in: bytes).bytes(in: bytes)
            }
            if keyMarkers.count == 1 { return value(first).map { CQLToken(partitionKey: $0) } }
            var length = 0
            for marker in keyMarkers {
                guard let part = value(marker), part.count <= Int(UInt16.max) else { return nil }
                length += part.count + 3
            }
            return withUnsafeTemporaryAllocation(byteCount: length, alignment: 1) { key in
                var position = 0
                for marker in keyMarkers {
                    guard let part = value(marker) else { return nil }
                    key.storeBytes(of: UInt16(part.count).bigEndian, toByteOffset: position, as: UInt16.self)
                    if let base = part.baseAddress, let target = key.baseAddress, part.count > 0 {
                        (target + position + 2).copyMemory(from: base, byteCount: part.count)
                    }
                    position += part.count + 3
                    key[position - 1] = 0
                }
                return CQLToken(partitionKey: UnsafeRawBufferPointer(key))
            }
        }
    }
}
