internal import PerdureModel

/// Attempts: how they begin, end, fail, and are followed by others.
extension RunMachine {
    /// An input of a node is there, perhaps the last one.
    mutating func inputArrived(at node: Int, _ now: Moment) {
        self.nodes[node].missing -= 1
        if self.nodes[node].missing == 0, !self.isBeginning { self.becomeReady(node, now) }
    }

    /// All inputs of a node are there.
    mutating func becomeReady(_ index: Int, _ now: Moment) {
        let node = self.plan.nodes[index]
        let asks = node.settings.condition != nil && !self.nodes[index].isAdmitted
        switch node.kind {
        case .gather(let gather):
            do {
                var outputs: [RunValue] = []
                for input in node.inputs { outputs.append(input < 0 ? self.request.input : self.output(of: input)) }
                self.nodes[index].output = try gather(outputs)
                self.settle(index, now)
            } catch {
                self.fail(.init(.internalError, message: "the outputs of a fork cannot be put together: \(error)"))
            }
        case .sleep(let sleeping):
            if asks { self.enqueue(StepUnit(node: index)) } else { self.fallAsleep(index, sleeping, now) }
        case .signal(let waiting):
            let checks = asks || (node.settings.validation != nil && !self.nodes[index].isAdmitted)
            if checks { self.enqueue(StepUnit(node: index)) } else { self.awaitSignal(index, waiting, now) }
        case .step:
            self.arm(StepUnit(node: index))
        case .child, .loop:
            self.enqueue(StepUnit(node: index))
        }
    }

    /// What a settled node gives.
    mutating func output(of node: Int) -> RunValue { self.nodes[node].output ?? self.input(of: node) }

    /// The next attempt of a unit may begin; one that must not be repeated is recorded first.
    mutating func arm(_ unit: StepUnit) {
        if self.plan.nodes[unit.node].settings.rerun == .atMostOnce {
            self[unit].attempt += 1
            self[unit].isAnnounced = true
            self[unit].status = .running
            self[unit].wakesAt = nil
            self[unit].phase = .ready
            self.markDirty(unit)
            self.gated.append(unit)
        } else {
            self.enqueue(unit)
        }
    }

    /// A unit may begin as soon as everything is stored that led to it.
    mutating func enqueue(_ unit: StepUnit) {
        self[unit].phase = .ready
        if self.isBuilding {
            self.gated.append(unit)
        } else if self.inFlight != nil {
            self.gatedInFlight.append(unit)
        } else {
            self.ready.append(unit)
        }
    }

    mutating func begin(_ unit: StepUnit, _ now: Moment) -> StepWork {
        let node = self.plan.nodes[unit.node]
        self.lastToken += 1
        let purpose: StepWork.Purpose
        var timeout: Duration?
        var isFirst = !self[unit].isAdmitted
        switch node.kind {
        case .sleep: purpose = .condition
        case .signal where self.signals[unit.node] == nil: purpose = .condition
        case .child: purpose = .child(runID: self.childID(of: unit.node))
        case .loop where unit.item < 0: purpose = .elements
        case .step, .gather, .signal, .loop:
            purpose = .handler
            timeout = self.plan.timeouts[unit.node]
            // Condition and validation of a loop are those of the whole.
            if unit.item >= 0 { isFirst = false }
            if !self[unit].isAnnounced { self[unit].attempt += 1 }
            self[unit].isAnnounced = false
            self[unit].startedAt = now.wall
            self[unit].status = .running
        }
        self[unit].phase = .executing
        self.executing.append(
            Execution(token: self.lastToken, unit: unit, deadline: timeout.map { now.steady + $0 }))
        return StepWork(
            token: self.lastToken, unit: unit, purpose: purpose, id: self.id(of: unit),
            attempt: max(self[unit].attempt, 1), input: self.input(of: unit),
            signal: self.signals[unit.node].flatMap { $0 }?.payload, isFirst: isFirst)
    }

    /// Its time begins only now: it had to wait for its turn.
    mutating func restartTimeout(of token: UInt64, _ now: Moment) {
        guard let place = self.executing.firstIndex(where: { $0.token == token }),
            self.executing[place].deadline != nil
        else { return }
        self.executing[place].deadline = self.plan.timeouts[self.executing[place].unit.node].map { now.steady + $0 }
    }

