/// A message that can be stored as protobuf.
///
/// Types that swift-protobuf generates conform with one empty extension each, once a project has this bridge somewhere:
///
/// ```swift
/// public import PerdureState
/// public import SwiftProtobuf
///
/// extension ProtobufMessage where Self: SwiftProtobuf.Message {
///     public func protobufBytes() throws -> [UInt8] { try self.serializedBytes() }
///     public init(protobufBytes bytes: [UInt8]) throws { try self.init(serializedBytes: bytes) }
/// }
///
/// extension Samplepb_Account: ProtobufMessage {}
/// ```
///
/// The bridge cannot be here: swift-protobuf's methods are generic over protocols of its own and have arguments with defaults,
/// and such methods meet no requirement that a module without swift-protobuf can state. The requirements have names of their
/// own so that the bridge cannot call itself.
public protocol ProtobufMessage: Sendable {
    /// The full name of the message: its package and its name, as in `samplepb.Account`. Generated types have it.
    static var protoMessageName: String { get }

    /// The message in these bytes of protobuf's binary format; unknown fields are kept or dropped as the type likes.
    ///
    /// Must throw, never trap, on bytes that are no such message.
    init(protobufBytes bytes: [UInt8]) throws

    /// The message in protobuf's binary format. Empty for a message of which no field is set.
    func protobufBytes() throws -> [UInt8]
}
