internal import PerdureConcurrency
internal import PerdureModel
internal import PerdureTestKit
internal import PerdureWorkflow
internal import Waiting

/// Engines on one store, each as if it were in a process of its own.
final class EngineWorld: Sendable {
    private struct State {
        var stores: [any RunStore] = []
        var running: [Task<Void, any Error>] = []
    }

    private let makeStore: @Sendable () throws -> any RunStore
    private let state = LockedState(State())

    init(_ makeStore: @escaping @Sendable () throws -> any RunStore) { self.makeStore = makeStore }

    /// Another way to the store.
    func store() throws -> any RunStore {
        let store = try self.makeStore()
        self.state.withLock { $0.stores.append(store) }
        return store
    }

    /// An engine that starts runs and operates on them, and drives none.
    func client(@WorkflowsBuilder _ workflows: () -> [RegisteredWorkflow]) throws -> WorkflowEngine {
        try WorkflowEngine(store: try self.store(), configuration: Self.quick, workflows: workflows)
    }

    /// An engine that drives runs until the end of the case.
    func worker(
        _ name: String = "a", on store: (any RunStore)? = nil,
        @WorkflowsBuilder _ workflows: () -> [RegisteredWorkflow]
    ) async throws -> WorkflowEngine {
        var configuration = Self.quick
        configuration.name = name
        let engine = try WorkflowEngine(
            store: try store ?? self.store(), configuration: configuration, workflows: workflows)
        let running = Task { try await engine.run() }
        self.state.withLock { $0.running.append(running) }
        try await eventually("registered") { engine.isWorker }
        return engine
    }

    /// Ends all engines, and closes all stores.
    func end() async {
        let (running, stores) = self.state.withLock { ($0.running, $0.stores) }
        for task in running { task.cancel() }
        for task in running { _ = try? await task.value }
        for store in stores { await store.disconnect() }
    }

    private static var quick: WorkflowEngine.Configuration {
        var configuration = WorkflowEngine.Configuration()
        configuration.pollInterval = .milliseconds(2) ... .milliseconds(10)
        configuration.mailInterval = .milliseconds(5)
        configuration.lease = .seconds(600)
        configuration.watchInterval = .milliseconds(20)
        configuration.drainTimeout = .seconds(20)
        configuration.releaseAfter = .milliseconds(5)
        return configuration
    }
}
