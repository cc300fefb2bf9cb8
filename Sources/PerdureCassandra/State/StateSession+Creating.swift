internal import PerdureCQLClient
internal import PerdureModel
internal import PerdureState

extension StateSession {
    /// Makes a row where there is none, with a version above that of the last deletion.
    ///
    /// No lightweight transaction spans two tables. So the row comes first, as *newborn*; then its version is held against the
    /// tombstone's, and it is confirmed, or taken away again. Whoever meets a newborn row does the same before they believe in it.
    func create(_ row: NewRow, _ call: inout Call) async throws(StoreError) {
        let (id, version) = (row.state.persistenceID, row.state.version)
        let place = self.place(of: id)
        // Usually tells at once what is in the way, so that no row is made that would have to be taken away.
        if let tombstone = try await self.tombstone(of: id, call), tombstone.version >= version,
            let refusal = try await self.refusal(.absent, call)
        {
            throw refusal
        }
        if let stored = try await self.storedElsewhere(place, call) { throw call.refusal(.absent, stored: stored) }
        try await self.insert(row, at: place, &call)
        if self.layout.isExtended { try await self.settle(row, at: place, call) }
    }

    /// Makes the row, or finds it made by an attempt whose answer was lost.
    private func insert(_ row: NewRow, at place: Place, _ call: inout Call) async throws(StoreError) {
        // Without a write ID nobody knows whose the row is that a second attempt finds.
        call.isRepeatable = self.layout.isExtended
        for _ in 0..<64 {
            let result = try await self.perform(self.statements.create, &call) { values in
                try self.bind(row, Old(), newborn: .version, to: &values)
                try place.bind(to: &values)
            }
            if result.wasApplied == true { return }
            guard let found = try self.found(result, call) else { continue }
            if row.made(found) { return }
            if found.isNewborn {
                switch try await self.verdict(on: found, at: place, call) {
                case .alive: break
                case .dead, .changed: continue
                }
            }
            throw call.refusal(.absent, stored: found.version ?? 0)
        }
        throw call.restless
    }

    /// Sees whether the row that was made is alive, and confirms it.
    private func settle(_ row: NewRow, at place: Place, _ call: Call) async throws(StoreError) {
        guard let extra = self.statements.extra else { return }
        let (id, version) = (row.state.persistenceID, row.state.version)
        // From here on nobody can tell but the tables: what fails leaves the outcome unknown.
        var call = call
        call.mayHaveHappened = true
        func isOwn(_ values: inout CQLBoundValues) throws(CQLProtocolError) {
            try values.bind(row.writeID)
            try values.bind(Int64(bitPattern: version))
        }
        let tombstone = try await self.tombstone(of: id, call)
        guard let tombstone, tombstone.version >= version else {
            // Should this fail, others do it when they meet the row.
            _ = try? await self.change(extra.confirm, at: place, call, isOwn)
            return
        }
        let result = try await self.change(extra.discard, at: place, call, isOwn)
        if result.wasApplied == true {
            throw .conflict(.write, of: id, condition: .absent, stored: tombstone.version)
        }
        // It is newborn no more: others have confirmed it, and perhaps deleted it since. Or they have taken it away as dead.
        let head = try await self.head(at: place, call)
        if head.map({ row.made($0) }) ?? false { return }
        if tombstone.targetWriteID == row.writeID { return }
        throw call.overwritten
    }

    /// The row of an ID if it is alive, wherever it is.
    func aliveHead(of id: String, _ call: Call) async throws(StoreError) -> (place: Place, head: StoredHead)? {
        var place = self.place(of: id)
        var isSearched = self.statements.find == nil
        for _ in 0..<64 {
            guard let head = try await self.head(at: place, call) else {
                if isSearched { return nil }
                isSearched = true
                guard let other = try await self.otherPlace(than: place, call) else { return nil }
                place = other
                continue
            }
            guard head.isNewborn else { return (place, head) }
            switch try await self.verdict(on: head, at: place, call) {
            case .alive: return (place, head)
            case .dead: return nil
            case .changed: continue
            }
        }
        throw call.restless
    }

    /// The version of a row that others made under another shard; nil where there is none.
    private func storedElsewhere(_ place: Place, _ call: Call) async throws(StoreError) -> UInt64? {
        guard let other = try await self.otherPlace(than: place, call) else { return nil }
        return try await self.head(at: other, call).map { $0.version ?? 0 }
    }
}
