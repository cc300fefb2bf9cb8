internal import PerdureConcurrency

/// The life of one run, as a value: it is told what happened and says what to do.
///
/// No clock, no store, no lock, no task.
///
/// Whoever drives it calls ``next(_:)`` until there is nothing to do, and tells it of everything that comes to an end:
/// ``ended(_:with:_:)`` for work, ``stored(_:_:)``, ``rejected(_:_:)`` or ``drop()`` for a commit, ``take(mail:_:)`` for messages,
/// ``tick(_:)`` when time has passed. Any number of tasks may take turns at that; at most one commit is under way at a time, and
/// what happens meanwhile goes into the next one.
///
/// The rule that makes runs recoverable: nothing that depends on a result begins before the result is stored.
///
/// Also methods that change nothing are `mutating`: they are given the machine where it lies. For others the compiler (6.0) copies it at
/// each call, a kilobyte and some dozen reference counts; that was a fifth of the time of a step.
struct RunMachine: Sendable {
    /// What does not depend on the run.
    struct Settings: Sendable {
        /// A run that waits longer than this leaves memory.
        var releaseAfter: Duration = .seconds(5)
        /// How often a run may be adopted without a step being recorded.
        var maximumAdoptions = 5
    }

    /// What to do next.
    enum Action: Sendable {
        case perform(StepWork)
        case commit(RunCommit)
        /// Read the run's messages and tell them.
        case readMail
        /// Nothing for now.
        case wait
        /// The run is not ours any more; nothing more comes of it.
        case leave(Departure)
    }

    /// How a run left this machine.
    enum Departure: Sendable {
        /// It ended, was released, paused or parked: as its progress says.
        case stored
        /// Somebody else has it, or it was given up; nothing was stored of what was under way.
        case lost
        /// The engine stops; everything is stored, and the run is still the worker's.
        case stopped
    }

    /// What is to become of the run.
    enum Intent: Sendable {
        case run
        case pause
        case fail(RunFailure)
        case cancel(reason: String)
        case park(reason: String, RunFailure?)
    }

    /// Something that is being done.
    struct Execution: Sendable {
        let token: UInt64
        let unit: StepUnit
        /// By the steady clock.
        var deadline: Duration?
    }

    let plan: RunPlan
    let settings: Settings
    let request: RunRequest

    /// As it is stored.
    var progress: RunProgress

    // What is known of the steps.
    var nodes: [UnitState]
    var loops: [Int: LoopState] = [:]
    var settledNodes = 0
    /// Of those, how many are recorded ones.
    var settledSteps = 0
    var shared: [SharedValue] = []

    // Messages.
    /// Signals and endings of children that nobody has taken.
    var inbox: [RunMessage] = []
    var seen: UInt64
    var posted: UInt64
    var isReadingMail = false
    /// Whether somebody said that there is a message.
    var isHinted = false
    /// The signals that units have got hold of; nil where the time was over.
    var signals: [Int: RunMessage?] = [:]

    // What can be done and what is being done.
    var ready = FIFO<StepUnit>()
    /// What may begin once the coming commit is stored, and once the one under way is.
    var gated: [StepUnit] = []
    var gatedInFlight: [StepUnit] = []
    var executing: [Execution] = []
    var waits: [StepUnit] = []
    var lastToken: UInt64 = 0
    /// Work whose result is of no interest any more; whoever drives tells the handlers.
    var abandoned: [UInt64] = []

    // What the coming commit has.
    var endings: [StepUnit] = []
    var dirty: [StepUnit] = []
    var stateRecords: [StateRecord] = []
    var consumed: [(message: String, step: String)] = []
    var posts: [(runID: String, message: RunMessage)] = []
    var needsCommit = false

    /// What is under way to the store.
    var inFlight: RunProgress?
    var inFlightUnits: [StepUnit] = []
    var wasRejected = false

    var intent = Intent.run
    var isStopping = false
    var departure: Departure?
    var isBuilding = false
    var isBeginning = false

    // MARK: What to do

