internal import PerdureConcurrency

/// A store that counts what is asked of it, around another.
public final class CountingRunStore: RunStoreWrapper {
    public let base: any RunStore
    private let calls = LockedState<[RunStoreCall: Int]>([:])

    /// Counts the calls of `base`.
    public init(_ base: any RunStore) { self.base = base }

    public func pass<Answer: Sendable>(
        _ call: RunStoreCall, _ body: () async throws(StoreError) -> Answer
    ) async throws(StoreError) -> Answer {
        self.calls.withLock { $0[call, default: 0] += 1 }
        return try await body()
    }

    /// How often `call` was made.
    public func count(of call: RunStoreCall) -> Int { self.calls.withLock { $0[call] ?? 0 } }

    /// How many calls about a run may have changed something: its creation, its changes, messages to it, its deletion.
    ///
    /// Claims and adoptions are of a worker; see ``count(of:)``.
    public func writes(of runID: String) -> Int {
        self.calls.withLock { calls in
            calls.reduce(0) { $0 + ($1.key.isWrite && IDKey($1.key.id) == IDKey(runID) ? $1.value : 0) }
        }
    }

    /// How many calls may have changed something.
    public var writeCount: Int {
        self.calls.withLock { calls in calls.reduce(0) { $0 + ($1.key.isWrite ? $1.value : 0) } }
    }
}
