import Fight
import PerdureState
import PerdureTestKit
import Processes
import Testing

@testable import PerdurePostgres

/// Two processes of the operating system with nothing in common but the server.
@Suite(.enabled(if: TestServer.isThere, "needs a server: script/server postgres start"))
struct FightTests {
    private static let tasks = 16
    private static let steps = 60

    /// What both were told of each ID must be the history of one row; and each change happened that somebody was told of.
    @Test(.timeLimit(.minutes(10))) func twoProcessesAreLinearizable() async throws {
        try await TestServer.withSchema(named: "fight") { configuration in
            let seed = UInt64.random(in: 0...UInt64.max)
            print("seed \(seed)")
            let histories = try await self.fight(configuration, seed)
            let operations = histories.values.map(\.operations.count).reduce(0, +)
            // Each step reads, and then changes.
            #expect(operations == 2 * Self.tasks * Self.steps * 2)
            let store = try PostgresStore(configuration)
            for id in Fight.ids {
                var history = histories[id] ?? StateHistory()
                // The end of the story, read by a third.
                let end = (history.operations.map(\.ended).max() ?? 0) + 1
                let last = try await store.latestState(of: id)
                history.operations.append(.init(.read, .found(last), began: end, ended: end))
                let verdict = LinearizabilityChecker().verdict(on: history)
                #expect(verdict == .linearizable, "seed \(seed), \(id)")
                #expect(!history.operations.contains { $0.answer == .unknown }, "seed \(seed), \(id)")
            }
            print("two processes, \(Fight.ids.count) IDs, \(operations) operations: linearizable")
            await store.disconnect()
        }
    }

    /// Lets two processes fight; returns what they were told, put together.
    private func fight(_ configuration: PostgresConfiguration, _ seed: UInt64) async throws -> [String: StateHistory] {
        // Both wait until the other is connected, and begin at once.
        let program = try RunningProcess.executable("postgres-fighter")
        let arguments = (0..<2).map { fighter in
            "'\(program)' '\(TestServer.url ?? "")' '\(configuration.schema ?? "")' \(fighter) \(Self.tasks) \(Self.steps) \(seed)"
        }
        let outcome = try await Shell.run(
            """
            cd $(mktemp -d) && mkfifo in0 in1 ready0 ready1 &&
            { \(arguments[0]) <in0 | { read -r line; echo $line >ready0; cat >out0; } & one=$!; } &&
            { \(arguments[1]) <in1 | { read -r line; echo $line >ready1; cat >out1; } & two=$!; } &&
            exec 3>in0 4>in1 && read -r line <ready0 && read -r line <ready1 && echo go >&3 && echo go >&4 &&
            wait $one && wait $two && cat out0 out1 && rm -r $PWD
            """)
        var histories: [String: StateHistory] = [:]
        var ends = 0
        // Whether each fighter has met what the other wrote: they did fight.
        var hasMet = [false, false]
        for line in outcome.lines {
            if line == "done" {
                ends += 1
            } else if let (id, operation) = FightLine.operation(from: line) {
                if case .found(let state?) = operation.answer, ends < 2,
                    state.payload.bytes.starts(with: Array("\(1 - ends) ".utf8))
                {
                    hasMet[ends] = true
                }
                histories[id, default: StateHistory()].operations.append(operation)
            } else {
                Issue.record("a fighter said: \(line)")
            }
        }
        #expect(ends == 2 && hasMet == [true, true])
        return histories
    }

    /// What the processes tell each other is not lost in translation.
    @Test func linesReadAsTheyWereWritten() {
        let state = DurableState(
            persistenceID: "fight-1", version: 7, payload: StatePayload(manifest: "fight", bytes: Array("0 3 12".utf8)),
            timestamp: 1_700_000_000_000, shard: 3)
        let requests: [StateHistory.Request] = [
            .read, .write(state, if: .absent), .write(state, if: .always), .write(state, if: .version(6)),
            .delete(if: .version(7)), .delete(if: .always),
        ]
        let answers: [StateHistory.Answer] = [
            .found(state), .found(nil), .done, .conflict(stored: 9), .notApplied, .unknown,
        ]
        for request in requests {
            for answer in answers {
                let operation = StateHistory.Operation(request, answer, began: 12, ended: 34)
                let read = FightLine.operation(from: FightLine.text(of: operation, on: "fight-1"))
                #expect(read?.id == "fight-1" && read?.operation == operation)
            }
        }
        #expect(FightLine.operation(from: "fight-1 12 34 read") == nil)
    }
}
