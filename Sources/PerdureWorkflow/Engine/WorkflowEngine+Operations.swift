internal import PerdureModel

/// What became of a signal.
public enum SignalVerdict: Sendable, Hashable {
    /// It is stored: the run takes notice, now or when it comes to wait for it.
    case delivered
    /// One of the same ID was there before; this one changed nothing.
    case duplicate
    /// The run has ended; nothing was stored.
    case ended(RunStatus)
}

/// Operations on runs, from any process: the engine need not run, nor know the run's workflow.
extension WorkflowEngine {
    // MARK: Telling runs something

    /// Tells a run something, for a step that waits for a signal of this name, now or later.
    ///
    /// Signals of one name are taken in the order of their coming, each by one step, exactly once.
    ///
    /// - Parameters:
    ///   - runID: the run.
    ///   - name: the signal's name.
    ///   - payload: what it brings along, of the type that the step waits for.
    ///   - id: tells signals to this run apart: a second one of the same ID is not taken. Nil for one of its own.
    /// - Returns: what became of it.
    /// - Throws: ``WorkflowError`` with ``RunFailure/Code/notFound`` where there is no such run, and
    ///   ``RunFailure/Code/validation`` where the payload cannot be encoded; ``StoreError``.
    @discardableResult
    public func signal(
        _ runID: String, _ name: String, _ payload: some Codable & Sendable, id: String? = nil
    ) async throws -> SignalVerdict {
        let value = RunValue(payload)
        if !self.core.keepsLiveValues {
            do {
                _ = try value.bytes
            } catch {
                throw WorkflowError(
                    .validation, runID: runID, message: "the signal cannot be stored: \(error.message)",
                    underlying: error)
            }
        }
        return try await self.signal(runID, name, value: value, id: id)
    }

    /// As ``signal(_:_:_:id:)``, with a value whose type is not known here.
    @discardableResult
    package func signal(
        _ runID: String, _ name: String, value: RunValue?, id: String? = nil
    ) async throws -> SignalVerdict {
        let message = RunMessage(
            id: id ?? "signal \(Self.newID())", kind: .signal(name), payload: value,
            postedAt: self.core.clock.unixMilliseconds)
        switch try await self.post(message, to: runID) {
        case .posted: return .delivered
        case .duplicate: return .duplicate
        case .ended(let status): return .ended(status)
        case .notFound: throw WorkflowError.noRun(runID)
        }
    }

    /// Ends a run: handlers under way are told, what has ended stays recorded, and the runs that it waits for are cancelled as well.
    ///
    /// Where somebody drives the run, the wish is stored and carried out by them as soon as they notice; a run that completes
    /// before stays completed. Otherwise it is cancelled when this returns.
    ///
    /// - Returns: false when the run had ended before.
    /// - Throws: ``WorkflowError`` with ``RunFailure/Code/notFound`` where there is no such run; ``StoreError``.
    @discardableResult
    public func cancel(_ runID: String, reason: String = "cancelled on request") async throws -> Bool {
        try await self.ask(runID, name: "cancel", .cancel(reason: reason)) { engine, snapshot, now in
            let children = try await engine.children(of: runID).filter { !$0.status.isEnded }.map(\.id)
            let retention = engine.core.plan(snapshot.run.request.workflow)?.retention
            return RunEdits.cancel(snapshot, reason: reason, children: children, retention: retention, now)
        }
    }

    /// Holds a run back until it is resumed: handlers under way end and are recorded, no step is begun any more.
    ///
    /// - Returns: false when the run had ended, or was paused or parked already.
    /// - Throws: as ``cancel(_:reason:)``.
    @discardableResult
    public func pause(_ runID: String) async throws -> Bool {
        try await self.ask(runID, name: "pause", .pause) { _, snapshot, now in
            switch snapshot.run.status {
            case .pending, .running: RunEdits.pause(snapshot, now)
            case .paused, .parked, .completed, .failed, .cancelled: nil
            }
        }
    }

