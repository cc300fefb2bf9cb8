internal import PerdureModel

/// Commits and messages: the run's side of the store.
extension RunDriver {
    /// Stores a commit, however long the store takes; until then the worker owns the run, or learns that it does not.
    func store(_ commit: RunCommit) async -> Event {
        do {
            let receipt = try await self.core.store.commit(commit)
            self.tell(commit)
            return .stored(inboxCount: receipt.inboxCount)
        } catch {
            return await self.resolve(commit, error)
        }
    }

    private func resolve(_ commit: RunCommit, _ error: StoreError) async -> Event {
        var resolution = CommitResolution(commit)
        var action = resolution.failed(error)
        while true {
            switch action {
            case .stored(let count):
                self.tell(commit)
                return .stored(inboxCount: count)
            case .fencedOff: return .lost
            case .rejected: return .rejected(resolution.lastError ?? error)
            case .send(let failures):
                guard await self.waits(failures, resolution.lastError ?? error) else { return .lost }
                do {
                    let receipt = try await self.core.store.commit(commit)
                    action = .stored(inboxCount: receipt.inboxCount)
                } catch {
                    action = resolution.failed(error)
                }
            case .read(let failures):
                guard await self.waits(failures, resolution.lastError ?? error) else { return .lost }
                do {
                    action = resolution.found(try await self.core.store.run(self.request.id))
                } catch {
                    action = resolution.readingFailed(error)
                }
            }
        }
    }

    /// Waits before something is tried again; false when there is no sense in it any more.
    private func waits(_ failures: Int, _ error: StoreError) async -> Bool {
        self.core.observer?.observe(
            .runWriteFailed(
                workflow: self.request.workflow, runID: self.request.id, failures: failures, error: error))
        if error.code == .closed { return false }
        await self.core.pause(CommitResolution.pause(after: failures))
        return self.state.withLock { $0.machine.departure == nil }
    }

    func readMail() async -> Event {
        for failures in 1...5 {
            do {
                guard let snapshot = try await self.core.store.snapshot(of: self.request.id) else { return .lost }
                return .mail(snapshot.messages, count: snapshot.run.inboxCount)
            } catch {
                self.core.troubled("reading messages", error)
                await self.core.pause(CommitResolution.pause(after: failures))
            }
        }
        return .mailUnreadable
    }

    // MARK: Events

    /// A commit is stored: whoever it concerns in this process need not wait to be told by the store.
    private func tell(_ commit: RunCommit) {
        for (runID, _) in commit.posts {
            if let driver = self.core.driver(of: runID) { driver.nudge(.hint) } else { self.core.work.ring() }
        }
        if let observer = self.core.observer { self.report(commit, to: observer) }
    }

    private func report(_ commit: RunCommit, to observer: any EventObserver) {
        for step in commit.steps {
            if step.status.isEnded {
                observer.observe(
                    .stepEnded(
                        runID: self.request.id, step: step.id, status: step.status.rawValue, attempt: step.attempt))
            } else if step.status == .retrying {
                observer.observe(
                    .stepRetrying(
                        runID: self.request.id, step: step.id, attempt: step.attempt, at: step.wakesAt ?? 0,
                        reason: step.failure?.message ?? ""))
            }
        }
    }

    func report(_ departure: RunMachine.Departure?, _ progress: RunProgress, to observer: any EventObserver) {
        switch departure {
        case .stored where progress.status.isEnded:
            let took = (progress.completedAt ?? 0) - (progress.startedAt ?? progress.completedAt ?? 0)
            observer.observe(
                .runEnded(
                    workflow: self.request.workflow, runID: self.request.id, status: progress.status.rawValue,
                    took: .milliseconds(took)))
        case .stored where progress.status == .parked:
            observer.observe(
                .runParked(
                    workflow: self.request.workflow, runID: self.request.id, reason: progress.parkedReason ?? ""))
        case .lost: observer.observe(.runLost(workflow: self.request.workflow, runID: self.request.id))
        case .stored, .stopped, nil: break
        }
    }
}
