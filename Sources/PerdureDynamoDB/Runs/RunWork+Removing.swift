internal import PerdureModel
internal import PerdureWorkflow

extension RunWork {
    // MARK: Deleting

    func delete(_ id: String, expectedRevision: UInt64, expectedFence: UInt64) async throws(StoreError) {
        let writeID = self.session.writeIDs.next()
        try await self.attempting { (mayHaveHappened) throws(StoreError) in
            try await self.delete(id, expectedRevision, expectedFence, writeID, &mayHaveHappened)
        }
    }

    private func delete(
        _ id: String, _ expectedRevision: UInt64, _ expectedFence: UInt64, _ writeID: WriteID,
        _ mayHaveHappened: inout Bool
    ) async throws(StoreError) {
        for round in 0..<Self.attempts {
            let old = try await self.row(id)
            guard let old, old.progress.revision == expectedRevision, old.progress.fence == expectedFence else {
                self.known.forget(id)
                // An attempt whose answer was lost may have removed it; gone it is.
                if old == nil, mayHaveHappened { return }
                if mayHaveHappened { throw self.lostSight(of: id) }
                throw .runConflict(
                    .delete, of: id, expected: (expectedRevision, expectedFence), stored: old?.progress.revision ?? 0)
            }
            guard case .refused(_, let mayHave) = try await self.remove(old, token: "\(writeID.text)-\(round)") else {
                return
            }
            mayHaveHappened = mayHaveHappened || mayHave
        }
        throw self.restless(id)
    }

    /// Removes a run and everything that it is found by, together; then, piece by piece, what it owned.
    ///
    /// What it owned belongs to nobody from the first moment on: its items are of a life that is over. Should this process end on the
    /// way, the note in the list of what expires lets the next purge go on.
    private func remove(_ old: RunRow, token: String) async throws(StoreError) -> Sent {
        let note = RunMarker(
            partition: RunMarkerKey.expiry(self.layout.shard(of: old.id)),
            sort: KeyText.place(.min, old.id) + "#" + token,
            attributes: [RunAttribute.runID: .string(old.id), RunAttribute.life: .binary(old.life)])
        let markers = old.markers(self.layout) + old.lastingMarkers(self.layout)
        let actions =
            [self.action(.delete(key: RunKey.run(old.id)), old.isUnchanged)]
            + markers.map { self.action(.delete(key: $0.key)) } + [self.action(.put(note.item))]
        let sent = try await self.send(actions, token: token, old.id)
        guard case .done = sent else { return sent }
        self.known.forget(old.id)
        do throws(StoreError) {
            try await self.sweep(old.id, old.life)
            try await self.perform(
                .deleteItem(
                    table: self.table, key: note.key, isRepeatable: true, reportsCapacity: self.session.reportsCapacity)
            )
        } catch {
            // The run is gone all the same. The note stays for the next purge, which takes away what is left.
        }
        return .done
    }

    /// Removes the items of a life of a run that is over.
    private func sweep(_ id: String, _ life: [UInt8]) async throws(StoreError) {
        var expression = Expression.partition(RunKey.partition(id))
        expression.projection = "PK, SK, life"
        let keys = try await self.all(expression).filter { $0[RunAttribute.life]?.bytes == life }
            .map { RunKey.key(of: $0) }
        var isOld = Expression()
        // A run of the same ID may have come meanwhile, and its items may have the same keys.
        isOld.require(RunAttribute.life, .binary(life))
        let condition = isOld
        _ = try await self.several(keys, atOnce: 16) { (key) throws(StoreError) in
            do throws(CallFailure) {
                try await self.session.client.perform(
                    .deleteItem(
                        table: self.table, key: key, condition, isRepeatable: true,
                        reportsCapacity: self.session.reportsCapacity), deadline: self.deadline)
            } catch {
                guard error.fault?.isFailedCondition == true else { throw error.storeError(.delete, of: id) }
            }
        }
    }

    // MARK: Purging

