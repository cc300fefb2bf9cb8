internal import PerdureConcurrency
internal import PerdureModel

/// Drives a run: does what its machine says, and tells it what came of it.
///
/// A run is driven by one task as long as it does one thing at a time: the task runs the handler, stores the result, goes on. What can
/// be done beside that gets tasks of its own, which end when there is nothing left for them.
final class RunDriver: Alarmed {
    struct State {
        var machine: RunMachine
        /// What is under way.
        var attempts: [Attempt] = []
        /// When the engine's timers will ring for this run.
        var alarm: Duration?
        /// Whether the departure was seen to.
        var hasLeft = false
        var waiters: [CheckedContinuation<Void, Never>] = []
        /// The error that made the run fail, as it was thrown.
        var lastError: (any Error)?
    }

    /// What has happened, for the machine.
    enum Event {
        case nothing
        case ended(Attempt, StepOutcome, (any Error)?)
        case stored(inboxCount: UInt64)
        case rejected(StoreError)
        case lost
        case mail([RunMessage], count: UInt64)
        case mailUnreadable
        case tick
        case stop
        case hint
        case noted(UInt64)
    }

    /// What a task is to do next.
    enum Turn {
        case perform(Attempt)
        case commit(RunCommit)
        case readMail
        case leave
        /// Nothing that this task could do.
        case end
    }

    let core: EngineCore
    let plan: RunPlan
    let request: RunRequest
    let state: LockedState<State>

    init(_ core: EngineCore, _ plan: RunPlan, _ machine: RunMachine) {
        self.core = core
        self.plan = plan
        self.request = machine.request
        self.state = LockedState(State(machine: machine))
    }

    // MARK: From outside

    /// Begins to drive.
    func start() { self.nudge(.tick) }

    /// Gives the run up: nothing more is recorded, and handlers are told.
    func giveUp() { self.nudge(.lost) }

    func alarm() { self.nudge(.tick) }

    /// Tells the machine of something, and sees to it that a task does what follows.
    func nudge(_ event: Event) {
        let now = self.core.moment
        let (hasWork, cancelled, alarm) = self.state.withLock { state -> (Bool, [Task<Void, Never>], Duration?) in
            if case .tick = event { state.alarm = nil }
            _ = Self.apply(event, to: &state, now)
            let hasWork = !state.hasLeft && state.machine.hasWork(now)
            return (hasWork, Self.cancelAbandoned(&state), Self.nextAlarm(&state, now))
        }
        for task in cancelled { task.cancel() }
        if let alarm { self.core.timers.schedule(self, at: alarm) }
        if hasWork { self.spawn() }
    }

    /// Waits until the run has left memory.
    func departure() async {
        await withCheckedContinuation { continuation in
            let hasLeft = self.state.withLock { state -> Bool in
                if !state.hasLeft { state.waiters.append(continuation) }
                return state.hasLeft
            }
            if hasLeft { continuation.resume() }
        }
    }

    /// The progress with which the run ended in this driver, and the error that made it fail; nil where it did not end here.
    var ending: (progress: RunProgress, error: (any Error)?)? {
        self.state.withLock { state in
            guard state.hasLeft, case .stored = state.machine.departure, state.machine.progress.status.isEnded else {
                return nil
            }
            return (state.machine.progress, state.lastError)
        }
    }

    // MARK: Driving

    func spawn() {
        let lane = Lane()
        let task = Task { await self.drive(lane) }
        let isCancelled = self.state.withLock { _ -> Bool in
            lane.task = task
            return lane.isCancelled
        }
        if isCancelled { task.cancel() }
    }

    func drive(_ lane: Lane) async {
        var turn = self.turn(.nothing, lane)
        while true {
            switch turn {
            case .perform(let attempt):
                let (outcome, error) = await self.perform(attempt)
                turn = self.turn(.ended(attempt, outcome, error), lane)
            case .commit(let commit):
                turn = self.turn(await self.store(commit), lane)
            case .readMail:
                turn = self.turn(await self.readMail(), lane)
            case .leave:
                return self.leave()
            case .end:
                return
            }
        }
    }

