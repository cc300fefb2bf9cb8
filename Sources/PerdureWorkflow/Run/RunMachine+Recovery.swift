internal import PerdureModel

/// Beginnings: of a new run, and of one that somebody drove before.
extension RunMachine {
    /// A run that is asked for now and is driven at once by `worker`; ``creation(_:)`` is what to store first.
    init(creating request: RunRequest, by worker: String, _ plan: RunPlan, _ settings: Settings, _ now: Moment) {
        var progress = RunProgress(status: .running, definitionHash: plan.graph.hash, wake: .never, at: now.wall)
        progress.revision = 0
        progress.startedAt = now.wall
        progress.owner = worker
        progress.fence = 1
        self.init(request, progress, plan, settings)
        self.restore([], [], [], now)
    }

    /// A run as it is stored, which is the worker's.
    init(_ snapshot: RunSnapshot, _ plan: RunPlan, _ settings: Settings, _ now: Moment) {
        self.init(snapshot.run.request, snapshot.run.progress, plan, settings)
        self.posted = snapshot.run.inboxCount
        self.seen = snapshot.run.inboxCount
        self.restore(snapshot.steps, snapshot.state, snapshot.messages, now)
    }

    private init(_ request: RunRequest, _ progress: RunProgress, _ plan: RunPlan, _ settings: Settings) {
        self.plan = plan
        self.settings = settings
        self.request = request
        self.progress = progress
        self.seen = 0
        self.posted = 0
        self.nodes = Array(repeating: UnitState(), count: plan.nodes.count)
        for (index, node) in plan.nodes.enumerated() { self.nodes[index].missing = node.inputs.count { $0 >= 0 } }
    }

    /// The first write of a run that is driven at once: as if it were the commit that led to the first steps.
    mutating func creation(_ now: Moment) -> RunCreation {
        // What may begin at once may begin once this is stored.
        self.gated += self.ready.removeAll()
        let commit = self.makeCommit(now)
        return RunCreation(
            request: self.request, progress: commit.progress, steps: commit.steps, state: commit.state)
    }

    private mutating func restore(
        _ steps: [StepRecord], _ state: [StateRecord], _ messages: [RunMessage], _ now: Moment
    ) {
        for message in messages where message.consumedBy == nil {
            switch message.kind {
            case .cancel, .pause: self.receive(message, now)
            case .signal, .childEnded: self.inbox.append(message)
            }
        }
        if self.progress.adoptions > self.settings.maximumAdoptions {
            let times = "\(self.progress.adoptions) times in a row its worker died before a step was recorded"
            self.park(
                "\(times). Find out what ends the process, then resume the run, or cancel it.",
                RunFailure(.panic, message: times))
        }
        if let reason = self.plan.graph.incompatibility(with: steps) { self.park(reason) }
        for record in steps {
            guard let unit = self.unit(of: record) else { continue }
            self.restore(record, as: unit)
        }
        switch self.intent {
        case .park, .cancel: return self.stayAsIs()
        case .run, .pause, .fail: break
        }
        for record in state {
            guard let unit = self.unit(named: record.step) else { continue }
            self.shared.append(SharedValue(key: record.key, unit: unit, value: record.value))
        }
        self.isBeginning = true
        for index in self.nodes.indices { self.resume(index, now) }
        self.isBeginning = false
    }

    /// The unit of a record, which is part of the definition as it is.
    private mutating func unit(of record: StepRecord) -> StepUnit? {
        guard let index = self.plan.graph.index(ofStep: record.stepName) else { return nil }
        guard let item = record.item else { return StepUnit(node: index) }
        let missing = item + 1 - (self.loops[index]?.items.count ?? 0)
        if missing > 0 {
            self.loops[index, default: LoopState()].items += Array(repeating: UnitState(), count: missing)
        }
        return StepUnit(node: index, item: item)
    }

    /// Nothing begins: the steps that had begun are as they were recorded.
    private mutating func stayAsIs() {
        for index in self.nodes.indices {
            switch self.nodes[index].status {
            case .waiting, .retrying, .running: self.nodes[index].phase = .waiting
            case .completed, .skipped, .failed, .cancelled: self.nodes[index].phase = .dead
            case .pending: break
            }
            for item in 0..<(self.loops[index]?.items.count ?? 0) {
                guard let status = self.loops[index]?.items[item].status, !status.isEnded else { continue }
                self.loops[index]?.items[item].phase = status == .pending ? .blocked : .waiting
            }
        }
    }

