internal import PerdureConcurrency
internal import PerdureModel
internal import PerdureWorkflow
internal import WorkflowZoo

extension EngineCase {
    /// Runs from their beginning to their end.
    static let running: [EngineCase] = [
        EngineCase("ends each run of the zoo as its model says, on two workers") { world in
            let lines = LockedState<[String]>([])
            let witness = Witness(name: "zoo") { line in lines.withLock { $0.append(line) } }
            let zoo = Zoo(witness)
            let first = try await world.worker("a", on: witness.watching(try world.store())) { zoo.workflows }
            _ = try await world.worker("b", on: witness.watching(try world.store())) { zoo.workflows }
            let client = try world.client { zoo.workflows }
            let numbers = 0..<zoo.animals.count * 4
            for number in numbers {
                let keeper = Keeper(number % 2 == 0 ? first : client, witness)
                try await keeper.start(zoo.animals[number % zoo.animals.count], number)
                try await keeper.visit(zoo.animals[number % zoo.animals.count], number)
            }
            let keeper = Keeper(client, witness)
            let store = try world.store()
            var violations: [String] = []
            for number in numbers {
                let animal = zoo.animals[number % zoo.animals.count]
                try await keeper.end(of: animal, number)
                let look = try await Judge.look(at: animal, number, in: store)
                violations += look.violations
                lines.withLock { $0 += look.lines }
            }
            violations += Judge.violations(in: lines.withLock { $0 })
            try expect(violations.isEmpty, "\(violations.prefix(5))")
        },
        EngineCase("the same ID and input is the same run, anything else is refused") { world in
            let workflow = Workflow("same") { Step("one") { (number: Int) in number + 1 } }
            let engine = try await world.worker { workflow }
            for _ in 0..<2 {
                let value = try await engine.start(workflow, 1, id: "r").value
                try expect(value == 2, "\(value)")
            }
            try await expect(.validation) { try await engine.start(workflow, 2, id: "r") }
            try await expect(.notFound) { try await engine.run(workflow, "nobody").value }
        },
        EngineCase("a workflow's and a resource's limit hold for two workers") { world in
            let inside = LockedState((all: 0, most: 0, of: [String: Int](), mostOfOne: 0))
            let workflow = Workflow("limited", configuration: .init(concurrencyLimit: 3, resourceConcurrencyLimit: 1)) {
                Step("work") { (resource: String) in
                    inside.withLock { state in
                        state.all += 1
                        state.of[resource, default: 0] += 1
                        state.most = max(state.most, state.all)
                        state.mostOfOne = max(state.mostOfOne, state.of[resource] ?? 0)
                    }
                    for _ in 0..<20 { await Task.yield() }
                    inside.withLock { state in
                        state.all -= 1
                        state.of[resource, default: 0] -= 1
                    }
                    return resource
                }
            }
            let a = try await world.worker("a") { workflow }
            let b = try await world.worker("b") { workflow }
            var runs: [RunHandle<String>] = []
            for number in 0..<40 {
                let resource = "r\(number % 5)"
                runs.append(
                    try await (number % 2 == 0 ? a : b).start(
                        workflow, resource, id: "\(number)", options: StartOptions(resourceID: resource)))
            }
            for run in runs { _ = try await run.value }
            let (most, mostOfOne) = inside.withLock { ($0.most, $0.mostOfOne) }
            try expect(most <= 3 && mostOfOne == 1, "\(most) at once, \(mostOfOne) of one resource")
        },
        EngineCase("higher priorities begin first, and nothing begins before its time") { world in
            let order = LockedState<[Int]>([])
            let workflow = Workflow("queue", configuration: .init(concurrencyLimit: 1)) {
                Step("work") { (number: Int) in order.withLock { $0.append(number) } }
            }
            let client = try world.client { workflow }
            for number in 0..<6 {
                _ = try await client.start(
                    workflow, number, id: "\(number)", options: StartOptions(priority: number % 3))
            }
            let late = try await client.start(
                workflow, 9, id: "late", options: StartOptions(begin: .after(.seconds(10_000))))
            _ = try await world.worker { workflow }
            for number in 0..<6 { _ = try await client.run(workflow, "\(number)").value }
            let found = order.withLock { $0 }
            try expect(found == [2, 5, 1, 4, 0, 3], "\(found)")
            let status = try await late.status()
            try expect(status == .pending, "\(status)")
        },
    ]
}
