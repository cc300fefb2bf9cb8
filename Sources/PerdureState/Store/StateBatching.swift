/// A store that reads and writes many states in one go, with a result for each.
///
/// A batch is not a transaction: each state succeeds or fails by itself.
public protocol StateBatching: StateStore {
    /// The states of `ids`, each at the place of its ID; nil where there is none.
    func latestStates(of ids: [String]) async -> [Result<DurableState?, StoreError>]

    /// Writes each state if its condition holds; the results stand at the places of the writes.
    ///
    /// Two writes of one ID in a batch happen in their order.
    func write(_ writes: [StateWrite]) async -> [Result<Void, StoreError>]
}

/// A state to be written, and the condition for it.
public struct StateWrite: Sendable, Hashable {
    /// What is to be stored.
    public var state: DurableState
    /// What must hold for it.
    public var condition: WriteCondition

    /// Makes a write.
    public init(_ state: DurableState, if condition: WriteCondition) {
        self.state = state
        self.condition = condition
    }
}
