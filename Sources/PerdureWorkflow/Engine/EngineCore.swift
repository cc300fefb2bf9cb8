internal import PerdureConcurrency
internal import PerdureModel

/// What the parts of an engine share.
final class EngineCore: Sendable {
    struct State {
        /// The ID under which this engine is registered; nil while it is no worker.
        var worker: String?
        var isDraining = false
        /// The runs that are in memory.
        var drivers: [IDKey: RunDriver] = [:]
        /// Places promised to runs that are on their way.
        var reserved = 0
        /// Runs that are being created here, as driven ones.
        var launching: Set<IDKey> = []
    }

    let configuration: WorkflowEngine.Configuration
    let settings: RunMachine.Settings
    let store: any RunStore
    let keepsLiveValues: Bool
    let clock: any PerdureClock
    let observer: (any EventObserver)?
    let plans: [IDKey: RunPlan]
    let workflows: [String]
    let timers: Timers
    let gates = StepGates()
    let watch = RunWatch()
    /// Rings when there may be a run to claim, or room for one.
    let work = Bell()
    /// Rings when some run of this worker may have mail.
    let mail = Bell()
    /// Rings when the last run has left memory.
    let empty = Bell()
    let state = LockedState(State())

    init(_ store: any RunStore, _ configuration: WorkflowEngine.Configuration, _ graphs: [WorkflowGraph]) {
        self.configuration = configuration
        self.store = store
        self.keepsLiveValues = store.keepsLiveValues
        self.clock = configuration.clock
        self.observer = configuration.observer
        self.timers = Timers(clock: configuration.clock)
        self.plans = Dictionary(
            graphs.map { (IDKey($0.name), RunPlan($0)) }, uniquingKeysWith: { first, _ in first })
        self.workflows = graphs.map(\.name)
        var settings = RunMachine.Settings()
        settings.releaseAfter = configuration.releaseAfter
        settings.maximumAdoptions = configuration.maximumAdoptions
        self.settings = settings
    }

    var moment: Moment { Moment(wall: self.clock.unixMilliseconds, steady: self.clock.now) }

    func plan(_ workflow: String) -> RunPlan? { self.plans[IDKey(workflow)] }

    // MARK: Runs in memory

    func driver(of runID: String) -> RunDriver? { self.state.withLock { $0.drivers[IDKey(runID)] } }

    /// Whether a run is in memory, or being created here.
    func knows(_ runID: String) -> Bool {
        let key = IDKey(runID)
        return self.state.withLock { $0.drivers[key] != nil || $0.launching.contains(key) }
    }

    /// How many runs could be taken now.
    var room: Int {
        self.state.withLock { state in
            guard state.worker != nil, !state.isDraining else { return 0 }
            return max(0, self.configuration.maximumRuns - state.drivers.count - state.reserved)
        }
    }

    /// Promises up to so many places; returns how many, and the worker that has them.
    func reserve(_ count: Int) -> (worker: String, places: Int)? {
        self.state.withLock { state in
            guard let worker = state.worker, !state.isDraining else { return nil }
            let places = min(count, self.configuration.maximumRuns - state.drivers.count - state.reserved)
            guard places > 0 else { return nil }
            state.reserved += places
            return (worker, places)
        }
    }

    /// Gives promised places back that no run came for.
    func giveBack(_ places: Int) {
        guard places > 0 else { return }
        let (isEmpty, wasFull) = self.state.withLock { state -> (Bool, Bool) in
            let wasFull = state.drivers.count + state.reserved >= self.configuration.maximumRuns
            state.reserved -= places
            return (state.isDraining && state.reserved == 0, wasFull)
        }
        if isEmpty { self.empty.ring() }
        if wasFull { self.work.ring() }
    }

    /// Takes a run into one of the promised places, and drives it; not where the worker has changed meanwhile.
    @discardableResult
    func drive(_ machine: RunMachine, _ plan: RunPlan, as worker: String) -> RunDriver {
        let driver = RunDriver(self, plan, machine)
        let key = IDKey(driver.request.id)
        let (isOurs, isDraining, old) = self.state.withLock { state -> (Bool, Bool, RunDriver?) in
            state.reserved -= 1
            guard state.worker == worker else { return (false, false, nil) }
            return (true, state.isDraining, state.drivers.updateValue(driver, forKey: key))
        }
        // One that was left behind knows less than the store.
        old?.giveUp()
        guard isOurs else {
            driver.giveUp()
            self.empty.ring()
            return driver
        }
        if isDraining { driver.nudge(.stop) }
        self.observer?.observe(.runTakenUp(workflow: driver.request.workflow, runID: driver.request.id))
        driver.start()
        return driver
    }

    /// A run has left memory.
    func left(_ driver: RunDriver) {
        let key = IDKey(driver.request.id)
        let (wasFull, isEmpty) = self.state.withLock { state -> (Bool, Bool) in
            guard state.drivers[key] === driver else { return (false, state.drivers.isEmpty) }
            let wasFull = state.drivers.count + state.reserved >= self.configuration.maximumRuns
            state.drivers[key] = nil
            return (wasFull, state.drivers.isEmpty)
        }
        if wasFull { self.work.ring() }
        if isEmpty { self.empty.ring() }
    }

    /// Whether nothing is under way: no handler, no write, no run on its way in.
    var isIdle: Bool {
        let drivers = self.state.withLock { state in
            state.reserved == 0 && state.launching.isEmpty ? Array(state.drivers.values) : nil
        }
        let now = self.moment
        return drivers?.allSatisfy { driver in
            driver.state.withLock { state in
                state.attempts.isEmpty && state.machine.inFlight == nil && !state.machine.isReadingMail
                    && !state.machine.hasWork(now)
            }
        } ?? false
    }

    // MARK: Waiting

    /// Waits until `bell` rings, or so long, or until the task is cancelled.
    func wait(for bell: Bell, upTo pause: Duration) async {
        // It ends with the wait: a bell that rang later, for a wait that is over, would begin another round of whoever waits,
        // and so another alarm, for ever.
        let alarm = BellAlarm(bell)
        self.timers.schedule(alarm, at: self.clock.now + pause)
        await bell.wait()
        withExtendedLifetime(alarm) {}
    }

    /// Waits so long, also in a task that is cancelled.
    func pause(_ duration: Duration) async {
        guard duration > .zero else { return }
        let clock = self.clock
        await Task { _ = try? await clock.sleep(for: duration) }.value
    }

    func troubled(_ task: String, _ error: any Error) {
        self.observer?.observe(.engineTroubled(task: task, error: error))
    }
}
