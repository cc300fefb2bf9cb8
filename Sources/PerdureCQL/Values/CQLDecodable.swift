/// A Swift value that can be read from a column, or from a part of one.
///
/// The conformances are those of ``CQLEncodable``. Reading something else than what the column holds throws; nothing is
/// converted. Zero bytes, which older tools could store in a column of any type, are read by ``CQLValue`` only.
public protocol CQLDecodable {
    /// Reads a value.
    ///
    /// - Parameters:
    ///   - bytes: The value's bytes, valid during the call only; nil for null.
    ///   - type: The type of the column, if it is known; nil means that the caller vouches for it.
    /// - Returns: The value.
    /// - Throws: ``CQLProtocolError`` with the code `valueMismatch` for a type or a null that the value cannot express, and
    ///   for bytes of the wrong length.
    static func decodeCQL(_ bytes: UnsafeRawBufferPointer?, as type: CQLType?) throws(CQLProtocolError) -> Self

    /// Reads several values that were written as one.
    ///
    /// The default is right for every type; `UInt8` differs, as many of it are a blob.
    static func decodeCQLElements(
        _ bytes: UnsafeRawBufferPointer?, as type: CQLType?
    ) throws(CQLProtocolError) -> [Self]
}

extension CQLDecodable {
    /// Reads a list or set.
    public static func decodeCQLElements(
        _ bytes: UnsafeRawBufferPointer?, as type: CQLType?
    ) throws(CQLProtocolError) -> [Self] {
        var elementType: CQLType?
        switch type {
        case nil: break
        case .list(let element), .set(let element): elementType = element
        case let type?: throw .cannotDecode(type, "a list")
        }
        var reader = WireReader(try .notNull(bytes))
        let count = try reader.count(of: Int32.self, eachAtLeast: 4, "a list")
        var elements: [Self] = []
        elements.reserveCapacity(count)
        for _ in 0..<count {
            elements.append(try Self.decodeCQL(try reader.bytesOrNull("an element"), as: elementType))
        }
        return elements
    }
}

/// Reads the parts of a tuple or a user-defined type in order.
///
/// For a `decodeCQL` of your own: it must not outlive the bytes that were lent.
public struct CQLPartReader {
    private var reader: WireReader
    private var types: [CQLType]?
    private var index = 0

    /// Begins to read `bytes`, which are of type `type`.
    ///
    /// - Throws: ``CQLProtocolError`` for null, and where `type` is known and has no parts.
    public init(_ bytes: UnsafeRawBufferPointer?, as type: CQLType?) throws(CQLProtocolError) {
        self.reader = WireReader(try .notNull(bytes))
        switch type {
        case nil: self.types = nil
        case .tuple(let types): self.types = types
        case .udt(let type): self.types = type.fields.map(\.type)
        case let type?: throw .cannotDecode(type, "a tuple or a user-defined type")
        }
    }

    /// Reads the next part; where the value has fewer parts than its type, the rest are null.
    ///
    /// - Throws: ``CQLProtocolError`` where the part is not of that type.
    public mutating func next<Value: CQLDecodable>(
        _: Value.Type = Value.self
    ) throws(CQLProtocolError) -> Value {
        let type = self.types.flatMap { self.index < $0.count ? $0[self.index] : nil }
        self.index += 1
        let bytes = self.reader.remaining == 0 ? nil : try self.reader.bytesOrNull("a part of a tuple or type")
        return try Value.decodeCQL(bytes, as: type)
    }
}

extension CQLProtocolError {
    @inline(never)
    static func cannotDecode(_ type: CQLType, _ what: StaticString) -> CQLProtocolError {
        .init(.valueMismatch, "\(type) cannot be read as \(what)")
    }
    @inline(never)
    static func wrongLength(_ what: StaticString, _ count: Int) -> CQLProtocolError {
        .init(.valueMismatch, "\(count) bytes cannot be read as \(what)")
    }
}

extension UnsafeRawBufferPointer {
    @inline(__always)
    static func notNull(_ bytes: UnsafeRawBufferPointer?) throws(CQLProtocolError) -> UnsafeRawBufferPointer {
        guard let bytes else { throw .mismatch("null where a value must be; read it as an optional") }
        return bytes
    }
}
