/// Waiting: sleeps, pauses between attempts, deadlines, and leaving memory meanwhile.
extension RunMachine {
    mutating func fallAsleep(_ index: Int, _ sleeping: Node.Sleeping, _ now: Moment) {
        let unit = StepUnit(node: index)
        let wakesAt: Int64
        switch sleeping {
        case .duration(let duration): wakesAt = now.wall &+ duration.wholeMilliseconds
        case .until(let time):
            do {
                wakesAt = try time(self.input(of: index))
            } catch {
                let message = "until when to sleep cannot be read from the input: \(error)"
                return self.unitFailed(
                    unit, RunFailure(.executionFailed, message: message, step: self.id(of: unit)), now)
            }
        }
        self.nodes[index].startedAt = now.wall
        // The wait goes with whatever is stored next; if that is nothing, it is short, and begins again after a crash.
        if wakesAt <= now.wall {
            self.markDirty(unit, canWait: true)
            return self.wakeUp(index, now)
        }
        self.nodes[index].status = .waiting
        self.nodes[index].wakesAt = wakesAt
        self.nodes[index].phase = .waiting
        self.waits.append(unit)
        self.markDirty(unit, canWait: true)
    }

    /// A sleep is over.
    ///
    /// That needs no commit of its own: who reads the record knows it as well as we do.
    mutating func wakeUp(_ index: Int, _ now: Moment) {
        self.nodes[index].status = .completed
        self.nodes[index].completedAt = now.wall
        self.nodes[index].wakesAt = nil
        self.markDirty(StepUnit(node: index), canWait: true)
        self.settle(index, now)
    }

    /// Time has passed.
    mutating func tick(_ now: Moment) {
        guard self.departure == nil else { return }
        if let deadline = self.runDeadline, now.wall >= deadline {
            self.fail(RunFailure(.timeout, message: "the run took longer than it may"))
        }
        for execution in self.executing {
            guard let deadline = execution.deadline, now.steady >= deadline else { continue }
            self.executing.removeAll { $0.token == execution.token }
            self.abandoned.append(execution.token)
            let timeout = self.plan.timeouts[execution.unit.node].map { ", which is \($0)" } ?? ""
            let failure = RunFailure(.timeout, message: "the attempt took longer than it may\(timeout)")
            self.attemptFailed(execution.unit, failure, isRetryable: true, now)
        }
        for unit in self.waits {
            if let held = self[unit].heldUntil, held <= now.steady { self[unit].heldUntil = nil }
        }
        var due: [StepUnit] = []
        var others: [StepUnit] = []
        for unit in self.waits {
            if let wakesAt = self[unit].wakesAt, wakesAt <= now.wall { due.append(unit) } else { others.append(unit) }
        }
        guard !due.isEmpty else { return }
        self.waits = others
        for unit in due { self.waitIsOver(unit, now) }
    }

    private mutating func waitIsOver(_ unit: StepUnit, _ now: Moment) {
        if self[unit].status == .retrying { return self.arm(unit) }
        switch self.plan.nodes[unit.node].kind {
        case .sleep: self.wakeUp(unit.node, now)
        case .signal(let waiting): self.signalDidNotCome(unit.node, waiting, now)
        case .step, .gather, .child, .loop: self.arm(unit)
        }
    }

    /// When a run that does nothing now should be taken up again.
    mutating func wake(_ now: Moment) -> RunWake {
        if !self.ready.isEmpty || !self.gated.isEmpty || !self.gatedInFlight.isEmpty { return .now }
        var earliest = self.runDeadline
        for unit in self.waits {
            guard let wakesAt = self[unit].wakesAt else { continue }
            earliest = min(earliest ?? wakesAt, wakesAt)
        }
        return earliest.map { .at($0) } ?? .never
    }

    /// Whether there is nothing to do for so long that the run should leave memory.
    mutating func shouldRelease(_ now: Moment) -> Bool {
        guard case .run = self.intent, !self.isStopping, self.executing.isEmpty, self.ready.isEmpty,
            self.gated.isEmpty, self.gatedInFlight.isEmpty, self.endings.isEmpty, !self.waits.isEmpty,
            self.settledNodes < self.nodes.count
        else { return false }
        for unit in self.waits {
            if let held = self[unit].heldUntil, held > now.steady { return false }
        }
        if case .at(let time) = self.wake(now) {
            return time &- now.wall > self.settings.releaseAfter.wholeMilliseconds
        }
        return true
    }
}
