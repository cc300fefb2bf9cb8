// What our examples use of swift-protobuf, declared as releases 1.28 and later declare it. Examples are compiled against it; that states go
// through such methods unharmed is tested with a stand-in that has more of the package (Tests/PerdureModelTests/Protobuf).

/// What bytes come in.
public protocol SwiftProtobufContiguousBytes {
    /// So many times the same byte.
    init(repeating: UInt8, count: Int)
    /// These bytes.
    init<S: Sequence>(_ sequence: S) where S.Element == UInt8
    /// How many there are.
    var count: Int { get }
    /// Lends the bytes.
    func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R
    /// Lends the bytes to be changed.
    mutating func withUnsafeMutableBytes<R>(_ body: (UnsafeMutableRawBufferPointer) throws -> R) rethrows -> R
}

extension Array: SwiftProtobufContiguousBytes where Array.Element == UInt8 {}

/// How messages are written.
public struct BinaryEncodingOptions: Sendable {
    /// As usual.
    public init() {}
}

/// How messages are read.
public struct BinaryDecodingOptions: Sendable {
    /// As usual.
    public init() {}
}

/// Extensions that may be met in a message.
public protocol ExtensionMap: Sendable {}

/// What every generated type is; there are more requirements, which generated types meet by themselves.
@preconcurrency
public protocol Message: Sendable, CustomDebugStringConvertible {
    /// The message with no field set.
    init()
    /// Its full name.
    static var protoMessageName: String { get }
}

extension Message {
    /// The type's name.
    public var debugDescription: String { String(reflecting: type(of: self)) }

    /// The message in protobuf's binary format.
    public func serializedBytes<Bytes: SwiftProtobufContiguousBytes>(
        partial: Bool = false, options: BinaryEncodingOptions = BinaryEncodingOptions()
    ) throws -> Bytes {
        Bytes(repeating: 0, count: 0)
    }

    /// The message in these bytes.
    @inlinable
    public init<Bytes: SwiftProtobufContiguousBytes>(
        serializedBytes bytes: Bytes, extensions: (any ExtensionMap)? = nil, partial: Bool = false,
        options: BinaryDecodingOptions = BinaryDecodingOptions()
    ) throws {
        self.init()
    }
}
