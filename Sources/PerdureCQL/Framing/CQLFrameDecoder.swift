/// Finds the frames in a stream of bytes, in whatever pieces it comes.
///
/// Give it bytes with ``append(_:)``, or lend its buffer to the socket with ``fill(atLeast:_:)``; then call ``next()``
/// until it returns nil:
///
/// ```swift
/// decoder.fill(atLeast: 16384) { read(socket, $0.baseAddress, $0.count) }
/// while let frame = try decoder.next() { handle(frame) }
/// ```
///
/// It begins with plain frames. In version 5 it goes over to segments by itself once READY or AUTHENTICATE has passed,
/// and from then on accepts its own version only; before, a server may answer in another. Checksums are verified, and
/// sizes are held against ``CQLLimits`` before memory is taken for them: apart from what it was lent it holds one
/// message and one segment at most. After an error it throws that error for ever: the connection must be closed.
public struct CQLFrameDecoder: ~Copyable, Sendable {
    private let version: CQLVersion
    private var compression: CQLCompression?
    private let limits: CQLLimits
    private let role: CQLRole

    private var input = CQLBuffer()
    private var framing = Framing.plain
    /// Whether the handshake is over, so that the version is known.
    private var isSettled = false
    private var failure: CQLProtocolError?

    // Of a self-contained segment: what was not returned yet. In version 5 without compression, or where the segment
    // was not worth compressing, the payload is read where it lies.
    private var payload = Payload.none
    private var decompressed = CQLBuffer()

    // A message that comes in pieces.
    private var partial: Partial?

    private enum Framing {
        case plain
        case segments
    }

    private enum Payload {
        case none
        /// At the front of `decompressed`, which holds nothing else.
        case decompressed
        /// At the front of `input`, so many bytes, before the trailer.
        case input(Int)
    }

    private struct Partial {
        /// Nil until the nine bytes of the header are there: a segment may end within them.
        var header: CQLFrameHeader?
        var bytes: [UInt8] = []
    }

    /// Makes a decoder for one connection.
    ///
    /// - Parameters:
    ///   - version: The version that the connection asks for.
    ///   - compression: What STARTUP asks for; without it a compressed message is an error.
    ///   - limits: How much it may hold.
    ///   - role: Which end it serves; a server goes over to segments after STARTUP.
    public init(
        version: CQLVersion, compression: CQLCompression? = nil, limits: CQLLimits = CQLLimits(),
        role: CQLRole = .client
    ) {
        self.version = version
        self.compression = compression
        self.limits = limits
        self.role = role
    }

    /// Sets the compression that STARTUP asks for, if it was not known when the decoder was made; has no effect after the
    /// handshake.
    public mutating func use(_ compression: CQLCompression?) {
        if !self.isSettled { self.compression = compression }
    }

    /// How many bytes it was given and has not used: none means that the peer stopped between two messages.
    public var pendingByteCount: Int {
        self.input.count + self.decompressed.count + (self.partial?.bytes.count ?? 0)
    }

    /// Takes in bytes that came; they are copied.
    public mutating func append(_ bytes: UnsafeRawBufferPointer) { self.input.append(bytes: bytes) }

    /// Takes in bytes that came.
    public mutating func append(_ bytes: [UInt8]) { self.input.append(bytes: bytes) }

    /// Lends at least `minimum` bytes of room to read into, and takes in as many as the closure says it filled.
    ///
    /// - Returns: How many bytes were taken in.
    @discardableResult
    public mutating func fill<Failure: Error>(
        atLeast minimum: Int, _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Int
    ) throws(Failure) -> Int {
        try self.input.fill(atLeast: minimum, body)
    }

    /// The next frame, or nil until more bytes come.
    ///
    /// - Throws: ``CQLProtocolError`` where the bytes are not what the protocol says; the same error ever after.
    public mutating func next() throws(CQLProtocolError) -> CQLFrame? {
        if let failure = self.failure { throw failure }
        do throws(CQLProtocolError) {
            switch self.framing {
            case .plain: return try self.nextPlain()
            case .segments: return try self.nextFromSegments()
            }
        } catch {
            self.failure = error
            self.partial = nil
            self.payload = .none
            self.input.removeAll()
            self.decompressed.removeAll()
            throw error
        }
    }

    // MARK: Plain frames

    private mutating func nextPlain() throws(CQLProtocolError) -> CQLFrame? {
        if var partial = self.partial, let header = partial.header {
            self.partial = nil  // moved out, so that appending to its bytes does not copy them
            let missing = min(header.length - partial.bytes.count, self.input.count)
            self.input.withUnsafeBytes { partial.bytes.append(contentsOf: $0[..<missing]) }
            self.input.consume(missing)
            guard partial.bytes.count == header.length else {
                self.partial = partial
                return nil
            }
            return try self.finish(CQLFrame(header: header, storage: partial.bytes))
        }
        guard self.input.count >= CQLFrameHeader.byteCount else { return nil }
        let header = try self.input.withUnsafeBytes { bytes throws(CQLProtocolError) in try self.header(bytes) }
        guard self.input.count - CQLFrameHeader.byteCount >= header.length else {
            self.input.consume(CQLFrameHeader.byteCount)
            var partial = Partial(header: header)
            // A header may lie about what follows: take memory for the rest as it comes.
            partial.bytes.reserveCapacity(min(header.length, 1 << 20))
            self.input.withUnsafeBytes { partial.bytes.append(contentsOf: $0) }
            self.input.removeAll()
            self.partial = partial
            return nil
        }
        let frame = self.input.withUnsafeBytes { CQLFrame(header: header, copying: $0) }
        self.input.consume(CQLFrameHeader.byteCount + header.length)
        return try self.finish(frame)
    }

