internal import PerdureCQLClient

/// What is left of a deleted ID, in a table of its own that no reader of states meets; also the claim of whoever deletes it.
struct Tombstone: Sendable, Equatable {
    /// The version of the deletion.
    var version: UInt64
    /// The deletion that claimed it.
    var writeID: CQLUUID?
    /// What it deletes: the version, and the write that made it.
    var targetVersion: UInt64?
    var targetWriteID: CQLUUID?

    /// Whether this is about the deletion of that very row.
    func isAbout(_ head: StoredHead) -> Bool {
        self.targetVersion == head.version && self.targetWriteID == head.writeID
    }

    init(version: UInt64, writeID: CQLUUID, target: StoredHead) {
        self.version = version
        self.writeID = writeID
        self.targetVersion = target.version
        self.targetWriteID = target.writeID
    }

    /// Reads the columns that ``StateStatements/tombstone`` names.
    init(_ row: CQLRow) throws(CQLProtocolError) {
        var columns = row.reader
        self.version = UInt64(bitPattern: try columns.next(Int64?.self) ?? 0)
        self.writeID = try columns.next()
        self.targetVersion = try columns.next(Int64?.self).map { UInt64(bitPattern: $0) }
        self.targetWriteID = try columns.next()
    }
}
