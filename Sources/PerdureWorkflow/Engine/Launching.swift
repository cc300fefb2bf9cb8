internal import PerdureModel

/// Starting runs: stored and driven with one write where this engine can take them, else stored for whoever is free.
extension EngineCore {
    enum Launch: Sendable {
        /// It is stored, and driven here.
        case driven(RunDriver)
        /// It is stored.
        case stored
        /// There is one of its ID.
        case exists(RunRecord)
    }

    func launch(_ plan: RunPlan, _ request: RunRequest, wake: RunWake = .now) async throws(StoreError) -> Launch {
        if case .now = wake, request.workflowLimit == nil, request.resourceLimit == nil,
            let worker = self.reservation(for: request.id)
        {
            return try await self.launch(plan, request, as: worker)
        }
        let now = self.clock.unixMilliseconds
        let progress = RunProgress(definitionHash: plan.graph.hash, wake: wake, at: now)
        let verdict = try await self.create(RunCreation(request: request, progress: progress))
        if case .exists(let record) = verdict { return .exists(record) }
        self.work.ring()
        return .stored
    }

    /// A place for a run that is created here; nil where there is none, or the same run is being created already.
    private func reservation(for runID: String) -> String? {
        let key = IDKey(runID)
        return self.state.withLock { state in
            guard let worker = state.worker, !state.isDraining,
                state.drivers.count + state.reserved < self.configuration.maximumRuns,
                state.drivers[key] == nil, state.launching.insert(key).inserted
            else { return nil }
            state.reserved += 1
            return worker
        }
    }

    private func launch(_ plan: RunPlan, _ request: RunRequest, as worker: String) async throws(StoreError) -> Launch {
        var machine = RunMachine(creating: request, by: worker, plan, self.settings, self.moment)
        let creation = machine.creation(self.moment)
        do {
            switch try await self.store.create(creation) {
            case .created:
                return .driven(self.launched(machine, plan, as: worker, inboxCount: 0))
            case .exists(let record):
                self.landed(request.id, placeIsFree: true)
                return .exists(record)
            }
        } catch {
            // A store that this program has disconnected answers no more questions.
            guard error.outcome == .unknown, error.code != .closed else {
                self.landed(request.id, placeIsFree: true)
                throw error
            }
        }
        // It may be stored, as driven by us: nobody else would ever take it up while we live. So it must be known.
        let task = Task { [machine] () -> Result<Launch, StoreError> in
            await self.settle(creation, machine, plan, as: worker)
        }
        return try await task.value.get()
    }

    /// Sends a creation again until there is an answer: then it is ours, or somebody else's.
    private func settle(
        _ creation: RunCreation, _ machine: RunMachine, _ plan: RunPlan, as worker: String
    ) async -> Result<Launch, StoreError> {
        var failures = 0
        while true {
            failures += 1
            await self.pause(CommitResolution.pause(after: failures))
            // Whoever finds the run may adopt it: we are not that worker any more.
            guard self.state.withLock({ $0.worker }) == worker else {
                self.landed(creation.request.id, placeIsFree: true)
                return .failure(
                    StoreError(
                        .unavailable, outcome: .unknown, operation: .write, persistenceID: creation.request.id,
                        message: "the worker lost its lease while a run was being created"))
            }
            do {
                switch try await self.store.create(creation) {
                case .created: return .success(.driven(self.launched(machine, plan, as: worker, inboxCount: 0)))
                case .exists(let record):
                    if record.progress.owner == worker, record.progress.revision == 1 {
                        return .success(
                            .driven(self.launched(machine, plan, as: worker, inboxCount: record.inboxCount)))
                    }
                    self.landed(creation.request.id, placeIsFree: true)
                    return .success(.exists(record))
                }
            } catch {
                guard error.code == .closed || (error.code.isPermanent && error.outcome == .notApplied) else {
                    continue
                }
                self.landed(creation.request.id, placeIsFree: true)
                return .failure(error)
            }
        }
    }

    private func launched(
        _ machine: RunMachine, _ plan: RunPlan, as worker: String, inboxCount: UInt64
    ) -> RunDriver {
        var machine = machine
        machine.stored(CommitReceipt(inboxCount: inboxCount), self.moment)
        let driver = self.drive(machine, plan, as: worker)
        self.landed(driver.request.id, placeIsFree: false)
        return driver
    }

    private func landed(_ runID: String, placeIsFree: Bool) {
        self.state.withLock { _ = $0.launching.remove(IDKey(runID)) }
        if placeIsFree { self.giveBack(1) }
    }

    /// Creates a run that nobody drives yet; an answer that was lost is asked for again.
    func create(_ creation: RunCreation) async throws(StoreError) -> CreateVerdict {
        var failures = 0
        while true {
            do {
                let verdict = try await self.store.create(creation)
                if case .exists(let record) = verdict, failures > 0,
                    record.request.createdAt == creation.request.createdAt,
                    record.progress.revision == 1, record.progress.owner == nil
                {
                    // Ours, in all likelihood; who starts twice under one ID gets the same run anyway.
                    return .created
                }
                return verdict
            } catch {
                failures += 1
                guard error.outcome == .unknown, error.code != .closed, failures < 8 else { throw error }
                await self.pause(CommitResolution.pause(after: failures))
            }
        }
    }
}
