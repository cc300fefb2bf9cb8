import PerdureConcurrency
import PerdureModel
import PerdureTestKit
import Testing
import Waiting

@testable import PerdureWorkflow

/// Stores that fail, answers that are lost, engines that die after a write: runs end as without, and record once.
@Suite(.timeLimit(.minutes(5))) struct FaultScheduleTests {
    static let seed = UInt64.random(in: 0...1_000_000_000)

    static func zoo(_ tally: Tally) -> Workflow<Int, String> {
        let child = Workflow("zoo child") { Step("grow") { (number: Int) in number + 1 } }
        return Workflow("zoo", configuration: .init(retry: .immediate(attempts: 3))) {
            Step("begin") { (number: Int, context: StepContext) in
                tally.add(context.idempotencyKey)
                return number
            }
            Parallel {
                Step("left") { (number: Int, context: StepContext) in
                    tally.add(context.idempotencyKey)
                    if context.attempt == 1 { throw Trouble() }
                    return number + 1
                }
                Branch {
                    Step("list") { (number: Int) in Array(0..<number) }
                    ForEach("each", limit: 2) { (number: Int, context: StepContext) in
                        tally.add(context.idempotencyKey)
                        return number * number
                    }
                }
            }
            Join("sum") { (left: Int, squares: [Int]) in left + squares.reduce(0, +) }
            Child("child", child)
            Sleep("rest", for: .milliseconds(1))
            WaitForSignal("go", String.self) { (number: Int, signal: String) in "\(number)\(signal)" }
        }
    }

    @Test("with a store that fails one call in five", arguments: 0..<10) func faults(_ part: UInt64) async throws {
        let seed = Self.seed &+ part
        let memory = InMemoryRunStore()
        let tally = Tally()
        let workflow = Self.zoo(tally)
        let store = TestStore(memory, seed: seed, faultRate: 0)
        let client = try WorkflowEngine(store: TestStore(memory), configuration: .quick) { workflow }
        try await withEngine(store) {
            workflow
        } _: { engine in
            store.setFaultRate(0.2)
            for number in 0..<10 {
                let id = "\(seed) \(number)"
                for _ in 0..<100 {
                    // Whatever becomes of it: the same ID, again.
                    if (try? await engine.start(workflow, 4, id: id)) != nil { break }
                }
                try await client.signal(id, "go", "!", id: "once")
            }
            for number in 0..<10 {
                let value = try await client.run(workflow, "\(seed) \(number)").value
                #expect(value == "20!", "seed \(seed)")
            }
            store.setFaultRate(0)
        }
    }

    @Test("killed after each single write: the next worker ends the run as without", arguments: [false, true])
    func crashPoints(_ hasSecondCrash: Bool) async throws {
        var points = 0
        for point in 1...40 {
            let memory = InMemoryRunStore()
            let tally = Tally()
            let workflow = Self.zoo(tally)
            var configuration = WorkflowEngine.Configuration.quick
            configuration.name = "pod"
            let dying = TestStore(memory)
            dying.cut(afterWrite: point)
            let first = try WorkflowEngine(store: dying, configuration: configuration) { workflow }
            let running = Task { try await first.run() }
            try await eventually("registered") { first.core.state.withLock { $0.worker } != nil }
            _ = try? await first.start(workflow, 4, id: "r")
            _ = try? await first.signal("r", "go", "!", id: "once")
            // Until it has died, or ended.
            try await eventually("the end of the first") {
                if dying.writes >= point { return true }
                return try await memory.run("r")?.status.isEnded ?? false
            }
            let hasDied = dying.writes >= point
            if hasDied { points += 1 }
            dying.set(.cut)
            let recorded = try await memory.snapshot(of: "r")?.steps.filter(\.status.isEnded) ?? []
            let counts = tally.all
            try await withEngine(TestStore(memory), name: "pod") {
                workflow
            } _: { engine in
                _ = try await engine.start(workflow, 4, id: "r")
                try await engine.signal("r", "go", "!", id: "once")
                let output1 = try await value(of: "r", workflow, engine)
                #expect(output1 == "20!", "point \(point)")
                let steps = try #require(try await engine.describe("r")).steps
                for step in recorded {
                    let now = try #require(steps.first { $0.id == step.id })
                    let (output, before) = (try now.output?.bytes, try step.output?.bytes)
                    #expect(now.status == step.status && output == before, "point \(point)")
                    #expect(
                        tally["r/\(step.id)"] == counts["r/\(step.id)", default: 0],
                        "point \(point): \(step.id) ran again")
                }
            }
            running.cancel()
            try? await running.value
            if !hasDied { break }
        }
        print("crash points: \(points)")
        #expect(points >= 12)
    }

    @Test("two workers, of which one is killed again and again, under many runs", arguments: 0..<3)
    func chaos(_ part: UInt64) async throws {
        let seed = Self.seed &+ 1_000 &+ part
        let generator = LockedState(PerdureTestKit.SeededGenerator(seed: seed))
        let memory = InMemoryRunStore()
        let tally = Tally()
        let workflow = Self.zoo(tally)
        let client = try WorkflowEngine(store: TestStore(memory), configuration: .quick) { workflow }
        let count = 30
        let mortals = LockedState<[TestStore]>([])
        let flaky = TestStore(memory, seed: seed)
        try await withEngine(flaky, name: "steady", workflows: { workflow }) {
            _ in
            flaky.setFaultRate(0.05)
            for number in 0..<count {
                if number % 5 == 0 {
                    // Two that live under one name would be a mistake: the one before is dead by now.
                    mortals.withLock { $0 }.last?.set(.cut)
                    var configuration = WorkflowEngine.Configuration.quick
                    configuration.name = "mortal"
                    let store = TestStore(memory)
                    store.cut(afterWrite: generator.withLock { Int.random(in: 1...60, using: &$0) })
                    mortals.withLock { $0.append(store) }
                    let mortal = try WorkflowEngine(store: store, configuration: configuration) { workflow }
                    Task { try? await mortal.run() }
                    try await eventually("registered") { mortal.isWorker }
                    for extra in 0..<3 { _ = try? await mortal.start(workflow, 4, id: "\(number + extra)") }
                }
                _ = try await client.start(workflow, 4, id: "\(number)")
                _ = try await client.signal("\(number)", "go", "!", id: "once")
            }
            mortals.withLock { $0 }.last?.set(.cut)
            // The last of that name takes over from all that died.
            try await withEngine(TestStore(memory), name: "mortal") {
                workflow
            } _: { _ in
                for number in 0..<count {
                    let value = try await client.run(workflow, "\(number)").value
                    #expect(value == "20!", "seed \(seed)")
                }
            }
            flaky.setFaultRate(0)
        }
    }
}
