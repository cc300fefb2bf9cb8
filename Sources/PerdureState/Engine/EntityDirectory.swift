internal import PerdureConcurrency

/// The entities of one kind that are in memory, found by ID, at most as many as allowed.
///
/// Split over several locked tables, so that commands to different entities seldom wait for each other; each table keeps its own
/// order of last use and its own share of the limit.
final class EntityDirectory: Sendable {
    private struct Table {
        var entities = RecencyTable<EntityTurn>()
        /// Nothing is added any more: the engine stops.
        var isClosed = false
    }

    /// What a lookup finds.
    struct Found {
        var entity: EntityTurn
        /// Entities that had to leave memory for a new one.
        var evicted: [EntityTurn]
    }

    private let tables: [LockedState<Table>]
    private let shareOfTable: Int

    /// Room for `limit` entities; nil for no limit.
    init(limit: Int?) {
        // A small limit is kept exactly, in one table; a large one is split, and each table keeps its share.
        let tables = limit.map { min(64, max(1, $0 / 256)) } ?? 64
        self.tables = (0..<tables).map { _ in LockedState(Table()) }
        self.shareOfTable = limit.map { max(1, $0 / tables) } ?? .max
    }

    private func table(of id: String) -> LockedState<Table> {
        self.tables.count == 1
            ? self.tables[0] : self.tables[Int(PersistenceID.shard(of: id, among: UInt64(self.tables.count)))]
    }

    /// The entity under `id`, added if it is not in memory; nil once the directory is closed.
    func find(_ id: String, at now: Duration, make: () -> EntityTurn) -> Found? {
        let key = IDKey(id)
        return self.table(of: id).withLock { table -> Found? in
            if table.isClosed { return nil }
            if let entity = table.entities.use(key, at: now) { return Found(entity: entity, evicted: []) }
            // Those at work stay, so the limit may be passed by as many as are at work.
            let excess = table.entities.count + 1 - self.shareOfTable
            let evicted =
                excess > 0 ? table.entities.removeOldest(excess, usedUntil: now) { $0.retireIfFree() } : []
            let entity = make()
            table.entities.insert(entity, for: key, at: now)
            return Found(entity: entity, evicted: evicted)
        }
    }

    /// The entity under `id` if it is in memory.
    func peek(_ id: String) -> EntityTurn? { self.table(of: id).withLock { $0.entities.peek(IDKey(id)) } }

    /// Takes out `entity`, unless another object has come in its place.
    func remove(_ entity: EntityTurn) {
        self.table(of: entity.id).withLock { table in
            if table.entities.peek(IDKey(entity.id)) === entity { table.entities.remove(IDKey(entity.id)) }
        }
    }

    /// Takes out the entities that nobody has used since `time` and that nobody works on.
    func removeIdle(since time: Duration) -> [EntityTurn] {
        self.tables.flatMap { table in
            table.withLock { $0.entities.removeOldest(.max - 16, usedUntil: time) { $0.retireIfFree() } }
        }
    }

    /// Adds nothing from now on; gives what is in memory.
    func close() -> [EntityTurn] {
        self.tables.flatMap { table in
            table.withLock { table in
                table.isClosed = true
                return table.entities.values
            }
        }
    }

    /// How many entities are in memory.
    var count: Int { self.tables.reduce(0) { $0 + $1.withLock { $0.entities.count } } }
}