    // MARK: Segments

    private mutating func nextFromSegments() throws(CQLProtocolError) -> CQLFrame? {
        while true {
            switch self.payload {
            case .none:
                guard try self.openSegment() else { return nil }
                if let frame = try self.finishPartial() { return frame }
            case .decompressed:
                let frame = try self.decompressed.withUnsafeBytes { bytes throws(CQLProtocolError) in
                    try self.wholeFrame(in: bytes)
                }
                self.decompressed.consume(CQLFrameHeader.byteCount + frame.header.length)
                if self.decompressed.isEmpty { self.payload = .none }
                return try self.finish(frame)
            case .input(let count):
                let frame = try self.input.withUnsafeBytes { bytes throws(CQLProtocolError) in
                    try self.wholeFrame(in: UnsafeRawBufferPointer(rebasing: bytes[..<count]))
                }
                let used = CQLFrameHeader.byteCount + frame.header.length
                let isLast = used == count
                self.input.consume(isLast ? used + Segment.trailerLength : used)
                self.payload = isLast ? .none : .input(count - used)
                return try self.finish(frame)
            }
        }
    }

    /// Verifies the next segment, if all of it is there: its payload is then in `payload` or added to `partial`.
    private mutating func openSegment() throws(CQLProtocolError) -> Bool {
        let compressed = self.compression != nil
        let headerLength = Segment.Header.byteCount(compressed: compressed)
        guard self.input.count >= headerLength else { return false }
        let header = try self.input.withUnsafeBytes { bytes throws(CQLProtocolError) in
            try Segment.Header(bytes, compressed: compressed)
        }
        let length = header.length
        guard self.input.count >= headerLength + length + Segment.trailerLength else { return false }
        try self.input.withUnsafeBytes { bytes throws(CQLProtocolError) in
            let payload = UnsafeRawBufferPointer(rebasing: bytes[headerLength..<headerLength + length])
            let crc = bytes.loadUnaligned(fromByteOffset: headerLength + length, as: UInt32.self)
            guard UInt32(littleEndian: crc) == CRC32.of(payload) else {
                throw .malformed("the checksum of a segment's payload of \(length) bytes is wrong")
            }
        }
        self.input.consume(headerLength)
        if header.uncompressedLength > 0 {
            // Seventeen bits: never more than 128 KiB, whatever they claim.
            let isSound = LZ4Block.decompress(
                self.input, count: length, to: header.uncompressedLength, into: &self.decompressed)
            guard isSound else { throw .malformed("a segment's payload of \(length) bytes cannot be decompressed") }
            self.input.consume(length + Segment.trailerLength)
            if header.isSelfContained {
                try self.requireNoPartial()
                self.payload = .decompressed
            } else {
                var partial = self.takePartial()
                try self.decompressed.withUnsafeBytes { bytes throws(CQLProtocolError) in
                    try self.add(bytes, to: &partial)
                }
                self.partial = partial
                self.decompressed.removeAll()
            }
        } else if header.isSelfContained {
            try self.requireNoPartial()
            if length == 0 { self.input.consume(Segment.trailerLength) } else { self.payload = .input(length) }
        } else {
            var partial = self.takePartial()
            try self.input.withUnsafeBytes { bytes throws(CQLProtocolError) in
                try self.add(UnsafeRawBufferPointer(rebasing: bytes[..<length]), to: &partial)
            }
            self.partial = partial
            self.input.consume(length + Segment.trailerLength)
        }
        return true
    }

    private func requireNoPartial() throws(CQLProtocolError) {
        guard self.partial == nil else {
            throw .malformed("a segment of whole messages came in the middle of a message in parts")
        }
    }

    /// Moved out, so that appending to its bytes does not copy them.
    private mutating func takePartial() -> Partial {
        let partial = self.partial ?? Partial()
        self.partial = nil
        return partial
    }

    private func add(_ part: UnsafeRawBufferPointer, to partial: inout Partial) throws(CQLProtocolError) {
        partial.bytes.append(contentsOf: part)
        if partial.header == nil, partial.bytes.count >= CQLFrameHeader.byteCount {
            let header = try partial.bytes.lend { bytes throws(CQLProtocolError) in try self.header(bytes) }
            partial.header = header
            partial.bytes.reserveCapacity(min(header.length + CQLFrameHeader.byteCount, 1 << 20))
        }
        if let header = partial.header, partial.bytes.count > CQLFrameHeader.byteCount + header.length {
            throw .malformed("a message in parts is longer than the \(header.length) bytes its header says")
        }
    }

