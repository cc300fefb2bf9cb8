/// Endings: what becomes of everything else when a run ends, is cancelled, parked or paused.
extension RunMachine {
    /// A unit that has begun and not ended will not end any more.
    mutating func cancel(_ unit: StepUnit, _ now: Moment) {
        switch self[unit].phase {
        case .blocked, .ending, .settled, .dead: return
        case .ready, .executing, .waiting: break
        }
        let hasBegun = self[unit].phase != .ready || self[unit].attempt > 0 || self[unit].status != .pending
        self.executing.removeAll { execution in
            guard execution.unit == unit else { return false }
            self.abandoned.append(execution.token)
            return true
        }
        self.waits.removeAll { $0 == unit }
        if self[unit].phase == .ready {
            _ = self.ready.removeFirst { $0 == unit }
            self.gated.removeAll { $0 == unit }
            self.gatedInFlight.removeAll { $0 == unit }
        }
        if unit.item < 0, case .child = self.plan.nodes[unit.node].kind {
            let id = self.childID(of: unit.node)
            let message = RunMessage(
                id: "cancel by parent \(self.progress.revision)",
                kind: .cancel(reason: "the run that waited for it ended"), postedAt: now.wall)
            self.posts.append((id, message))
            self[unit].attempt += 1
        }
        self[unit].phase = .dead
        // What never began is not recorded.
        guard hasBegun else { return }
        self[unit].status = .cancelled
        self[unit].completedAt = now.wall
        self[unit].wakesAt = nil
        self.markDirty(unit)
    }

    mutating func cancelEverything(_ now: Moment) {
        for index in self.nodes.indices {
            if self.loops[index] != nil { self.cancelItems(of: index, now) }
            self.cancel(StepUnit(node: index), now)
        }
        self.ready = .init()
        self.gated = []
    }

    /// The progress of a run that ends now.
    mutating func end(
        _ progress: inout RunProgress, _ status: RunStatus, output: RunValue? = nil, failure: RunFailure? = nil,
        _ now: Moment
    ) {
        if status != .completed { self.cancelEverything(now) }
        progress.status = status
        progress.output = output
        progress.failure = failure
        progress.parkedReason = nil
        progress.completedAt = now.wall
        progress.expiresAt = self.plan.retention.map { now.wall &+ $0 }
        progress.owner = nil
        progress.wake = .never
        if let parent = self.request.parent {
            let message = RunMessage(
                id: Self.endingID(of: self.request.id),
                kind: .childEnded(runID: self.request.id, status, failure), payload: output, postedAt: now.wall)
            self.posts.append((parent.runID, message))
        }
    }

    /// The ID of the message by which a run tells its parent that it has ended.
    static func endingID(of runID: String) -> String { runID }
}
