import PerdureTestKit
import PerdureWorkflow
import Testing
import Waiting

@testable import PerdurePostgres

/// What happens through one store wakes a worker on another: it asks for nothing by itself for an hour.
@Suite(.enabled(if: TestServer.isThere, "needs a server: script/server postgres start"), .timeLimit(.minutes(5)))
struct WakingTests {
    private static let workflow = Workflow("woken") {
        Step("first") { (number: Int) in number + 1 }
        WaitForSignal("go", Int.self) { (number: Int, signal: Int) in number * signal }
    }

    private static var patient: WorkflowEngine.Configuration {
        var configuration = WorkflowEngine.Configuration()
        configuration.pollInterval = .seconds(3_600) ... .seconds(3_600)
        configuration.mailInterval = .seconds(3_600)
        configuration.watchInterval = .seconds(3_600)
        configuration.lease = .seconds(36_000)
        configuration.releaseAfter = .seconds(1_800)
        return configuration
    }

    @Test("a start, a signal to a run that is driven and to one that waits, a cancellation") func wakes() async throws {
        try await TestServer.withSchema(named: "waking") { configuration in
            let (ours, theirs) = (try PostgresStore(configuration), try PostgresStore(configuration))
            let worker = try WorkflowEngine(store: ours, configuration: Self.patient) { Self.workflow }
            let running = Task { try await worker.run() }
            let client = try WorkflowEngine(store: theirs) { Self.workflow }
            try await eventually("listening") {
                worker.isWorker
                    ? try await !TestServer.run(
                        "SELECT 'listens' FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()",
                        [], configuration
                    ).isEmpty : false
            }
            // Begun by who is told of it; it waits in memory then, and is told of the signal.
            let run = try await client.start(Self.workflow, 1, id: "told")
            try await eventually("first") { try await client.describe("told")?.steps.first?.status == .completed }
            try await run.signal("go", 21)
            #expect(try await run.value == 42)
            // One that nobody drives: what comes for it makes it ready.
            let cancelled = try await client.start(Self.workflow, 1, id: "cancelled")
            try await eventually("first") {
                try await client.describe("cancelled")?.steps.first?.status == .completed
            }
            try await cancelled.cancel()
            try await eventually("cancelled") { try await cancelled.status() == .cancelled }
            running.cancel()
            try await running.value
            await ours.disconnect()
            await theirs.disconnect()
        }
    }
}
