/// The rows of a result, still as they came: nothing is decoded before it is asked for, and nothing copied.
///
/// ```swift
/// for row in rows {
///     let id: String = try row.decode(at: 0)
///     let payload: [UInt8]? = try row.decode(at: 1)
/// }
/// ```
///
/// Rows share the bytes of the frame that they came in; as long as one of them lives the frame does. Going through the
/// rows cannot fail: that each value is where it should be was checked when the frame was read.
public struct CQLRows: Sendable, Hashable {
    private let storage: [UInt8]
    private let start: Int
    /// The number of rows in this page.
    public let count: Int
    /// The number of columns.
    public let columnCount: Int
    /// The columns; nil where the request left out their description.
    public let columns: [CQLColumn]?
    /// Where the next page begins; nil on the last page.
    public let pagingState: [UInt8]?
    /// In version 5: what names the description of the columns from now on, as they are others than when the statement
    /// was prepared; ``columns`` are the new ones.
    public let newMetadataID: [UInt8]?

    init(
        storage: [UInt8], start: Int, count: Int, columnCount: Int, columns: [CQLColumn]?, pagingState: [UInt8]?,
        newMetadataID: [UInt8]?
    ) {
        self.storage = storage
        self.start = start
        self.count = count
        self.columnCount = columnCount
        self.columns = columns
        self.pagingState = pagingState
        self.newMetadataID = newMetadataID
    }

    /// The same rows with the columns that the statement had when it was prepared, if the response left them out.
    ///
    /// - Throws: ``CQLProtocolError`` where the number of columns is another.
    public func described(by columns: [CQLColumn]) throws(CQLProtocolError) -> CQLRows {
        if self.columns != nil { return self }
        guard columns.count == self.columnCount else {
            throw .mismatch("\(columns.count) columns cannot describe rows of \(self.columnCount)")
        }
        return CQLRows(
            storage: self.storage, start: self.start, count: self.count, columnCount: self.columnCount,
            columns: columns, pagingState: self.pagingState, newMetadataID: self.newMetadataID)
    }
}

extension CQLRows: Sequence {
    /// Goes through the rows in order.
    public struct Iterator: IteratorProtocol, Sendable {
        private let rows: CQLRows
        private var position: Int
        private var remaining: Int

        fileprivate init(_ rows: CQLRows) {
            self.rows = rows
            self.position = rows.start
            self.remaining = rows.count
        }

        /// The next row, or nil after the last.
        public mutating func next() -> CQLRow? {
            guard self.remaining > 0 else { return nil }
            self.remaining -= 1
            let row = CQLRow(
                storage: self.rows.storage, start: self.position, columnCount: self.rows.columnCount,
                columns: self.rows.columns)
            if self.remaining > 0 {
                self.position = row.storage.withUnsafeBytes { bytes in
                    var position = self.position
                    for _ in 0..<row.columnCount { position = ValuePlace(at: position, in: bytes).end }
                    return position
                }
            }
            return row
        }
    }

    /// Goes through the rows in order.
    public func makeIterator() -> Iterator { Iterator(self) }

    /// The number of rows.
    public var underestimatedCount: Int { self.count }

    /// The first row, if there is one.
    public var first: CQLRow? {
        var iterator = self.makeIterator()
        return iterator.next()
    }

    /// Whether there are no rows.
    public var isEmpty: Bool { self.count == 0 }
}

/// One row of a result.
///
/// Reading a column walks over those before it: cheap for the few columns that rows have, but read wide rows with
/// ``reader`` instead.
public struct CQLRow: Sendable {
    @usableFromInline let storage: [UInt8]
    @usableFromInline let start: Int
    /// The number of columns.
    public let columnCount: Int
    /// The columns; nil where the request left out their description.
    public let columns: [CQLColumn]?

    fileprivate init(storage: [UInt8], start: Int, columnCount: Int, columns: [CQLColumn]?) {
        self.storage = storage
        self.start = start
        self.columnCount = columnCount
        self.columns = columns
    }

