import PerdureTestKit
import Testing

@testable import PerdureDynamoDB

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

/// Parses `text` as an answer would be.
func parse<Answer>(
    _ text: [UInt8], _ body: (JSONValue) throws(AnswerFlaw) -> Answer
) throws(AnswerFlaw) -> Answer {
    let padded = UnsafeMutableRawBufferPointer.allocate(byteCount: text.count + JSONScratch.padding, alignment: 16)
    defer { padded.deallocate() }
    // As an earlier answer may have left it: what would complete a text that was cut.
    for index in padded.indices { padded[index] = UInt8(ascii: "}") }
    padded.copyBytes(from: text)
    return try JSONScratch().parse(UnsafeMutableRawBufferPointer(rebasing: padded[..<text.count]), body)
}

@discardableResult
func readItem(_ json: [UInt8]) throws -> Item { try parse(json) { json throws(AnswerFlaw) in try Item(json) } }

func text(_ write: (ByteBuffer) -> Void) -> String {
    let buffer = ByteBuffer(capacity: 16)
    write(buffer)
    return String(decoding: buffer.bytes, as: UTF8.self)
}

@Suite struct Base64Tests {
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ])
    func isAsPublished(_ plain: String, _ encoded: String) {
        #expect(text { $0.append(base64: bytes(plain)) } == "\"\(encoded)\"")
        #expect(bytes(encoded).withUnsafeBytes { Base64.decode($0) } == bytes(plain))
    }

    @Test func roundTripsEveryLength() {
        var random = SeededGenerator(seed: 7)
        for count in 0..<600 {
            let plain = random.bytes(count)
            let encoded = text { $0.append(base64: plain) }.dropFirst().dropLast()
            #expect(bytes(String(encoded)).withUnsafeBytes { Base64.decode($0) } == plain, "\(count) bytes")
        }
    }

    @Test(arguments: [
        "A", "AA", "AAA", "A===", "====", "AA=A", "AAAA====", "AA==AAAA", "AAA ", "AA\nA", "AA-_", "AAA\u{e9}", "Zh==",
        "Zm9=",
    ])
    func refusesWhatIsNone(_ encoded: String) {
        #expect(bytes(encoded).withUnsafeBytes { Base64.decode($0) } == nil)
    }
}

@Suite struct CRC32Tests {
    @Test func isAsPublished() {
        #expect(bytes("123456789").withUnsafeBytes { CRC32.checksum($0) } == 0xcbf4_3926)
        #expect(bytes("{}").withUnsafeBytes { CRC32.checksum($0) } == 2_745_614_147)
        #expect([UInt8]().withUnsafeBytes { CRC32.checksum($0) } == 0)
    }

    @Test func isTheSameByEightAndByOne() {
        var random = SeededGenerator(seed: 3)
        let noise = random.bytes(100)
        for count in 0...100 {
            var crc: UInt32 = 0xffff_ffff
            for byte in noise[..<count] {
                crc ^= UInt32(byte)
                for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xedb8_8320 : crc >> 1 }
            }
            #expect(Array(noise[..<count]).withUnsafeBytes { CRC32.checksum($0) } == ~crc)
        }
    }
}

@Suite struct AttributeValueTests {
    static let item: Item = [
        "s": .string("q\"\\\u{0}\u{1f}\n🦆/é e\u{301}"), "empty": .string(""),
        "n": .number("-12345678901234567890.5e-3"),
        "b": .binary([0, 255, 1]), "no bytes": .binary([]), "t": .bool(true), "f": .bool(false), "0": .null,
        "l": .list([.string("a"), .number("1"), .list([]), .map([:])]),
        "m": .map(["x": .map(["y": .binary([9])])]), "ss": .stringSet(["a", "b"]), "ns": .numberSet(["1", "2"]),
        "bs": .binarySet([[1], [2, 3]]),
    ]

    @Test func roundTrips() throws {
        let json = text { $0.append(Self.item) }
        let read = try readItem(bytes(json))
        #expect(read == Self.item)
    }

    @Test func isWrittenAsDynamoDBReadsIt() {
        #expect(
            text { $0.append(["a": .string("x\ny"), "n": .number(7)] as Item) }
                == #"{"a":{"S":"x\u000ay"},"n":{"N":"7"}}"#)
        #expect(
            text { $0.append(["l": .list([.null, .bool(false)]), "b": .binary(bytes("hi"))] as Item) }
                == #"{"l":{"L":[{"NULL":true},{"BOOL":false}]},"b":{"B":"aGk="}}"#)
    }

    @Test func tellsNamesApartByBytes() throws {
        let json = "{\"caf\u{e9}\":{\"N\":\"1\"},\"cafe\u{301}\":{\"N\":\"2\"}}"
        let item = try readItem(bytes(json))
        #expect(item["caf\u{e9}"]?.digits == "1" && item["cafe\u{301}"]?.digits == "2")
        #expect(AttributeValue.string("caf\u{e9}") != .string("cafe\u{301}"))
    }

    @Test(arguments: [
        "[]", "7", "{\"a\":7}", "{\"a\":{}}", "{\"a\":{\"S\":\"x\",\"N\":\"1\"}}", "{\"a\":{\"S\":1}}",
        "{\"a\":{\"X\":\"\"}}",
        "{\"a\":{\"B\":\"*\"}}", "{\"a\":{\"BOOL\":\"true\"}}", "{\"a\":{\"L\":{}}}", "{\"a\":{\"SS\":\"a\"}}",
        "{\"a\":{\"\":1}}", "{",
        "", "{\"a\":{\"S\":\"\u{1}\"}}",
    ])
    func refusesWhatIsNoItem(_ json: String) {
        #expect(throws: AnswerFlaw.self) { try readItem(bytes(json)) }
    }

    @Test func refusesWhatIsNestedTooDeeply() {
        let deep =
            String(repeating: "{\"L\":[", count: 5_000) + "{\"NULL\":true}" + String(repeating: "]}", count: 5_000)
        #expect(throws: AnswerFlaw.self) {
            try readItem(bytes("{\"a\":\(deep)}"))
        }
    }

    /// Cut at every byte, and with every byte changed: an item or an error, never a trap.
    @Test func survivesNoise() {
        let whole = bytes(text { $0.append(Self.item) })
        for end in 0..<whole.count {
            #expect(throws: AnswerFlaw.self, "cut at \(end)") {
                try readItem(Array(whole[..<end]))
            }
        }
        var random = SeededGenerator(seed: 1)
        var readable = 0
        for _ in 0..<20_000 {
            var noise = whole
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                noise[Int.random(in: 0..<noise.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            if (try? readItem(noise)) != nil { readable += 1 }
        }
        #expect(readable > 0 && readable < 20_000)
    }

    @Test func parsesWhatTheScratchMemoryCannotHold() throws {
        let large = Item([
            ("a", .string(String(repeating: "é", count: 300_000))), ("b", .binary(Array(repeating: 7, count: 400_000))),
        ])
        let json = text { $0.append(large) }
        let read = try readItem(bytes(json))
        #expect(read == large)
    }
}
