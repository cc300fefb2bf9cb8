internal import PerdureModel

/// Handlers: how they are run, and what is made of what they throw.
extension RunDriver {
    func perform(_ attempt: Attempt) async -> (StepOutcome, (any Error)?) {
        guard let (key, limit) = self.plan.nodes[attempt.work.unit.node].settings.concurrency,
            case .handler = attempt.work.purpose
        else { return await self.performNow(attempt) }
        // Somebody else's turn; a task that is cancelled meanwhile is not missed.
        guard await self.core.gates.enter(key, limit: limit) else {
            return (
                .failed(RunFailure(.cancelled, message: "cancelled while waiting for its turn"), isRetryable: false),
                nil
            )
        }
        let now = self.core.moment
        self.state.withLock { $0.machine.restartTimeout(of: attempt.work.token, now) }
        let result = await self.performNow(attempt)
        self.core.gates.leave(key)
        return result
    }

    private func performNow(_ attempt: Attempt) async -> (StepOutcome, (any Error)?) {
        let work = attempt.work
        let node = self.plan.nodes[work.unit.node]
        let context = StepContext(runID: self.request.id, step: work.id, attempt: work.attempt, source: attempt)
        do {
            if work.isFirst {
                if let condition = node.settings.condition, !(try await condition(work.input, context)) {
                    return (.conditionDoesNotHold, nil)
                }
                try node.settings.validation?(work.input)
            }
            let value: RunValue
            switch work.purpose {
            case .condition: return (.conditionHolds, nil)
            case .child(let runID): return (try await self.startChild(runID, attempt), nil)
            case .elements:
                guard case .loop(let loop) = node.kind else { return (.elements([]), nil) }
                return (.elements(try loop.elements(work.input)), nil)
            case .handler:
                switch node.kind {
                case .step(let handler): value = try await handler(work.input, context)
                case .loop(let loop): value = try await loop.handler(work.input, context)
                case .signal(let waiting): value = try await waiting.handler(work.input, work.signal, context)
                case .gather, .sleep, .child: value = work.input
                }
            }
            let changes = self.changes(of: attempt)
            if !self.core.keepsLiveValues {
                _ = try value.bytes
                for change in changes { _ = try change.value?.bytes }
            }
            return (.value(value, changes: changes), nil)
        } catch {
            return (self.outcome(of: error, in: work), error)
        }
    }

    private func changes(of attempt: Attempt) -> [StateChange] {
        // Handlers that are over change nothing any more.
        attempt.changes.isEmpty ? [] : self.state.withLock { _ in attempt.changes }
    }

    private func outcome(of error: any Error, in work: StepWork) -> StepOutcome {
        switch error {
        case let error as ValidationError:
            let message = "the input was refused: \(error.reason)"
            return .failed(RunFailure(.validation, message: message), isRetryable: false)
        case is CancellationError:
            return .failed(Self.failure(.cancelled, error), isRetryable: false)
        case let error as PayloadError:
            // The same value gives the same error.
            return .failed(Self.failure(.executionFailed, error), isRetryable: false)
        case let error as RunFailureError:
            return .failed(error.failure, isRetryable: false)
        default:
            let isRetryable = self.plan.policies[work.unit.node].isRetryable?(error) ?? true
            return .failed(Self.failure(.executionFailed, error), isRetryable: isRetryable)
        }
    }

    /// What is recorded of an error: its text, and the name of its type.
    static func failure(_ code: RunFailure.Code, _ error: any Error) -> RunFailure {
        var message = String(describing: error)
        if message.utf8.count > 8_192 { message = String(message.prefix(2_000)) + "…" }
        return RunFailure(code, message: message, type: StoredTypeName.of(type(of: error)))
    }

    // MARK: Children

    private func startChild(_ runID: String, _ attempt: Attempt) async throws -> StepOutcome {
        guard case .child(let graph) = self.plan.nodes[attempt.work.unit.node].kind,
            let plan = self.core.plan(graph.name)
        else {
            let message = "the engine does not know the child's workflow"
            return .failed(RunFailure(.notFound, message: message), isRetryable: false)
        }
        var request = RunRequest(
            id: runID, workflow: graph.name, version: graph.version, input: attempt.work.input,
            createdAt: self.core.clock.unixMilliseconds)
        request.parent = RunParent(runID: self.request.id, step: attempt.work.id)
        request.context = self.request.context
        request.resourceID = self.request.resourceID
        request.priority = self.request.priority
        request.workflowLimit = graph.configuration.concurrencyLimit
        request.resourceLimit = graph.configuration.resourceConcurrencyLimit
        if !self.core.keepsLiveValues { _ = try request.input.bytes }
        switch try await self.launchChild(plan, request, attempt) {
        case .driven, .stored: return .childRuns
        case .exists(let record): return self.existing(record)
        }
    }

    /// A child that was stored before, most probably by an attempt that crashed.
    private func existing(_ record: RunRecord) -> StepOutcome {
        guard let parent = record.request.parent?.runID, IDKey(parent) == IDKey(self.request.id) else {
            let message = "there is a run \(record.id) already, which this one has not started"
            return .failed(RunFailure(.executionFailed, message: message), isRetryable: false)
        }
        guard record.status.isEnded else { return .childRuns }
        return .childEnded(record.status, record.progress.failure, record.progress.output)
    }

    private func launchChild(
        _ plan: RunPlan, _ request: RunRequest, _ attempt: Attempt
    ) async throws(StoreError) -> EngineCore.Launch {
        var failures = 0
        while true {
            let failure: StoreError
            do {
                return try await self.core.launch(plan, request)
            } catch {
                failure = error
            }
            if failure.code.isPermanent || attempt.isCancelled { throw failure }
            failures += 1
            await self.core.pause(CommitResolution.pause(after: failures))
        }
    }
}

extension StoreError.Code {
    /// Whether the same request would fail in the same way whenever it is made.
    var isPermanent: Bool {
        switch self {
        case .payloadTooLarge, .invalidRequest, .undecodable, .corrupted, .closed: true
        default: false
        }
    }
}
