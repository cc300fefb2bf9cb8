internal import PerdureModel

/// Messages: signals, and what people want of a run.
extension RunMachine {
    /// There may be messages: so many were posted to the run.
    mutating func noteMail(upTo count: UInt64) { self.posted = max(self.posted, count) }

    /// There may be a message; nobody counted.
    mutating func hintMail() { self.isHinted = true }

    /// The messages could not be read; they are asked for again with the next hint, or at the next commit.
    mutating func mailWasNotRead() {
        self.isReadingMail = false
        self.posted = self.seen
    }

    /// The run's messages, those that are known included, as of when so many were posted.
    mutating func take(mail messages: [RunMessage], count: UInt64, _ now: Moment) {
        self.isReadingMail = false
        let before = self.seen
        self.seen = max(self.seen, count)
        self.posted = max(self.posted, count)
        for message in messages where message.number > before && message.consumedBy == nil {
            self.receive(message, now)
        }
    }

    mutating func receive(_ message: RunMessage, _ now: Moment) {
        switch message.kind {
        case .cancel(let reason):
            self.consumed.append((message.id, ""))
            switch self.intent {
            case .run, .pause:
                self.intent = .cancel(reason: reason)
                self.needsCommit = true
            case .fail, .cancel, .park: break
            }
        case .pause:
            self.consumed.append((message.id, ""))
            if case .run = self.intent { self.intent = .pause }
        case .signal(let name):
            var first: Int?
            for unit in self.waits where self.isWaiting(unit, for: name) { first = min(first ?? unit.node, unit.node) }
            if let first { self.deliver(message, to: first) } else { self.inbox.append(message) }
        case .childEnded(let runID, let status, let failure):
            var found: StepUnit?
            for unit in self.waits where self.isWaiting(unit, forChild: runID) { found = unit }
            if let unit = found {
                self.waits.removeAll { $0 == unit }
                self.consumed.append((message.id, self.id(of: unit)))
                self.childEnded(unit.node, status, failure, message.payload, now)
            } else {
                self.inbox.append(message)
            }
        }
    }

    mutating func awaitSignal(_ index: Int, _ waiting: Node.Waiting, _ now: Moment) {
        let unit = StepUnit(node: index)
        if let signal = self.takeSignal(waiting.name) {
            self.signals[index] = .some(signal)
            return self.arm(unit)
        }
        self.nodes[index].startedAt = now.wall
        self.nodes[index].status = .waiting
        self.nodes[index].phase = .waiting
        self.nodes[index].wakesAt = waiting.timeout.map { now.wall &+ $0.wholeMilliseconds }
        if let wakesAt = self.nodes[index].wakesAt, wakesAt <= now.wall {
            return self.signalDidNotCome(index, waiting, now)
        }
        self.waits.append(unit)
        self.markDirty(unit, canWait: true)
    }

    mutating func signalDidNotCome(_ index: Int, _ waiting: Node.Waiting, _ now: Moment) {
        let unit = StepUnit(node: index)
        if waiting.isRequired {
            let message = "no signal \(waiting.name.debugDescription) came in time"
            self.unitFailed(unit, RunFailure(.timeout, message: message, step: self.id(of: unit)), now)
        } else {
            self.signals[index] = .some(nil)
            self.arm(unit)
        }
    }

    /// The signal counts as taken with the record of the unit's end.
    mutating func consumeSignal(of unit: StepUnit) {
        guard unit.item < 0, let held = self.signals.removeValue(forKey: unit.node), let message = held else { return }
        self.consumed.append((message.id, self.id(of: unit)))
    }

    private mutating func deliver(_ message: RunMessage, to index: Int) {
        let unit = StepUnit(node: index)
        self.waits.removeAll { $0 == unit }
        self.nodes[index].wakesAt = nil
        self.signals[index] = .some(message)
        self.arm(unit)
    }

    private mutating func isWaiting(_ unit: StepUnit, for name: String) -> Bool {
        guard case .signal(let waiting) = self.plan.nodes[unit.node].kind else { return false }
        return self[unit].status == .waiting && IDKey(waiting.name) == IDKey(name)
    }

    /// The oldest signal of this name that nobody has got hold of.
    mutating func takeSignal(_ name: String) -> RunMessage? {
        self.inbox.firstIndex { Self.isSignal($0, name) }.map { self.inbox.remove(at: $0) }
    }

    private static func isSignal(_ message: RunMessage, _ name: String) -> Bool {
        guard case .signal(let signal) = message.kind else { return false }
        return IDKey(signal) == IDKey(name)
    }
}
