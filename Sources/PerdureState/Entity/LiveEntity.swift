internal import PerdureConcurrency

/// One entity while it is in memory: a turn around a state.
///
/// There is no actor and no mailbox: whoever has the turn works on the state in its own task, so that a command to an idle
/// entity costs neither a hop nor a queue. (Swift's actors let others in at each `await`; a turn does not.)
///
/// `@unchecked Sendable`: ``memory`` is touched only by who has the turn, and the turn's lock orders one's writes before the next
/// one's reads.
@usableFromInline
final class LiveEntity<Behavior: DurableStateBehavior>: EntityTurn, @unchecked Sendable {
    /// What is known of the state.
    @usableFromInline
    enum Memory {
        /// Must be read before it is used. `floor` is a version that is known to have existed: a tombstone's, or 0.
        case unread(floor: UInt64)
        /// As stored; `exists` is false where nothing is.
        case current(Behavior.State, version: UInt64, exists: Bool)
    }

    @usableFromInline let behavior: Behavior
    @usableFromInline let codec: any StateCodec<Behavior.State>
    // Unchecked: two accesses at once would be two turns at once.
    @exclusivity(unchecked) @usableFromInline var memory = Memory.unread(floor: 0)

    init(id: String, shard: UInt64, moment: UInt64, behavior: Behavior, codec: any StateCodec<Behavior.State>) {
        self.behavior = behavior
        self.codec = codec
        super.init(id: id, shard: shard, moment: moment)
    }

    /// The failure of a command whose new state the codec does not take.
    @usableFromInline
    func encodingFailed(_ error: any Error) -> CommandError<Behavior.Rejection> {
        .store(
            StoreError(
                .undecodable, operation: .write, persistenceID: self.id,
                message: "the new \(Behavior.State.self) cannot be encoded; nothing was changed", underlying: error))
    }

    override func forget() {
        if case .current(_, let version, let exists) = self.memory {
            self.memory = .unread(floor: exists ? 0 : version)
        }
    }
}