    /// A person must decide.
    ///
    /// Where one has cancelled the run, that is decided.
    private mutating func park(_ reason: String, _ failure: RunFailure? = nil) {
        switch self.intent {
        case .run, .pause: self.intent = .park(reason: reason, failure)
        case .fail, .cancel, .park: break
        }
    }

    private func unit(named id: String) -> StepUnit? {
        let (name, item) = StepRecord.parts(ofID: id)
        guard let index = self.plan.graph.index(ofStep: name) else { return nil }
        guard let item else { return StepUnit(node: index) }
        guard item >= 0, item < self.loops[index]?.items.count ?? 0 else { return nil }
        return StepUnit(node: index, item: item)
    }

    private mutating func restore(_ record: StepRecord, as unit: StepUnit) {
        self[unit].status = record.status
        self[unit].attempt = record.attempt
        self[unit].startedAt = record.startedAt
        self[unit].completedAt = record.completedAt
        self[unit].wakesAt = record.wakesAt
        self[unit].input = record.input
        self[unit].output = record.output
        self[unit].failure = record.failure
        // Cut off: its number is that of the attempt that takes its place. (That an attempt had begun is recorded only where something
        // else happened to be, and must not make a difference.)
        if record.status == .running, self.plan.nodes[unit.node].settings.rerun != .atMostOnce, record.attempt > 0 {
            self[unit].attempt -= 1
        }
        // Whatever was recorded but an edited input: the condition was asked before.
        self[unit].isAdmitted = record.status != .pending && record.status != .cancelled
        if unit.item >= 0, record.status == .completed {
            self[unit].phase = .settled
            self.loops[unit.node]?.settledCount += 1
        }
        if record.status == .running, self.plan.nodes[unit.node].settings.rerun == .atMostOnce {
            let loopItself = if case .loop = self.plan.nodes[unit.node].kind { unit.item < 0 } else { false }
            if !loopItself {
                self.park(
                    "The step \(record.id.debugDescription) must run at most once; its attempt \(record.attempt) was begun, and nobody knows how far it came. Decide whether to run it again, to let it fail, or which output it has."
                )
            }
        }
    }

    /// Takes a node up where it was; those before it are done with.
    private mutating func resume(_ index: Int, _ now: Moment) {
        let unit = StepUnit(node: index)
        let node = self.plan.nodes[index]
        switch self.nodes[index].status {
        case .completed:
            if self.nodes[index].output == nil, case .loop(let loop) = node.kind {
                do {
                    self.nodes[index].output = try loop.collect(self.itemOutputs(index))
                } catch {
                    return self.fail(
                        RunFailure(
                            .internalError, message: "the results of a loop cannot be put together: \(error)",
                            step: node.name))
                }
            }
            self.settle(index, now)
        case .skipped:
            self.settle(index, now)
        case .failed:
            if let output = self.nodes[index].output ?? node.settings.outputAfterFailure {
                self.nodes[index].output = output
                self.settle(index, now)
            } else {
                self.nodes[index].phase = .dead
                self.fail(
                    self.nodes[index].failure
                        ?? RunFailure(.executionFailed, message: "a step failed", step: node.name))
            }
        case .pending, .running, .cancelled:
            if case .signal(let waiting) = node.kind, self.nodes[index].status == .running {
                // Its wait is over, and does not begin again.
                self.signals[index] = .some(self.takeSignal(waiting.name))
                self.arm(unit)
            } else if self.nodes[index].missing == 0 {
                self.becomeReady(index, now)
            }
        case .retrying:
            self.nodes[index].phase = .waiting
            if case .signal(let waiting) = node.kind {
                self.signals[index] = .some(self.takeSignal(waiting.name))
            }
            self.waits.append(unit)
        case .waiting:
            self.nodes[index].phase = .waiting
            switch node.kind {
            case .signal(let waiting):
                if let signal = self.takeSignal(waiting.name) {
                    self.signals[index] = .some(signal)
                    self.arm(unit)
                } else {
                    self.waits.append(unit)
                }
            case .child:
                let startedAt = self.nodes[index].startedAt
                self.awaitChild(index, now)
                self.nodes[index].startedAt = startedAt
                // It waited long enough before.
                self.nodes[index].heldUntil = nil
            case .step, .gather, .sleep, .loop:
                self.waits.append(unit)
            }
        }
    }
}
