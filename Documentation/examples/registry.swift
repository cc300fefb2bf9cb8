import PerdureState

struct Samplepb_Account: ProtobufMessage {
    static let protoMessageName = "samplepb.Account"
    init(protobufBytes bytes: [UInt8]) throws {}
    func protobufBytes() throws -> [UInt8] { [] }
}
struct LogbookV1: Codable, Sendable {}
struct Logbook: Codable, Sendable {
    init(_ old: LogbookV1) {}
}
struct TextCodec: StateCodec {
    func encode(_ state: String) -> StatePayload { StatePayload(manifest: "text/plain", bytes: Array(state.utf8)) }
    func decode(_ payload: StatePayload) throws -> String { String(decoding: payload.bytes, as: UTF8.self) }
}
let payload = StatePayload(manifest: "samplepb.Account", bytes: [])
