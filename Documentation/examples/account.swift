import PerdureState

struct Account: ProtobufMessage {
    static let protoMessageName = "samplepb.Account"
    var accountID = ""
    var accountBalance = 0.0
    init(accountID: String = "", accountBalance: Double = 0) {
        self.accountID = accountID
        self.accountBalance = accountBalance
    }
    func protobufBytes() throws -> [UInt8] { [] }
    init(protobufBytes bytes: [UInt8]) throws {}
}
