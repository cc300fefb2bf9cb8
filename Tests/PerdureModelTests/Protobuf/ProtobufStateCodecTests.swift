import PerdureModel
import Testing

@Suite struct ProtobufStateCodecTests {
    private let any = ProtobufStateCodec<SampleAccount>()
    private let plain = ProtobufStateCodec<SampleAccount>(layout: .message)

    // MARK: Vectors

    @Test func theVectorsAreWhatTheySay() {
        #expect(GoldenVector.account.protobufBytes() == GoldenVector.message)
        #expect(GoldenVector.message.count == 21)
        #expect(GoldenVector.any.count == 61)
        #expect(bytes(base64: GoldenVector.anyBase64) == GoldenVector.any)
    }

    @Test func writesEgosLayoutByDefault() throws {
        #expect(self.any.manifest == "google.protobuf.Any")
        let payload = try self.any.encode(GoldenVector.account)
        #expect(payload == StatePayload(manifest: "google.protobuf.Any", bytes: GoldenVector.any))
    }

    @Test func writesTheOtherLayoutWhenTold() throws {
        let payload = try self.plain.encode(GoldenVector.account)
        #expect(payload == StatePayload(manifest: "samplepb.Account", bytes: GoldenVector.message))
    }

    @Test func readsBothLayoutsWhicheverItWrites() throws {
        for codec in [self.any, self.plain] {
            let any = StatePayload(manifest: "google.protobuf.Any", bytes: GoldenVector.any)
            let message = StatePayload(manifest: "samplepb.Account", bytes: GoldenVector.message)
            #expect(try codec.decode(any) == GoldenVector.account)
            #expect(try codec.decode(message) == GoldenVector.account)
        }
    }

    // MARK: Forms of an Any

    private func decode(any bytes: [UInt8]) throws -> SampleAccount {
        try self.any.decode(StatePayload(manifest: "google.protobuf.Any", bytes: bytes))
    }

    @Test func anAnyMayHaveItsFieldsInEitherOrder() throws {
        let swapped = Array(GoldenVector.any.dropFirst(38)) + GoldenVector.any.prefix(38)
        #expect(try self.decode(any: swapped) == GoldenVector.account)
    }

    @Test func ofAFieldThatStandsTwiceTheLastCounts() throws {
        #expect(try self.decode(any: bytes(hex: "0a 01 78 12 01 ff") + GoldenVector.any) == GoldenVector.account)
    }

    @Test func unknownFieldsAndGroupsInAnAnyAreIgnored() throws {
        let extra = bytes(hex: "18 05 22 01 00 2b 08 01 2c 08 07 15 00 00 00 00")
        #expect(try self.decode(any: extra + GoldenVector.any + extra) == GoldenVector.account)
    }

    @Test(arguments: ["samplepb.Account", "/samplepb.Account", "x/y/z/samplepb.Account", "https://é/samplepb.Account"])
    func theTypeIsWhatFollowsTheLastSlash(_ url: String) throws {
        var writer = ProtobufWriter()
        writer.write(url, field: 1)
        writer.write(message: GoldenVector.message, field: 2)
        #expect(try self.decode(any: writer.bytes) == GoldenVector.account)
    }

