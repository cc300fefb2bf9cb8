import PerdureConcurrency
import PerdureTestKit

/// Writes whatever the condition says.
struct IgnoresConditions: BrokenStore {
    let base = memory()
    func write(_ state: DurableState, if condition: WriteCondition) async throws(StoreError) {
        try await self.base.write(state, if: .always)
    }
}

/// Takes the expected version for a lower bound: replaces any version up to it.
struct ReplacesEarlierVersions: BrokenStore {
    let base = memory()
    func write(_ state: DurableState, if condition: WriteCondition) async throws(StoreError) {
        var condition = condition
        if case .version(let expected) = condition,
            let stored = try await self.base.latestState(of: state.persistenceID)?.version, stored < expected
        {
            condition = .version(stored)
        }
        try await self.base.write(state, if: condition)
    }
}

/// Says of a conflict that the version before is stored.
struct ReportsTheWrongVersion: BrokenStore {
    let base = memory()
    func write(_ state: DurableState, if condition: WriteCondition) async throws(StoreError) {
        do throws(StoreError) {
            try await self.base.write(state, if: condition)
        } catch {
            throw error.changed(storedVersion: error.storedVersion.map { $0 == 0 ? 0 : $0 - 1 })
        }
    }
}

/// Keeps the greatest version when a write asks for nothing.
struct KeepsTheGreaterVersion: BrokenStore {
    let base = memory()
    func write(_ state: DurableState, if condition: WriteCondition) async throws(StoreError) {
        if condition == .always, let stored = try await self.base.latestState(of: state.persistenceID),
            stored.version > state.version, stored.version < 1_000
        {
            return
        }
        try await self.base.write(state, if: condition)
    }
}

// MARK: Concurrent writers

/// Looks whether the condition holds, and writes a moment later.
struct ChecksThenWrites: BrokenStore {
    let base = memory()
    func write(_ state: DurableState, if condition: WriteCondition) async throws(StoreError) {
        guard case .version(let expected) = condition, state.version > expected,
            let stored = try? await self.base.latestState(of: state.persistenceID)
        else { return try await self.base.write(state, if: condition) }
        if stored.version != expected { return try await self.base.write(state, if: condition) }
        await pause()
        try await self.base.write(state, if: .always)
    }
}

/// Looks whether a state is there, and creates it a moment later.
struct CreatesTwice: BrokenStore {
    let base = memory()
    func write(_ state: DurableState, if condition: WriteCondition) async throws(StoreError) {
        guard condition == .absent, state.version == 1 else { return try await self.base.write(state, if: condition) }
        let probe = FaultyProbe(base: self.base, state: state)
        guard try await probe.isNew() else { return try await self.base.write(state, if: condition) }
        await pause()
        try await self.base.write(state, if: .always)
    }

    /// Tells an ID of which nothing was ever heard from one with a tombstone.
    private struct FaultyProbe {
        let base: InMemoryStateStore
        let state: DurableState
        func isNew() async throws(StoreError) -> Bool {
            do throws(StoreError) {
                try await self.base.delete(self.state.persistenceID, if: .version(.max))
            } catch {
                return error.storedVersion == 0
            }
            return false
        }
    }
}

// MARK: Deleting

/// Forgets an ID altogether when it is deleted.
final class ForgetsTombstones: BrokenStore {
    private let tables = LockedState<[IDKey: InMemoryStateStore]>([:])
    let base = memory()
    private func table(_ id: String) -> InMemoryStateStore {
        self.tables.withLock { tables in
            if let table = tables[IDKey(id)] { return table }
            let table = memory()
            tables[IDKey(id)] = table
            return table
        }
    }
    func write(_ state: DurableState, if condition: WriteCondition) async throws(StoreError) {
        _ = try await self.base.latestState(of: state.persistenceID)
        try await self.table(state.persistenceID).write(state, if: condition)
    }
    func latestState(of id: String) async throws(StoreError) -> DurableState? {
        _ = try await self.base.latestState(of: id)
        return try await self.table(id).latestState(of: id)
    }
    func delete(_ id: String, if condition: WriteCondition) async throws(StoreError) {
        _ = try await self.base.latestState(of: id)
        try await self.table(id).delete(id, if: condition)
        self.tables.withLock { $0[IDKey(id)] = memory() }
    }
}

/// Deletes whatever the condition says.
struct DeletesUnconditionally: BrokenStore {
    let base = memory()
    func delete(_ id: String, if condition: WriteCondition) async throws(StoreError) {
        try await self.base.delete(id, if: .always)
    }
}

/// Takes deleting what is not there for a mistake.
struct RefusesToDeleteNothing: BrokenStore {
    let base = memory()
    func delete(_ id: String, if condition: WriteCondition) async throws(StoreError) {
        if try await self.base.latestState(of: id) == nil {
            throw StoreError(.invalidRequest, operation: .delete, persistenceID: id, message: "nothing to delete")
        }
        try await self.base.delete(id, if: condition)
    }
}