    /// Lets a run go on that was paused or parked.
    ///
    /// - Returns: false when it was neither.
    /// - Throws: as ``cancel(_:reason:)``; ``RunFailure/Code/validation`` where it is parked because of a step that must run at most
    ///   once: that needs a decision, ``resume(_:step:deciding:)``.
    @discardableResult
    public func resume(_ runID: String) async throws -> Bool {
        try await self.edit(runID) { engine, snapshot, now in
            switch snapshot.run.status {
            case .paused: return RunEdits.resume(snapshot, now)
            case .parked:
                if let step = engine.question(in: snapshot) {
                    throw WorkflowError(
                        .validation, runID: runID, step: step,
                        message:
                            "the step must run at most once, and nobody knows how far it came: resume with a decision")
                }
                return RunEdits.resume(snapshot, now)
            case .pending, .running, .completed, .failed, .cancelled: return nil
            }
        }
    }

    /// Answers the question of a run that is parked because of a step that must run at most once, and lets the run go on.
    ///
    /// - Parameters:
    ///   - runID: the run.
    ///   - step: the step's ID; of an element of a loop, with its number.
    ///   - decision: whether to run it again, and if not, what to take for its result.
    /// - Throws: as ``cancel(_:reason:)``; ``RunFailure/Code/validation`` where there is no such question.
    public func resume(_ runID: String, step: String, deciding decision: AtMostOnceDecision) async throws {
        let done = try await self.edit(runID) { _, snapshot, now in
            RunEdits.decide(decision.decision, onStep: step, of: snapshot, now)
        }
        guard done else {
            throw WorkflowError(
                .validation, runID: runID, step: step,
                message: "the run is not parked because of this step: there is nothing to decide")
        }
    }

    /// Tries a run again that failed or was cancelled: from the steps on that did not end well.
    ///
    /// What is recorded stays.
    ///
    /// - Returns: false when the run has not ended, or has completed.
    /// - Throws: as ``cancel(_:reason:)``.
    @discardableResult
    public func retry(_ runID: String) async throws -> Bool {
        try await self.edit(runID) { _, snapshot, now in
            switch snapshot.run.status {
            case .failed, .cancelled: RunEdits.retry(snapshot, now)
            case .pending, .running, .paused, .parked, .completed: nil
            }
        }
    }

    /// Removes a run and all that it owns, the runs that it has started included.
    ///
    /// - Throws: ``WorkflowError`` with ``RunFailure/Code/notFound`` where there is no such run, and
    ///   ``RunFailure/Code/validation`` where it, or one that it has started, is being driven: cancel it first. ``StoreError``.
    public func delete(_ runID: String) async throws {
        for child in try await self.children(of: runID) { try await self.delete(child.id) }
        for _ in 0..<Self.maximumConflicts {
            guard let record = try await self.core.store.run(runID) else { throw WorkflowError.noRun(runID) }
            guard record.progress.owner == nil else {
                throw WorkflowError(
                    .validation, runID: runID, message: "the run is being driven: cancel it before it is deleted")
            }
            if try await self.remove(record) { return }
        }
        throw Self.contended(runID)
    }

    /// False where somebody changed the run meanwhile.
    private func remove(_ record: RunRecord) async throws(StoreError) -> Bool {
        do {
            try await self.core.store.delete(
                record.id, expectedRevision: record.progress.revision, expectedFence: record.progress.fence)
            return true
        } catch {
            if error.code == .conflict { return false }
            throw error
        }
    }

    // MARK: Details

    static let maximumConflicts = 32

    static func contended(_ runID: String) -> WorkflowError {
        WorkflowError(
            .internalError, runID: runID,
            message: "others changed the run \(Self.maximumConflicts) times meanwhile; try again")
    }

    private func post(_ message: RunMessage, to runID: String) async throws(StoreError) -> PostVerdict {
        var failures = 0
        while true {
            do {
                let verdict = try await self.core.store.post(message, to: runID)
                self.core.driver(of: runID)?.nudge(.hint)
                self.core.work.ring()
                // Our own, of which the answer was lost.
                if failures > 0, verdict == .duplicate { return .posted }
                return verdict
            } catch {
                failures += 1
                guard error.outcome == .unknown, error.code != .closed, failures < 8 else { throw error }
                await self.core.pause(CommitResolution.pause(after: failures))
            }
        }
    }