    @Test func anEmptyMessageHasAURLOnly() throws {
        let codec = ProtobufStateCodec<SampleNothing>()
        let payload = try codec.encode(SampleNothing())
        #expect(payload.bytes == bytes(hex: "0a 24") + Array("type.googleapis.com/samplepb.Nothing".utf8))
        #expect(try codec.decode(payload) == SampleNothing())
        // Field 2 may be there all the same.
        #expect(
            try codec.decode(StatePayload(manifest: payload.manifest, bytes: payload.bytes + [0x12, 0]))
                == SampleNothing())
        let plain = try ProtobufStateCodec<SampleNothing>(layout: .message).encode(SampleNothing())
        #expect(plain == StatePayload(manifest: "samplepb.Nothing", bytes: []))
        #expect(try codec.decode(plain) == SampleNothing())
    }

    @Test(arguments: [0, 1, 105, 106, 127, 128, 129, 16_383, 16_384, 2_097_152])
    func lengthsOfAnyNumberOfBytesComeBack(_ count: Int) throws {
        let account = SampleAccount(accountID: String(repeating: "x", count: count), accountBalance: -0.0)
        for codec in [self.any, self.plain] {
            let back = try codec.decode(codec.encode(account))
            #expect(back.accountID.utf8.count == count)
            #expect(back.accountBalance.sign == .minus)
        }
    }

    @Test func randomStatesComeBack() throws {
        let seed = SeededGenerator.printedSeed("protobuf round trip")
        var random = SeededGenerator(seed: seed)
        for _ in 0..<2000 {
            let before = SampleAccount(
                accountID: random.text(upTo: 40), accountBalance: .random(in: -1e9...1e9, using: &random))
            let state = SampleRevision(
                revision: random.next() >> Int.random(in: 0...63, using: &random),
                cents: Int64(bitPattern: random.next()),
                before: Bool.random(using: &random) ? before : nil)
            for layout in [ProtobufLayout.any, .message] {
                let codec = ProtobufStateCodec<SampleRevision>(layout: layout)
                let payload = try codec.encode(state)
                let back = try codec.decode(payload)
                try #require(back == state, "seed \(seed)")
                try #require(try codec.encode(back) == payload, "seed \(seed)")
            }
        }
    }

    // MARK: What cannot be read

    @Test func aNilStateIsNoMessageWithoutFields() {
        let error = payloadError { try self.decode(any: []) }
        #expect(error?.code == .noState)
    }

    @Test func anotherTypeInsideIsAnErrorNamingBoth() throws {
        let other = try ProtobufStateCodec<SampleRevision>().encode(SampleRevision(revision: 1))
        let error = payloadError { try self.any.decode(other) }
        #expect(error?.code == .wrongType)
        #expect(error?.manifest == "google.protobuf.Any")
        #expect(
            error?.message == """
                a samplepb.Account was expected, and the payload holds a samplepb.v2.Account; if one replaced the other, \
                give the codec a migration
                """)
        let plain = payloadError { try self.any.decode(StatePayload(manifest: "samplepb.Accounts", bytes: [])) }
        #expect(plain?.code == .wrongType)
        #expect(plain?.message.contains("holds a samplepb.Accounts;") == true)
    }

    @Test(arguments: [
        "json:Account:1", "", "samplepb..Account", ".samplepb.Account", "a/b", "1a", "google.protobuf.Any ",
    ])
    func aForeignManifestIsAnError(_ manifest: String) {
        let error = payloadError { try self.any.decode(StatePayload(manifest: manifest, bytes: GoldenVector.any)) }
        #expect(error?.code == .unknownManifest)
        #expect(error?.manifest == manifest)
    }

    /// What eGo reads as garbage without an error.
    @Test func aMessagesOwnBytesUnderTheManifestOfAnAnyAreAnError() {
        let error = payloadError { try self.decode(any: GoldenVector.message) }
        #expect(error?.code == .malformed)
        #expect(error?.message.contains("perhaps they are a message's own bytes") == true)
        #expect(error?.debugDescription.contains("account-42") == false)
        // Where the data looks like a name, it is not told either.
        let secret = payloadError { try self.decode(any: SampleAccount(accountID: "hunter2").protobufBytes()) }
        #expect(secret?.code == .wrongType)
        #expect(secret?.debugDescription.contains("hunter2") == false)
    }

    @Test(arguments: ["12 00", "0a 00", "0a 01 2f", "0a 02 61 2f", "0a 03 2f 61 2d", "0a 02 ff 61", "08 01"])
    func anAnyWithoutATypeIsAnError(_ hex: String) {
        #expect(payloadError { try self.decode(any: bytes(hex: hex)) }?.code == .malformed)
    }

    @Test func truncationAtEveryByteIsAnErrorOrAnEmptyMessage() throws {
        for count in 1..<GoldenVector.any.count {
            let bytes = Array(GoldenVector.any.prefix(count))
            if count == 38 {
                // Cut between the two fields it is a whole Any of an empty message: no reader can tell.
                #expect(try self.decode(any: bytes) == SampleAccount())
            } else {
                #expect(payloadError { try self.decode(any: bytes) }?.code == .malformed, "\(count) bytes")
            }
        }
    }

    @Test func survivesNoise() {
        let seed = SeededGenerator.printedSeed("noise in an Any")
        var random = SeededGenerator(seed: seed)
        var outcomes: Set<PayloadError.Code?> = []
        for _ in 0..<20_000 {
            var bytes = GoldenVector.any
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            do {
                _ = try self.decode(any: bytes)
                outcomes.insert(nil)
            } catch { outcomes.insert((error as? PayloadError)?.code) }
        }
        #expect(outcomes == [nil, .malformed, .wrongType], "seed \(seed)")
    }

    // MARK: What cannot be written

    private struct Stubborn: ProtobufMessage {
        struct Refusal: Error {}
        static let protoMessageName = "samplepb.Stubborn"
        init() {}
        init(protobufBytes bytes: [UInt8]) throws { throw Refusal() }
        func protobufBytes() throws -> [UInt8] { throw Refusal() }
    }

    @Test func whatTheMessageThrowsIsTold() {
        let codec = ProtobufStateCodec<Stubborn>()
        let encoding = payloadError { try codec.encode(Stubborn()) }
        #expect(encoding?.code == .encodingFailed)
        #expect(encoding?.underlying is Stubborn.Refusal)
        let decoding = payloadError { try codec.decode(StatePayload(manifest: "samplepb.Stubborn", bytes: [])) }
        #expect(decoding?.code == .malformed)
        #expect(decoding?.underlying is Stubborn.Refusal)
    }

    private struct Misnamed: ProtobufMessage {
        static let protoMessageName = "samplepb.Mis named"
        init() {}
        init(protobufBytes bytes: [UInt8]) {}
        func protobufBytes() -> [UInt8] { [] }
    }

    private struct AnyItself: ProtobufMessage, Equatable {
        static let protoMessageName = "google.protobuf.Any"
        var bytes: [UInt8] = [0x0a, 0x01, 0x61]
        init() {}
        init(protobufBytes bytes: [UInt8]) { self.bytes = bytes }
        func protobufBytes() -> [UInt8] { self.bytes }
    }

    @Test func namesThatWouldBeReadAsSomethingElseAreRefused() throws {
        #expect(payloadError { try ProtobufStateCodec<Misnamed>().encode(Misnamed()) }?.code == .misconfigured)
        let plain = ProtobufStateCodec<AnyItself>(layout: .message)
        #expect(payloadError { try plain.encode(AnyItself()) }?.code == .misconfigured)
        let wrapped = ProtobufStateCodec<AnyItself>()
        #expect(try wrapped.decode(wrapped.encode(AnyItself())) == AnyItself())
    }

    // MARK: Older messages

    struct AccountV3: ProtobufMessage, Equatable {
        static let protoMessageName = "samplepb.v3.Account"
        var revision: SampleRevision
        init(_ revision: SampleRevision) { self.revision = revision }
        init(protobufBytes bytes: [UInt8]) throws { self.revision = try SampleRevision(protobufBytes: bytes) }
        func protobufBytes() -> [UInt8] { self.revision.protobufBytes() }
    }

    @Test func olderMessagesArriveAtToday() throws {
        let codec = try ProtobufStateCodec<AccountV3>(
            migrating: .from(SampleAccount.self) { SampleRevision(cents: Int64($0.accountBalance * 100), before: $0) }
                .then { AccountV3($0) }
                .also(SampleNothing.self) { _ in AccountV3(SampleRevision(revision: 99)) })
        let migrated = AccountV3(SampleRevision(cents: 420_000, before: GoldenVector.account))
        #expect(try codec.decode(self.any.encode(GoldenVector.account)) == migrated)
        #expect(try codec.decode(self.plain.encode(GoldenVector.account)) == migrated)
        let second = try ProtobufStateCodec<SampleRevision>().encode(SampleRevision(revision: 5))
        #expect(try codec.decode(second) == AccountV3(SampleRevision(revision: 5)))
        #expect(try codec.decode(ProtobufStateCodec().encode(SampleNothing())).revision.revision == 99)
        #expect(try codec.decode(codec.encode(migrated)) == migrated)
    }

    @Test func twoReadersOfOneMessageAreRefused() {
        let error = payloadError {
            try ProtobufStateCodec<SampleAccount>(migrating: .from(SampleAccount.self) { $0 })
        }
        #expect(error?.code == .misconfigured)
        #expect(
            error?.message
                == "cannot build the codec of samplepb.Account: two readers begin at the message samplepb.Account")
    }

    @Test func aMigrationThatThrowsIsTold() throws {
        let codec = try ProtobufStateCodec<AccountV3>(
            migrating: .from(SampleAccount.self) { _ throws -> SampleRevision in throw Stubborn.Refusal() }
                .then { AccountV3($0) })
        let error = payloadError { try codec.decode(self.any.encode(GoldenVector.account)) }
        #expect(error?.code == .migrationFailed)
        #expect(error?.message == "the migration from the message samplepb.Account threw")
        #expect(error?.underlying is Stubborn.Refusal)
    }
}