    func purge(expiredAt now: Int64, limit: Int) async throws(StoreError) -> Int {
        guard limit > 0 else { return 0 }
        let found = try await self.several(Array(self.layout.shards), atOnce: 16) { (shard) throws(StoreError) in
            try await self.query(
                .partition(RunMarkerKey.expiry(shard), below: KeyText.after(KeyText.time(now))), limit: limit
            ).items
        }.flatMap { $0 }.sorted { IDKey($0.text(RunAttribute.sort) ?? "") < IDKey($1.text(RunAttribute.sort) ?? "") }
        let removed = try await self.several(Array(found.prefix(limit)), atOnce: 8) { (note) throws(StoreError) in
            try await self.purge(note, expiredAt: now)
        }
        return removed.count { $0 }
    }

    private func purge(_ note: Item, expiredAt now: Int64) async throws(StoreError) -> Bool {
        guard let id = note.text(RunAttribute.runID), let life = note[RunAttribute.life]?.bytes else { return false }
        let writeID = self.session.writeIDs.next()
        for round in 0..<Self.attempts {
            if let row = try await self.row(id), row.life == life {
                guard row.progress.isOver(at: now) else { return false }
                if case .done = try await self.remove(row, token: "\(writeID.text)-\(round)") { return true }
                continue
            }
            // A deletion that was not brought to its end, or DynamoDB was faster.
            try await self.sweep(id, life)
            try await self.perform(
                .deleteItem(
                    table: self.table, key: RunKey.key(of: note), isRepeatable: true,
                    reportsCapacity: self.session.reportsCapacity))
            return false
        }
        throw self.restless(id)
    }

    // MARK: Expiry of what a run owns

    /// Gives everything that an ended run owns the run's own `ttl`, in the background: the run's item has it already.
    func follow(_ row: RunRow) {
        guard self.session.enter() else { return }
        Task.detached {
            // What is left without stays until the run is purged.
            try? await RunWork(self.session, self.layout, self.known, .delete).setExpiry(row, to: row.expiry)
            self.session.leave()
        }
    }

    /// Takes the `ttl` away from what a run owns that goes on; before it goes on, and once more after.
    func unfollow(_ row: RunRow) async throws(StoreError) { try await self.setExpiry(row, to: nil) }

    private func setExpiry(_ row: RunRow, to expiry: AttributeValue?) async throws(StoreError) {
        var expression = Expression.partition(RunKey.partition(row.id))
        expression.projection = "PK, SK, life, #ttl"
        expression.names.append(("#ttl", RunAttribute.ttl))
        let runKey = RunKey.run(row.id)
        var keys = try await self.all(expression)
            .filter { $0[RunAttribute.life]?.bytes == row.life && $0[RunAttribute.ttl] != expiry }
            .map { RunKey.key(of: $0) }.filter { $0 != runKey }
        keys += row.lastingMarkers(self.layout).map(\.key)
        for start in stride(from: 0, to: keys.count, by: 50) {
            guard try await self.setExpiry(row, to: expiry, of: Array(keys[start..<min(start + 50, keys.count)])) else {
                return
            }
        }
    }

    /// The same for some items; false when the run is another by now.
    private func setExpiry(
        _ row: RunRow, to expiry: AttributeValue?, of keys: [Item]
    ) async throws(StoreError) -> Bool {
        // Together with the run itself: one that has gone on meanwhile keeps what it owns.
        let check = self.action(
            .check(key: RunKey.run(row.id)), row.progress.expiresAt == nil ? row.isNotToExpire : row.isUnchanged)
        var keys = keys
        for _ in 0..<Self.attempts where !keys.isEmpty {
            let actions = keys.map { key in
                var change = Expression()
                change.requirePresence()
                change.change([(RunAttribute.ttl, expiry)])
                return self.action(.update(key: key), change)
            }
            let token = self.session.writeIDs.next().text
            guard case .refused(let reasons, _) = try await self.send([check] + actions, token: token, row.id) else {
                return true
            }
            let isGone = reasons.map { $0.code == "ConditionalCheckFailed" }
            if isGone.first == true { return false }
            // Without those that are not there any more; or once more, where others were just writing.
            keys = zip(keys, isGone.dropFirst() + keys.map { _ in false }).filter { !$1 }.map { $0.0 }
        }
        guard keys.isEmpty else { throw self.restless(row.id) }
        return true
    }
}
