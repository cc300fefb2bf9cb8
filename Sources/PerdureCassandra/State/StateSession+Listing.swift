internal import PerdureCQLClient
internal import PerdureModel
internal import PerdureState

extension StateSession {
    /// Where a listing goes on: after this ID, in the order of the partitions on the ring.
    private struct Position {
        var id: String
        /// Only where the shard is part of the key.
        var shard: Int64?

        init(id: String, shard: Int64?) { (self.id, self.shard) = (id, shard) }

        /// Reads what ``text`` wrote.
        init?(_ text: String, key: KeyLayout) {
            guard key == .shard else {
                (self.id, self.shard) = (text, nil)
                return
            }
            let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, let shard = Int64(parts[0]) else { return nil }
            (self.id, self.shard) = (String(parts[1]), shard)
        }

        var text: String { self.shard.map { "\($0):\(self.id)" } ?? self.id }
    }

    func persistenceIDs(
        withPrefix prefix: String, after cursor: String?, limit: Int
    ) async throws(StoreError) -> StateIDPage {
        var position: Position?
        if let cursor {
            position = Position(cursor, key: self.layout.key)
            if position == nil {
                throw StoreError(
                    .invalidRequest, operation: .list, message: "the cursor is not one that this store has given")
            }
        }
        let deadline = self.deadline(.list)
        var ids: [String] = []
        var looked = 0
        // The rest of the shard that the page before ended in, then the shards after it.
        var stages: [Stage] =
            position == nil ? [.everything] : self.layout.key == .shard ? [.restOfShard, .after] : [.after]
        let start = position
        while let stage = stages.first {
            var call = Call(operation: .list, deadline: deadline)
            // A prefix that few have would make many pages; but no more is fetched than can be of use.
            call.pageSize = Int32(prefix.isEmpty ? min(limit - ids.count + 1, 5_000) : 1_000)
            repeat {
                let page = try await self.page(stage, from: start, call)
                for row in page {
                    looked += 1
                    let listed = try self.decoded(.list, nil) { () throws(CQLProtocolError) in
                        try ListedRow(row, self.layout)
                    }
                    if stage == .after, let start, self.layout.key == .id, !listed.follows(start.id) { continue }
                    position = Position(id: listed.id, shard: listed.shard)
                    // Others' rows with keys that are no persistence IDs are none of ours.
                    guard listed.id.utf8.starts(with: prefix.utf8), PersistenceID.violation(in: listed.id) == nil,
                        try await self.isAlive(listed, call)
                    else { continue }
                    ids.append(listed.id)
                    if ids.count == limit { return StateIDPage(ids: ids, next: position.map { .init($0.text) }) }
                }
                call.pagingState = page.pagingState
                // A page may have fewer: nobody waits for ever for IDs that are not there.
                if call.pagingState != nil, looked >= 50_000 || self.clock.now + .seconds(1) >= deadline {
                    return StateIDPage(ids: ids, next: position.map { .init($0.text) })
                }
            } while call.pagingState != nil
            stages.removeFirst()
        }
        return StateIDPage(ids: ids, next: nil)
    }

    private enum Stage { case everything, restOfShard, after }

    private func page(_ stage: Stage, from start: Position?, _ call: Call) async throws(StoreError) -> CQLResult {
        switch stage {
        case .everything: return try await self.perform(self.statements.list, once: call) { _ in }
        case .restOfShard:
            return try await self.perform(self.statements.listShard ?? self.statements.list, once: call) {
                try $0.bind(start?.shard)
                try $0.bind(start?.id)
            }
        case .after:
            return try await self.perform(self.statements.listAfter, once: call) {
                if self.layout.key == .shard { try $0.bind(start?.shard) } else { try $0.bind(start?.id) }
            }
        }
    }

    /// Whether a listed row is a state: newborn ones may come from a write that was too late.
    private func isAlive(_ row: ListedRow, _ call: Call) async throws(StoreError) -> Bool {
        guard row.isNewborn, self.configuration.writes == .conditional else { return true }
        var reading = call
        (reading.operation, reading.id, reading.pageSize, reading.pagingState) = (.read, row.id, nil, nil)
        return try await self.aliveHead(of: row.id, reading) != nil
    }
}

/// A row as a listing reads it.
private struct ListedRow {
    let id: String
    let shard: Int64?
    let isNewborn: Bool

    init(_ row: CQLRow, _ layout: TableLayout) throws(CQLProtocolError) {
        var columns = row.reader
        self.id = try columns.next()
        self.shard = layout.key == .shard ? try columns.next(Int64.self) : nil
        if layout.isExtended {
            let version: Int64? = try columns.next()
            let newborn: Int64? = try columns.next()
            self.isNewborn = newborn != nil && newborn == version
        } else {
            self.isNewborn = false
        }
    }

    /// Whether the row comes after that of `id` in the order of the table: by token, and where those are equal by bytes.
    func follows(_ id: String) -> Bool {
        let (token, other) = (CQLToken(partitionKey: Array(self.id.utf8)), CQLToken(partitionKey: Array(id.utf8)))
        return token == other ? IDKey(id) < IDKey(self.id) : other < token
    }
}
