import Testing

@testable import PerdureCQL

/// What a peer can send, a peer will send.
@Suite struct FramingNoiseTests {
    enum Form: String, CaseIterable, CustomTestStringConvertible {
        case v4, v4lz4, v5, v5lz4
        var version: CQLVersion { self == .v4 || self == .v4lz4 ? .v4 : .v5 }
        var compression: CQLCompression? { self == .v4lz4 || self == .v5lz4 ? .lz4 : nil }
        var testDescription: String { self.rawValue }
    }

    /// A server's side of a conversation: a handshake, results of all kinds, a message of several segments.
    static func stream(
        _ form: Form, seed: UInt64 = 1, big: Bool = true, every step: Int = 1
    ) throws -> (bytes: [UInt8], frames: [CQLFrame]) {
        var encoder = CQLFrameEncoder(version: form.version, compression: form.compression, role: .server)
        try encoder.message(.supported, stream: 0) { buffer throws(CQLProtocolError) in buffer.append(UInt16(0)) }
        try encoder.message(.ready, stream: 0) { _ throws(CQLProtocolError) in }
        var bytes = encoder.takeBytes()
        var random = Seeded(seed)
        let keys = ResponseVectorTests.keys.filter { $0.hasPrefix("response.v5") }
        for (index, key) in keys.enumerated() where index % step == step - 1 {
            let frame = try ResponseVectorTests.frame(try Vector.bytes(key))
            try encoder.message(frame.header.opcode, stream: frame.header.stream, flags: frame.header.flags) {
                buffer throws(CQLProtocolError) in buffer.append(bytes: frame.body)
            }
            if index % (3 * step) == step - 1 { bytes += encoder.takeBytes() }
        }
        if big {
            try encoder.message(.result, stream: 8) { buffer throws(CQLProtocolError) in
                buffer.append(UInt32(1))
                for _ in 0..<75_000 { buffer.append(UInt32.random(in: 0..<(1 << 20), using: &random)) }
            }
        }
        try encoder.message(.result, stream: 9) { buffer throws(CQLProtocolError) in buffer.append(UInt32(1)) }
        bytes += encoder.takeBytes()
        var decoder = CQLFrameDecoder(version: form.version, compression: form.compression)
        decoder.append(bytes)
        let frames = try FramingVectorTests.frames(&decoder)
        #expect(decoder.pendingByteCount == 0)
        return (bytes, frames)
    }

    @Test("what is written is read", arguments: Form.allCases)
    func roundTrip(form: Form) throws {
        let (_, frames) = try Self.stream(form)
        let keys = ResponseVectorTests.keys.filter { $0.hasPrefix("response.v5") }
        #expect(frames.count == keys.count + 4)
        for (frame, key) in zip(frames.dropFirst(2), keys) {
            let original = try ResponseVectorTests.frame(try Vector.bytes(key))
            #expect(frame.body == original.body)
            // The bodies are version 5's.
            if form.version == .v5 { #expect(try CQLResponse(frame).message == CQLResponse(original).message) }
        }
        #expect(frames.last?.header.stream == 9)
    }

    @Test("a stream reads the same in any pieces", arguments: Form.allCases)
    func chunking(form: Form) throws {
        func check(_ stream: (bytes: [UInt8], frames: [CQLFrame]), _ name: String, _ sizes: () -> Int) throws {
            var decoder = CQLFrameDecoder(version: form.version, compression: form.compression)
            var found: [CQLFrame] = []
            var position = 0
            while position < stream.bytes.count {
                let end = min(stream.bytes.count, position + max(1, sizes()))
                decoder.append([UInt8](stream.bytes[position..<end]))
                found += try FramingVectorTests.frames(&decoder)
                position = end
            }
            #expect(found == stream.frames, "\(name)")
            #expect(decoder.pendingByteCount == 0)
        }
        let small = try Self.stream(form, big: false)
        for size in [1, 2, 3, 5, 9, 10, 64] { try check(small, "pieces of \(size)") { size } }
        let big = try Self.stream(form)
        for size in [1000, 4096, 131_081, 200_000] { try check(big, "pieces of \(size)") { size } }
        print("chunking seeds 1...8")
        for seed in UInt64(1)...8 {
            var random = Seeded(seed)
            try check(small, "seed \(seed)") { Int.random(in: 1...40, using: &random) }
            try check(big, "seed \(seed)") { Int.random(in: 1...5000, using: &random) }
        }
    }

    @Test("a stream that ends anywhere gives whole frames only", arguments: Form.allCases)
    func truncation(form: Form) throws {
        let (bytes, frames) = try Self.stream(form, big: false, every: 4)
        var last = 0
        for count in 0...bytes.count {
            var decoder = CQLFrameDecoder(version: form.version, compression: form.compression)
            decoder.append([UInt8](bytes[..<count]))
            let found = try FramingVectorTests.frames(&decoder)
            #expect(found == Array(frames.prefix(found.count)))
            #expect(found.count >= last)
            last = found.count
        }
        #expect(last == frames.count)
    }

    @Test("with checksums any changed bit is noticed", arguments: [Form.v5, .v5lz4])
    func corruption(form: Form) throws {
        let (bytes, frames) = try Self.stream(form, big: false, every: 4)
        // The two frames of the handshake have no checksum.
        let plain = 9 + 2 + 9
        for position in plain..<bytes.count {
            var changed = bytes
            changed[position] ^= 1 << UInt8(position % 8)
            var decoder = CQLFrameDecoder(version: form.version, compression: form.compression)
            decoder.append(changed)
            var found: [CQLFrame] = []
            #expect(throws: CQLProtocolError.self) {
                while let frame = try decoder.next() { found.append(frame) }
                // A changed length can make a segment seem longer than the stream; its header's checksum must object.
                if found.count < frames.count { throw CQLProtocolError(.truncated, "ended") }
            }
            #expect(found == Array(frames.prefix(found.count)))
            #expect(found.count < frames.count)
        }
    }

