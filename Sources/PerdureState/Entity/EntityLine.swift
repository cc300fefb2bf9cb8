/// Where commands wait for a turn that nobody keeps for long: as jobs, which whoever empties the line runs one after the other.
///
/// An actor, so that a sender's task can come here and go again; its turn is the actor's isolation. Being resumed one by one instead, on
/// threads that must be woken for it, the line of an entity that is fought over never gets shorter than its senders are many.
@usableFromInline
actor EntityLine: SerialExecutor {
    private unowned let turn: EntityTurn

    init(of turn: EntityTurn) { self.turn = turn }

    @usableFromInline nonisolated var unownedExecutor: UnownedSerialExecutor { self.asUnownedSerialExecutor() }

    @usableFromInline
    nonisolated func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }

    @usableFromInline
    nonisolated func enqueue(_ job: consuming ExecutorJob) { self.turn.arrive(UnownedJob(job)) }
}
