import PerdureModel
import Testing

/// A generated type conforms with one empty extension, after one bridge for the whole project.
@Suite struct SwiftProtobufSeamTests {
    @Test func aGeneratedMessageIsStoredAsEgoStoresIt() throws {
        var account = Samplepb_Account()
        account.accountID = "account-42"
        account.accountBalance = 4200
        let codec = ProtobufStateCodec<Samplepb_Account>()
        let payload = try codec.encode(account)
        #expect(payload == StatePayload(manifest: "google.protobuf.Any", bytes: GoldenVector.any))
        #expect(try codec.decode(payload) == account)
        #expect(
            try codec.decode(StatePayload(manifest: "samplepb.Account", bytes: GoldenVector.message)) == account)
    }

    @Test func whatTheMessageThrowsIsTold() {
        let codec = ProtobufStateCodec<Samplepb_Account>()
        let error = payloadError { try codec.decode(StatePayload(manifest: "samplepb.Account", bytes: [0x0a, 0x7f])) }
        #expect(error?.code == .malformed)
        #expect(error?.message == "2 bytes cannot be read as a samplepb.Account")
        #expect(error?.underlying is ProtobufReader.Failure)
    }
}
