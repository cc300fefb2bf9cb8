import PerdureConcurrency
import PerdureModel
import PerdureTestKit
import PerdureWorkflow

@testable import PerdureDynamoDB

/// A workflow of five steps, each of which adds one, and engines that drive it.
enum FiveStepRun {
    /// How often which step of which run was begun.
    final class Ledger: Sendable {
        private let entries = LockedState<[String: Int]>([:])

        func note(_ step: String, _ run: String) { self.entries.withLock { $0["\(run)/\(step)", default: 0] += 1 } }
        var counts: [String: Int] { self.entries.withLock { $0 } }
    }

    static let steps = ["one", "two", "three", "four", "five"]

    static func workflow(_ ledger: Ledger, retention: Duration? = nil) -> Workflow<Int, Int> {
        var configuration = WorkflowConfiguration()
        configuration.retention = retention
        func step(_ name: String) -> Step<Int, Int> {
            Step(name) { (number: Int, context: StepContext) in
                ledger.note(name, context.runID)
                return number + 1
            }
        }
        return Workflow("five", configuration: configuration) {
            step("one")
            step("two")
            step("three")
            step("four")
            step("five")
        }
    }

    /// Runs a worker while `body` uses it.
    static func withWorker<Result: Sendable>(
        _ name: String, on store: any RunStore, _ ledger: Ledger, retention: Duration? = nil,
        _ body: (WorkflowEngine, Workflow<Int, Int>) async throws -> Result
    ) async throws -> Result {
        var configuration = WorkflowEngine.Configuration()
        configuration.name = name
        configuration.drainTimeout = .seconds(1)
        let workflow = Self.workflow(ledger, retention: retention)
        let engine = try WorkflowEngine(store: store, configuration: configuration) { workflow }
        let running = Task { try await engine.run() }
        let result: Swift.Result<Result, any Error>
        do { result = .success(try await body(engine, workflow)) } catch { result = .failure(error) }
        running.cancel()
        // A store that died lets nobody stop in order.
        _ = try? await running.value
        return try result.get()
    }
}
