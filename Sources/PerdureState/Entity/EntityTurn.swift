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
        case ticket(UInt64)
        /// Somebody else has the turn, but not for long: go on there, where you have it. You are expected.
        case line(EntityLine)
        /// So many are waiting that nobody else may.
        case crowded
        /// The task was cancelled while it waited.
        case withdrawn
    }

    /// Who is told that it has the turn.
    enum Waiter {
        /// Unchecked, as every waiter is resumed by who takes it out of the line.
        case continuation(UnsafeContinuation<Admission, Never>)
        /// Of a task that came to the ``EntityLine``.
        case job(UnownedJob)
    }

    private struct Guarded {
        var turn = Turn<Waiter>()
        var isRetired = false
        var lastUse: UInt64
        /// Made for the first who needs it.
        var line: EntityLine?
        /// Whether a job has the turn and is being run by ``EntityTurn/drain(from:)``, which sees to what comes next.
        var isDraining = false
        /// Whether that job's turn has ended.
        var hasPassed = false

        /// Ends a turn; who has the next one, and must be told.
        mutating func pass() -> Waiter? {
            if self.isDraining {
                self.hasPassed = true
                return nil
            }
            return self.next()
        }

        /// What comes after a job was run.
        mutating func passFromJob() -> Waiter? {
            guard self.hasPassed else {
                // It waits for something and keeps its turn, which ends as anybody's does.
                self.isDraining = false
                return nil
            }
            self.hasPassed = false
            return self.next()
        }

        private mutating func next() -> Waiter? {
            let next = self.turn.pass()
            self.isDraining = if case .job? = next { true } else { false }
            return next
        }
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

    /// How many of them have a place that nobody takes any more.
    final var inLine: Int { self.guarded.withLock { $0.turn.inLine } }

    /// Takes the turn if nobody has it, otherwise a ticket for the line.
    ///
    /// Where nobody ever keeps a turn for long, `briefLimit` says how many may wait, and the way to the line is given instead.
    final func take(at moment: UInt64, briefLimit: Int? = nil) -> Admission {
        self.guarded.withLock { guarded in
            if guarded.isRetired { return .retired }
            guarded.lastUse = moment
            if guarded.turn.takeIfFree() { return .turn }
            guard let briefLimit else { return .ticket(guarded.turn.makeTicket()) }
            if guarded.turn.waiting >= briefLimit { return .crowded }
            guarded.turn.expect()
            if let line = guarded.line { return .line(line) }
            let line = EntityLine(of: self)
            guarded.line = line
            return .line(line)
        }
    }

    /// Waits for the turn, behind those who came before; at most `limit` may wait.
    final func wait(_ ticket: Turn<Waiter>.Ticket, limit: Int) async -> Admission {
        await withTaskCancellationHandler {
            await withUnsafeContinuation { waiter in
                if let admission = self.join(.continuation(waiter), ticket, limit: limit) {
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
        if case .continuation(let waiter)? = waiter { waiter.resume(returning: .withdrawn) }
    }

    /// Ends one's turn: the next in line has it.
    @usableFromInline
    final func pass() {
        switch self.guarded.withLock({ $0.pass() }) {
        case nil: break
        case .continuation(let next)?: next.resume(returning: .turn)
        // Not here and now: who had the turn has an answer to go on with.
        case .job(let job)?: Task.detached { self.drain(from: job) }
        }
    }

    // MARK: A line of jobs

    /// Gives a job its turn if nobody has it, or a place in the line.
    final func arrive(_ job: UnownedJob) {
        let hasTurn = self.guarded.withLock { guarded in
            guard guarded.turn.arrive(.job(job)) else { return false }
            guarded.isDraining = true
            return true
        }
        if hasTurn { self.drain(from: job) }
    }

    /// Runs jobs on this thread, each with the turn, until the line is empty or a job keeps its turn.
    ///
    /// A job ends where its task leaves the line again, right after it has passed the turn: the thread does nothing else for a task.
    private final func drain(from first: UnownedJob) {
        guard let line = self.guarded.withLock({ $0.line }) else { return }
        var job = first
        while true {
            job.runSynchronously(on: line.unownedExecutor)
            switch self.guarded.withLock({ $0.passFromJob() }) {
            case nil: return
            case .continuation(let next)?: return next.resume(returning: .turn)
            case .job(let next)?: job = next
            }
        }
    }

    // MARK: Leaving memory

    /// Makes the entity useless, unless somebody works on it.
    final func retireIfFree() -> Bool {
        self.guarded.withLock { guarded in
            guard guarded.turn.isIdle else { return false }
            guarded.isRetired = true
            return true
        }
    }

    /// Ends one's turn and makes the entity useless, unless somebody waits: they must not lose their order.
    final func retireInTurn() -> Bool {
        self.guarded.withLock { guarded in
            if guarded.turn.waiting > 0 { return false }
            guarded.isRetired = true
            _ = guarded.pass()
            return true
        }
    }

    /// Makes the entity useless for whoever is not in the line yet; true when nobody is at work, nor will be.
    final func closeLine() -> Bool {
        self.guarded.withLock { guarded in
            guarded.isRetired = true
            return guarded.turn.isIdle
        }
    }

    /// Waits until those at work and those in the line, which is closed, are done.
    final func waitUntilFree() async {
        while true {
            _ = await withUnsafeContinuation { (waiter: UnsafeContinuation<Admission, Never>) in
                let isFree = self.guarded.withLock { guarded in
                    if guarded.turn.takeIfFree() { return true }
                    guarded.turn.join(.continuation(waiter), guarded.turn.makeTicket())
                    return false
                }
                if isFree { waiter.resume(returning: .turn) }
            }
            let isLast = self.guarded.withLock { $0.turn.waiting == 0 }
            self.pass()
            if isLast { return }
            // Somebody is on the way to the line.
            await Task.yield()
        }
    }

    /// Lets go of the state; for who has the turn, and where nobody can get it any more.
    func forget() {}
}
