internal import PerdureCQLClient
internal import PerdureModel
internal import PerdureWorkflow

extension RunSession {
    func delete(
        _ runID: String, expectedRevision: UInt64, expectedFence: UInt64
    ) async throws(StoreError) {
        var call = self.call(.delete, runID)
        for _ in 0..<64 {
            let head = try await self.head(of: runID, call)
            guard let head, head.progress.revision == expectedRevision, head.progress.fence == expectedFence else {
                if call.mayHaveHappened {
                    if head == nil { return }
                    throw call.overwritten
                }
                throw .runConflict(
                    .delete, of: runID, expected: (expectedRevision, expectedFence),
                    stored: head?.progress.revision ?? 0)
            }
            if try await self.remove(head, &call) { return }
        }
        throw call.restless
    }

    /// Removes a run as it was seen, with all that it owns; false where it is not so any more.
    private func remove(_ head: RunHead, _ call: inout Call) async throws(StoreError) -> Bool {
        if head.outbox != nil {
            // What it has to say to others is said before it goes: it would never be.
            _ = try await self.settle(head, call, hasChanged: false)
            return false
        }
        await self.memory.turns.take(.id(IDKey(head.id)))
        defer { self.memory.turns.leave(.id(IDKey(head.id))) }
        let sets = try await self.rows(of: .values, head.id, call).sets
        let mark = self.session.writeIDs.next()
        self.memory.forget(head.id)
        let result = try await self.batch(
            &call,
            [
                { batch in
                    try batch.add(self.statements.remove) { values in
                        try values.bind(mark)
                        try values.bind(head.id)
                        try values.bind(Int64(bitPattern: head.progress.revision))
                        try values.bind(Int64(bitPattern: head.progress.fence))
                    }
                },
                { try $0.add(self.statements.removeAll) { try $0.bind(head.id) } },
            ])
        if result.wasApplied != true {
            guard call.mayHaveHappened, try await self.head(of: head.id, call) == nil else { return false }
        }
        await self.drop(head.hints, stamp: head.stamp)
        await self.remove(sets)
        return true
    }

    /// Removes ended runs whose time is over, the earliest first.
    func purge(expiredAt now: Int64, limit: Int) async throws(StoreError) -> Int {
        var count = 0
        let reading = self.call(.delete, nil)
        var reader = HintReader(.listing, .expiring, limit: max(1, min(limit, 256)))
        while count < limit, let found = try await reader.next(self, reading), found.hint.place.first <= now {
            var call = self.call(.delete, found.id)
            for _ in 0..<3 {
                let head = try await self.head(of: found.id, call)
                guard await self.holds(found, for: head), let head else { break }
                if try await self.remove(head, &call) {
                    count += 1
                    break
                }
            }
        }
        return count
    }
}
