internal import PerdureCQLClient
internal import PerdureModel
internal import PerdureState

extension StateSession {
    func write(_ state: DurableState, if condition: WriteCondition) async throws(StoreError) {
        var call = Call(operation: .write, id: state.persistenceID, deadline: self.deadline(.write))
        call.newVersion = state.version
        try self.check(state, if: condition)
        let row = NewRow(state, writeID: self.writeIDs.next())
        guard row.chunks != nil else { return try await self.write(row, if: condition, &call) }
        // The chunks are complete before the row says where they are; nobody ever sees half of them.
        do throws(StoreError) { try await self.writeChunks(row, call) } catch {
            await self.removeChunks(row.chunks)
            // Nothing refers to them: as if nothing had been written.
            throw error.with(outcome: .notApplied)
        }
        do throws(StoreError) { try await self.write(row, if: condition, &call) } catch {
            // Should the row still get there, it must find its chunks.
            if error.outcome == .notApplied { await self.removeChunks(row.chunks) }
            throw error
        }
    }

    private func write(_ row: NewRow, if condition: WriteCondition, _ call: inout Call) async throws(StoreError) {
        if self.configuration.writes == .latest { return try await self.putLatest(row, &call) }
        let partition = self.place(of: row.state.persistenceID).partition
        await self.turns.take(partition)
        defer { self.turns.leave(partition) }
        switch condition {
        case .always: try await self.put(row, &call)
        case .absent: try await self.create(row, &call)
        case .version(let version): try await self.replace(row, version: version, &call)
        }
    }

    /// Refuses what this table cannot keep, before anything is sent.
    private func check(_ state: DurableState, if condition: WriteCondition) throws(StoreError) {
        let id = state.persistenceID
        func refuse(_ message: String, as code: StoreError.Code = .invalidRequest) -> StoreError {
            StoreError(code, operation: .write, persistenceID: id, message: message)
        }
        try self.checkCondition(condition, .write, id)
        let isLarge = state.payload.bytes.count > ChunkSet.inlineLimit
        if isLarge, !self.layout.isExtended || self.configuration.writes == .latest {
            throw refuse(
                "the payload has \(state.payload.bytes.count) bytes; over \(ChunkSet.inlineLimit) it takes chunks, for which"
                    + " the store must be set up by setup(), with writes=conditional",
                as: .payloadTooLarge)
        }
        if self.layout.key == .shard, !self.layout.isExtended,
            self.place(of: id).shard != Int64(bitPattern: state.shard)
        {
            throw refuse(
                "the shard is part of this table's key, and there is no column for shard \(state.shard), which is not that"
                    + " of the ID among \(self.layout.shards); call setup(), or give the states that shard")
        }
    }

    func checkCondition(
        _ condition: WriteCondition, _ operation: StoreError.Operation, _ id: String
    ) throws(StoreError) {
        guard self.configuration.writes == .latest, condition != .always else { return }
        throw StoreError(
            .invalidRequest, operation: operation, persistenceID: id,
            message: "this store is configured for writes=latest, where writes have no conditions; configure"
                + " writes=conditional")
    }

    // MARK: Replacing a version

    private func replace(_ row: NewRow, version: UInt64, _ call: inout Call) async throws(StoreError) {
        let id = row.state.persistenceID
        var place = self.place(of: id)
        var isSearched = self.statements.find == nil
        var old = Old()
        // Without a write ID nobody knows whose the row is that a second attempt finds.
        call.isRepeatable = self.layout.isExtended
        // Each round has learned of something that the one before did not expect; that many seldom change in the time of a write.
        for _ in 0..<64 {
            let result = try await self.perform(self.statements.replace, &call) { values in
                try self.bind(row, old, newborn: old.newborn == nil ? .unset : .null, to: &values)
                try place.bind(to: &values)
                try values.bind(Int64(bitPattern: version))
                if self.layout.isExtended { try old.bindConditions(row.writeID, to: &values) }
            }
            if result.wasApplied == true { return await self.removeChunks(old.chunks) }
            guard let found = try self.found(result, call) else {
                if !isSearched {
                    isSearched = true
                    if let other = try await self.otherPlace(than: place, call) {
                        place = other
                        continue
                    }
                }
                if let refusal = try await self.refusal(.version(version), call) { throw refusal }
                continue
            }
            if row.made(found) { return await self.removeChunks(old.chunks) }
            if found.isNewborn {
                switch try await self.verdict(on: found, at: place, call) {
                case .alive: break
                case .dead, .changed: continue
                }
            }
            guard found.version == version else { throw call.refusal(.version(version), stored: found.version ?? 0) }
            old = Old(found)
        }
        throw call.restless
    }

    /// The row that kept a write from happening.
    func found(_ result: CQLResult, _ call: Call) throws(StoreError) -> StoredHead? {
        try self.decoded(call.operation, call.id, mayHaveHappened: call.mayHaveHappened) {
            () throws(CQLProtocolError) in try StoredHead(refusal: result)
        }
    }

