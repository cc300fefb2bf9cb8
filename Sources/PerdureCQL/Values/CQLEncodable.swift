/// A Swift value that can be bound to a marker, or be a part of one that is.
///
/// The conformances of this module: `String` (text, ascii), `[UInt8]` (blob), `Bool`, `Int8` to `Int64` (tinyint to
/// bigint, counter), `Float`, `Double`, ``CQLUUID``, ``CQLInet``, ``CQLDate``, ``CQLTime``, ``CQLTimestamp``,
/// ``CQLDuration``, ``CQLVarint``, ``CQLDecimal``, `Array` (list, set), `Set`, `Dictionary` (map), `Optional` (null) and
/// ``CQLValue`` (anything). Tuples and user-defined types: conform a type of your own, and write its parts in order with
/// ``CQLBuffer/append(value:as:)``.
public protocol CQLEncodable {
    /// Writes the value's bytes, without a length.
    ///
    /// - Parameters:
    ///   - buffer: Where to; what was written before must stay.
    ///   - type: The type that the server expects, if it is known; nil means that the caller vouches for it.
    /// - Throws: ``CQLProtocolError`` with the code `valueMismatch` where the value is not of that type.
    func encodeCQL(into buffer: inout CQLBuffer, as type: CQLType?) throws(CQLProtocolError)

    /// Whether the value stands for null; then nothing is written for it.
    var isCQLNull: Bool { get }

    /// Writes several values as one: as a list, unless the type has a better way.
    ///
    /// The default is right for every type; `UInt8` differs, as many of it are a blob.
    static func encodeCQLElements(
        _ elements: [Self], into buffer: inout CQLBuffer, as type: CQLType?
    ) throws(CQLProtocolError)
}

extension CQLEncodable {
    /// False.
    @inlinable public var isCQLNull: Bool { false }

    /// Writes a list or set.
    public static func encodeCQLElements(
        _ elements: [Self], into buffer: inout CQLBuffer, as type: CQLType?
    ) throws(CQLProtocolError) {
        var elementType: CQLType?
        switch type {
        case nil: break
        case .list(let element), .set(let element): elementType = element
        case let type?: throw .cannotEncode("a list", as: type)
        }
        try buffer.append(count: elements.count)
        for element in elements { try buffer.append(element: element, as: elementType) }
    }
}

extension CQLProtocolError {
    @inline(never) @usableFromInline
    static func cannotEncode(_ what: StaticString, as type: CQLType) -> CQLProtocolError {
        .init(.valueMismatch, "\(what) cannot be written as \(type)")
    }
}

extension CQLBuffer {
    /// Writes a value with its length before it, null as the length −1: a part of a tuple or a user-defined type.
    ///
    /// - Throws: ``CQLProtocolError`` where the value is not of that type.
    @inlinable
    public mutating func append<Value: CQLEncodable>(
        value: Value, as type: CQLType?
    ) throws(CQLProtocolError) {
        if value.isCQLNull { return self.append(Int32(-1)) }
        let position = self.count
        self.append(Int32(0))
        try value.encodeCQL(into: &self, as: type)
        try self.close(valueAt: position)
    }

    /// Sets the length of the value that was begun at `position` with four bytes of nothing.
    @inlinable
    mutating func close(valueAt position: Int) throws(CQLProtocolError) {
        guard let length = Int32(exactly: self.count - position - 4) else { throw Self.tooLong }
        self.overwrite(length, at: position)
    }

    @usableFromInline
    static var tooLong: CQLProtocolError { .limit("a value of more than 2 GiB cannot be sent") }

    mutating func append(count: Int) throws(CQLProtocolError) {
        guard let count = Int32(exactly: count) else { throw .limit("\(count) elements cannot be sent") }
        self.append(count)
    }

    mutating func append<Value: CQLEncodable>(
        element: Value, as type: CQLType?
    ) throws(CQLProtocolError) {
        if element.isCQLNull { throw .mismatch("a list, set or map cannot hold null") }
        try self.append(value: element, as: type)
    }
}
