internal import PerdureConcurrency
internal import PerdureModel

/// Starts runs of workflows, drives them, and does with them what people ask for.
///
/// ```swift
/// let engine = try WorkflowEngine(store: store) { fulfilment }
/// let run = try await engine.start(fulfilment, Order(id: "7"), id: "order-7")   // on disk when this returns
/// let shipment = try await run.value
/// ```
///
/// Nothing starts by itself. ``run()``, in a task of yours, makes a worker of the engine, which drives runs; without it the engine
/// is a client, which starts runs for workers of other processes and operates on them. It has the shape of
/// `ServiceLifecycle.Service`.
public final class WorkflowEngine: Sendable {
    /// The configuration that the engine was made with.
    public let configuration: Configuration

    let core: EngineCore
    private let lifecycle = LockedState(false)

    /// Makes an engine for `workflows` on a store. Opens nothing and starts nothing.
    ///
    /// - Throws: ``WorkflowError`` with ``RunFailure/Code/validation`` where the configuration or a workflow cannot work: a workflow
    ///   with violations, two of one name that are not the same, or none at all.
    public convenience init(
        store: any RunStore, configuration: Configuration = Configuration(),
        @WorkflowsBuilder workflows: () -> [RegisteredWorkflow]
    ) throws(WorkflowError) {
        let given = workflows().map(\.graph)
        var violations = configuration.violations
        if given.isEmpty { violations.append("an engine needs at least one workflow") }
        var graphs: [IDKey: WorkflowGraph] = [:]
        var order: [WorkflowGraph] = []
        for graph in given.flatMap(RunPlan.family(of:)) {
            violations += graph.violations.map { "the workflow \(graph.name.debugDescription): \($0)" }
            if let other = graphs.updateValue(graph, forKey: IDKey(graph.name)) {
                if other !== graph {
                    violations.append(
                        "two workflows are called \(graph.name.debugDescription): give each a name of its own")
                }
            } else {
                order.append(graph)
            }
        }
        guard violations.isEmpty else {
            throw WorkflowError(.validation, message: violations.joined(separator: "; "))
        }
        self.init(EngineCore(store, configuration, order))
    }

    /// Makes a client of a store: it looks at runs and operates on them, and knows no workflow.
    ///
    /// Of the operations, only starting runs and those that say so need a definition. A run that such a client cancels while nobody
    /// drives it is kept until somebody deletes it: how long to keep it is part of the definition.
    public convenience init(operatingOn store: any RunStore) {
        self.init(EngineCore(store, Configuration(), []))
    }

    private init(_ core: EngineCore) {
        self.configuration = core.configuration
        self.core = core
    }

    /// Makes an engine for workflows that are known at run time only.
    package convenience init(
        store: any RunStore, configuration: Configuration, graphs: [WorkflowGraph]
    ) throws(WorkflowError) {
        try self.init(store: store, configuration: configuration) { graphs.map(RegisteredWorkflow.init) }
    }

    /// Whether nothing is under way in this engine; what waits does not count.
    package var isIdle: Bool { self.core.isIdle }

    /// Whether it is registered as a worker, and takes runs.
    package var isWorker: Bool { self.core.state.withLock { $0.worker } != nil }

    /// How many runs are in memory.
    public var activeRunCount: Int { self.core.state.withLock { $0.drivers.count } }

    /// Waits until no run is in memory. One task at a time, and none while the engine stops.
    package func untilNothingIsInMemory() async {
        while self.activeRunCount > 0 { await self.core.empty.wait() }
    }

    /// Connects the store, registers as a worker, and drives runs until the task is cancelled.
    ///
    /// Cancelling is the way to stop: no step is begun any more, handlers under way may end within
    /// ``Configuration/drainTimeout`` and are recorded, then all runs are given back, for other workers to take at once. The store
    /// stays connected: who made it disconnects it. May be called once, and again only where it threw.
    ///
    /// - Throws: ``StoreError`` when the store cannot be connected, or the worker cannot be registered.
    public func run() async throws {
        let isFirst = self.lifecycle.withLock { hasRun in
            defer { hasRun = true }
            return !hasRun
        }
        precondition(isFirst, "run() was called twice on one engine; make another engine")
        let worker = WorkerLoop(self.core)
        do {
            try await self.core.store.connect()
            try await worker.register()
        } catch {
            self.lifecycle.withLock { $0 = false }
            throw error
        }
        let core = self.core
        let loops = [
            Task { await core.timers.run() },
            Task { await worker.keepLease() },
            Task { await worker.takeRuns() },
            Task { await worker.deliverMail() },
            Task { await worker.listen() },
            Task { await worker.purge() },
        ]
        await Bell().wait()
        // This task is cancelled; what is left must be able to wait.
        await Task { await self.drain() }.value
        for loop in loops { loop.cancel() }
        for loop in loops { await loop.value }
    }

    /// Lets handlers under way end, and gives the runs back.
    private func drain() async {
        let core = self.core
        let drivers = core.state.withLock { state -> [RunDriver] in
            state.isDraining = true
            return Array(state.drivers.values)
        }
        for driver in drivers { driver.nudge(.stop) }
        let deadline = core.clock.now + self.configuration.drainTimeout
        while core.clock.now < deadline, !core.state.withLock({ $0.drivers.isEmpty && $0.reserved == 0 }) {
            core.timers.schedule(core.empty, at: deadline)
            await core.empty.wait()
        }
        let (worker, late) = core.state.withLock { state -> (String?, [RunDriver]) in
            defer {
                state.worker = nil
                state.drivers = [:]
            }
            return (state.worker, Array(state.drivers.values))
        }
        for driver in late { driver.giveUp() }
        guard let worker else { return }
        for attempt in 1...3 {
            do {
                return try await core.store.retire(worker, at: core.clock.unixMilliseconds)
            } catch {
                // Others find out by the lease.
                core.troubled("retiring the worker", error)
                await core.pause(CommitResolution.pause(after: attempt))
            }
        }
    }
}

/// A workflow that an engine was given, with its types taken away.
public struct RegisteredWorkflow: Sendable {
    package let graph: WorkflowGraph

    package init(graph: WorkflowGraph) { self.graph = graph }
}

/// Lists the workflows of an engine.
@resultBuilder
public enum WorkflowsBuilder {
    /// A workflow.
    public static func buildExpression<Input, Output>(_ workflow: Workflow<Input, Output>) -> [RegisteredWorkflow] {
        [RegisteredWorkflow(graph: workflow.graph)]
    }

    /// Workflows that were listed elsewhere.
    public static func buildExpression(_ workflows: [RegisteredWorkflow]) -> [RegisteredWorkflow] { workflows }

    /// All of them.
    public static func buildBlock(_ workflows: [RegisteredWorkflow]...) -> [RegisteredWorkflow] {
        workflows.flatMap { $0 }
    }

    /// Workflows that are there only under a condition.
    public static func buildOptional(_ workflows: [RegisteredWorkflow]?) -> [RegisteredWorkflow] { workflows ?? [] }
}