    /// Tells the machine what happened and asks what to do next; what this task cannot do gets another.
    private func turn(_ event: Event, _ lane: Lane) -> Turn {
        let now = self.core.moment
        let (turn, hasMore, cancelled, alarm) = self.state.withLock {
            state -> (Turn, Bool, [Task<Void, Never>], Duration?) in
            // Whoever took the work from this task has seen to it that another goes on.
            guard Self.apply(event, to: &state, now), !state.hasLeft else { return (.end, false, [], nil) }
            let turn: Turn
            switch state.machine.next(now) {
            case .perform(let work):
                // A task that was cancelled is of no use to a handler.
                let attempt = Attempt(self, work, lane)
                state.attempts.append(attempt)
                turn = .perform(attempt)
            case .commit(let commit): turn = .commit(commit)
            case .readMail: turn = .readMail
            case .wait: turn = .end
            case .leave:
                state.hasLeft = true
                turn = .leave
            }
            let cancelled = Self.cancelAbandoned(&state)
            if case .leave = turn { return (turn, false, cancelled, nil) }
            let hasMore = if case .end = turn { false } else { state.machine.hasWork(now) }
            return (turn, hasMore, cancelled, Self.nextAlarm(&state, now))
        }
        for task in cancelled { task.cancel() }
        if let alarm { self.core.timers.schedule(self, at: alarm) }
        if hasMore { self.spawn() }
        return turn
    }

    /// Returns false where the event is of no interest any more.
    private static func apply(_ event: Event, to state: inout State, _ now: Moment) -> Bool {
        switch event {
        case .nothing: break
        case .ended(let attempt, let outcome, let error):
            state.attempts.removeAll { $0 === attempt }
            if attempt.wasCancelled { return false }
            if let error { state.lastError = error }
            return state.machine.ended(attempt.work.token, with: outcome, now)
        case .stored(let count): state.machine.stored(CommitReceipt(inboxCount: count), now)
        case .rejected(let error): state.machine.rejected(error, now)
        case .lost: state.machine.drop()
        case .mail(let messages, let count): state.machine.take(mail: messages, count: count, now)
        case .mailUnreadable: state.machine.mailWasNotRead()
        case .tick: state.machine.tick(now)
        case .stop: state.machine.stop()
        case .hint: state.machine.hintMail()
        case .noted(let count): state.machine.noteMail(upTo: count)
        }
        return true
    }

    /// The tasks of work that is not wanted any more.
    private static func cancelAbandoned(_ state: inout State) -> [Task<Void, Never>] {
        guard !state.machine.abandoned.isEmpty else { return [] }
        let tokens = state.machine.abandoned
        state.machine.abandoned = []
        return state.attempts.compactMap { attempt in
            guard tokens.contains(attempt.work.token) else { return nil }
            attempt.wasCancelled = true
            attempt.lane.isCancelled = true
            return attempt.lane.task
        }
    }

    /// When to schedule an alarm; nil where there is one early enough.
    private static func nextAlarm(_ state: inout State, _ now: Moment) -> Duration? {
        guard let alarm = state.machine.alarm(now) else { return nil }
        if let scheduled = state.alarm, scheduled <= alarm { return nil }
        state.alarm = alarm
        return alarm
    }

    private func leave() {
        self.core.left(self)
        let (departure, progress, waiters) = self.state.withLock { state in
            defer { state.waiters = [] }
            return (state.machine.departure, state.machine.progress, state.waiters)
        }
        if let observer = self.core.observer { self.report(departure, progress, to: observer) }
        for waiter in waiters { waiter.resume() }
        self.core.watch.hint(self.request.id)
        // It may be due again already, or make room within a limit.
        let hasLimits = self.request.workflowLimit != nil || self.request.resourceLimit != nil
        if !progress.status.isEnded || hasLimits { self.core.work.ring() }
    }
}
