import Testing

@testable import PerdureModel

@Suite struct ProtobufReaderTests {
    private func fields(_ bytes: [UInt8]) throws -> [ProtobufReader.Field] {
        try bytes.withUnsafeBytes { buffer in
            var reader = ProtobufReader(buffer)
            var fields: [ProtobufReader.Field] = []
            while let field = try reader.next() { fields.append(field) }
            return fields
        }
    }

    private func failure(_ bytes: [UInt8]) -> ProtobufReader.Failure? {
        do {
            Issue.record("read as \(try self.fields(bytes))")
            return nil
        } catch { return error as? ProtobufReader.Failure }
    }

    @Test func readsEveryWireType() throws {
        #expect(try self.fields([]).isEmpty)
        #expect(try self.fields(bytes(hex: "08 96 01")) == [.init(number: 1, value: .varint(150))])
        let others = try self.fields(bytes(hex: "11 01 02 03 04 05 06 07 08 1d 01 02 03 04 22 02 61 62 2a 00"))
        let expected: [ProtobufReader.Field] = [
            .init(number: 2, value: .fixed64(0x0807_0605_0403_0201)),
            .init(number: 3, value: .fixed32(0x0403_0201)),
            .init(number: 4, value: .bytes(16..<18)),
            .init(number: 5, value: .bytes(20..<20)),
        ]
        #expect(others == expected)
        #expect(
            try self.fields(bytes(hex: "f8 ff ff ff 0f ff ff ff ff ff ff ff ff ff 01"))
                == [.init(number: 536_870_911, value: .varint(.max))])
    }

    /// Other writers may use more bytes than needed, up to ten.
    @Test func acceptsLongFormsOfSmallNumbers() throws {
        #expect(
            try self.fields(bytes(hex: "88 00 81 80 80 80 80 80 80 80 80 00")) == [.init(number: 1, value: .varint(1))])
    }

    @Test func skipsGroupsWhateverIsInThem() throws {
        let inner = "08 01 11 0102030405060708 1d 01020304 22 02 24 24"
        let group = bytes(hex: "0b \(inner) 13 \(inner) 14 0c 08 05")
        #expect(try self.fields(group) == [.init(number: 1, value: .group), .init(number: 1, value: .varint(5))])
        let depth = ProtobufReader.maximumGroupDepth
        let deepest = [UInt8](repeating: 0x0b, count: depth) + [UInt8](repeating: 0x0c, count: depth)
        #expect(try self.fields(deepest) == [.init(number: 1, value: .group)])
    }

    @Test(
        arguments: [
            ("00", .invalidTag, 0), ("07", .invalidTag, 0), ("0e", .invalidTag, 0), ("0f", .invalidTag, 0),
            ("80 80 80 80 10 00", .invalidTag, 0), ("80", .truncated, 0), ("08", .truncated, 1),
            ("08 ff", .truncated, 1),
            ("08 ff ff ff ff ff ff ff ff ff 02", .overlongVarint, 1),
            ("08 80 80 80 80 80 80 80 80 80 80 00", .overlongVarint, 1),
            ("09 01 02 03 04 05 06 07", .truncated, 1), ("0d 01 02 03", .truncated, 1),
            ("0a 01", .truncated, 0), ("0a ff ff ff ff ff ff ff ff ff 01", .truncated, 0),
            ("0a ff ff ff ff ff ff ff ff 7f", .truncated, 0), ("0a ff ff ff ff 07 00", .truncated, 0),
            ("0c", .unmatchedGroup, 0), ("0b", .truncated, 0), ("0b 14", .unmatchedGroup, 1),
            ("0b 0b 0c", .truncated, 0),
            ("0b 0a 05 0c", .truncated, 1), ("0b 0f", .invalidTag, 1),
        ] as [(String, ProtobufReader.Failure.Reason, Int)])
    func refusesWhatIsNoMessage(_ hex: String, _ reason: ProtobufReader.Failure.Reason, _ offset: Int) {
        #expect(self.failure(bytes(hex: hex)) == ProtobufReader.Failure(reason: reason, offset: offset))
    }

    @Test func groupsCannotExhaustTheStack() {
        let bytes = [UInt8](repeating: 0x0b, count: 1_000_000)
        #expect(self.failure(bytes) == ProtobufReader.Failure(reason: .groupTooDeep, offset: 100))
    }

    @Test func survivesNoise() {
        let seed = SeededGenerator.printedSeed("protobuf noise")
        var random = SeededGenerator(seed: seed)
        var read = 0
        for _ in 0..<20_000 {
            let noise = random.bytes(upTo: 40)
            noise.withUnsafeBytes { buffer in
                var reader = ProtobufReader(buffer)
                var offset = 0
                while let field = try? reader.next() {
                    read += 1
                    // It moves on, and what it points at is there.
                    #expect(reader.offset > offset, "seed \(seed)")
                    offset = reader.offset
                    guard case .bytes(let range) = field.value else { continue }
                    #expect(range.lowerBound >= 0 && range.upperBound <= buffer.count, "seed \(seed)")
                    _ = try? reader.string(range)
                }
            }
            _ = try? SampleRevision(protobufBytes: noise)
            _ = try? EgoDurableState(protobufBytes: noise)
        }
        #expect(read > 1000, "the noise was all refused: it shows nothing; seed \(seed)")
    }

    @Test func aWriterWritesWhatTheReaderReads() throws {
        for value: UInt64 in [1, 127, 128, 16383, 16384, .max >> 1, .max] {
            var writer = ProtobufWriter()
            writer.write(value, field: 1)
            #expect(try self.fields(writer.bytes) == [.init(number: 1, value: .varint(value))])
            #expect(ProtobufWriter.byteCount(ofVarint: value) == writer.bytes.count - 1)
        }
        #expect(ProtobufWriter.byteCount(ofVarint: 0) == 1)
        var writer = ProtobufWriter()
        writer.write(-0.0, field: 2)
        writer.write(0.0, field: 3)
        #expect(try self.fields(writer.bytes) == [.init(number: 2, value: .fixed64(1 << 63))])
    }
}