    private mutating func finishPartial() throws(CQLProtocolError) -> CQLFrame? {
        guard let partial = self.partial, let header = partial.header,
            partial.bytes.count == CQLFrameHeader.byteCount + header.length
        else { return nil }
        self.partial = nil
        return try self.finish(
            CQLFrame(header: header, storage: partial.bytes, start: CQLFrameHeader.byteCount))
    }

    private func wholeFrame(in payload: UnsafeRawBufferPointer) throws(CQLProtocolError) -> CQLFrame {
        guard payload.count >= CQLFrameHeader.byteCount else {
            throw .truncated("a frame's header in a segment", need: CQLFrameHeader.byteCount, have: payload.count)
        }
        let header = try self.header(payload)
        guard payload.count - CQLFrameHeader.byteCount >= header.length else {
            throw .truncated("a frame's body in a segment", need: header.length, have: payload.count)
        }
        return CQLFrame(header: header, copying: payload)
    }

    // MARK: Both

    /// Reads and checks a header from bytes of which there are enough.
    private func header(_ bytes: UnsafeRawBufferPointer) throws(CQLProtocolError) -> CQLFrameHeader {
        let isResponse = bytes[0] & 0x80 != 0
        guard isResponse == (self.role == .client) else {
            throw .malformed("a \(isResponse ? "response" : "request") where the opposite must come")
        }
        let version = bytes[0] & 0x7F
        let isAcceptable = self.isSettled ? version == self.version.rawValue : version >= 3
        guard isAcceptable else {
            throw .malformed("a frame of version \(version) on a connection of version \(self.version.rawValue)")
        }
        guard let opcode = CQLOpcode(rawValue: bytes[4]) else { throw .malformed("opcode \(bytes[4]) is not known") }
        let length = Int(Int32(bigEndian: bytes.loadUnaligned(fromByteOffset: 5, as: Int32.self)))
        guard length >= 0 else { throw .malformed("a frame claims a length of \(length) bytes") }
        guard length <= self.limits.received else {
            throw .limit("a frame of \(length) bytes is over the limit of \(self.limits.received)")
        }
        return CQLFrameHeader(
            version: version, flags: CQLFrameHeader.Flags(rawValue: bytes[1]),
            stream: Int16(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: Int16.self)), opcode: opcode,
            length: length)
    }

    private mutating func finish(_ frame: CQLFrame) throws(CQLProtocolError) -> CQLFrame {
        if !self.isSettled { self.settle(after: frame.header) }
        guard frame.header.flags.contains(.compressed), frame.header.version < CQLVersion.v5.rawValue else {
            return frame
        }
        return try self.decompress(frame)
    }

    private mutating func settle(after header: CQLFrameHeader) {
        guard header.version == self.version.rawValue else { return }
        switch (self.role, header.opcode) {
        case (.client, .ready), (.client, .authenticate), (.server, .startup):
            self.isSettled = true
            if self.version >= .v5 { self.framing = .segments }
        default: break
        }
    }

    /// Version 4: a length of four bytes, then a block.
    private func decompress(_ frame: CQLFrame) throws(CQLProtocolError) -> CQLFrame {
        guard self.compression != nil else {
            throw .malformed("a compressed frame on a connection without compression")
        }
        let storage = try frame.storage.lend(from: frame.start) { bytes throws(CQLProtocolError) -> [UInt8] in
            var reader = WireReader(bytes)
            let length = Int(try reader.integer(Int32.self, "the length of a compressed frame"))
            guard length >= 0, length <= self.limits.received else {
                throw .limit("a frame of \(length) bytes is over the limit of \(self.limits.received)")
            }
            if length == 0 { return [] }
            let block = try reader.lend(reader.remaining, "a compressed frame")
            guard length <= block.count * LZ4Block.maximumExpansion else {
                throw .malformed("\(block.count) bytes cannot hold \(length) bytes compressed")
            }
            var isSound = false
            let body = [UInt8](unsafeUninitializedCapacity: length) { room, count in
                let exact = UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: room[..<length]))
                isSound = LZ4Block.decompress(block, into: exact)
                count = isSound ? length : 0
            }
            guard isSound else { throw .malformed("a frame of \(block.count) bytes cannot be decompressed") }
            return body
        }
        return CQLFrame(header: frame.header, storage: storage)
    }
}

extension CQLFrame {
    /// The answer to most writes: kept once, so that a write allocates nothing for it.
    private static let void: [UInt8] = [0, 0, 0, 1]

    /// Copies the body that follows the header in `bytes`; all of it must be there.
    fileprivate init(header: CQLFrameHeader, copying bytes: UnsafeRawBufferPointer) {
        let body = UnsafeRawBufferPointer(
            rebasing: bytes[CQLFrameHeader.byteCount..<CQLFrameHeader.byteCount + header.length])
        if body.count == 4, UInt32(bigEndian: body.loadUnaligned(as: UInt32.self)) == 1 {
            self.init(header: header, storage: Self.void)
        } else {
            self.init(header: header, storage: [UInt8](body))
        }
    }
}