    /// Carries a wish out where nobody drives the run, and tells it to whoever does.
    ///
    /// False where there is nothing to wish for.
    private func ask(
        _ runID: String, name: String, _ kind: RunMessage.Kind,
        _ edit: (WorkflowEngine, RunSnapshot, Int64) async throws -> RunCommit?
    ) async throws -> Bool {
        for _ in 0..<Self.maximumConflicts {
            guard let snapshot = try await self.core.store.snapshot(of: runID) else { throw WorkflowError.noRun(runID) }
            if snapshot.run.status.isEnded { return false }
            let now = self.core.clock.unixMilliseconds
            if snapshot.run.progress.owner == nil {
                guard let commit = try await edit(self, snapshot, now) else { return false }
                if try await self.change(commit) { return true }
                continue
            }
            // Another wish each time that a person has the run tried again: the fence tells them apart.
            let message = RunMessage(
                id: "\(name) \(snapshot.run.progress.fence) \(snapshot.run.progress.startedAt ?? 0)", kind: kind,
                postedAt: now)
            switch try await self.post(message, to: runID) {
            case .posted, .duplicate: return true
            case .ended: return false
            case .notFound: throw WorkflowError.noRun(runID)
            }
        }
        throw Self.contended(runID)
    }

    /// Changes a run that nobody drives.
    ///
    /// False where there is nothing to change.
    func edit(
        _ runID: String, _ edit: (WorkflowEngine, RunSnapshot, Int64) async throws -> RunCommit?
    ) async throws -> Bool {
        for _ in 0..<Self.maximumConflicts {
            guard let snapshot = try await self.core.store.snapshot(of: runID) else { throw WorkflowError.noRun(runID) }
            guard snapshot.run.progress.owner == nil,
                let commit = try await edit(self, snapshot, self.core.clock.unixMilliseconds)
            else { return false }
            if try await self.change(commit) { return true }
        }
        throw Self.contended(runID)
    }

    /// False where somebody else changed the run first.
    private func change(_ commit: RunCommit) async throws -> Bool {
        var resolution = CommitResolution(commit)
        var action = CommitResolution.Action.send(failures: 0)
        while true {
            switch action {
            case .stored:
                self.core.work.ring()
                self.core.watch.hint(commit.runID)
                return true
            case .fencedOff: return false
            case .rejected: throw resolution.lastError ?? Self.contended(commit.runID)
            case .send(let failures):
                if failures > 0 {
                    guard failures < 8, let error = resolution.lastError, error.outcome == .unknown else {
                        throw resolution.lastError ?? Self.contended(commit.runID)
                    }
                    await self.core.pause(CommitResolution.pause(after: failures))
                }
                do {
                    action = .stored(inboxCount: try await self.core.store.commit(commit).inboxCount)
                } catch {
                    action = resolution.failed(error)
                }
            case .read(let failures):
                if let error = resolution.lastError, failures > 8 || error.code == .closed { throw error }
                await self.core.pause(CommitResolution.pause(after: failures))
                do {
                    // Ours: nobody else gives a run this fence and this revision at once.
                    action = resolution.found(try await self.core.store.run(commit.runID))
                } catch {
                    action = resolution.readingFailed(error)
                }
            }
        }
    }

    /// The step whose attempt a person must decide on, as far as the definition is known here.
    private func question(in snapshot: RunSnapshot) -> String? {
        let graph = self.core.plan(snapshot.run.request.workflow)?.graph
        return snapshot.steps.first { step in
            guard step.status == .running, let graph else { return false }
            let name = step.item.map { String(step.id.dropLast("[\($0)]".count)) } ?? step.id
            guard let index = graph.index(ofStep: name) else { return false }
            if case .loop = graph.nodes[index].kind, step.item == nil { return false }
            return graph.nodes[index].settings.rerun == .atMostOnce
        }?.id
    }

    func children(of runID: String) async throws(StoreError) -> [RunRecord] {
        var filter = RunFilter()
        filter.parent = runID
        var found: [RunRecord] = []
        var cursor: RunPage.Cursor?
        repeat {
            // Also those whose retention is over: they are there.
            let page = try await self.core.store.runs(where: filter, after: cursor, limit: 1_000, now: .min)
            found += page.runs
            cursor = page.next
        } while cursor != nil
        return found
    }
}
