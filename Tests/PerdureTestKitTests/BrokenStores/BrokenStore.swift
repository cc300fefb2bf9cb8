import PerdureTestKit

/// A store that does something wrong, around one that works.
///
/// What a store does not override goes on to the working one; listing, batches and the feed are offered only by those that break
/// them, so that the report on the others is about what they break.
protocol BrokenStore: StateStore {
    var base: InMemoryStateStore { get }
}

extension BrokenStore {
    var maximumPayloadByteCount: Int { self.base.maximumPayloadByteCount }
    func connect() async throws(StoreError) { try await self.base.connect() }
    func disconnect() async { await self.base.disconnect() }
    func ping() async throws(StoreError) { try await self.base.ping() }
    func write(_ state: DurableState, if condition: WriteCondition) async throws(StoreError) {
        try await self.base.write(state, if: condition)
    }
    func latestState(of id: String) async throws(StoreError) -> DurableState? {
        try await self.base.latestState(of: id)
    }
    func delete(_ id: String, if condition: WriteCondition) async throws(StoreError) {
        try await self.base.delete(id, if: condition)
    }
}

/// A working store of a size that tests can fill.
func memory() -> InMemoryStateStore { InMemoryStateStore(maximumPayloadByteCount: 128 << 10) }

/// Gives other tasks a chance to come in between.
func pause() async {
    for _ in 0..<3 { await Task.yield() }
}

/// Runs something that the caller's cancellation does not reach.
func uncancelled(_ body: @escaping @Sendable () async throws(StoreError) -> Void) async throws(StoreError) {
    let result = await Task { () async -> Result<Void, StoreError> in
        do throws(StoreError) {
            return .success(try await body())
        } catch {
            return .failure(error)
        }
    }.value
    try result.get()
}

extension StoreError {
    /// The same conflict in other words.
    func changed(storedVersion: UInt64? = nil, outcome: Outcome? = nil) -> StoreError {
        StoreError(
            self.code, outcome: outcome ?? self.outcome, operation: self.operation, persistenceID: self.persistenceID,
            message: self.message, storedVersion: storedVersion ?? self.storedVersion)
    }
}
