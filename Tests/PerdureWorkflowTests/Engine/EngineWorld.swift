import PerdureConcurrency
import PerdureModel
import PerdureTestKit

@testable import PerdureWorkflow

/// An engine that runs for as long as a test needs it.
func withEngine<Result: Sendable>(
    _ store: any RunStore, name: String = "a", _ change: (inout WorkflowEngine.Configuration) -> Void = { _ in },
    @WorkflowsBuilder workflows: () -> [RegisteredWorkflow],
    _ body: @Sendable (WorkflowEngine) async throws -> Result
) async throws -> Result {
    var configuration = WorkflowEngine.Configuration.quick
    configuration.name = name
    change(&configuration)
    let engine = try WorkflowEngine(store: store, configuration: configuration, workflows: workflows)
    let running = Task { try await engine.run() }
    while engine.core.state.withLock({ $0.worker }) == nil { await Task.yield() }
    do {
        let result = try await body(engine)
        running.cancel()
        try? await running.value
        return result
    } catch {
        running.cancel()
        try? await running.value
        throw error
    }
}

extension WorkflowEngine.Configuration {
    /// For tests: nothing takes long.
    static var quick: WorkflowEngine.Configuration {
        var configuration = WorkflowEngine.Configuration()
        configuration.pollInterval = .milliseconds(1) ... .milliseconds(5)
        configuration.mailInterval = .milliseconds(2)
        configuration.lease = .seconds(600)
        configuration.watchInterval = .milliseconds(20)
        configuration.drainTimeout = .seconds(20)
        return configuration
    }
}

/// Counts by name, from anywhere.
final class Tally: Sendable {
    private let counts = LockedState<[String: Int]>([:])
    private let log = LockedState<[String]>([])

    func add(_ name: String) {
        self.counts.withLock { $0[name, default: 0] += 1 }
        self.log.withLock { $0.append(name) }
    }
    subscript(name: String) -> Int { self.counts.withLock { $0[name, default: 0] } }
    var all: [String: Int] { self.counts.withLock { $0 } }
    var order: [String] { self.log.withLock { $0 } }
}

struct Trouble: Error, CustomStringConvertible {
    var number = 0
    var description: String { "trouble \(self.number)" }
}

/// What a run gives.
func value<Input, Output>(
    of id: String, _ workflow: Workflow<Input, Output>, _ engine: WorkflowEngine
) async throws -> Output {
    try await engine.run(workflow, id).value
}
