internal import PerdureCQLClient
internal import PerdureModel
internal import PerdureState

/// Where the row of an ID is: under the ID alone, or under a shard and the ID.
struct Place: Sendable {
    let id: String
    /// Nil where the key has no shard.
    var shard: Int64?

    /// What lightweight transactions on the row have to themselves.
    var partition: PartitionTurns.Partition { self.shard.map { .shard($0) } ?? .id(IDKey(self.id)) }

    /// Binds the key, in the order that every statement has it.
    func bind(to values: inout CQLBoundValues) throws(CQLProtocolError) {
        if let shard = self.shard { try values.bind(shard) }
        try values.bind(self.id)
    }
}

extension StateSession {
    /// Where the row of an ID is, unless somebody else chose another shard.
    func place(of id: String) -> Place {
        guard self.layout.key == .shard else { return Place(id: id, shard: nil) }
        return Place(id: id, shard: Int64(bitPattern: PersistenceID.shard(of: id, among: self.layout.shards)))
    }

    /// Where else there is a row of the ID; nil where there is none, or rows are in one place only.
    ///
    /// Should there be several, it is the one with the highest version.
    func otherPlace(than place: Place, _ call: Call) async throws(StoreError) -> Place? {
        guard let find = self.statements.find else { return nil }
        var call = call
        call.consistency = nil
        call.isRepeatable = true
        let rows = try await self.perform(find, once: call) { try $0.bind(place.id) }
        var found: (place: Place, version: UInt64)?
        for row in rows {
            let shard = try self.decoded(call.operation, call.id) { () throws(CQLProtocolError) in
                try row.decode(Int64.self, at: 0)
            }
            if shard == place.shard { continue }
            let other = Place(id: place.id, shard: shard)
            guard rows.count > 1 else { return other }
            guard let head = try await self.head(at: other, call) else { continue }
            let version = head.version ?? 0
            if found.map({ version > $0.version }) ?? true { found = (other, version) }
        }
        return found?.place
    }

    /// How the row of an ID, or its tombstone, is read: before a change always as conditional writes are decided.
    func consistency(for operation: StoreError.Operation) -> CQLConsistency {
        let isChange = operation == .write || operation == .delete
        return isChange && self.configuration.writes == .conditional
            ? self.configuration.serialConsistency : self.configuration.readConsistency
    }

    /// What is in the row at a place; nil where there is none.
    func head(at place: Place, _ call: Call) async throws(StoreError) -> StoredHead? {
        var call = call
        call.consistency = self.consistency(for: call.operation)
        call.isRepeatable = true
        let result = try await self.perform(self.statements.head, once: call) { try place.bind(to: &$0) }
        return try self.decoded(call.operation, call.id, mayHaveHappened: call.mayHaveHappened) {
            () throws(CQLProtocolError) in
            if let row = result.first { try StoredHead(row) } else { nil }
        }
    }

    /// What is left of a deleted ID; nil where it never was, or the table keeps no tombstones.
    func tombstone(of id: String, _ call: Call) async throws(StoreError) -> Tombstone? {
        guard let extra = self.statements.extra else { return nil }
        var call = call
        call.consistency = self.consistency(for: call.operation)
        call.isRepeatable = true
        let result = try await self.perform(extra.tombstone, once: call) { try $0.bind(id) }
        return try self.decoded(call.operation, call.id, mayHaveHappened: call.mayHaveHappened) {
            () throws(CQLProtocolError) in
            if let row = result.first { try Tombstone(row) } else { nil }
        }
    }
}
