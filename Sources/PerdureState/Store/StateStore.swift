/// A place that keeps the latest state of each persistence ID.
///
/// Every store keeps the same promises; the suite in `PerdureTestKit` checks them on a store of anybody's:
///
/// 1. ``latestState(of:)`` returns exactly what the last successful write stored: all fields, bytes identical.
/// 2. Reads see every acknowledged write (they are linearizable per ID).
/// 3. A condition that does not hold throws ``StoreError/Code/conflict`` with the stored version, and changes nothing.
/// 4. Of several concurrent conditional writes against one version exactly one succeeds.
/// 5. Every failed write says whether it may have happened, and a store never reports a conflict with one's own write.
/// 6. Deleting is conditional like writing; a deleted ID reads as absent, and its version goes on counting.
/// 7. A payload over ``maximumPayloadByteCount`` is refused before anything is sent; no partial state is ever visible.
/// 8. A row that cannot be read is an error that names the ID, never an empty state.
/// 9. Cancelling the caller never leaves half a write.
/// 10. Every ID that keeps the rule of ``PersistenceID`` works; others are refused with the rule in the error.
public protocol StateStore: Sendable {
    /// The largest payload that the store takes, in bytes.
    var maximumPayloadByteCount: Int { get }

    /// Makes the store ready. Idempotent. Other operations do it by themselves the first time.
    ///
    /// - Throws: what keeps the store from working, such as ``StoreError/Code/misconfigured`` or ``StoreError/Code/unavailable``.
    func connect() async throws(StoreError)

    /// Finishes what is under way and lets go of every resource. Idempotent.
    ///
    /// Afterwards reading and writing throw ``StoreError/Code/closed`` until ``connect()`` or ``ping()`` is called.
    func disconnect() async

    /// Makes a real round trip to the store; connects if not connected.
    ///
    /// - Throws: what keeps the store from answering.
    func ping() async throws(StoreError)

    /// Stores `state` if `condition` holds.
    ///
    /// The version must be at least 1 and, with ``WriteCondition/version(_:)``, greater than the version it replaces.
    /// Returns once the state is durable. Cancelling the caller before anything was sent may refuse the write with
    /// ``StoreError/Code/cancelled``; afterwards the write goes on to its end.
    ///
    /// - Throws: a ``StoreError`` whose outcome says whether the write may have happened.
    func write(_ state: DurableState, if condition: WriteCondition) async throws(StoreError)

    /// The state stored under `id`, or nil when there is none.
    ///
    /// - Throws: a ``StoreError`` when it cannot be read; never because it is absent.
    func latestState(of id: String) async throws(StoreError) -> DurableState?

    /// Deletes the state under `id` if `condition` holds.
    ///
    /// The deletion counts as a change: it leaves a tombstone with the version after the deleted one, invisible to readers,
    /// so that the versions of a later life go on counting. With ``WriteCondition/always`` and with
    /// ``WriteCondition/absent`` deleting what is not there succeeds and changes nothing.
    ///
    /// - Throws: a ``StoreError`` whose outcome says whether the deletion may have happened.
    func delete(_ id: String, if condition: WriteCondition) async throws(StoreError)
}
