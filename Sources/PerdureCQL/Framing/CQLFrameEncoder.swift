/// Writes messages in the form that a connection has agreed on.
///
/// Messages gather until ``flush()``; then their bytes wait in ``withUnsentBytes(_:)`` until ``sent(_:)`` says that they
/// are gone:
///
/// ```swift
/// try encoder.query("SELECT …", stream: 3)
/// try encoder.execute(statement, stream: 4) { values throws(CQLProtocolError) in try values.bind(id) }
/// encoder.flush()
/// let count = encoder.withUnsentBytes { write(socket, $0.baseAddress, $0.count) }
/// encoder.sent(count)
/// ```
///
/// In version 5 whatever gathered between two flushes shares its segments, up to 128 KiB each; a longer message gets
/// segments of its own. It begins with plain frames and goes over to segments by itself after STARTUP, as the protocol
/// wants. A message that cannot be written throws and leaves nothing behind. Its two buffers are used again and again: a
/// steady stream of requests allocates nothing.
public struct CQLFrameEncoder: ~Copyable, Sendable {
    let version: CQLVersion
    private var compression: CQLCompression?
    private let limits: CQLLimits
    private let role: CQLRole
    /// Written and not flushed yet: plain frames, one after the other.
    var statements = CQLBatchStatements()
    /// Of `statements`' bytes, those before here travel without segments.
    private var plainCount = 0
    private var isSettled = false
    private var output = CQLBuffer()
    private var scratch = CQLBuffer()

    /// Makes an encoder for one connection.
    ///
    /// - Parameters:
    ///   - version: The version that the connection asks for.
    ///   - compression: What STARTUP asks for.
    ///   - limits: The largest message it will write.
    ///   - role: Which end it serves.
    public init(
        version: CQLVersion, compression: CQLCompression? = nil, limits: CQLLimits = CQLLimits(),
        role: CQLRole = .client
    ) {
        self.version = version
        self.compression = compression
        self.limits = limits
        self.role = role
    }

    /// Sets the compression that STARTUP asks for, if it was not known when the encoder was made; has no effect after the
    /// handshake.
    public mutating func use(_ compression: CQLCompression?) {
        if !self.isSettled { self.compression = compression }
    }

    // MARK: Sending

    /// How many bytes wait to be flushed.
    public var gatheredByteCount: Int { self.statements.values.buffer.count }

    /// How many flushed bytes wait to be sent.
    public var unsentByteCount: Int { self.output.count }

    /// Makes what gathered ready to be sent.
    public mutating func flush() {
        if self.plainCount > 0 {
            if self.plainCount == self.statements.values.buffer.count, self.output.isEmpty {
                swap(&self.output, &self.statements.values.buffer)
            } else {
                let count = self.plainCount
                self.statements.values.buffer.withUnsafeBytes {
                    self.output.append(bytes: UnsafeRawBufferPointer(rebasing: $0[..<count]))
                }
                self.statements.values.buffer.consume(count)
            }
            self.plainCount = 0
        }
        guard !self.statements.values.buffer.isEmpty else { return }
        Self.seal(self.statements.values.buffer, compressed: self.compression != nil, into: &self.output)
        self.statements.values.buffer.removeAll()
    }

