import PerdureConcurrency
import PerdureTestKit

/// Keeps 65,535 bytes, as a column of that size would.
struct TruncatesLargePayloads: BrokenStore {
    let base = memory()
    func write(_ state: DurableState, if condition: WriteCondition) async throws(StoreError) {
        var state = state
        state.payload.bytes = Array(state.payload.bytes.prefix(65_535))
        try await self.base.write(state, if: condition)
    }
}

/// Drops a zero byte at the end, as C strings do.
struct DropsLastZeroByte: BrokenStore {
    let base = memory()
    func write(_ state: DurableState, if condition: WriteCondition) async throws(StoreError) {
        var state = state
        if state.payload.bytes.last == 0 { state.payload.bytes.removeLast() }
        try await self.base.write(state, if: condition)
    }
}

/// Takes payloads for text.
struct RepairsPayloadsAsText: BrokenStore {
    let base = memory()
    func write(_ state: DurableState, if condition: WriteCondition) async throws(StoreError) {
        var state = state
        state.payload.bytes = Array(
            String(decoding: state.payload.bytes.prefix(100_000), as: UTF8.self).utf8.prefix(100_000))
        try await self.base.write(state, if: condition)
    }
}

/// Keeps versions as floating-point numbers, as many JSON libraries do.
struct RoundsVersions: BrokenStore {
    let base = memory()
    func latestState(of id: String) async throws(StoreError) -> DurableState? {
        var state = try await self.base.latestState(of: id)
        if let version = state?.version { state?.version = UInt64(Double(version)) }
        return state
    }
}

/// Trims manifests.
struct TrimsManifests: BrokenStore {
    let base = memory()
    func write(_ state: DurableState, if condition: WriteCondition) async throws(StoreError) {
        var state = state
        while state.payload.manifest.last == " " { state.payload.manifest.removeLast() }
        try await self.base.write(state, if: condition)
    }
}

/// Forgets the shard above 32 bits.
struct NarrowsShards: BrokenStore {
    let base = memory()
    func write(_ state: DurableState, if condition: WriteCondition) async throws(StoreError) {
        var state = state
        state.shard = UInt64(UInt32(truncatingIfNeeded: state.shard))
        try await self.base.write(state, if: condition)
    }
}

/// Starts afresh with every connection.
final class ForgetsWhenDisconnected: BrokenStore {
    private let current = LockedState(memory())
    var base: InMemoryStateStore { self.current.withLock { $0 } }
    func disconnect() async {
        let fresh = memory()
        await fresh.disconnect()
        self.current.withLock { $0 = fresh }
    }
}

// MARK: Seeing every write

/// Version 97 is seen one read too late, as from a replica that lags now and then.
final class ReadsStale: BrokenStore {
    let base = memory()
    private let late = LockedState<[String: DurableState]>([:])
    func write(_ state: DurableState, if condition: WriteCondition) async throws(StoreError) {
        let before = state.version == 97 ? try await self.base.latestState(of: state.persistenceID) : nil
        try await self.base.write(state, if: condition)
        if let before { self.late.withLock { $0[state.persistenceID] = before } }
    }
    func latestState(of id: String) async throws(StoreError) -> DurableState? {
        if let late = self.late.withLock({ $0.removeValue(forKey: id) }) { return late }
        return try await self.base.latestState(of: id)
    }
}

/// Lets a read share the answer of one that is under way, which may have looked before the last write.
final class SharesReadsUnderWay: BrokenStore {
    let base = memory()
    private let underWay = LockedState<[String: DurableState?]>([:])
    func latestState(of id: String) async throws(StoreError) -> DurableState? {
        if let found = self.underWay.withLock({ $0[id] }) {
            await pause()
            return found
        }
        let found = try await self.base.latestState(of: id)
        self.underWay.withLock { $0[id] = .some(found) }
        for _ in 0..<5 { await pause() }
        self.underWay.withLock { _ = $0.removeValue(forKey: id) }
        return found
    }
}

/// Forgets version 97 and says that it is stored.
struct LosesAcknowledgedWrites: BrokenStore {
    let base = memory()
    func write(_ state: DurableState, if condition: WriteCondition) async throws(StoreError) {
        if state.version == 97 { return }
        try await self.base.write(state, if: condition)
    }
}
