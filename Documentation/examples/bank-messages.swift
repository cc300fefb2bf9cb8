import PerdureState

struct Bank_V1_Account: ProtobufMessage {
    static let protoMessageName = "bank.v1.Account"
    init(protobufBytes bytes: [UInt8]) throws {}
    func protobufBytes() throws -> [UInt8] { [] }
}
struct Bank_V2_Account: ProtobufMessage {
    static let protoMessageName = "bank.v2.Account"
    init(_ old: Bank_V1_Account) {}
    init(protobufBytes bytes: [UInt8]) throws {}
    func protobufBytes() throws -> [UInt8] { [] }
}
struct Bank_V3_Account: ProtobufMessage {
    static let protoMessageName = "bank.v3.Account"
    init(_ old: Bank_V2_Account) {}
    init(protobufBytes bytes: [UInt8]) throws {}
    func protobufBytes() throws -> [UInt8] { [] }
}
