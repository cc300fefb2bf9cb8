internal import PerdureConcurrency
internal import Synchronization

/// The reference of what a store does, in memory: for tests, for trying things out, and to compare other stores with.
///
/// It keeps every promise of ``StateStore`` except that of outliving the process. Cancelled callers are refused before anything
/// is written, and limits are the same as on disk.
public final class InMemoryStateStore: StateStore, StateListing, StateBatching, StateChanges, ImmediateStateStore {
    public let maximumPayloadByteCount: Int

    /// An ID belongs to one table by its hash, so that writers of different IDs seldom wait for each other.
    private let tables: [LockedState<StateTable>]
    /// One less than fits, so that a deletion's version fits too.
    private static var maximumInteger: UInt64 { .max - 1 }
    @usableFromInline let neverWaits = true
    private let lastSequence = Atomic<UInt64>(0)
    private let isClosed = Atomic<Bool>(false)

    /// Makes an empty store that takes payloads of up to `maximumPayloadByteCount` bytes, 64 MiB unless said.
    public init(maximumPayloadByteCount: Int = 64 << 20) {
        precondition(maximumPayloadByteCount >= 0, "a payload limit cannot be negative")
        self.maximumPayloadByteCount = maximumPayloadByteCount
        self.tables = (0..<64).map { _ in LockedState(StateTable()) }
    }

    // MARK: Connection

    public func connect() async throws(StoreError) { self.isClosed.store(false, ordering: .releasing) }

    public func disconnect() async { self.isClosed.store(true, ordering: .releasing) }

    public func ping() async throws(StoreError) { try await self.connect() }

    // MARK: States

    public func write(_ state: DurableState, if condition: WriteCondition) async throws(StoreError) {
        try self.checkWrite(state, if: condition, maximumInteger: Self.maximumInteger)
        try self.checkReady(.write, state.persistenceID)
        let verdict = self.table(of: state.persistenceID).withLock { table in
            table.write(state, if: condition, sequence: self.nextSequence)
        }
        try self.check(verdict, .write, state.persistenceID, condition)
    }

    public func latestState(of id: String) async throws(StoreError) -> DurableState? {
        try self.checkID(id, for: .read)
        try self.checkReady(.read, id)
        return self.table(of: id).withLock { $0.latest(id) }
    }

    public func delete(_ id: String, if condition: WriteCondition) async throws(StoreError) {
        try self.checkID(id, for: .delete)
        try self.checkReady(.delete, id)
        let verdict = self.table(of: id).withLock { table in
            table.delete(id, if: condition, sequence: self.nextSequence)
        }
        try self.check(verdict, .delete, id, condition)
    }

    // MARK: States, at once

    @usableFromInline
    func writeAtOnce(_ state: consuming DurableState, if condition: WriteCondition) -> Bool {
        do throws(StoreError) {
            try self.checkContents(of: state, if: condition, maximumInteger: Self.maximumInteger)
        } catch {
            return false
        }
        if self.isClosed.load(ordering: .acquiring) { return false }
        let verdict = self.table(of: state.persistenceID).withLock { [state] table in
            table.write(state, if: condition, sequence: self.nextSequence)
        }
        return verdict == .done
    }

    @usableFromInline
    func deleteAtOnce(_ id: String, if condition: WriteCondition) -> Bool {
        if self.isClosed.load(ordering: .acquiring) { return false }
        let verdict = self.table(of: id).withLock { table in
            table.delete(id, if: condition, sequence: self.nextSequence)
        }
        return verdict == .done
    }

    // MARK: Listing

    public func persistenceIDs(
        withPrefix prefix: String, after cursor: StateIDPage.Cursor?, limit: Int
    ) async throws(StoreError) -> StateIDPage {
        try self.checkLimit(limit)
        try self.checkReady(.list, nil)
        let start = cursor.map { IDKey($0.text) }
        var keys: [IDKey] = []
        for table in self.tables {
            keys += table.withLock { table in
                table.rows.compactMap { key, row in
                    guard case .alive = row.life, key.id.utf8.starts(with: prefix.utf8) else { return nil }
                    if let start, key <= start { return nil }
                    return key
                }
            }
        }
        keys.sort()
        let page = keys.prefix(limit).map(\.id)
        return StateIDPage(ids: page, next: keys.count > limit ? page.last.map { StateIDPage.Cursor($0) } : nil)
    }

    // MARK: Batches

    public func latestStates(of ids: [String]) async -> [Result<DurableState?, StoreError>] {
        await self.latestStatesOneByOne(of: ids)
    }

    public func write(_ writes: [StateWrite]) async -> [Result<Void, StoreError>] {
        await self.writeOneByOne(writes)
    }

    // MARK: Changes

    public func changes(
        after cursor: StateChangePage.Cursor?, limit: Int
    ) async throws(StoreError) -> StateChangePage {
        try self.checkLimit(limit)
        try self.checkReady(.list, nil)
        var start: UInt64 = 0
        if let cursor {
            guard let number = UInt64(cursor.text) else {
                throw StoreError(
                    .invalidRequest, operation: .list,
                    message: "\(cursor.text.debugDescription) is not a cursor of this feed")
            }
            start = number
        }
        // A change takes its number and its place under its table's lock, so any number at or below this one is in place
        // by the time that its table is read.
        let end = self.lastSequence.load(ordering: .acquiring)
        var changed: [(sequence: UInt64, change: StateChange)] = []
        for table in self.tables {
            changed += table.withLock { table in
                table.rows.compactMap { key, row in
                    guard row.sequence > start, row.sequence <= end else { return nil }
                    switch row.life {
                    case .alive(let state): return (row.sequence, .written(state))
                    case .deleted(let version):
                        return (row.sequence, .deleted(persistenceID: key.id, version: version))
                    }
                }
            }
        }
        changed.sort { $0.sequence < $1.sequence }
        let page = changed.prefix(limit)
        let next = changed.count > limit ? page.last?.sequence ?? start : max(start, end)
        return StateChangePage(changes: page.map(\.change), next: .init(String(next)))
    }

    // MARK: Details

    private func table(of id: String) -> LockedState<StateTable> {
        // The last bytes tell IDs apart best, and are enough to spread them over the tables.
        var mixed = UInt64(truncatingIfNeeded: id.utf8.count)
        var id = id
        id.withUTF8 { for byte in $0.suffix(8) { mixed = (mixed ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 } }
        return self.tables[Int((mixed ^ mixed >> 32) % UInt64(self.tables.count))]
    }

    private func nextSequence() -> UInt64 {
        self.lastSequence.add(1, ordering: .acquiringAndReleasing).newValue
    }

    private func checkReady(_ operation: StoreError.Operation, _ id: String?) throws(StoreError) {
        if self.isClosed.load(ordering: .acquiring) { throw .disconnected(operation, id) }
        try StoreError.checkNotCancelled(operation, id)
    }

    private func check(
        _ verdict: StateTable.Verdict, _ operation: StoreError.Operation, _ id: String, _ condition: WriteCondition
    ) throws(StoreError) {
        guard case .conflict(let stored) = verdict else { return }
        throw .conflict(operation, of: id, condition: condition, stored: stored)
    }
}
