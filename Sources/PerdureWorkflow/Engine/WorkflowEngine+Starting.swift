internal import PerdureConcurrency
internal import PerdureModel

extension WorkflowEngine {
    /// Starts a run, and returns as soon as it is stored.
    ///
    /// The ID makes it idempotent: starting again under the same ID with the same workflow and input gives the same run, whatever
    /// has become of it. Whether an input is the same is told by its JSON: a value that is written differently each time, such as a
    /// set, is never the same.
    ///
    /// - Parameters:
    ///   - workflow: one of those that the engine was made with.
    ///   - input: what the first steps are given.
    ///   - id: the run's ID, which keeps the rule of ``PersistenceID``; nil for one of its own.
    ///   - options: when it begins, tags, and so on.
    /// - Returns: the run, by which its output can be waited for.
    /// - Throws: ``WorkflowError``: ``RunFailure/Code/validation`` where the ID breaks the rule, the input cannot be encoded, or
    ///   there is a run of this ID with another workflow or input; ``RunFailure/Code/notFound`` where the engine does not have the
    ///   workflow. ``StoreError`` where it could not be stored; with an unknown outcome, start it again under the same ID.
    @discardableResult
    public func start<Input, Output>(
        _ workflow: Workflow<Input, Output>, _ input: Input, id: String? = nil, options: StartOptions = StartOptions()
    ) async throws -> RunHandle<Output> {
        let (plan, request) = try self.request(workflow.graph, RunValue(input), id, options)
        switch try await self.core.launch(plan, request, wake: self.wake(options.begin)) {
        case .driven(let driver): return RunHandle(self, request.id, driver)
        case .stored: return RunHandle(self, request.id, nil)
        case .exists(let record):
            try self.checkSame(record.request, request)
            return RunHandle(self, request.id, self.core.driver(of: request.id))
        }
    }

    /// Starts a run and waits for its output: the same as ``start(_:_:id:options:)`` and then ``RunHandle/value``.
    ///
    /// Cancelling the task gives up waiting; the run goes on.
    public func execute<Input, Output>(
        _ workflow: Workflow<Input, Output>, _ input: Input, id: String? = nil, options: StartOptions = StartOptions()
    ) async throws -> Output {
        try await self.start(workflow, input, id: id, options: options).value
    }

    /// A run that was started before, perhaps by another process.
    ///
    /// Asks nobody whether there is one.
    public func run<Input, Output>(_ workflow: Workflow<Input, Output>, _ id: String) -> RunHandle<Output> {
        RunHandle(self, id, self.core.driver(of: id))
    }

    // MARK: Details

    private func request(
        _ graph: WorkflowGraph, _ input: RunValue, _ id: String?, _ options: StartOptions
    ) throws(WorkflowError) -> (RunPlan, RunRequest) {
        guard let plan = self.core.plan(graph.name), plan.graph.hash == graph.hash else {
            let message = "the engine was not made with the workflow \(graph.name.debugDescription): add it there"
            throw WorkflowError(.notFound, runID: id, message: message)
        }
        let id = id ?? Self.newID()
        if let violation = PersistenceID.violation(in: id) {
            throw WorkflowError(.validation, runID: id, message: "the run's ID: \(violation)")
        }
        if !self.core.keepsLiveValues {
            do {
                _ = try input.bytes
                _ = try options.context?.bytes
            } catch {
                throw WorkflowError(
                    .validation, runID: id, message: "the input or the context cannot be stored: \(error.message)",
                    underlying: error)
            }
        }
        var request = RunRequest(
            id: id, workflow: graph.name, version: graph.version, input: input,
            createdAt: self.core.clock.unixMilliseconds)
        request.context = options.context
        request.resourceID = options.resourceID
        request.tags = options.tags
        request.priority = options.priority
        request.trigger = options.trigger
        if options.respectsLimits {
            request.workflowLimit = graph.configuration.concurrencyLimit
            if options.resourceID != nil { request.resourceLimit = graph.configuration.resourceConcurrencyLimit }
        }
        return (plan, request)
    }

    private func wake(_ beginning: StartOptions.Beginning) -> RunWake {
        let now = self.core.clock.unixMilliseconds
        switch beginning {
        case .now: return .now
        case .after(let delay): return delay <= .zero ? .now : .at(now &+ delay.wholeMilliseconds)
        case .at(let time): return time <= now ? .now : .at(time)
        }
    }

    /// A second start under one ID gets the run that is there, if it asks for the same.
    private func checkSame(_ stored: RunRequest, _ asked: RunRequest) throws {
        guard IDKey(stored.workflow) == IDKey(asked.workflow) else {
            throw WorkflowError(
                .validation, runID: asked.id,
                message: "there is a run of this ID already, of the workflow \(stored.workflow.debugDescription)")
        }
        guard try stored.input.bytes == asked.input.bytes else {
            throw WorkflowError(
                .validation, runID: asked.id,
                message: "there is a run of this ID already, with another input; give a new run an ID of its own")
        }
    }

    /// Ordered by time, and unlike any other.
    static func newID() -> String { RunIDs.next() }
}

/// IDs for runs that nobody named.
enum RunIDs {
    private struct State {
        /// Told by chance once for a process.
        let process: String
        var number: UInt64 = 0
    }

    private static let state: LockedState<State> = {
        var generator = SystemRandomNumberGenerator()
        let clock = SystemClock()
        let random = String(generator.next() as UInt64, radix: 36)
        return LockedState(State(process: "\(String(clock.unixMilliseconds, radix: 36))-\(random)"))
    }()

    static func next() -> String {
        self.state.withLock { state in
            state.number += 1
            return "\(state.process)-\(state.number)"
        }
    }
}
