internal import PerdureModel

/// Commits: what has happened, put together as one change of the stored run.
extension RunMachine {
    /// Whether there is a reason to write now.
    mutating func wantsCommit(_ now: Moment) -> Bool {
        if self.needsCommit { return true }
        switch self.intent {
        case .fail, .cancel, .park: return true
        case .pause: if self.executing.isEmpty { return true }
        case .run: break
        }
        return self.settledNodes == self.nodes.count || self.shouldRelease(now)
    }

    /// Everything that has happened since the commit before, as one change.
    mutating func makeCommit(_ now: Moment) -> RunCommit {
        self.isBuilding = true
        defer { self.isBuilding = false }
        var place = 0
        // Settling may bring about further endings, of failures for instance.
        while place < self.endings.count {
            let unit = self.endings[place]
            place += 1
            if unit.item < 0 { self.settle(unit.node, now) } else { self.settleItem(unit, now) }
        }
        self.endings = []

        var progress = self.progress
        progress.revision += 1
        progress.updatedAt = now.wall
        progress.definitionHash = self.plan.graph.hash
        progress.inboxSeen = self.seen
        self.decide(&progress, now)
        if self.plan.graph.stepCount > 0 {
            progress.progress = Double(self.settledSteps) / Double(self.plan.graph.stepCount)
        }
        if !self.dirty.isEmpty { progress.adoptions = 0 }

        var commit = RunCommit(
            runID: self.request.id, expectedRevision: self.progress.revision, expectedFence: self.progress.fence,
            progress: progress)
        commit.steps.reserveCapacity(self.dirty.count)
        for unit in self.dirty {
            commit.steps.append(self.record(of: unit))
            self[unit].isDirty = false
        }
        commit.state = self.stateRecords
        commit.consumed = self.consumed
        commit.posts = self.posts
        self.inFlight = progress
        self.inFlightUnits = self.dirty
        self.gatedInFlight += self.gated
        self.gated = []
        self.dirty = []
        self.stateRecords = []
        self.consumed = []
        self.posts = []
        self.needsCommit = false
        return commit
    }

    /// What the run is to be from now on.
    private mutating func decide(_ progress: inout RunProgress, _ now: Moment) {
        switch self.intent {
        case .fail(let failure): return self.end(&progress, .failed, failure: failure, now)
        case .cancel(let reason):
            return self.end(&progress, .cancelled, failure: RunFailure(.cancelled, message: reason), now)
        case .park(let reason, let failure):
            progress.status = .parked
            progress.parkedReason = reason
            progress.failure = failure
            progress.owner = nil
            progress.wake = .never
            return
        case .pause, .run: break
        }
        // A run is stored as driven; it leaves with a change of its own.
        if self.progress.revision == 0 { return }
        if self.settledNodes == self.nodes.count {
            let exit = self.plan.graph.exit
            let output = exit < 0 ? self.request.input : self.output(of: exit)
            return self.end(&progress, .completed, output: output, now)
        }
        if case .pause = self.intent, self.executing.isEmpty {
            progress.status = .paused
            progress.owner = nil
            progress.wake = self.wake(now)
        } else if self.shouldRelease(now) {
            progress.owner = nil
            progress.wake = self.wake(now)
        }
    }

    /// The commit is stored.
    mutating func stored(_ receipt: CommitReceipt, _ now: Moment) {
        guard let progress = self.inFlight, self.departure == nil else { return }
        self.progress = progress
        self.inFlight = nil
        self.inFlightUnits = []
        self.wasRejected = false
        self.noteMail(upTo: receipt.inboxCount)
        if progress.owner == nil {
            self.departure = .stored
            return self.abandonEverything()
        }
        for unit in self.gatedInFlight { self.ready.append(unit) }
        self.gatedInFlight = []
    }

    /// The store does not take the commit, and will not: a result is too large for it, for instance.
    ///
    /// The run fails with that.
    mutating func rejected(_ error: StoreError, _ now: Moment) {
        guard self.inFlight != nil, self.departure == nil else { return }
        // Even without the results: there is nothing that could be stored.
        if self.wasRejected { return self.drop() }
        self.inFlight = nil
        self.gatedInFlight = []
        self.wasRejected = true
        var failure = RunFailure(.executionFailed, message: "the result cannot be stored: \(error.message)")
        for unit in self.inFlightUnits {
            if self[unit].status == .completed, self[unit].output != nil {
                self[unit].status = .failed
                self[unit].output = nil
                failure.step = self.id(of: unit)
                self[unit].failure = failure
            }
            self.markDirty(unit)
        }
        self.inFlightUnits = []
        self.intent = .fail(failure)
        self.needsCommit = true
    }

    /// What is stored of a unit.
    mutating func record(of unit: StepUnit) -> StepRecord {
        let state = self[unit]
        var record = StepRecord(
            id: self.id(of: unit), position: self.plan.graph.positions[unit.node],
            item: unit.item < 0 ? nil : unit.item, definitionHash: self.plan.graph.hashes[unit.node],
            status: state.status)
        record.attempt = state.attempt
        record.startedAt = state.startedAt
        record.completedAt = state.completedAt
        record.wakesAt = state.wakesAt
        record.input = state.input
        record.output = state.output
        record.failure = state.failure
        // The outputs of the elements are there already.
        if unit.item < 0, state.status == .completed, case .loop = self.plan.nodes[unit.node].kind,
            self.loops[unit.node]?.isOpen == true
        {
            record.output = nil
        }
        return record
    }
}
