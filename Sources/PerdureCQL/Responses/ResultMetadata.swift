/// What stands before the rows of a result.
struct ResultMetadata {
    var columnCount: Int
    /// Nil where the description was left out.
    var columns: [CQLColumn]?
    var pagingState: [UInt8]?
    var newMetadataID: [UInt8]?
}

extension WireReader {
    private static let globalTable: Int32 = 0x01
    private static let hasMorePages: Int32 = 0x02
    private static let noMetadata: Int32 = 0x04
    private static let metadataChanged: Int32 = 0x08

    mutating func metadata() throws(CQLProtocolError) -> ResultMetadata {
        let flags = try self.integer(Int32.self, "the flags of metadata")
        var metadata = ResultMetadata(columnCount: try self.columnCount())
        if flags & Self.hasMorePages != 0 { metadata.pagingState = try self.bytesCopy("a paging state") }
        if flags & Self.metadataChanged != 0 { metadata.newMetadataID = try self.shortBytes("the ID of metadata") }
        if flags & Self.noMetadata == 0 {
            metadata.columns = try self.columns(metadata.columnCount, flags: flags)
        }
        return metadata
    }

    /// How many columns there are; whether so many can be is seen when they are read.
    mutating func columnCount() throws(CQLProtocolError) -> Int {
        let count = Int(try self.integer(Int32.self, "the number of columns"))
        guard count >= 0 else { throw .malformed("a result claims \(count) columns") }
        return count
    }

    mutating func columns(_ count: Int, flags: Int32) throws(CQLProtocolError) -> [CQLColumn] {
        guard count > 0 else { return [] }
        let isGlobal = flags & Self.globalTable != 0
        var keyspace = ""
        var table = ""
        if isGlobal {
            keyspace = try self.string("a keyspace")
            table = try self.string("a table")
        }
        guard count <= self.remaining / 4 else {
            throw .malformed("\(count) columns cannot be in the \(self.remaining) bytes that are left")
        }
        var columns: [CQLColumn] = []
        columns.reserveCapacity(count)
        for _ in 0..<count {
            if !isGlobal {
                keyspace = try self.string("a keyspace")
                table = try self.string("a table")
            }
            let name = try self.string("a column's name")
            columns.append(CQLColumn(keyspace: keyspace, table: table, name: name, type: try self.type()))
        }
        return columns
    }

    mutating func rows(_ frame: CQLFrame) throws(CQLProtocolError) -> CQLRows {
        let metadata = try self.metadata()
        let rowCount = Int(try self.integer(Int32.self, "the number of rows"))
        guard rowCount >= 0 else { throw .malformed("a result claims \(rowCount) rows") }
        let start = frame.start + self.offset
        if rowCount > 0 {
            // A value takes four bytes at least; what cannot be there is refused before anyone counts to it.
            let valueCount = rowCount.multipliedReportingOverflow(by: metadata.columnCount)
            guard metadata.columnCount > 0, !valueCount.overflow, valueCount.partialValue <= self.remaining / 4 else {
                throw .malformed(
                    "\(rowCount) rows of \(metadata.columnCount) columns cannot be in \(self.remaining) bytes")
            }
            // Once here, so that no row has to be checked again.
            for _ in 0..<valueCount.partialValue { _ = try self.bytesOrNull("a value") }
        }
        return CQLRows(
            storage: frame.storage, start: start, count: rowCount, columnCount: metadata.columnCount,
            columns: metadata.columns, pagingState: metadata.pagingState, newMetadataID: metadata.newMetadataID)
    }
}
