import SwiftProtobuf

/// As protoc-gen-swift writes a message, shortened to what matters here.
struct Samplepb_Account: SwiftProtobuf.Message {
    static let protoMessageName = "samplepb.Account"
}
