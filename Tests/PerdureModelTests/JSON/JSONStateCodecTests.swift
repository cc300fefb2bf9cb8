import Testing

@testable import PerdureModel

@Suite struct JSONStateCodecTests {
    struct Logbook: Codable, Sendable, Equatable {
        enum Color: String, Codable, CaseIterable { case red, blue }
        struct Entry: Codable, Equatable, Sendable { var place: String; var minutes: Int }
        var tail = ""
        var distance = 0.0
        var count: UInt64 = 0
        var entries: [Entry] = []
        var notes: [String: String] = [:]
        var color: Color?
    }

    private let codec = JSONStateCodec<Logbook>()

    @Test func namesEncodingTypeAndVersion() throws {
        #expect(self.codec.manifest == "json:JSONStateCodecTests.Logbook:1")
        #expect(JSONStateCodec<Logbook>.defaultName == "JSONStateCodecTests.Logbook")
        #expect(try JSONStateCodec<Logbook>(name: "Logbook", version: 7).encode(Logbook()).manifest == "json:Logbook:7")
    }

    @Test func sameStateSameBytes() throws {
        let keys = (0..<40).map { "key\($0)" }
        let one = Logbook(tail: "N1/2", notes: Dictionary(uniqueKeysWithValues: keys.map { ($0, "") }))
        let two = Logbook(tail: "N1/2", notes: Dictionary(uniqueKeysWithValues: keys.reversed().map { ($0, "") }))
        #expect(try self.codec.encode(one) == self.codec.encode(two))
        #expect(
            try String(
                decoding: self.codec.encode(Logbook(tail: "N1/2", notes: ["b": "", "a": ""])).bytes, as: UTF8.self)
                == #"{"count":0,"distance":0,"entries":[],"notes":{"a":"","b":""},"tail":"N1/2"}"#)
    }

    @Test func wholeValuesAreStatesToo() throws {
        let codec = JSONStateCodec<Int?>()
        #expect(codec.manifest == "json:Optional<Int>:1")
        #expect(try codec.decode(codec.encode(nil)) == nil)
        #expect(try codec.decode(codec.encode(.min)) == .min)
    }

    @Test func randomStatesComeBack() throws {
        let seed = SeededGenerator.printedSeed("JSON round trip")
        var random = SeededGenerator(seed: seed)
        for _ in 0..<300 {
            let state = Logbook(
                tail: random.text(upTo: 12),
                distance: Double.random(in: -1e12...1e12, using: &random),
                count: random.next(),
                entries: (0..<Int.random(in: 0...4, using: &random)).map { _ in
                    .init(place: random.text(upTo: 5), minutes: Int(truncatingIfNeeded: random.next()))
                },
                // Keys in one alphabet: Swift's dictionaries hold é and e+◌́ as one key.
                notes: Dictionary(
                    (0..<Int.random(in: 0...4, using: &random)).map { _ in ("\(random.next())", random.text(upTo: 9)) },
                    uniquingKeysWith: { $1 }),
                color: Bool.random(using: &random) ? Logbook.Color.allCases.randomElement(using: &random) : nil)
            let payload = try self.codec.encode(state)
            let back = try self.codec.decode(payload)
            try #require(back == state, "seed \(seed)")
            // Equal strings may differ in bytes; equal payloads do not.
            try #require(try self.codec.encode(back) == payload, "seed \(seed)")
        }
    }

    // MARK: What cannot be read

    @Test(arguments: ["google.protobuf.Any", "samplepb.Account", "", "json:", "json:Logbook:01"])
    func aForeignManifestIsAnError(_ manifest: String) {
        let error = payloadError { try self.codec.decode(StatePayload(manifest: manifest, bytes: Array("{}".utf8))) }
        #expect(error?.code == .unknownManifest)
        #expect(error?.manifest == manifest)
        #expect(error?.debugDescription.contains(manifest.debugDescription) == true)
    }

    @Test func anotherTypesStateIsAnErrorNamingBoth() throws {
        let payload = try JSONStateCodec<[String: Int]>(name: "Other").encode([:])
        let error = payloadError { try self.codec.decode(payload) }
        #expect(error?.code == .wrongType)
        #expect(error?.message.contains("\"JSONStateCodecTests.Logbook\"") == true)
        #expect(error?.message.contains("\"Other\"") == true)
    }

