import PerdureConcurrency
import PerdureTestKit
import PerdureWorkflow
import Testing
import Waiting
import WorkflowZoo

@testable import PerdurePostgres

/// A server is killed with all its processes, and started again, while runs go through: no recorded step is lost.
@Suite(.enabled(if: TestServer.isThere, "needs a server: script/server postgres start"), .timeLimit(.minutes(5)))
struct ServerCrashTests {
    private static let crashes = 3

    @Test func runsSurviveTheirServer() async throws {
        try await OwnServer.with { server in
            let configuration = try PostgresConfiguration(url: server.url)
            let store = try PostgresStore(configuration)
            try await store.setup()
            let lines = LockedState<[String]>([])
            let witness = Witness(name: "worker") { line in lines.withLock { $0.append(line) } }
            let zoo = Zoo(witness) { try? await Task.sleep(for: .milliseconds(3)) }
            var settings = WorkflowEngine.Configuration()
            settings.lease = .seconds(3)
            settings.watchInterval = .milliseconds(200)
            settings.pollInterval = .milliseconds(10) ... .milliseconds(200)
            settings.releaseAfter = .milliseconds(10)
            settings.maximumAdoptions = 1_000
            let engine = try WorkflowEngine(store: WitnessedRunStore(store, witness), configuration: settings) {
                zoo.workflows
            }
            let running = Task { try await engine.run() }
            let keeper = Keeper(engine, witness)
            let count = try await self.keepThroughCrashes(server, zoo, keeper, lines)
            running.cancel()
            try await running.value
            try await self.judge(store, zoo, count, lines.withLock { $0 })
            await store.disconnect()
        }
    }

    /// Has runs begun without end, while the server is killed and started again; returns how many once all have ended.
    private func keepThroughCrashes(
        _ server: OwnServer, _ zoo: Zoo, _ keeper: Keeper, _ lines: LockedState<[String]>
    ) async throws -> Int {
        let isOver = LockedState(false)
        return try await withThrowingTaskGroup(of: Int.self) { group in
            group.addTask {
                var number = 0
                while !isOver.withLock({ $0 }) || number < 60 {
                    let animal = zoo.animals[number % zoo.animals.count]
                    try await self.untilItIsUp {
                        try await keeper.start(animal, number)
                        try await keeper.visit(animal, number)
                    }
                    number += 1
                }
                for finished in 0..<number {
                    try await self.untilItIsUp {
                        try await keeper.end(of: zoo.animals[finished % zoo.animals.count], finished)
                    }
                }
                return number
            }
            for crash in 1...Self.crashes {
                // In the middle of it.
                try await eventually("\(crash * 150) lines") { lines.withLock { $0.count } >= crash * 150 }
                try await server.crash()
                _ = try await server.start()
            }
            isOver.withLock { $0 = true }
            return try await group.next() ?? 0
        }
    }

    /// Does something again until it succeeds: the server is down now and then.
    private func untilItIsUp(_ work: () async throws -> Void) async throws {
        try await eventually("the server is up") {
            do {
                try await work()
                return true
            } catch { return false }
        }
    }

    private func judge(_ store: PostgresStore, _ zoo: Zoo, _ count: Int, _ lines: [String]) async throws {
        var lines = lines
        var violations: [String] = []
        for number in 0..<count {
            let look = try await Judge.look(at: zoo.animals[number % zoo.animals.count], number, in: store)
            violations += look.violations
            lines += look.lines
        }
        let history = Judge.History(lines)
        violations += history.violations
        print(
            "server killed \(Self.crashes) times under runs: \(count) runs, \(history.storedCount) changes acknowledged, \(violations.count) violations"
        )
        #expect(violations.isEmpty, "\(violations.prefix(10))")
    }
}