    /// Lends the bytes of a column, nil for null; valid during the call only.
    ///
    /// - Throws: ``CQLProtocolError`` where there is no such column, or what `body` throws.
    @inlinable
    public func withBytes<Result>(
        at index: Int, _ body: (UnsafeRawBufferPointer?) throws(CQLProtocolError) -> Result
    ) throws(CQLProtocolError) -> Result {
        guard index >= 0, index < self.columnCount else { throw self.noColumn(index) }
        return try self.storage.lend { bytes throws(CQLProtocolError) in
            var place = ValuePlace(at: self.start, in: bytes)
            for _ in 0..<index { place = ValuePlace(at: place.end, in: bytes) }
            return try body(place.bytes(in: bytes))
        }
    }

    /// Reads a column.
    ///
    /// - Throws: ``CQLProtocolError`` where there is no such column, it is of another type, or it is null and `Value` is not
    ///   optional.
    @inlinable
    public func decode<Value: CQLDecodable>(
        _: Value.Type = Value.self, at index: Int
    ) throws(CQLProtocolError) -> Value {
        let type = self.type(at: index)
        do throws(CQLProtocolError) {
            return try self.withBytes(at: index) { bytes throws(CQLProtocolError) in
                try Value.decodeCQL(bytes, as: type)
            }
        } catch {
            throw self.naming(error, index)
        }
    }

    /// Reads a column by its name, as the result has it; the first of that name.
    ///
    /// - Throws: ``CQLProtocolError`` as ``decode(_:at:)`` does, and where the columns are not known.
    public func decode<Value: CQLDecodable>(
        _: Value.Type = Value.self, named name: String
    ) throws(CQLProtocolError) -> Value {
        guard let index = self.columns?.firstIndex(where: { $0.name == name }) else {
            throw .mismatch("the result has no column '\(name)', or its columns are not known")
        }
        return try self.decode(at: index)
    }

    /// Reads the columns one after the other, each once.
    public var reader: Reader { Reader(self) }

    @inlinable @inline(__always)
    func type(at index: Int) -> CQLType? {
        guard let columns = self.columns, index >= 0, index < columns.count else { return nil }
        return columns[index].type
    }

    @inline(never) @usableFromInline
    func noColumn(_ index: Int) -> CQLProtocolError {
        .mismatch("the row has no column \(index); it has \(self.columnCount)")
    }

    @inline(never) @usableFromInline
    func naming(_ error: CQLProtocolError, _ index: Int) -> CQLProtocolError {
        guard let columns = self.columns, columns.indices.contains(index) else { return error }
        return CQLProtocolError(error.code, "column \(index) (\(columns[index].name)): \(error.reason)")
    }

    /// Reads the columns of a row in order.
    public struct Reader: Sendable {
        @usableFromInline let row: CQLRow
        @usableFromInline var position: Int
        @usableFromInline var index = 0

        fileprivate init(_ row: CQLRow) {
            self.row = row
            self.position = row.start
        }

        /// Reads the next column.
        ///
        /// - Throws: ``CQLProtocolError`` after the last column, and as ``CQLRow/decode(_:at:)`` does.
        @inlinable
        public mutating func next<Value: CQLDecodable>(
            _: Value.Type = Value.self
        ) throws(CQLProtocolError) -> Value {
            let index = self.index
            guard index < self.row.columnCount else { throw self.row.noColumn(index) }
            let type = self.row.type(at: index)
            let position = self.position
            do throws(CQLProtocolError) {
                let (value, end) = try self.row.storage.lend { bytes throws(CQLProtocolError) -> (Value, Int) in
                    let place = ValuePlace(at: position, in: bytes)
                    return (try Value.decodeCQL(place.bytes(in: bytes), as: type), place.end)
                }
                self.position = end
                self.index += 1
                return value
            } catch {
                throw self.row.naming(error, index)
            }
        }
    }
}

/// Where a value of a row lies; that it is there was checked when the frame was read.
@usableFromInline
struct ValuePlace {
    @usableFromInline let start: Int
    /// The number of its bytes; negative for null.
    @usableFromInline let length: Int

    @inlinable @inline(__always)
    init(at position: Int, in bytes: UnsafeRawBufferPointer) {
        self.start = position + 4
        self.length = Int(Int32(bigEndian: bytes.loadUnaligned(fromByteOffset: position, as: Int32.self)))
    }

    @inlinable @inline(__always)
    var end: Int { self.start + (self.length < 0 ? 0 : self.length) }

    @inlinable @inline(__always)
    func bytes(in bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        self.length < 0 ? nil : UnsafeRawBufferPointer(rebasing: bytes[self.start..<self.end])
    }
}
