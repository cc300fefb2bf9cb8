internal import Glibc

/// Bytes that grow at their end, at an address that stays while nothing is added: what requests are written into.
///
/// `@unchecked Sendable`: written by one task, then only read; whoever hands it on does not write any more.
final class ByteBuffer: @unchecked Sendable {
    private(set) var start: UnsafeMutablePointer<UInt8>
    private(set) var count = 0
    private var capacity: Int

    init(capacity: Int = 512) {
        self.capacity = max(capacity, 16)
        self.start = .allocate(capacity: self.capacity)
    }

    deinit { self.start.deallocate() }

    /// What is in it, until something is added.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: self.start, count: self.count) }

    func removeAll() { self.count = 0 }

    /// Makes room for `more` bytes and gives the place where they go; ``advance(by:)`` says how many came.
    @inline(__always)
    func reserve(_ more: Int) -> UnsafeMutablePointer<UInt8> {
        if self.count + more > self.capacity { self.grow(more) }
        return self.start + self.count
    }

    @inline(__always)
    func advance(by count: Int) { self.count += count }

    @inline(never)
    private func grow(_ more: Int) {
        let capacity = max(self.capacity * 2, self.count + more)
        let start = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
        start.update(from: self.start, count: self.count)
        self.start.deallocate()
        (self.start, self.capacity) = (start, capacity)
    }

    // MARK: Adding

    @inline(__always)
    func append(_ byte: UInt8) {
        self.reserve(1).pointee = byte
        self.count += 1
    }

    func append(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress else { return }
        memcpy(self.reserve(bytes.count), source, bytes.count)
        self.count += bytes.count
    }

    func append(_ text: StaticString) {
        let count = text.utf8CodeUnitCount
        memcpy(self.reserve(count), text.utf8Start, count)
        self.count += count
    }

    func append(_ text: String) {
        var text = text
        text.withUTF8 { self.append(UnsafeRawBufferPointer($0)) }
    }

    func append(_ bytes: [UInt8]) { bytes.withUnsafeBytes { self.append($0) } }

    func append(hex bytes: UnsafeRawBufferPointer) {
        let place = self.reserve(bytes.count * 2)
        for (index, byte) in bytes.enumerated() {
            place[2 * index] = Self.hexDigit(byte >> 4)
            place[2 * index + 1] = Self.hexDigit(byte & 15)
        }
        self.count += bytes.count * 2
    }

    static func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + (value - 10)
    }
}

extension ByteBuffer {
    /// Adds a JSON string.
    func append(json text: String) {
        var text = text
        text.withUTF8 { bytes in
            self.append(UInt8(ascii: "\""))
            var start = 0
            for (index, byte) in bytes.enumerated()
            where byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                self.append(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(bytes)[start..<index]))
                self.append(escaped: byte)
                start = index + 1
            }
            self.append(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(bytes)[start...]))
            self.append(UInt8(ascii: "\""))
        }
    }

    private func append(escaped byte: UInt8) {
        if byte >= 0x20 {
            self.append(UInt8(ascii: "\\"))
            self.append(byte)
        } else {
            self.append("\\u00")
            self.append(Self.hexDigit(byte >> 4))
            self.append(Self.hexDigit(byte & 15))
        }
    }

    /// Adds a JSON string of base64.
    func append(base64 bytes: [UInt8]) {
        let place = self.reserve(Base64.encodedCount(bytes.count) + 2)
        place[0] = UInt8(ascii: "\"")
        let count = bytes.withUnsafeBytes { Base64.encode($0, to: place + 1) }
        place[count + 1] = UInt8(ascii: "\"")
        self.advance(by: count + 2)
    }
}
