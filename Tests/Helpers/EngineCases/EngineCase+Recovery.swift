internal import PerdureConcurrency
internal import PerdureModel
internal import PerdureTestKit
internal import PerdureWorkflow
internal import Waiting

extension EngineCase {
    /// Processes that end.
    static let recovery: [EngineCase] = [
        EngineCase("a restarted process has its runs back at once, and runs nothing again that is recorded") { world in
            let door = Door()
            let firsts = LockedState(0)
            let workflow = Workflow("restarts") {
                Step("first") { (number: Int) in
                    firsts.withLock { $0 += 1 }
                    return number + 1
                }
                Step("second") { (number: Int) in
                    if door.arrivals == 0 { await door.passOrGiveUp() }
                    return number * 2
                }
            }
            let dying = FaultyRunStore(try world.store())
            let first = try await world.worker("pod", on: dying) { workflow }
            _ = try await first.start(workflow, 1, id: "r")
            try await eventually("second") { door.arrivals == 1 }
            dying.restart { _, _ in .crashBefore }
            _ = try? await dying.renew("nobody", at: 0)
            let second = try await world.worker("pod") { workflow }
            let value = try await second.run(workflow, "r").value
            try expect(value == 4 && firsts.withLock { $0 } == 1, "\(value)")
            // What the first gives now is of no interest any more: it has the store back, and learns that the run is not its own.
            dying.restart()
            door.open()
            try await eventually("given up") { first.activeRunCount == 0 }
            let after = try await second.run(workflow, "r").value
            try expect(after == 4, "\(after)")
        },
        EngineCase("stopping in peace gives the runs to others at once") { world in
            let workflow = Workflow("stops") {
                Step("first") { (number: Int) in number + 1 }
                Sleep("rest", for: .milliseconds(50))
                Step("second") { (number: Int) in number * 2 }
            }
            let store = try world.store()
            var configuration = WorkflowEngine.Configuration()
            configuration.name = "leaving"
            let leaving = try WorkflowEngine(store: store, configuration: configuration) { workflow }
            let running = Task { try await leaving.run() }
            try await eventually("registered") { leaving.isWorker }
            for number in 0..<10 { _ = try await leaving.start(workflow, number, id: "\(number)") }
            running.cancel()
            try await running.value
            let left = try await store.workers().count
            try expect(left == 0, "\(left) workers are left")
            let heir = try await world.worker("heir") { workflow }
            for number in 0..<10 {
                let value = try await heir.run(workflow, "\(number)").value
                try expect(value == 2 * (number + 1), "\(value)")
            }
        },
    ]
}