    /// `é` in one code point and in two are different names, as they are different bytes in the database.
    @Test func namesAreComparedByBytes() throws {
        let one = try JSONStateCodec<Int>(name: "Caf\u{e9}")
        let two = try JSONStateCodec<Int>(name: "Cafe\u{301}")
        #expect(payloadError { try two.decode(one.encode(1)) }?.code == .wrongType)
    }

    @Test func newerAndUnknownVersionsAreDifferentErrors() throws {
        let codec = try JSONStateCodec<[Int]>(name: "A", version: 3)
        let newer = payloadError { try codec.decode(StatePayload(manifest: "json:A:4", bytes: Array("[]".utf8))) }
        #expect(newer?.code == .newerVersion)
        #expect(newer?.message.contains("version 4 was written by a newer release") == true)
        let older = payloadError { try codec.decode(StatePayload(manifest: "json:A:2", bytes: Array("[]".utf8))) }
        #expect(older?.code == .unknownVersion)
        #expect(older?.message == "no migration begins at version 2; known: 3; add one to the codec of \"A\"")
    }

    @Test(arguments: [
        "", " ", "{", "null", "[]", "\"hunter2\"", "hunter2", #"{"tail":"hunter2"}"#, #"{"tail":{"hunter2":1}}"#,
        #"{"count":0,"distance":0,"entries":[],"notes":{"hunter2":3},"tail":""}"#,
        #"{"color":"hunter2","count":0,"distance":0,"entries":[],"notes":{},"tail":""}"#,
        #"{"count":-1,"distance":0,"entries":[{"place":"x","minutes":"hunter2"}],"notes":{},"tail":""}"#,
        #"{"count":0,"distance":0,"entries":[],"notes":{},"tail":""} hunter2"#,
        "{\"tail\":\"hunter2\u{0}\"",
    ])
    func malformedBytesAreAnErrorThatQuotesNothing(_ json: String) {
        let payload = StatePayload(manifest: self.codec.manifest, bytes: Array(json.utf8))
        let error = payloadError { try self.codec.decode(payload) }
        #expect(error?.code == .malformed)
        #expect(error?.manifest == self.codec.manifest)
        #expect(error?.debugDescription.contains("hunter2") == false)
        #expect(error?.message.hasPrefix("\(json.utf8.count) bytes cannot be read") == true)
    }

    @Test func theErrorSaysWhatIsMissingAndWhere() {
        func message(_ json: String) -> String? {
            payloadError {
                try self.codec.decode(StatePayload(manifest: self.codec.manifest, bytes: Array(json.utf8)))
            }?.message
        }
        #expect(message("{}")?.hasSuffix("the top level lacks the key tail") == true)
        let deep = #"{"count":0,"distance":0,"entries":[{"place":"x"}],"notes":{},"tail":""}"#
        #expect(message(deep)?.hasSuffix("entries.[0] lacks the key minutes") == true)
        let key = #"{"count":0,"distance":0,"entries":[],"notes":{"x":3},"tail":""}"#
        #expect(message(key)?.hasSuffix("notes.* is not a String") == true)
    }

    @Test func survivesNoiseAndDepth() {
        let seed = SeededGenerator.printedSeed("JSON noise")
        var random = SeededGenerator(seed: seed)
        for _ in 0..<2000 {
            let payload = StatePayload(manifest: self.codec.manifest, bytes: random.bytes(upTo: 64))
            #expect(throws: PayloadError.self, "seed \(seed)") { try self.codec.decode(payload) }
        }
        let deep = [UInt8](repeating: UInt8(ascii: "["), count: 1_000_000)
        #expect(throws: PayloadError.self) {
            try self.codec.decode(StatePayload(manifest: self.codec.manifest, bytes: deep))
        }
    }

    @Test func survivesTruncationAtEveryByte() throws {
        let whole = try self.codec.encode(Logbook(tail: "é", entries: [.init(place: "JFK", minutes: 3)], color: .red))
        for count in 0..<whole.bytes.count {
            let payload = StatePayload(manifest: whole.manifest, bytes: Array(whole.bytes.prefix(count)))
            #expect(payloadError { try self.codec.decode(payload) }?.code == .malformed)
        }
    }

    @Test func whatJSONCannotSayIsAnError() {
        let error = payloadError { try self.codec.encode(Logbook(distance: .nan)) }
        #expect(error?.code == .encodingFailed)
        #expect(error?.underlying is EncodingError)
    }
}
