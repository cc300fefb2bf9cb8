/// Writes the statements of a batch, straight into the message; handed to a closure by ``CQLFrameEncoder``.
///
/// Values are bound by position: the protocol cannot express named values here.
public struct CQLBatchStatements: ~Copyable, Sendable {
    var values = CQLBoundValues()
    var count = 0

    init() {}

    /// Adds a statement as text, which may have markers.
    ///
    /// - Throws: ``CQLProtocolError``, or what `bind` throws.
    public mutating func add(
        _ text: String,
        _ bind: (inout CQLBoundValues) throws(CQLProtocolError) -> Void = { _ throws(CQLProtocolError) in }
    ) throws(CQLProtocolError) {
        self.values.buffer.append(UInt8(0))
        try self.values.buffer.append(longString: text)
        try self.add(markers: nil, bind)
    }

    /// Adds a prepared statement.
    ///
    /// - Throws: ``CQLProtocolError`` also where a value is missing or of another type than its marker; or what `bind` throws.
    public mutating func add(
        _ statement: CQLPreparedStatement,
        _ bind: (inout CQLBoundValues) throws(CQLProtocolError) -> Void = { _ throws(CQLProtocolError) in }
    ) throws(CQLProtocolError) {
        self.values.buffer.append(UInt8(1))
        try self.values.buffer.append(shortBytes: statement.id, "the ID of a statement")
        try self.add(markers: statement.markers, bind)
    }

    private mutating func add(
        markers: [CQLColumn]?, _ bind: (inout CQLBoundValues) throws(CQLProtocolError) -> Void
    ) throws(CQLProtocolError) {
        guard self.count < 65535 else { throw .limit("a batch has at most 65535 statements") }
        self.count += 1
        let position = self.values.begin(markers: markers)
        try bind(&self.values)
        guard self.values.named == 0 else { throw .unsupported("values of a batch cannot be bound by name") }
        try self.values.end(at: position)
    }
}

extension CQLBoundValues {
    /// Leaves room for the count of values.
    mutating func begin(markers: [CQLColumn]?) -> Int {
        self.count = 0
        self.named = 0
        self.markers = markers
        let position = self.buffer.count
        self.buffer.append(UInt16(0))
        return position
    }

    /// Sets the count, and checks that every marker got its value.
    mutating func end(at position: Int) throws(CQLProtocolError) {
        guard let count = UInt16(exactly: self.count) else { throw .limit("a statement has at most 65535 values") }
        guard self.named == 0 || self.named == self.count else {
            throw .mismatch("\(self.named) of \(self.count) values are bound by name; it must be all or none")
        }
        if let markers = self.markers, self.named == 0, self.count != markers.count {
            throw .mismatch("\(self.count) values are bound; the statement has \(markers.count) markers")
        }
        self.buffer.overwrite(count, at: position)
    }
}
