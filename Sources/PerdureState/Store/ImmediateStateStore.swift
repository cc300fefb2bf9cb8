/// A store that can write without waiting: there is no disk and no network behind it.
///
/// An engine that holds one carries out a whole command without a point at which its task could be suspended.
///
/// For classes, so that the engine reaches it by one indirect call.
@usableFromInline
protocol ImmediateStateStore: StateStore, AnyObject {
    /// Whether none of its operations ever waits, the others included.
    var neverWaits: Bool { get }

    /// Stores `state` if that can be done and `condition` holds; false, and nothing has changed, where
    /// ``StateStore/write(_:if:)`` would have more to say.
    ///
    /// For IDs that have been read: it does not check them. Nor does it ask whether the caller was cancelled.
    func writeAtOnce(_ state: consuming DurableState, if condition: WriteCondition) -> Bool

    /// Deletes the state under `id` if `condition` holds; false, and nothing has changed, where ``StateStore/delete(_:if:)`` would
    /// have more to say.
    func deleteAtOnce(_ id: String, if condition: WriteCondition) -> Bool
}
