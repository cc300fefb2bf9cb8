internal import PerdureCQLClient
internal import PerdureModel
internal import PerdureState

/// What a write has to know of the row that is there.
struct StoredHead: Sendable, Equatable {
    /// Nil where another program left it out.
    var version: UInt64?
    /// The write that made the row; nil for rows of others.
    var writeID: CQLUUID?
    /// The version with which the row began, until that is confirmed.
    var newborn: UInt64?
    /// In how many chunks the payload is; nil when it is in the row, or the row has been written over by others since.
    var chunkCount: Int32?

    /// Whether nobody has seen yet that the row did not begin in the shadow of a deletion.
    var isNewborn: Bool { self.newborn != nil && self.newborn == self.version }

    init(version: UInt64?) { self.version = version }

    /// Reads the columns that there are, by their names.
    init(_ row: CQLRow) throws(CQLProtocolError) {
        for (index, column) in (row.columns ?? []).enumerated() {
            switch column.name {
            case "version_number":
                self.version = try row.decode(Int64?.self, at: index).map { UInt64(bitPattern: $0) }
            case "write_id": self.writeID = try row.decode(CQLUUID?.self, at: index)
            case "newborn": self.newborn = try row.decode(Int64?.self, at: index).map { UInt64(bitPattern: $0) }
            case "chunk_count": self.chunkCount = try row.decode(Int32?.self, at: index)
            default: break
            }
        }
    }

    /// The row that kept a conditional write from happening; nil when there was none.
    init?(refusal result: CQLResult) throws(CQLProtocolError) {
        // Where there is no row, the answer has one column only, `[applied]`.
        guard let row = result.first, row.columnCount > 1 else { return nil }
        try self.init(row)
    }

    /// The chunks of the payload, if it has any.
    var chunks: ChunkSet? {
        guard let writeID = self.writeID, let count = self.chunkCount, count > 0 else { return nil }
        return ChunkSet(name: writeID, count: Int(count))
    }
}

/// The state in a row, as far as the row has it.
struct StoredState: Sendable {
    var state: DurableState
    var head: StoredHead
    /// Where the payload is, when it is not in the row.
    var chunks: ChunkSet?

    /// Reads a row of ours or of eGo's, of the columns that ``StateStatements/read`` names.
    ///
    /// - Throws: ``RowFlaw`` that names the column that is missing.
    init(_ row: CQLRow, id: String, _ layout: TableLayout, shard: Int64?) throws(RowFlaw) {
        var manifest: String?
        do throws(CQLProtocolError) {
            var columns = row.reader
            let version: Int64? = try columns.next()
            let payload: [UInt8]? = try columns.next()
            manifest = try columns.next(String?.self)
            let timestamp: Int64? = try columns.next()
            var stored: Int64? = try columns.next()
            var head = StoredHead(version: version.map { UInt64(bitPattern: $0) })
            var chunkedManifest: String?
            if layout.isExtended, layout.isConditional {
                head.writeID = try columns.next()
                head.newborn = try columns.next(Int64?.self).map { UInt64(bitPattern: $0) }
                head.chunkCount = try columns.next()
                chunkedManifest = try columns.next()
            }
            if layout.isExtended, layout.key == .shard { stored = try columns.next(Int64?.self) ?? stored }
            // Other programs write over the payload and leave the rest: the manifest says whose it is.
            var name = manifest
            if manifest == ChunkSet.manifest, let chunkedManifest, let chunks = head.chunks {
                self.chunks = chunks
                name = chunkedManifest
            } else if manifest == ChunkSet.manifest {
                throw CQLProtocolError(.valueMismatch, "it does not say where its chunks are")
            }
            guard let version else { throw CQLProtocolError(.valueMismatch, "version_number is missing") }
            guard let payload else { throw CQLProtocolError(.valueMismatch, "state_payload is missing") }
            guard let name else { throw CQLProtocolError(.valueMismatch, "state_manifest is missing") }
            self.head = head
            self.state = DurableState(
                persistenceID: id, version: UInt64(bitPattern: version),
                payload: StatePayload(manifest: name, bytes: payload),
                timestamp: timestamp.map { StoredTimestamp.milliseconds(fromStored: $0) } ?? 0,
                shard: stored.map { UInt64(bitPattern: $0) } ?? 0)
        } catch {
            throw RowFlaw(words: error.reason, manifest: manifest)
        }
    }
}

/// Why a row cannot be read.
struct RowFlaw: Error {
    let words: String
    let manifest: String?
}

/// Where a payload is that is too large for one row: in chunks under the ID of the write that wrote them, before anything refers to them.
struct ChunkSet: Sendable, Equatable {
    /// The write that made it; no other set ever has this name.
    var name: CQLUUID
    var count: Int

    /// The most bytes in a row of states, and in a chunk.
    static let inlineLimit = 1 << 20

    /// What stands in `state_manifest` when the payload is in chunks: a name that no other program takes for one of its types.
    static let manifest = "perdure.chunked"

    /// How many chunks a payload takes; nil when it fits into the row.
    static func count(of byteCount: Int) -> Int? {
        byteCount > Self.inlineLimit ? (byteCount + Self.inlineLimit - 1) / Self.inlineLimit : nil
    }
}
