import Testing

@testable import PerdureCQL

/// Segments and compressed frames, as another implementation makes them.
@Suite struct FramingVectorTests {
    /// A decoder that has the handshake behind it.
    static func decoder(
        _ version: CQLVersion = .v5, _ compression: CQLCompression? = nil, limits: CQLLimits = CQLLimits()
    ) throws -> CQLFrameDecoder {
        // The vectors are requests: the decoder plays the server.
        var decoder = CQLFrameDecoder(version: version, compression: compression, limits: limits, role: .server)
        var encoder = CQLFrameEncoder(version: version)
        try encoder.startup(CQLStartup(compression: compression), stream: 0)
        decoder.append(encoder.takeBytes())
        let startup = try decoder.next()
        #expect(startup?.header.opcode == .startup)
        return decoder
    }

    /// An encoder that has the handshake behind it.
    static func encoder(
        _ version: CQLVersion = .v5, _ compression: CQLCompression? = nil
    ) throws -> CQLFrameEncoder {
        var encoder = CQLFrameEncoder(version: version, compression: compression)
        try encoder.startup(CQLStartup(compression: compression), stream: 0)
        _ = encoder.takeBytes()
        return encoder
    }

    static func frames(_ decoder: inout CQLFrameDecoder) throws -> [CQLFrame] {
        var frames: [CQLFrame] = []
        while let frame = try decoder.next() { frames.append(frame) }
        return frames
    }

    static let longQuery = "SELECT " + (0..<200).map { "column\($0)" }.joined(separator: ", ") + " FROM t"

    static func encodeTwo(_ encoder: inout CQLFrameEncoder) throws {
        try encoder.query("SELECT 1", CQLQueryOptions(consistency: .one), stream: 1)
        try encoder.query(Self.longQuery, CQLQueryOptions(consistency: .one), stream: 2)
    }

    static func encodeBig(_ encoder: inout CQLFrameEncoder) throws {
        var statement = RequestVectorTests.one
        statement.markers[0].type = .blob
        try encoder.execute(statement, CQLQueryOptions(consistency: .one), stream: 9) {
            values throws(CQLProtocolError) in
            try values.bind([UInt8](repeating: 0, count: 300_000))
        }
    }

    @Test("plain segments, byte for byte") func plain() throws {
        var encoder = try Self.encoder()
        try Self.encodeTwo(&encoder)
        let bytes = encoder.takeBytes()
        let expected = try Vector.bytes("segment.plain")
        #expect(bytes.hex == expected.hex)

        var decoder = try Self.decoder()
        decoder.append(expected)
        let frames = try Self.frames(&decoder)
        #expect(frames.map(\.header.stream) == [1, 2])
        #expect(frames.last?.body.count == 4 + Self.longQuery.utf8.count + 6)
        #expect(decoder.pendingByteCount == 0)
    }

    @Test("a message of three segments, headers and checksums byte for byte") func big() throws {
        var encoder = try Self.encoder()
        try Self.encodeBig(&encoder)
        let bytes = encoder.takeBytes()
        let step = 6 + Segment.maximumPayload + 4
        for index in 0..<3 {
            let part = bytes[(index * step)..<min((index + 1) * step, bytes.count)]
            #expect(([UInt8](part.prefix(6)) + part.suffix(4)).hex == (try? Vector.text("segment.plain.big.\(index)")))
        }
        var decoder = try Self.decoder()
        decoder.append(bytes)
        let frames = try Self.frames(&decoder)
        #expect(frames.count == 1)
        #expect(frames.first?.body.suffix(300_000) == ArraySlice(repeating: 0, count: 300_000))
    }

    @Test("compressed segments") func lz4() throws {
        var decoder = try Self.decoder(.v5, .lz4)
        decoder.append(try Vector.bytes("segment.lz4"))
        decoder.append(try Vector.bytes("segment.lz4.incompressible"))
        decoder.append(try Vector.bytes("segment.lz4.big"))
        let theirs = try Self.frames(&decoder)
        #expect(theirs.map(\.header.stream) == [1, 2, 4, 9])
        #expect(theirs.map(\.header.opcode) == [.query, .query, .options, .execute])

        var encoder = try Self.encoder(.v5, .lz4)
        try Self.encodeTwo(&encoder)
        encoder.flush()
        try encoder.options(stream: 4)
        encoder.flush()
        try Self.encodeBig(&encoder)
        let bytes = encoder.takeBytes()
        #expect(bytes.count < 10_000)
        var again = try Self.decoder(.v5, .lz4)
        again.append(bytes)
        #expect(try Self.frames(&again) == theirs)
    }

    @Test("compressed frames of version 4") func lz4v4() throws {
        var decoder = try Self.decoder(.v4, .lz4)
        decoder.append(try Vector.bytes("lz4.v4.query"))
        decoder.append(try Vector.bytes("lz4.v4.options"))
        let theirs = try Self.frames(&decoder)
        #expect(theirs.map(\.header.opcode) == [.query, .options])

        var encoder = try Self.encoder(.v4, .lz4)
        try encoder.query(Self.longQuery, CQLQueryOptions(consistency: .one), stream: 3)
        try encoder.options(stream: 3)
        let bytes = encoder.takeBytes()
        #expect(bytes.count < 1000)
        var again = try Self.decoder(.v4, .lz4)
        again.append(bytes)
        let ours = try Self.frames(&again)
        #expect(ours.map(\.body) == theirs.map(\.body))
        #expect(ours[0].header.flags.contains(.compressed))
    }
}