    /// Lends the bytes to send; the pointer is valid during the call only.
    public borrowing func withUnsentBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try self.output.withUnsafeBytes(body)
    }

    /// Forgets `count` bytes that were sent.
    public mutating func sent(_ count: Int) { self.output.consume(count) }

    /// Flushes, and takes out all bytes as an array: for tests and for small tools.
    public mutating func takeBytes() -> [UInt8] {
        self.flush()
        let bytes = self.output.withUnsafeBytes { [UInt8]($0) }
        self.output.removeAll()
        return bytes
    }

    /// Puts whole messages into as few segments as hold them, and a message too long for one into several of its own.
    private static func seal(_ messages: borrowing CQLBuffer, compressed: Bool, into output: inout CQLBuffer) {
        messages.withUnsafeBytes { bytes in
            var start = 0  // of what the next segment will hold
            var end = 0
            func close() {
                guard end > start else { return }
                Segment.append(
                    UnsafeRawBufferPointer(rebasing: bytes[start..<end]), isSelfContained: true,
                    compressed: compressed, to: &output)
                start = end
            }
            while end < bytes.count {
                let length = Int(UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: end + 5, as: UInt32.self)))
                let next = end + CQLFrameHeader.byteCount + length
                if next - start > Segment.maximumPayload { close() }
                if next - end > Segment.maximumPayload {
                    while start < next {
                        end = min(start + Segment.maximumPayload, next)
                        Segment.append(
                            UnsafeRawBufferPointer(rebasing: bytes[start..<end]), isSelfContained: false,
                            compressed: compressed, to: &output)
                        start = end
                    }
                }
                end = next
            }
            close()
        }
    }

    // MARK: One message

    /// Writes one message whose body the closure writes: for peers that a test scripts, and for what is not offered below.
    ///
    /// - Throws: ``CQLProtocolError`` where the body is over the limit, or what `body` throws.
    public mutating func message(
        _ opcode: CQLOpcode, stream: Int16, flags: CQLFrameHeader.Flags = [],
        _ body: (inout CQLBuffer) throws(CQLProtocolError) -> Void
    ) throws(CQLProtocolError) {
        let start = self.begin(opcode, stream, flags)
        do throws(CQLProtocolError) {
            try body(&self.statements.values.buffer)
            try self.end(at: start, opcode)
        } catch {
            self.rollBack(to: start)
            throw error
        }
    }

    /// Writes a header without its length, and says where it is.
    mutating func begin(_ opcode: CQLOpcode, _ stream: Int16, _ flags: CQLFrameHeader.Flags) -> Int {
        let start = self.statements.values.buffer.count
        let version = self.version.rawValue | (self.role == .server ? 0x80 : 0)
        self.statements.values.buffer.append(
            UInt32(version) << 24 | UInt32(flags.rawValue) << 16 | UInt32(UInt16(bitPattern: stream)))
        self.statements.values.buffer.append(opcode.rawValue)
        self.statements.values.buffer.append(UInt32(0))
        return start
    }

    /// Ends the message that was begun at `start`.
    mutating func end(at start: Int, _ opcode: CQLOpcode) throws(CQLProtocolError) {
        try self.close(at: start, opcode)
        self.statements.values.markers = nil
        if self.version < .v5 || !self.isSettled { self.plainCount = self.statements.values.buffer.count }
        switch (self.role, opcode) {
        case (.client, .startup), (.server, .ready), (.server, .authenticate): self.isSettled = true
        default: break
        }
    }

    /// Leaves nothing of the message that was begun at `start`.
    mutating func rollBack(to start: Int) {
        self.statements.values.buffer.truncate(to: start)
        self.statements.values.markers = nil
    }

    private mutating func close(at start: Int, _ opcode: CQLOpcode) throws(CQLProtocolError) {
        let bodyStart = start + CQLFrameHeader.byteCount
        var length = self.statements.values.buffer.count - bodyStart
        guard length <= self.limits.sent else {
            throw .limit("a message of \(length) bytes is over the limit of \(self.limits.sent)")
        }
        if self.version < .v5, self.compression != nil, length > 0, opcode != .startup {
            // Version 4 compresses each body by itself: a length of four bytes, then a block.
            self.scratch.removeAll()
            let isSmaller = self.statements.values.buffer.withUnsafeBytes {
                LZ4Block.compress(UnsafeRawBufferPointer(rebasing: $0[bodyStart...]), into: &self.scratch)
            }
            if isSmaller, self.scratch.count + 4 < length {
                let flags = self.statements.values.buffer.withUnsafeBytes { $0[start + 1] }
                self.statements.values.buffer.truncate(to: bodyStart)
                self.statements.values.buffer.overwrite(
                    flags | CQLFrameHeader.Flags.compressed.rawValue, at: start + 1)
                self.statements.values.buffer.append(UInt32(truncatingIfNeeded: length))
                self.scratch.withUnsafeBytes { self.statements.values.buffer.append(bytes: $0) }
                length = self.scratch.count + 4
            }
        }
        self.statements.values.buffer.overwrite(UInt32(truncatingIfNeeded: length), at: start + 5)
    }
}
