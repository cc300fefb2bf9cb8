/// Writes the values of a statement, straight into the message.
///
/// Handed to a closure by ``CQLFrameEncoder``; one call for each marker, in the markers' order:
///
/// ```swift
/// try encoder.execute(insert, stream: 7) { values throws(CQLProtocolError) in
///     try values.bind("ada")
///     try values.bind(payload)
///     values.bindNull()
/// }
/// ```
///
/// Values are bound either all by position or all by name.
public struct CQLBoundValues: ~Copyable, Sendable {
    @usableFromInline var buffer = CQLBuffer()
    @usableFromInline var count = 0
    @usableFromInline var named = 0
    /// The markers of the statement, where they are known.
    @usableFromInline var markers: [CQLColumn]?

    init() {}

    /// Binds a value to the next marker.
    ///
    /// - Throws: ``CQLProtocolError`` where the statement is prepared and the value is not of the marker's type.
    @inlinable
    public mutating func bind<Value: CQLEncodable>(_ value: Value) throws(CQLProtocolError) {
        let type = try self.nextType()
        do throws(CQLProtocolError) { try self.buffer.append(value: value, as: type) } catch {
            throw self.naming(error)
        }
    }

    /// Binds bytes to the next marker, of whatever type it is: a value that was encoded elsewhere.
    @inlinable
    public mutating func bind(encoded bytes: UnsafeRawBufferPointer) throws(CQLProtocolError) {
        _ = try self.nextType()
        guard let length = Int32(exactly: bytes.count) else { throw CQLBuffer.tooLong }
        self.buffer.append(length)
        self.buffer.append(bytes: bytes)
    }

    /// Binds a value, or null or unset, to the next marker.
    ///
    /// - Throws: ``CQLProtocolError`` where the statement is prepared and the value is not of the marker's type.
    public mutating func bind(_ value: CQLValue) throws(CQLProtocolError) {
        if case .unset = value { return self.bindUnset() }
        let type = try self.nextType()
        do throws(CQLProtocolError) { try self.buffer.append(value: value, as: type) } catch {
            throw self.naming(error)
        }
    }

    /// Binds null to the next marker: a column is deleted.
    public mutating func bindNull() {
        self.count += 1
        self.buffer.append(Int32(-1))
    }

    /// Binds nothing to the next marker: a column stays as it is.
    public mutating func bindUnset() {
        self.count += 1
        self.buffer.append(Int32(-2))
    }

    /// Binds a value to the marker `name`; for queries that are not prepared.
    ///
    /// - Throws: ``CQLProtocolError`` for a name of more than 65 535 bytes.
    public mutating func bind<Value: CQLEncodable>(
        _ value: Value, to name: String
    ) throws(CQLProtocolError) {
        self.named += 1
        self.count += 1
        try self.buffer.append(string: name, "a marker's name")
        if let value = value as? CQLValue, case .unset = value { return self.buffer.append(Int32(-2)) }
        try self.buffer.append(value: value, as: nil)
    }

    @inlinable
    mutating func nextType() throws(CQLProtocolError) -> CQLType? {
        let index = self.count
        self.count += 1
        guard let markers = self.markers else { return nil }
        guard index < markers.count else { throw self.tooMany }
        return markers[index].type
    }

    @inline(never) @usableFromInline
    var tooMany: CQLProtocolError {
        .mismatch("more values than the statement has markers (\(self.markers?.count ?? 0))")
    }

    @inline(never) @usableFromInline
    func naming(_ error: CQLProtocolError) -> CQLProtocolError {
        let index = self.count - 1
        guard let markers = self.markers, index < markers.count else { return error }
        return CQLProtocolError(error.code, "value \(index) (\(markers[index].name)): \(error.reason)")
    }
}
