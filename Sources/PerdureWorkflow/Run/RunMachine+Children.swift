internal import PerdureModel

/// Children: runs that a step of this one starts and waits for.
extension RunMachine {
    /// The ID of the run that a step starts: the same after a crash, another one when a person has the step tried again.
    mutating func childID(of index: Int) -> String {
        Self.childID(
            of: self.request.id, step: self.plan.nodes[index].name, attempt: self.nodes[index].attempt)
    }

    static func childID(of runID: String, step: String, attempt: Int) -> String {
        let id = attempt == 0 ? "\(runID)/\(step)" : "\(runID)/\(step)#\(attempt)"
        if id.utf8.count <= PersistenceID.maximumByteCount { return id }
        // Too long: the beginning, and two numbers that stand for the whole.
        let first = String(PersistenceID.shard(of: id, among: .max), radix: 16)
        let second = String(PersistenceID.shard(of: String(id.reversed()), among: .max), radix: 16)
        let ending = "/#\(first)-\(second)"
        var beginning = runID
        while beginning.utf8.count + ending.utf8.count > PersistenceID.maximumByteCount { beginning.removeLast() }
        return beginning + ending
    }

    mutating func awaitChild(_ index: Int, _ now: Moment) {
        let unit = StepUnit(node: index)
        let childID = self.childID(of: index)
        if let place = self.inbox.firstIndex(where: { Self.isEnding($0, ofChild: childID) }) {
            let message = self.inbox.remove(at: place)
            guard case .childEnded(_, let status, let failure) = message.kind else { return }
            self.consumed.append((message.id, self.id(of: unit)))
            return self.childEnded(index, status, failure, message.payload, now)
        }
        self.nodes[index].startedAt = self.nodes[index].startedAt ?? now.wall
        self.nodes[index].status = .waiting
        self.nodes[index].phase = .waiting
        self.nodes[index].isAdmitted = true
        // Many children are quick: their parent stays in memory for a while.
        self.nodes[index].heldUntil = now.steady + self.settings.releaseAfter
        self.waits.append(unit)
        self.markDirty(unit, canWait: true)
    }

    mutating func childEnded(
        _ index: Int, _ status: RunStatus, _ failure: RunFailure?, _ output: RunValue?, _ now: Moment
    ) {
        let unit = StepUnit(node: index)
        let childID = self.childID(of: index)
        self.nodes[index].heldUntil = nil
        // Should a person have the step tried again, that is another run.
        self.nodes[index].attempt += 1
        if status == .completed, let output { return self.complete(unit, with: output, now) }
        let code = failure?.code ?? (status == .cancelled ? .cancelled : .internalError)
        let reason = failure?.message ?? "it gave no reason"
        let message = "the run \(childID) ended as \(status.rawValue): \(reason)"
        self.unitFailed(
            unit, RunFailure(code, message: message, type: failure?.type, step: self.id(of: unit)), now)
    }

    mutating func isWaiting(_ unit: StepUnit, forChild runID: String) -> Bool {
        guard unit.item < 0, case .child = self.plan.nodes[unit.node].kind, self[unit].status == .waiting else {
            return false
        }
        return IDKey(self.childID(of: unit.node)) == IDKey(runID)
    }

    private static func isEnding(_ message: RunMessage, ofChild runID: String) -> Bool {
        guard case .childEnded(let ended, _, _) = message.kind else { return false }
        return IDKey(ended) == IDKey(runID)
    }
}