    /// The error of a change whose condition did not hold, as there was no row; nil if it would hold by now.
    ///
    /// A tombstone may belong to a deletion that is not carried out yet: it counts only if it was the same before and after there
    /// was seen to be no row.
    func refusal(_ condition: WriteCondition, _ call: Call) async throws(StoreError) -> StoreError? {
        let id = call.id ?? ""
        var before = try await self.tombstone(of: id, call)
        for _ in 0..<64 {
            if let head = try await self.aliveHead(of: id, call)?.head {
                if condition == .version(head.version ?? 0) { return nil }
                return call.refusal(condition, stored: head.version ?? 0)
            }
            let after = try await self.tombstone(of: id, call)
            if after == before {
                if condition == .absent, call.newVersion > after?.version ?? 0 { return nil }
                return call.refusal(condition, stored: after?.version ?? 0)
            }
            before = after
        }
        return call.restless
    }

    // MARK: Whatever is there

    /// Writes whatever is there, in one order with all conditional writes.
    private func put(_ row: NewRow, _ call: inout Call) async throws(StoreError) {
        var place = self.place(of: row.state.persistenceID)
        if self.statements.find != nil, try await self.head(at: place, call) == nil,
            let other = try await self.otherPlace(than: place, call)
        {
            place = other
        }
        var old = Old()
        // Written twice it could wipe out what others wrote in between.
        call.isRepeatable = false
        for _ in 0..<64 {
            let result = try await self.perform(self.statements.put, &call) { values in
                try self.bind(row, old, newborn: .null, to: &values)
                try place.bind(to: &values)
                if self.layout.isExtended {
                    try values.bind(row.writeID)
                    try values.bind(old.chunkCount)
                } else {
                    // A condition that always holds: no version is negative.
                    try values.bind(Int64.min)
                }
            }
            if result.wasApplied == true { return await self.removeChunks(old.chunks) }
            guard let found = try self.found(result, call) else { continue }
            if row.made(found) { return await self.removeChunks(old.chunks) }
            old = Old(found)
        }
        throw call.restless
    }

    /// Writes whatever is there; of several such writes the latest timestamp wins, however often each is sent.
    private func putLatest(_ row: NewRow, _ call: inout Call) async throws(StoreError) {
        var place = self.place(of: row.state.persistenceID)
        if self.statements.find != nil, try await self.head(at: place, call) == nil,
            let other = try await self.otherPlace(than: place, call)
        {
            place = other
        }
        call.timestamp = self.timestamps.next(self.clock.unixMilliseconds * 1_000)
        _ = try await self.perform(self.statements.putLatest, &call) { values in
            try self.bind(row, Old(), newborn: .unset, to: &values)
            try place.bind(to: &values)
        }
    }

    // MARK: Binding

    enum Newborn { case unset, null, version }

    /// Binds the columns of a row, in the order of ``StatementTexts``.
    func bind(
        _ row: NewRow, _ old: Old, newborn: Newborn, to values: inout CQLBoundValues
    ) throws(CQLProtocolError) {
        let state = row.state
        try values.bind(Int64(bitPattern: state.version))
        if row.chunks == nil { try values.bind(state.payload.bytes) } else { try values.bind([UInt8]()) }
        try values.bind(row.chunks == nil ? state.payload.manifest : ChunkSet.manifest)
        try values.bind(
            StoredTimestamp.stored(milliseconds: state.timestamp, as: self.configuration.storedUnit))
        if self.layout.key == .id { try values.bind(Int64(bitPattern: state.shard)) }
        guard self.layout.isExtended else { return }
        try values.bind(row.writeID)
        switch newborn {
        case .unset: values.bindUnset()
        case .null: values.bindNull()
        case .version: try values.bind(Int64(bitPattern: state.version))
        }
        if let chunks = row.chunks {
            try values.bind(Int32(chunks.count))
            try values.bind(state.payload.manifest)
        } else if old.chunkCount != nil {
            values.bindNull()
            values.bindNull()
        } else {
            // A null would leave a tombstone in the cell.
            values.bindUnset()
            values.bindUnset()
        }
        if self.layout.key == .shard { try values.bind(Int64(bitPattern: state.shard)) }
    }
}

/// A row to be written.
struct NewRow: Sendable {
    let state: DurableState
    let writeID: CQLUUID
    /// Where the payload is, when it is too large for the row.
    let chunks: ChunkSet?

    init(_ state: DurableState, writeID: CQLUUID) {
        self.state = state
        self.writeID = writeID
        self.chunks = ChunkSet.count(of: state.payload.bytes.count).map { ChunkSet(name: writeID, count: $0) }
    }

    /// Whether this write made the row. Others write over rows and leave the write ID: then the version tells, or theirs is the same.
    func made(_ head: StoredHead) -> Bool { head.writeID == self.writeID && head.version == self.state.version }
}

/// What is expected of the row that is written over, besides its version: usually nothing.
struct Old: Sendable, Equatable {
    var newborn: UInt64?
    var chunkCount: Int32?
    /// Where its payload is.
    var chunks: ChunkSet?

    init() {}

    init(_ head: StoredHead) {
        (self.newborn, self.chunkCount, self.chunks) = (head.newborn, head.chunkCount, head.chunks)
    }

    func bindConditions(_ writeID: CQLUUID, to values: inout CQLBoundValues) throws(CQLProtocolError) {
        try values.bind(writeID)
        try values.bind(self.newborn.map { Int64(bitPattern: $0) })
        try values.bind(self.chunkCount)
    }
}
