/// What really happened to one operation of a ``FaultyStateStore``, whatever its caller was told.
public struct FaultTrace: Sendable {
    /// What became of the operation where the data is.
    public enum Effect: Sendable, Hashable {
        /// A read saw this, or nothing.
        case read(DurableState?)
        /// The write or delete was done.
        case applied
        /// Nothing was changed.
        case notApplied
        /// Nothing was changed yet; a later entry of the same number tells when it arrives.
        case pending
        /// The wrapped store failed and does not know.
        case unknown
    }

    /// The number of the operation, from 1; a write that arrives late keeps the number of its call.
    public let number: Int
    /// `read`, `write` or `delete`.
    public let operation: StoreError.Operation
    /// The ID that it was about.
    public let persistenceID: String
    /// What a write was to store.
    public let state: DurableState?
    /// The condition of a write or a delete.
    public let condition: WriteCondition?
    /// What went wrong, if something did.
    public let fault: Fault?
    /// What became of it where the data is.
    public let effect: Effect
    /// What the caller was told; nil for success.
    public let error: StoreError?
    /// Whether this is the other writer of ``Fault/foreignWrite``, of whom no caller knows.
    public let isForeign: Bool
    /// Whether this is a write that arrives late, after its caller was told that its outcome is unknown.
    public let isLate: Bool
}
