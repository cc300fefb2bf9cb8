import PerdureModel
import Testing

@Suite struct EgoDurableStateTests {
    private let state = EgoDurableState(
        persistenceID: "account-42", versionNumber: 7, resultingState: GoldenVector.any,
        timestamp: 1_700_000_000_123_456_789,
        shard: 3)

    @Test func isWrittenAsGoWritesIt() throws {
        #expect(self.state.protobufBytes() == GoldenVector.durableState)
        #expect(try EgoDurableState(protobufBytes: GoldenVector.durableState) == self.state)
    }

    @Test func emptyFieldsAreLeftOut() throws {
        let empty = EgoDurableState(persistenceID: "", versionNumber: 0, resultingState: nil, timestamp: 0, shard: 0)
        #expect(empty.protobufBytes().isEmpty)
        #expect(try EgoDurableState(protobufBytes: []) == empty)
    }

    @Test func extremesComeBack() throws {
        var state = self.state
        state.versionNumber = .max
        state.shard = .max
        state.timestamp = -6_795_364_578_871_345_152
        state.resultingState = []
        #expect(try EgoDurableState(protobufBytes: state.protobufBytes()) == state)
    }

    @Test func fieldsMayComeInAnyOrderAndWithOthers() throws {
        let bytes =
            bytes(hex: "30 03 22 01 ff 10 07 0a 03 6f 6c 64 0a 0a") + Array("account-42".utf8)
            + bytes(hex: "1a 02 0a 24") + bytes(hex: "28959a97ece39fe7cb17")
        let read = try EgoDurableState(protobufBytes: bytes)
        #expect(read.persistenceID == "account-42")
        #expect(read.resultingState == [0x0a, 0x24])
        #expect(read.shard == 3)
        // Twice the same message means the two merged.
        #expect(try EgoDurableState(protobufBytes: bytes + [0x1a, 1, 0x61]).resultingState == [0x0a, 0x24, 0x61])
    }

    @Test func truncationAtEveryByteIsNoticedOrShortensTheMessage() {
        for count in 0..<GoldenVector.durableState.count {
            let bytes = Array(GoldenVector.durableState.prefix(count))
            // Whole fields are a whole message: between them nobody can see a cut.
            let isBetweenFields = [0, 12, 14, 77, 87].contains(count)
            let isRead = (try? EgoDurableState(protobufBytes: bytes)) != nil
            #expect(isRead == isBetweenFields, "\(count) bytes")
        }
    }

    @Test func anIDThatIsNotUTF8IsAnError() {
        let error = payloadError { try EgoDurableState(protobufBytes: [0x0a, 2, 0xc3, 0x28]) }
        #expect(error?.code == .malformed)
        #expect(error?.message == "4 bytes are not an egopb.DurableState: a string is not UTF-8, at offset 2")
    }

    @Test func aPayloadOfEitherLayoutFitsIn() throws {
        for layout in [ProtobufLayout.any, .message] {
            let payload = try ProtobufStateCodec<SampleAccount>(layout: layout).encode(GoldenVector.account)
            #expect(try EgoDurableState.anyBytes(of: payload) == GoldenVector.any)
        }
        #expect(try EgoDurableState.anyBytes(of: StatePayload(manifest: "google.protobuf.Any", bytes: [])) == nil)
        let json = StatePayload(manifest: "json:A:1", bytes: [])
        #expect(payloadError { try EgoDurableState.anyBytes(of: json) as Any }?.code == .unknownManifest)
    }
}
