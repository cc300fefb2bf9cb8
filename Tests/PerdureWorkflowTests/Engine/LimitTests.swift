import PerdureModel
import PerdureTestKit
import Testing
import Waiting

@testable import PerdureWorkflow

/// Limits of concurrency, priorities and delays.
@Suite(.timeLimit(.minutes(5))) struct LimitTests {
    @Test("a workflow's and a resource's limit hold across processes") func limits() async throws {
        let memory = InMemoryRunStore()
        let tally = Tally()
        let workflow = Workflow(
            "limited", configuration: .init(concurrencyLimit: 3, resourceConcurrencyLimit: 1)
        ) {
            Step("work") { (resource: String) in
                tally.add("in")
                tally.add("in \(resource)")
                if tally["in"] - tally["out"] > 3 { tally.add("too many") }
                if tally["in \(resource)"] - tally["out \(resource)"] > 1 { tally.add("too many") }
                for _ in 0..<20 { await Task.yield() }
                tally.add("out \(resource)")
                tally.add("out")
                return resource
            }
        }
        try await withEngine(TestStore(memory), name: "a") {
            workflow
        } _: { a in
            try await withEngine(TestStore(memory), name: "b") {
                workflow
            } _: { b in
                var runs: [RunHandle<String>] = []
                for number in 0..<60 {
                    let resource = "r\(number % 6)"
                    runs.append(
                        try await (number % 2 == 0 ? a : b).start(
                            workflow, resource, id: "\(number)", options: StartOptions(resourceID: resource)))
                }
                for run in runs { _ = try await run.value }
            }
        }
        #expect(tally["too many"] == 0 && tally["in"] == 60)
    }

    @Test("a step's key limits its attempts in an engine") func keys() async throws {
        let tally = Tally()
        let workflow = Workflow("keyed") {
            Step("work") { (number: Int) in
                tally.add("in")
                if tally["in"] - tally["out"] > 2 { tally.add("too many") }
                for _ in 0..<20 { await Task.yield() }
                tally.add("out")
                return number
            }.concurrency(key: "desk", limit: 2)
        }
        try await withEngine(TestStore(InMemoryRunStore())) {
            workflow
        } _: { engine in
            var runs: [RunHandle<Int>] = []
            for number in 0..<40 { runs.append(try await engine.start(workflow, number)) }
            for run in runs { _ = try await run.value }
        }
        #expect(tally["too many"] == 0 && tally["in"] == 40)
    }

    @Test("an engine has no more runs in memory than it may") func room() async throws {
        let tally = Tally()
        let workflow = Workflow("many") {
            Step("work") { (number: Int) in
                tally.add("in")
                if tally["in"] - tally["out"] > 4 { tally.add("too many") }
                for _ in 0..<20 { await Task.yield() }
                tally.add("out")
                return number
            }
        }
        try await withEngine(TestStore(InMemoryRunStore()), { $0.maximumRuns = 4 }, workflows: { workflow }) { engine in
            var runs: [RunHandle<Int>] = []
            for number in 0..<100 { runs.append(try await engine.start(workflow, number)) }
            for run in runs { _ = try await run.value }
        }
        #expect(tally["too many"] == 0 && tally["in"] == 100)
    }

    @Test("higher priorities begin first, delayed runs in their time") func order() async throws {
        let memory = InMemoryRunStore()
        let clock = ManualClock()
        let tally = Tally()
        let workflow = Workflow("ordered", configuration: .init(concurrencyLimit: 1)) {
            Step("work") { (name: String) in
                tally.add(name)
                return name
            }
        }
        var configuration = WorkflowEngine.Configuration.quick
        configuration.clock = clock
        let client = try WorkflowEngine(store: TestStore(memory), configuration: configuration) { workflow }
        try await client.start(workflow, "late", id: "l", options: StartOptions(begin: .after(.seconds(60))))
        for (name, priority) in [("low", -1), ("usual", 0), ("high", 5)] {
            try await client.start(workflow, name, id: name, options: StartOptions(priority: priority))
        }
        try await withEngine(TestStore(memory), { $0.clock = clock }, workflows: { workflow }) { engine in
            try await eventually("three") { tally.order.count == 3 }
            #expect(tally.order == ["high", "usual", "low"])
            try await eventually("late") {
                clock.advance(by: .seconds(1))
                return tally["late"] == 1
            }
            #expect(clock.now >= .seconds(60))
        }
    }
}