    @Test("noise never traps, and what is read of it is bounded", arguments: Form.allCases)
    func mutation(form: Form) throws {
        let (bytes, _) = try Self.stream(form, big: false)
        let rounds = 150
        for seed in UInt64(1)...UInt64(rounds) {
            if seed == 1 { print("mutation seeds 1...\(rounds)") }
            var random = Seeded(seed)
            var noisy = bytes
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                let position = Int.random(in: 0..<noisy.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: noisy[position] = UInt8.random(in: 0...255, using: &random)
                case 1: noisy[position] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                case 2: noisy.remove(at: position)
                default: noisy.insert(UInt8.random(in: 0...255, using: &random), at: position)
                }
            }
            var decoder = CQLFrameDecoder(
                version: form.version, compression: form.compression, limits: CQLLimits(received: 1 << 16))
            decoder.append(noisy)
            var error: CQLProtocolError?
            do throws(CQLProtocolError) {
                while let frame = try decoder.next() { Self.readAll(frame) }
            } catch let thrown {
                error = thrown
            }
            if let error {
                // It throws the same for ever, and holds nothing.
                #expect(decoder.pendingByteCount == 0)
                #expect { try decoder.next() } throws: { $0 as? CQLProtocolError == error }
            }
        }
    }

    @Test("noise in the bodies of responses never traps", arguments: ResponseVectorTests.keys)
    func bodies(key: String) throws {
        let frame = try ResponseVectorTests.frame(try Vector.bytes(key))
        for count in 0..<frame.body.count {
            Self.readAll(CQLFrame(header: frame.header, storage: [UInt8](frame.body[..<count])))
        }
        guard !frame.body.isEmpty else { return }
        for seed in UInt64(1)...150 {
            var random = Seeded(seed)
            var body = frame.body
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let position = Int.random(in: 0..<body.count, using: &random)
                body[position] =
                    Bool.random(using: &random)
                    ? [0, 0x7F, 0x80, 0xFF].randomElement(using: &random) ?? 0
                    : UInt8.random(in: 0...255, using: &random)
            }
            var header = frame.header
            if seed % 10 == 0 {
                header.flags = CQLFrameHeader.Flags(rawValue: UInt8.random(in: 0...15, using: &random))
            }
            Self.readAll(CQLFrame(header: header, storage: body))
        }
    }

    /// Reads everything that can be read of a frame; errors are fine.
    static func readAll(_ frame: CQLFrame) {
        guard let response = try? CQLResponse(frame), case .rows(let rows) = response.message else { return }
        for row in rows {
            for index in 0..<min(row.columnCount, 10) {
                _ = try? row.decode(CQLValue.self, at: index)
                _ = try? row.decode(String?.self, at: index)
                _ = try? row.decode([[Int64]]?.self, at: index)
            }
        }
    }

    @Test("sizes are refused before memory is taken for them") func limits() throws {
        func refused(
            _ bytes: String, _ form: Form, _ code: CQLProtocolError.Code, settled: Bool = true,
            sourceLocation: SourceLocation = #_sourceLocation
        ) throws {
            var decoder = CQLFrameDecoder(
                version: form.version, compression: form.compression, limits: CQLLimits(received: 5000))
            if settled {
                decoder.append([form.version.rawValue | 0x80, 0, 0, 0, 2, 0, 0, 0, 0])
                _ = try decoder.next()
            }
            decoder.append([UInt8](hex: bytes))
            do throws(CQLProtocolError) {
                _ = try decoder.next()
                Issue.record("was read", sourceLocation: sourceLocation)
            } catch {
                #expect(error.code == code, "\(error)", sourceLocation: sourceLocation)
            }
        }
        try refused("840000010800001389", .v4, .limitExceeded)
        try refused("8400000108ffffffff", .v4, .malformed)
        try refused("8500000108000000ff", .v4, .malformed)
        try refused("8500000108000013ff", .v5, .limitExceeded, settled: false)
        try refused("0400000108000000ff", .v4, .malformed)
        try refused("84000001ff000000ff", .v4, .malformed)
        // A compressed body that claims too much: more than the limit, more than it can hold, less than nothing.
        try refused("840100010800000005" + "0000138900", .v4lz4, .limitExceeded)
        try refused("840100010800000005" + "0000100000", .v4lz4, .malformed)
        try refused("840100010800000005" + "ffffffff00", .v4lz4, .limitExceeded)
        try refused("840100010800000005" + "0000000100", .v4, .malformed)
        try refused("840100010800000002" + "0000", .v4lz4, .truncated)
    }

    @Test("rows and lists that cannot be are refused before anyone counts to them") func counts() throws {
        let header = CQLFrameHeader(version: 5, flags: [], stream: 1, opcode: .result, length: 0)
        for (columns, rows) in [
            ("00000000", "7fffffff"), ("00000001", "7fffffff"), ("7fffffff", "7fffffff"), ("ffffffff", "00000001"),
        ] {
            let body = [UInt8](hex: "00000002" + "00000004" + columns + rows + "00000000")
            #expect(throws: CQLProtocolError.self, "\(columns) \(rows)") {
                try CQLResponse(CQLFrame(header: header, storage: body))
            }
        }
        // A type that nests for ever.
        let nested = String(repeating: "0020", count: 10_000)
        let body = [UInt8](hex: "00000002" + "00000001" + "00000001" + "0000" + "0000" + "0000" + nested)
        #expect { try CQLResponse(CQLFrame(header: header, storage: body)) } throws: {
            ($0 as? CQLProtocolError)?.code == .limitExceeded
        }
        let list = [UInt8](hex: "7fffffff00000000")
        #expect(throws: CQLProtocolError.self) {
            try list.lend { bytes throws(CQLProtocolError) in try [Int32].decodeCQL(bytes, as: .list(.int)) }
        }
    }

    @Test("parts of a message do not mix with whole ones") func mixedSegments() throws {
        func segment(_ payload: String, whole: Bool) -> [UInt8] {
            var buffer = CQLBuffer()
            [UInt8](hex: payload).withUnsafeBytes {
                Segment.append($0, isSelfContained: whole, compressed: false, to: &buffer)
            }
            return buffer.withUnsafeBytes { [UInt8]($0) }
        }
        func decoder() throws -> CQLFrameDecoder {
            var decoder = CQLFrameDecoder(version: .v5)
            decoder.append([0x85, 0, 0, 0, 2, 0, 0, 0, 0])
            _ = try decoder.next()
            return decoder
        }
        let message = "850000010800000004" + "00000001"
        // A header split over segments is fine; so are empty segments.
        var split = try decoder()
        split.append(segment("", whole: true))
        split.append(segment("8500", whole: false))
        split.append(segment("", whole: false))
        split.append(segment("00010800000004000000", whole: false))
        #expect(try split.next() == nil)
        split.append(segment("01", whole: false))
        #expect(try split.next()?.body == [0, 0, 0, 1])
        // A whole message in the middle of a split one is not.
        var mixed = try decoder()
        mixed.append(segment("8500", whole: false))
        mixed.append(segment(message, whole: true))
        #expect(throws: CQLProtocolError.self) { try mixed.next() }
        // Nor is more than the header says, or less in a segment of whole messages.
        var long = try decoder()
        long.append(segment(message + "00", whole: false))
        #expect(throws: CQLProtocolError.self) { try long.next() }
        var short = try decoder()
        short.append(segment(String(message.dropLast(2)), whole: true))
        #expect(throws: CQLProtocolError.self) { try short.next() }
    }
}
