internal import PerdureConcurrency
internal import Synchronization

/// The entities of one kind that are in memory, found by ID, at most as many as allowed.
///
/// Split over several locked tables, so that commands to different entities seldom wait for each other; each table keeps its own
/// order of last use and its own share of the limit.
///
/// Time is counted in moments: a number that goes up whenever an entity comes in and whenever idle ones are looked for. To
/// note its last use an entity copies the number, which is cheaper than reading a clock at each command.
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
    private let lastMoment = Atomic<UInt64>(1)
    /// When idle entities were looked for, and the moment it was; oldest first.
    private let marks = LockedState<[(time: Duration, moment: UInt64)]>([])

    /// Room for `limit` entities; nil for no limit.
    init(limit: Int?) {
        // A small limit is kept exactly, in one table; a large one is split, and each table keeps its share.
        let tables = limit.map { min(64, max(1, $0 / 256)) } ?? 64
        self.tables = (0..<tables).map { _ in LockedState(Table()) }
        self.shareOfTable = limit.map { max(1, $0 / tables) } ?? .max
    }

    /// The present moment.
    var moment: UInt64 { self.lastMoment.load(ordering: .relaxed) }

    private func nextMoment() -> UInt64 { self.lastMoment.add(1, ordering: .relaxed).newValue }

    private func table(of id: String) -> LockedState<Table> {
        self.tables.count == 1
            ? self.tables[0] : self.tables[Int(PersistenceID.shard(of: id, among: UInt64(self.tables.count)))]
    }

    /// The entity under `id`, added if it is not in memory; nil once the directory is closed.
    func find(_ id: String, make: () -> EntityTurn) -> Found? {
        let key = IDKey(id)
        let table = self.table(of: id)
        let (isClosed, known) = table.withLock { ($0.isClosed, $0.isClosed ? nil : $0.entities[key]) }
        if let known { return Found(entity: known, evicted: []) }
        if isClosed { return nil }
        // Without the lock, as it runs a user's code, which might look for entities itself.
        let new = make()
        return table.withLock { table -> Found? in
            if table.isClosed { return nil }
            if let entity = table.entities[key] { return Found(entity: entity, evicted: []) }
            // Those at work stay, so the limit may be passed by as many as are at work.
            let excess = table.entities.count + 1 - self.shareOfTable
            let evicted = excess > 0 ? self.remove(excess, usedBefore: .max, from: &table) : []
            table.entities.insert(new, for: key, at: self.nextMoment())
            return Found(entity: new, evicted: evicted)
        }
    }

    /// The entity under `id` if it is in memory.
    func peek(_ id: String) -> EntityTurn? { self.table(of: id).withLock { $0.entities[IDKey(id)] } }

    /// Takes out `entity`; false when it is not there any more.
    func remove(_ entity: EntityTurn) -> Bool {
        let key = IDKey(entity.id)
        return self.table(of: entity.id).withLock { table in
            guard table.entities[key] === entity else { return false }
            table.entities.remove(key)
            return true
        }
    }

    /// Takes out `entity` and ends its turn, for who has it; false, and nothing, when others wait for the turn.
    func retireInTurn(_ entity: EntityTurn) -> Bool {
        let key = IDKey(entity.id)
        return self.table(of: entity.id).withLock { table in
            guard entity.retireInTurn() else { return false }
            if table.entities[key] === entity { table.entities.remove(key) }
            return true
        }
    }

    /// Takes out the entities that nobody has used for `time` and that nobody works on.
    ///
    /// Asked for now and then; what was used between two such occasions counts as used at the later one.
    func removeIdle(for time: Duration, now: Duration) -> [EntityTurn] {
        let limit = self.marks.withLock { marks -> UInt64 in
            let due = marks.lastIndex { $0.time <= now - time }
            let limit = due.map { marks[$0].moment } ?? 0
            if let due { marks.removeFirst(due) }
            marks.append((now, self.nextMoment()))
            return limit
        }
        return self.tables.flatMap { table in
            table.withLock { self.remove(.max, usedBefore: limit, from: &$0) }
        }
    }

    private func remove(_ limit: Int, usedBefore moment: UInt64, from table: inout Table) -> [EntityTurn] {
        table.entities.removeOldest(limit, usedBefore: moment, now: self.moment) { entity in
            entity.lastUse
        } letsGo: { entity in
            entity.retireIfFree()
        }
    }

    /// Adds nothing from now on; gives what is in memory, and takes out those that nobody works on.
    func close() -> (idle: [EntityTurn], atWork: [EntityTurn]) {
        var idle: [EntityTurn] = []
        var atWork: [EntityTurn] = []
        for table in self.tables {
            let entities = table.withLock { table in
                table.isClosed = true
                return table.entities.values.map { entity in
                    let isIdle = entity.closeLine()
                    if isIdle { table.entities.remove(IDKey(entity.id)) }
                    return (entity, isIdle)
                }
            }
            for (entity, isIdle) in entities {
                if isIdle { idle.append(entity) } else { atWork.append(entity) }
            }
        }
        return (idle, atWork)
    }

    /// How many entities are in memory.
    var count: Int { self.tables.reduce(0) { $0 + $1.withLock { $0.entities.count } } }
}