    /// What to do next. Everything but ``Action/wait`` and ``Action/leave(_:)`` is handed out once.
    mutating func next(_ now: Moment) -> Action {
        if let departure = self.departure { return .leave(departure) }
        if self.isReadingMail { return .wait }
        if self.posted > self.seen || self.isHinted {
            self.isReadingMail = true
            self.isHinted = false
            return .readMail
        }
        if self.inFlight == nil, self.wantsCommit(now) { return .commit(self.makeCommit(now)) }
        if self.mayBegin, let unit = self.ready.popFirst() { return .perform(self.begin(unit, now)) }
        if self.isStopping, self.executing.isEmpty, self.inFlight == nil {
            self.departure = .stopped
            return .leave(.stopped)
        }
        return .wait
    }

    /// Whether ``next(_:)`` would give something to do.
    mutating func hasWork(_ now: Moment) -> Bool {
        if self.departure != nil { return true }
        if self.isReadingMail { return false }
        if self.posted > self.seen || self.isHinted { return true }
        if self.mayBegin, !self.ready.isEmpty { return true }
        guard self.inFlight == nil else { return false }
        return self.wantsCommit(now) || (self.isStopping && self.executing.isEmpty)
    }

    /// When to call ``tick(_:)`` at the latest, by the steady clock; nil when time changes nothing.
    mutating func alarm(_ now: Moment) -> Duration? {
        guard self.departure == nil else { return nil }
        var earliest: Duration?
        func consider(_ time: Duration) { if earliest.map({ time < $0 }) ?? true { earliest = time } }
        for execution in self.executing {
            if let deadline = execution.deadline { consider(deadline) }
        }
        for unit in self.waits {
            if let wakesAt = self[unit].wakesAt { consider(now.steady(at: wakesAt)) }
            if let held = self[unit].heldUntil { consider(held) }
        }
        switch self.intent {
        case .run, .pause: if let deadline = self.runDeadline { consider(now.steady(at: deadline)) }
        case .fail, .cancel, .park: break
        }
        return earliest
    }

    /// No new work any more: what is under way is finished and stored, then the machine is left.
    mutating func stop() { self.isStopping = true }

    /// The run is somebody else's, or the worker is: nothing of what is under way counts.
    mutating func drop() {
        guard self.departure == nil else { return }
        self.departure = .lost
        self.abandonEverything()
    }

    // MARK: Details

    var mayBegin: Bool {
        mutating get {
            guard !self.isStopping, case .run = self.intent else { return false }
            return true
        }
    }

    /// When the run has to be over, in Unix milliseconds.
    var runDeadline: Int64? {
        mutating get {
            guard let timeout = self.plan.runTimeout, let startedAt = self.progress.startedAt else { return nil }
            return startedAt &+ timeout
        }
    }

    subscript(unit: StepUnit) -> UnitState {
        // Not a getter: that would copy the whole state for the sake of one field.
        mutating _read {
            if unit.item < 0 {
                yield self.nodes[unit.node]
            } else {
                yield self.loops[unit.node]?.items[unit.item] ?? UnitState()
            }
        }
        _modify {
            if unit.item < 0 {
                yield &self.nodes[unit.node]
            } else {
                yield &self.loops[unit.node, default: LoopState()].items[unit.item]
            }
        }
    }

    /// The unit's ID in the run.
    mutating func id(of unit: StepUnit) -> String {
        let name = self.plan.nodes[unit.node].name
        return unit.item < 0 ? name : "\(name)[\(unit.item)]"
    }

    /// What a node is given.
    mutating func input(of node: Int) -> RunValue {
        if let edited = self.nodes[node].input { return edited }
        guard let place = self.plan.nodes[node].inputs.first, place >= 0 else { return self.request.input }
        return self.output(of: place)
    }

    mutating func input(of unit: StepUnit) -> RunValue {
        guard unit.item >= 0 else { return self.input(of: unit.node) }
        if let edited = self[unit].input { return edited }
        return self.loops[unit.node]?.elements[unit.item] ?? self.request.input
    }

    /// Its record has to be written: with the coming commit, which this asks for unless it can wait for another reason.
    mutating func markDirty(_ unit: StepUnit, canWait: Bool = false) {
        if !canWait { self.needsCommit = true }
        guard !self[unit].isDirty else { return }
        self[unit].isDirty = true
        self.dirty.append(unit)
    }

    mutating func abandonEverything() {
        for execution in self.executing { self.abandoned.append(execution.token) }
        self.executing = []
    }
}
