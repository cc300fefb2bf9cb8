/// What a behavior wants to happen to its state, and what it answers.
///
/// A plain value: handlers return it and do nothing themselves, so they can be tested without a store and handled again
/// after a conflict.
public struct ReplyEffect<State: Sendable, Reply: Sendable>: Sendable {
    /// What is to happen to the state.
    public enum Change: Sendable {
        /// Store this state as the next version.
        case persist(State)
        /// Nothing: the command only asked.
        case none
        /// Delete the state; the entity begins anew with its next persisted state.
        case delete
    }

    /// What is to happen to the state.
    public var change: Change
    /// What the sender gets once it has happened.
    public var reply: Reply

    /// Makes an effect.
    public init(_ change: Change, reply: Reply) {
        self.change = change
        self.reply = reply
    }

    /// Store `state` as the next version, then answer `reply`.
    public static func persist(_ state: State, reply: Reply) -> Self { Self(.persist(state), reply: reply) }

    /// Change nothing, answer `reply`.
    public static func none(reply: Reply) -> Self { Self(.none, reply: reply) }

    /// Delete the state, then answer `reply`.
    public static func delete(reply: Reply) -> Self { Self(.delete, reply: reply) }
}

/// The effect of a behavior that answers with nothing but the new state.
public typealias Effect<State: Sendable> = ReplyEffect<State, Void>

extension ReplyEffect where Reply == Void {
    /// Store `state` as the next version.
    public static func persist(_ state: State) -> Self { Self(.persist(state), reply: ()) }

    /// Change nothing: the command only asked.
    public static var none: Self { Self(.none, reply: ()) }

    /// Delete the state; the entity begins anew with its next persisted state.
    public static var delete: Self { Self(.delete, reply: ()) }
}