    /// Work has come to an end.
    ///
    /// Returns false where nobody is interested any more: the time was over, or the run is.
    mutating func ended(_ token: UInt64, with outcome: StepOutcome, _ now: Moment) -> Bool {
        guard let place = self.executing.firstIndex(where: { $0.token == token }) else { return false }
        let unit = self.executing.remove(at: place).unit
        switch outcome {
        case .value(let value, let changes):
            self.take(changes, of: unit)
            self.complete(unit, with: value, now)
        case .conditionDoesNotHold:
            let otherwise = self.plan.nodes[unit.node].settings.otherwise
            self.complete(unit, with: otherwise, status: otherwise == nil ? .skipped : .completed, now)
        case .conditionHolds:
            self[unit].isAdmitted = true
            switch self.plan.nodes[unit.node].kind {
            case .sleep(let sleeping): self.fallAsleep(unit.node, sleeping, now)
            case .signal(let waiting): self.awaitSignal(unit.node, waiting, now)
            case .step, .gather, .child, .loop: break
            }
        case .elements(let elements):
            self.open(unit.node, elements, now)
        case .childRuns:
            self.awaitChild(unit.node, now)
        case .childEnded(let status, let failure, let output):
            self.childEnded(unit.node, status, failure, output, now)
        case .failed(let failure, let isRetryable):
            self.attemptFailed(unit, failure, isRetryable: isRetryable, now)
        }
        return true
    }

    /// A unit has its result.
    ///
    /// Without an output its input is passed on.
    mutating func complete(
        _ unit: StepUnit, with output: RunValue?, status: StepStatus = .completed, _ now: Moment
    ) {
        self[unit].status = status
        self[unit].output = output
        self[unit].failure = nil
        self[unit].wakesAt = nil
        self[unit].completedAt = now.wall
        self[unit].phase = .ending
        self.endings.append(unit)
        self.markDirty(unit)
        self.consumeSignal(of: unit)
        if unit.item >= 0 { self.itemLeft(unit.node) }
    }

    /// An attempt failed: another follows, or it was the last.
    mutating func attemptFailed(_ unit: StepUnit, _ failure: RunFailure, isRetryable: Bool, _ now: Moment) {
        let policy = self.plan.policies[unit.node]
        var failure = failure
        failure.step = self.id(of: unit)
        // What the policy counts is failures on record: an attempt that a crash cut off is none, and when a person has the step tried
        // again the policy begins anew, while the numbers of attempts go on.
        let failures = (self[unit].failure?.attempt ?? 0) + 1
        failure.attempt = failures
        // A condition before a wait, the elements of a loop, a child are not attempted again.
        let isAttempt = self[unit].status == .running && self[unit].attempt > 0
        guard isRetryable, isAttempt, failures < policy.maximumAttempts else {
            return self.unitFailed(unit, failure, now)
        }
        let pause = policy.pause(afterAttempt: failures, random: self.chance(for: unit)).wholeMilliseconds
        self[unit].failure = failure
        self[unit].status = .retrying
        self[unit].wakesAt = now.wall &+ pause
        self[unit].isAdmitted = true
        self.markDirty(unit)
        if pause <= 0 {
            self[unit].phase = .ready
            if self.plan.nodes[unit.node].settings.rerun == .atMostOnce {
                self.arm(unit)
            } else {
                self.gated.append(unit)
            }
        } else {
            self[unit].phase = .waiting
            self.waits.append(unit)
        }
    }

    /// A unit failed for good.
    mutating func unitFailed(_ unit: StepUnit, _ failure: RunFailure, _ now: Moment) {
        self[unit].status = .failed
        self[unit].failure = failure
        self[unit].wakesAt = nil
        self[unit].completedAt = now.wall
        self.consumeSignal(of: unit)
        self.markDirty(unit)
        if unit.item >= 0 {
            self[unit].phase = .dead
            self.cancelItems(of: unit.node, now)
            return self.unitFailed(StepUnit(node: unit.node), failure, now)
        }
        if let output = self.plan.nodes[unit.node].settings.outputAfterFailure {
            self[unit].output = output
            self[unit].phase = .ending
            self.endings.append(unit)
        } else {
            self[unit].phase = .dead
            self.fail(failure)
        }
    }

    mutating func fail(_ failure: RunFailure) {
        switch self.intent {
        case .run, .pause:
            self.intent = .fail(failure)
            self.needsCommit = true
        case .fail, .cancel, .park: break
        }
    }

    /// A node's result is settled.
    ///
    /// Whatever takes it begins once the commit is stored that has it.
    mutating func settle(_ index: Int, _ now: Moment) {
        self.nodes[index].phase = .settled
        self.settledNodes += 1
        if !self.plan.nodes[index].isVirtual { self.settledSteps += 1 }
        for successor in self.plan.successors[index] { self.inputArrived(at: successor, now) }
    }

    /// From 0 up to 1, the same for the same attempt: machines have no chance of their own.
    private mutating func chance(for unit: StepUnit) -> Double {
        let seed = "\(self.request.id)/\(self.id(of: unit))/\(self[unit].attempt)"
        var mixed = PersistenceID.shard(of: seed, among: .max)
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return Double((mixed ^ (mixed >> 31)) >> 11) * 0x1p-53
    }
}
