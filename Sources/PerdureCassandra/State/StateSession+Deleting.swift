internal import PerdureCQLClient
internal import PerdureModel
internal import PerdureState

extension StateSession {
    /// Deletes a row and leaves a tombstone.
    ///
    /// First the deletion is claimed in the tombstone, which names it and the very row that it is about; then the row is taken
    /// away, if it still is that row. Of several who want to delete one row one has the claim; the others carry it out, should its
    /// owner be slow, and learn that it was not theirs.
    func delete(_ id: String, if condition: WriteCondition) async throws(StoreError) {
        try self.checkCondition(condition, .delete, id)
        var call = Call(operation: .delete, id: id, deadline: self.deadline(.delete))
        guard let extra = self.statements.extra else {
            throw StoreError(
                .misconfigured, operation: .delete, persistenceID: id,
                message: "deleting takes a table of tombstones, which \(self.layout.names.quoted()) lacks; call setup()"
            )
        }
        if self.configuration.writes == .latest { return try await self.deleteLatest(id, extra, call) }
        let partition = self.place(of: id).partition
        await self.turns.take(partition)
        defer { self.turns.leave(partition) }
        let writeID = self.writeIDs.next()
        for _ in 0..<64 {
            guard let (place, head) = try await self.aliveHead(of: id, call) else {
                if try await self.isNothingLeft(id, condition, writeID, call) { return }
                continue
            }
            switch condition {
            case .absent:
                throw .conflict(.delete, of: id, condition: condition, stored: head.version ?? 0)
            case .version(let version) where head.version != version:
                throw call.refusal(condition, stored: head.version ?? 0)
            case .version, .always: break
            }
            // Nobody deletes what is not confirmed: see `verdict(on:at:_:)`.
            if head.isNewborn {
                _ = try await self.change(extra.confirm, at: place, call) {
                    try $0.bind(head.writeID)
                    try $0.bind(head.newborn.map { Int64(bitPattern: $0) })
                }
                continue
            }
            guard let claim = try await self.claim(head, of: id, writeID, extra, &call) else { continue }
            let isOwn = claim.writeID == writeID
            var removal = call
            let result = try await self.perform(extra.delete, &removal) {
                try place.bind(to: &$0)
                try $0.bind(head.version.map { Int64(bitPattern: $0) })
                try $0.bind(head.writeID)
            }
            // Only one's own claim is one's own doing.
            if isOwn { call.mayHaveHappened = removal.mayHaveHappened }
            if result.wasApplied == true {
                await self.removeChunks(head.chunks)
                if isOwn { return }
                continue
            }
            guard isOwn else { continue }
            let next = try self.found(result, removal)
            if next == nil || next?.version == nil {
                // Somebody else has carried it out, or an attempt of ours whose answer was lost.
                if try await self.isNothingLeft(id, condition, writeID, call) { return }
                continue
            }
            if condition == .always { continue }
            // The next version is of the same life: it came before the deletion, which then never happens. A later one may be of a new life.
            guard let version = next?.version, let old = head.version, version == old &+ 1 || version == old else {
                throw call.overwritten
            }
            throw .conflict(.delete, of: id, condition: condition, stored: version)
        }
        throw call.restless
    }

    /// Whether a deletion that finds no row is done; false if there is one by now.
    private func isNothingLeft(
        _ id: String, _ condition: WriteCondition, _ writeID: CQLUUID, _ call: Call
    ) async throws(StoreError) -> Bool {
        guard case .version = condition else { return true }
        if try await self.tombstone(of: id, call)?.writeID == writeID { return true }
        if let refusal = try await self.refusal(condition, call) { throw refusal }
        return false
    }

    /// The claim to delete a row: our own, or that of somebody who was first; nil when the tombstone changed meanwhile.
    private func claim(
        _ head: StoredHead, of id: String, _ writeID: CQLUUID, _ extra: StateStatements.Extra, _ call: inout Call
    ) async throws(StoreError) -> Tombstone? {
        let found = try await self.tombstone(of: id, call)
        if let found, found.isAbout(head) { return found }
        let (next, overflow) = (head.version ?? 0).addingReportingOverflow(1)
        let claim = Tombstone(version: overflow ? .max : next, writeID: writeID, target: head)
        func bindClaim(_ values: inout CQLBoundValues) throws(CQLProtocolError) {
            try values.bind(Int64(bitPattern: claim.version))
            try values.bind(writeID)
            try values.bind(claim.targetVersion.map { Int64(bitPattern: $0) })
            try values.bind(claim.targetWriteID)
            try values.bind(id)
        }
        let result: CQLResult
        if let found {
            result = try await self.perform(extra.claimNext, &call) {
                try bindClaim(&$0)
                try $0.bind(Int64(bitPattern: found.version))
                try $0.bind(found.writeID)
            }
        } else {
            result = try await self.perform(extra.claimFirst, &call, bindClaim)
        }
        guard result.wasApplied == true else { return nil }
        // From here on others may carry it out.
        call.mayHaveHappened = true
        return claim
    }

    /// Deletes a row by timestamp, as plain writes are ordered; the tombstone is there for those who come to write with conditions.
    private func deleteLatest(
        _ id: String, _ extra: StateStatements.Extra, _ call: Call
    ) async throws(StoreError) {
        var call = call
        guard let (place, head) = try await self.aliveHead(of: id, call) else { return }
        call.timestamp = self.timestamps.next(self.clock.unixMilliseconds * 1_000)
        let (next, overflow) = (head.version ?? 0).addingReportingOverflow(1)
        _ = try await self.perform(extra.buryLatest, &call) {
            try $0.bind(Int64(bitPattern: overflow ? .max : next))
            try $0.bind(self.writeIDs.next())
            try $0.bind(head.version.map { Int64(bitPattern: $0) })
            try $0.bind(head.writeID)
            try $0.bind(id)
        }
        _ = try await self.perform(self.statements.deleteLatest, &call) { try place.bind(to: &$0) }
    }
}
