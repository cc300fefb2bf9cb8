/// A growing run of bytes, written at its end and consumed at its front.
///
/// The one place that encoders write to and decoders read from: it is allocated once and used again, so that a steady
/// stream of requests allocates nothing. Integers are written big-endian.
///
/// It has one owner and cannot be copied. A buffer that grew over 1 MiB for a large message gives the memory back once
/// it has been emptied.
///
/// `@unchecked Sendable`: the memory is reachable through this value only, and this value has one owner.
public struct CQLBuffer: ~Copyable, @unchecked Sendable {
    @usableFromInline var base: UnsafeMutableRawPointer?
    @usableFromInline var capacity = 0
    @usableFromInline var head = 0
    @usableFromInline var tail = 0
    private static let retained = 1 << 20

    /// Makes an empty buffer; it allocates when first written to.
    public init() { self.base = nil }

    deinit { self.base?.deallocate() }

    /// The number of bytes that were written and not consumed.
    @inlinable public var count: Int { self.tail - self.head }

    /// Whether nothing is left to consume.
    @inlinable public var isEmpty: Bool { self.tail == self.head }

    /// Lends the bytes that are left; the pointer is valid during the call only.
    @inlinable public borrowing func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(UnsafeRawBufferPointer(start: self.base.map { UnsafeRawPointer($0) + self.head }, count: self.count))
    }

    /// Lends room for `minimum` bytes or more, and counts in as many as the closure says it filled.
    ///
    /// For reading from a socket straight into the buffer. What the closure returns is clamped to the room lent.
    ///
    /// - Returns: How many bytes were counted in.
    @discardableResult
    public mutating func fill<Failure: Error>(
        atLeast minimum: Int, _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Int
    ) throws(Failure) -> Int {
        self.reserve(max(1, minimum))
        let room = UnsafeMutableRawBufferPointer(
            start: self.base.map { $0 + self.tail }, count: self.capacity - self.tail)
        let filled = min(max(0, try body(room)), room.count)
        self.tail += filled
        return filled
    }

    /// Drops `count` bytes from the front, or all if there are fewer.
    @inlinable public mutating func consume(_ count: Int) {
        self.head += min(max(0, count), self.count)
        if self.head == self.tail { self.reset() }
    }

    /// Drops everything; keeps the memory unless it is large.
    public mutating func removeAll() {
        self.head = self.tail
        self.reset()
    }

    @usableFromInline mutating func reset() {
        self.head = 0
        self.tail = 0
        if self.capacity > Self.retained {
            self.base?.deallocate()
            self.base = nil
            self.capacity = 0
        }
    }

    /// Makes room for `count` more bytes.
    @inlinable public mutating func reserve(_ count: Int) {
        if self.capacity - self.tail < count { self.grow(by: count) }
    }

    @inline(never) @usableFromInline
    mutating func grow(by count: Int) {
        let used = self.count
        // Room at the front first: what was consumed there is free, if moving the rest is cheap.
        if let base = self.base, self.capacity - used >= count, self.head >= used {
            base.copyMemory(from: base + self.head, byteCount: used)
        } else {
            let capacity = max(used + count, self.capacity * 2, 512)
            let new = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
            if let old = self.base {
                new.copyMemory(from: old + self.head, byteCount: used)
                old.deallocate()
            }
            self.base = new
            self.capacity = capacity
        }
        self.head = 0
        self.tail = used
    }

    /// Writes an integer, most significant byte first.
    @inlinable public mutating func append<Integer: FixedWidthInteger>(_ value: Integer) {
        let size = MemoryLayout<Integer>.size
        self.reserve(size)
        self.base?.storeBytes(of: value.bigEndian, toByteOffset: self.tail, as: Integer.self)
        self.tail += size
    }

    /// Writes bytes.
    @inlinable public mutating func append(bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress, bytes.count > 0 else { return }
        self.reserve(bytes.count)
        if let base = self.base { (base + self.tail).copyMemory(from: source, byteCount: bytes.count) }
        self.tail += bytes.count
    }

    /// Writes bytes.
    @inlinable public mutating func append(bytes: [UInt8]) {
        bytes.withUnsafeBytes { self.append(bytes: $0) }
    }

    /// Writes the UTF-8 of a text, without a length.
    ///
    /// - Returns: The number of bytes written.
    @inlinable @discardableResult
    public mutating func append(utf8 text: String) -> Int {
        let before = self.tail - self.head
        if text.utf8.withContiguousStorageIfAvailable({ self.append(bytes: UnsafeRawBufferPointer($0)) }) == nil {
            // Only strings bridged from elsewhere come here; Linux has none.
            for byte in text.utf8 { self.append(byte) }
        }
        return self.count - before
    }

    // Positions below are counted from the first byte that is left.

    /// Overwrites an integer that was written before.
    @inlinable mutating func overwrite<Integer: FixedWidthInteger>(_ value: Integer, at position: Int) {
        precondition(position >= 0 && position + MemoryLayout<Integer>.size <= self.count)
        self.base?.storeBytes(of: value.bigEndian, toByteOffset: self.head + position, as: Integer.self)
    }

    /// Forgets what was written after `position`.
    @inlinable mutating func truncate(to position: Int) {
        precondition(position >= 0 && position <= self.count)
        self.tail = self.head + position
    }
}
