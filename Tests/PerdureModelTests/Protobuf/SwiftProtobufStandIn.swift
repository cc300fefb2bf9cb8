import PerdureModel

/// What matters of swift-protobuf, with its own signatures: generic over a protocol of its own, arguments with defaults.
///
/// The real package cannot be fetched where this is tested. The shapes are those of swift-protobuf 1.x: `Message` and its binary
/// coding, `SwiftProtobufContiguousBytes`, and the form of generated types.
enum StandIn {
    protocol SwiftProtobufContiguousBytes {
        init(repeating: UInt8, count: Int)
        init<S: Sequence>(_ sequence: S) where S.Element == UInt8
        var count: Int { get }
        func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R
        mutating func withUnsafeMutableBytes<R>(_ body: (UnsafeMutableRawBufferPointer) throws -> R) rethrows -> R
    }

    struct BinaryEncodingOptions: Sendable { var useDeterministicOrdering = false }
    struct BinaryDecodingOptions: Sendable { var messageDepthLimit = 100 }
    struct UnknownStorage: Hashable, Sendable {}
    protocol ExtensionMap: Sendable {}

    protocol Decoder {
        mutating func nextFieldNumber() throws -> Int?
        mutating func decodeSingularStringField(value: inout String) throws
        mutating func decodeSingularDoubleField(value: inout Double) throws
    }

    protocol Visitor {
        mutating func visitSingularStringField(value: String, fieldNumber: Int) throws
        mutating func visitSingularDoubleField(value: Double, fieldNumber: Int) throws
    }

    @preconcurrency
    protocol Message: Sendable, CustomDebugStringConvertible {
        init()
        static var protoMessageName: String { get }
        var isInitialized: Bool { get }
        var unknownFields: UnknownStorage { get set }
        mutating func decodeMessage<D: Decoder>(decoder: inout D) throws
        func traverse<V: Visitor>(visitor: inout V) throws
        func hash(into hasher: inout Hasher)
        func isEqualTo(message: any Message) -> Bool
    }

    protocol _MessageImplementationBase: Message, Hashable {}

    fileprivate struct BinaryDecoder: Decoder {
        let bytes: UnsafeRawBufferPointer
        var reader: ProtobufReader
        var value: ProtobufReader.Value?

        mutating func nextFieldNumber() throws -> Int? {
            let field = try self.reader.next()
            self.value = field?.value
            return field?.number
        }
        mutating func decodeSingularStringField(value: inout String) throws {
            if case .bytes(let range) = self.value { value = try self.reader.string(range) }
        }
        mutating func decodeSingularDoubleField(value: inout Double) throws {
            if case .fixed64(let bits) = self.value { value = Double(bitPattern: bits) }
        }
    }

    fileprivate struct BinaryVisitor: Visitor {
        var writer = ProtobufWriter()
        mutating func visitSingularStringField(value: String, fieldNumber: Int) {
            self.writer.write(value, field: fieldNumber)
        }
        mutating func visitSingularDoubleField(value: Double, fieldNumber: Int) {
            self.writer.write(value, field: fieldNumber)
        }
    }
}

extension Array: StandIn.SwiftProtobufContiguousBytes where Element == UInt8 {}

extension StandIn.Message {
    var isInitialized: Bool { true }
    var debugDescription: String { String(reflecting: type(of: self)) }

    func serializedBytes<Bytes: StandIn.SwiftProtobufContiguousBytes>(
        partial: Bool = false, options: StandIn.BinaryEncodingOptions = StandIn.BinaryEncodingOptions()
    ) throws -> Bytes {
        var visitor = StandIn.BinaryVisitor()
        try self.traverse(visitor: &visitor)
        return Bytes(visitor.writer.bytes)
    }

    init<Bytes: StandIn.SwiftProtobufContiguousBytes>(
        serializedBytes bytes: Bytes, extensions: (any StandIn.ExtensionMap)? = nil, partial: Bool = false,
        options: StandIn.BinaryDecodingOptions = StandIn.BinaryDecodingOptions()
    ) throws {
        self.init()
        try bytes.withUnsafeBytes { buffer in
            var decoder = StandIn.BinaryDecoder(bytes: buffer, reader: ProtobufReader(buffer), value: nil)
            try self.decodeMessage(decoder: &decoder)
        }
    }
}

extension StandIn._MessageImplementationBase {
    func isEqualTo(message: any StandIn.Message) -> Bool { (message as? Self) == self }
}

// MARK: As protoc-gen-swift writes a message

struct Samplepb_Account: Sendable {
    var accountID: String = String()
    var accountBalance: Double = 0
    var unknownFields = StandIn.UnknownStorage()
    init() {}
}

private let _protobuf_package = "samplepb"

extension Samplepb_Account: StandIn.Message, StandIn._MessageImplementationBase {
    static let protoMessageName: String = _protobuf_package + ".Account"

    mutating func decodeMessage<D: StandIn.Decoder>(decoder: inout D) throws {
        while let fieldNumber = try decoder.nextFieldNumber() {
            switch fieldNumber {
            case 1: try { try decoder.decodeSingularStringField(value: &self.accountID) }()
            case 2: try { try decoder.decodeSingularDoubleField(value: &self.accountBalance) }()
            default: break
            }
        }
    }

    func traverse<V: StandIn.Visitor>(visitor: inout V) throws {
        if !self.accountID.isEmpty { try visitor.visitSingularStringField(value: self.accountID, fieldNumber: 1) }
        if self.accountBalance.bitPattern != 0 {
            try visitor.visitSingularDoubleField(value: self.accountBalance, fieldNumber: 2)
        }
    }
}

// MARK: What a project writes once

extension ProtobufMessage where Self: StandIn.Message {
    func protobufBytes() throws -> [UInt8] { try self.serializedBytes() }
    init(protobufBytes bytes: [UInt8]) throws { try self.init(serializedBytes: bytes) }
}

// MARK: And for each message

extension Samplepb_Account: ProtobufMessage {}
