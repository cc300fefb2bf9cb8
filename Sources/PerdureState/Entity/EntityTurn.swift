internal import PerdureConcurrency

/// The part of an entity in memory that does not depend on its behavior: whose turn it is, and whether it is still of use.
///
/// `@unchecked Sendable`: what changes here is behind a lock. The compiler cannot check it for a class with a subclass, whose own
/// state is guarded by the turn.
@usableFromInline
class EntityTurn: @unchecked Sendable {
    /// What somebody who wants the turn gets.
    @usableFromInline
    enum Admission: Sendable {
        /// The turn.
        case turn
        /// The entity left memory, or the engine stops: look it up again.
        case retired
        /// Somebody else has the turn: ask again with this ticket and wait.
        case line(UInt64)
        /// So many are waiting that nobody else may.
        case crowded
        /// The task was cancelled while it waited.
        case withdrawn
    }

    /// Unchecked, as every waiter is resumed by who takes it out of the line; a checked one costs an allocation and a fifth of the
    /// throughput of an entity that is fought over.
    typealias Waiter = UnsafeContinuation<Admission, Never>

    private struct Guarded {
        var turn = Turn<Waiter>()
        var isRetired = false
        var lastUse: UInt64
    }

    /// The persistence ID.
    @usableFromInline final let id: String
    /// The shard of the ID.
    @usableFromInline final let shard: UInt64
    private final let guarded: LockedState<Guarded>

    init(id: String, shard: UInt64, moment: UInt64) {
        self.id = id
        self.shard = shard
        self.guarded = LockedState(Guarded(lastUse: moment))
    }

    /// The moment of the last use, by the directory's count.
    final var lastUse: UInt64 { self.guarded.withLock { $0.lastUse } }

    /// How many wait for the turn.
    final var waiting: Int { self.guarded.withLock { $0.turn.waiting } }

    /// Takes the turn if nobody has it, otherwise a ticket for the line.
    final func take(at moment: UInt64) -> Admission {
        self.guarded.withLock { guarded in
            if guarded.isRetired { return .retired }
            guarded.lastUse = moment
            return guarded.turn.takeIfFree() ? .turn : .line(guarded.turn.makeTicket())
        }
    }

    /// Waits for the turn, behind those who came before; at most `limit` may wait.
    final func wait(_ ticket: Turn<Waiter>.Ticket, limit: Int) async -> Admission {
        await withTaskCancellationHandler {
            await withUnsafeContinuation { waiter in
                if let admission = self.join(waiter, ticket, limit: limit) {
                    waiter.resume(returning: admission)
                } else if Task.isCancelled {
                    // Cancelled before it joined: the handler below found nobody to withdraw.
                    self.withdraw(ticket)
                }
            }
        } onCancel: {
            self.withdraw(ticket)
        }
    }

    /// Waits for the turn like ``wait(_:limit:)``, but a task that is cancelled withdraws only when its turn has come.
    ///
    /// For turns of which each takes a moment only: being told of cancellation costs an entity that is fought over throughput.
    final func waitBriefly(_ ticket: Turn<Waiter>.Ticket, limit: Int) async -> Admission {
        let admission = await withUnsafeContinuation { waiter in
            if let admission = self.join(waiter, ticket, limit: limit) { waiter.resume(returning: admission) }
        }
        guard case .turn = admission, Task.isCancelled else { return admission }
        self.pass()
        return .withdrawn
    }

    /// Joins the line; what is known at once otherwise.
    private final func join(_ waiter: Waiter, _ ticket: Turn<Waiter>.Ticket, limit: Int) -> Admission? {
        self.guarded.withLock { guarded in
            if guarded.isRetired { return .retired }
            if guarded.turn.takeIfFree() { return .turn }
            if guarded.turn.waiting >= limit { return .crowded }
            guarded.turn.join(waiter, ticket)
            return nil
        }
    }

    private final func withdraw(_ ticket: Turn<Waiter>.Ticket) {
        let waiter = self.guarded.withLock { $0.turn.leave(ticket) }
        waiter?.resume(returning: .withdrawn)
    }

    /// Ends one's turn: the next in line has it.
    @usableFromInline
    final func pass() {
        let next = self.guarded.withLock { $0.turn.pass() }
        next?.resume(returning: .turn)
    }

    /// Makes the entity useless, unless somebody works on it.
    final func retireIfFree() -> Bool {
        self.guarded.withLock { guarded in
            if guarded.turn.isTaken { return false }
            guarded.isRetired = true
            return true
        }
    }

    /// Ends one's turn and makes the entity useless, unless somebody waits: they must not lose their order.
    final func retireInTurn() -> Bool {
        self.guarded.withLock { guarded in
            if guarded.turn.waiting > 0 { return false }
            guarded.isRetired = true
            _ = guarded.turn.pass()
            return true
        }
    }

    /// Makes the entity useless for whoever is not in the line yet; true when nobody is at work, nor will be.
    final func closeLine() -> Bool {
        self.guarded.withLock { guarded in
            guarded.isRetired = true
            return !guarded.turn.isTaken
        }
    }

    /// Waits until those at work and those in the line, which is closed, are done.
    final func waitUntilFree() async {
        _ = await withUnsafeContinuation { (waiter: Waiter) in
            let isFree = self.guarded.withLock { guarded in
                if guarded.turn.takeIfFree() { return true }
                guarded.turn.join(waiter, guarded.turn.makeTicket())
                return false
            }
            if isFree { waiter.resume(returning: .turn) }
        }
        self.pass()
    }

    /// Lets go of the state; for who has the turn, and where nobody can get it any more.
    func forget() {}
}
