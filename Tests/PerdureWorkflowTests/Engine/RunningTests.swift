import PerdureModel
import PerdureTestKit
import Testing
import Waiting

@testable import PerdureWorkflow

/// Runs from their beginning to their end: what comes out, what is recorded, what it costs.
@Suite(.timeLimit(.minutes(5))) struct RunningTests {
    static let double = Workflow("double") {
        Step("one") { (number: Int) in number + 1 }
        Step("two") { (number: Int) in number * 2 }
        Step("three") { (number: Int) in "\(number)" }
    }

    @Test("a sequence gives its output, with one write for each step and one for the start")
    func sequence() async throws {
        let store = TestStore(InMemoryRunStore())
        try await withEngine(store) {
            Self.double
        } _: { engine in
            let run = try await engine.start(Self.double, 20, id: "r")
            #expect(try await run.value == "42")
            #expect(store.count("create") == 1 && store.count("commit") == 3)
            let description = try #require(try await engine.describe("r"))
            #expect(description.steps.map(\.id) == ["one", "two", "three"])
            #expect(description.steps.allSatisfy { $0.status == .completed && $0.attempt == 1 })
            #expect(description.run.progress.progress == 1 && description.run.progress.owner == nil)
            #expect(description.timeline.first?.what == "created" && description.timeline.last?.what == "COMPLETED")
        }
    }

    @Test("without values encoded, too") func live() async throws {
        try await withEngine(InMemoryRunStore()) {
            Self.double
        } _: { engine in
            let output = try await engine.execute(Self.double, 1)
            #expect(output == "4")
        }
    }

    @Test("a workflow that ends in a fork gives all branches in the order of declaration")
    func fork() async throws {
        let door = Door()
        let workflow = Workflow("fork") {
            Parallel {
                Step("slow") { (number: Int) in
                    await door.pass()
                    return "slow \(number)"
                }
                Step("quick") { (number: Int) in
                    door.open()
                    return number
                }
            }
        }
        let joined = Workflow("join") {
            Parallel {
                Step("a") { (number: Int) in number + 1 }
                Branch {
                    Step("b") { (number: Int) in number + 2 }
                    Step("c") { (number: Int) in number * 10 }
                }
                Step("d") { (number: Int) in "\(number)" }
            }
            Join("sum") { (a: Int, c: Int, d: String) in "\(a) \(c) \(d)" }
        }
        let store = TestStore(InMemoryRunStore())
        try await withEngine(store) {
            workflow
            joined
        } _: { engine in
            let outputs = try await engine.execute(workflow, 7)
            #expect(outputs.first == "slow 7" && outputs.second == 7)
            #expect(try await engine.execute(joined, 1) == "2 30 1")
        }
    }

    @Test("the same ID and input is the same run, anything else a conflict") func identity() async throws {
        let store = TestStore(InMemoryRunStore())
        try await withEngine(store) {
            Self.double
        } _: { engine in
            for _ in 0..<2 {
                let output = try await engine.start(Self.double, 1, id: "r").value
                #expect(output == "4")
            }
            await #expect(throws: WorkflowError.self) { try await engine.start(Self.double, 2, id: "r") }
            #expect(store.count("commit") == 3)
            await #expect(throws: WorkflowError.self) { try await engine.start(Self.double, 2, id: "") }
            await #expect(throws: WorkflowError.self) { try await engine.run(Self.double, "nobody").value }
        }
    }

    @Test("a thrown error keeps its text and type; its siblings are cancelled") func failure() async throws {
        let door = Door()
        let cancelled = Tally()
        let workflow = Workflow("fails", configuration: .init(retry: .none)) {
            Parallel {
                Step("waits") { (number: Int, context: StepContext) in
                    await withTaskCancellationHandler {
                        await door.pass()
                    } onCancel: {
                        door.open()
                    }
                    if context.isCancelled { cancelled.add("told") }
                    return number
                }
                Step("fails") { (number: Int) -> Int in
                    while door.arrivals == 0 { await Task.yield() }
                    throw Trouble(number: 3)
                }
            }
        }
        try await withEngine(TestStore(InMemoryRunStore())) {
            workflow
        } _: { engine in
            let run = try await engine.start(workflow, 1, id: "r")
            do {
                _ = try await run.value
                Issue.record("it did not fail")
            } catch let error as WorkflowError {
                #expect(error.code == .executionFailed && error.message == "trouble 3" && error.step == "fails")
                #expect(error.type == "Trouble" && error.attempt == 1 && error.underlying is Trouble)
            }
            try await eventually("told") { cancelled["told"] == 1 }
            let steps = try #require(try await engine.describe("r")).steps
            #expect(steps.map(\.status) == [.cancelled, .failed])
        }
    }

    @Test("attempts, conditions, validation and going on after a failure") func outcomes() async throws {
        let tally = Tally()
        struct Order: Codable, Sendable, Validatable {
            var lines: Int
            func validate() throws { if self.lines == 0 { throw ValidationError("an order has at least one line") } }
        }
        let workflow = Workflow("outcomes", configuration: .init(retry: .none)) {
            Step("flaky") { (number: Int, context: StepContext) in
                tally.add(context.attemptKey)
                if context.attempt < 3 { throw Trouble(number: context.attempt) }
                return number
            }.retry(.immediate(attempts: 4))
            Step("skipped") { (number: Int) in number + 100 }.when { _ in false }
            Step("default") { (number: Int) in number + 100 }.when({ _ in false }, otherwise: 5)
            Step("fails") { (number: Int) -> Int in throw Trouble(number: number) }.continueOnError()
            Step("end") { (number: Int?) in number ?? -1 }
        }
        let validated = Workflow("validated") {
            Step("order") { (order: Order) in order.lines }
        }
        let store = TestStore(InMemoryRunStore())
        try await withEngine(store) {
            workflow
            validated
        } _: { engine in
            #expect(try await engine.execute(workflow, 1, id: "r") == -1)
            #expect(tally.order == ["r/flaky/1", "r/flaky/2", "r/flaky/3"])
            let steps = try #require(try await engine.describe("r")).steps
            #expect(steps.map(\.status) == [.completed, .skipped, .completed, .failed, .completed])
            #expect(steps[3].failure?.message == "trouble 5")
            // One for the start, one for each step, one for each failed attempt that was followed by another.
            #expect(store.writes == 1 + 5 + 2)
            do {
                _ = try await engine.execute(validated, Order(lines: 0), id: "v")
                Issue.record("it was not refused")
            } catch let error as WorkflowError {
                #expect(error.code == .validation && error.message.contains("at least one line"))
            }
            #expect(try await engine.describe("v")?.steps.first?.attempt == 1)
        }
    }

    @Test("a step that takes too long is not waited for, and what it gives later does not count")
    func timeouts() async throws {
        let door = Door()
        let workflow = Workflow("slow", configuration: .init(retry: .none)) {
            Step("slow") { (number: Int, context: StepContext) in
                if context.attempt == 1 {
                    await door.pass()
                    return -1
                }
                return number
            }.timeout(.milliseconds(20)).retry(.immediate(attempts: 2))
        }
        let never = Workflow("never", configuration: .init(retry: .none, runTimeout: .milliseconds(30))) {
            Step("never") { (number: Int) in
                await door.pass()
                return number
            }
        }
        try await withEngine(TestStore(InMemoryRunStore())) {
            workflow
            never
        } _: { engine in
            #expect(try await engine.execute(workflow, 9, id: "r") == 9)
            do {
                _ = try await engine.execute(never, 1, id: "n")
                Issue.record("it did not time out")
            } catch let error as WorkflowError {
                #expect(error.code == .timeout)
            }
            #expect(try await engine.describe("n")?.steps.first?.status == .cancelled)
            door.open()
            try await eventually("quiet") { engine.activeRunCount == 0 }
            let first = try #require(try await engine.describe("r")?.steps.first)
            let output: Int? = try first.output?.decoded()
            #expect(first.attempt == 2 && output == 9)
        }
    }

    @Test("loops give their results in order, some at once") func loops() async throws {
        let inside = Tally()
        let most = Tally()
        let workflow = Workflow("loop") {
            Step("list") { (count: Int) in Array(0..<count) }
            ForEach("each", limit: 3) { (number: Int) in
                inside.add("in")
                if inside["in"] - inside["out"] > 3 { most.add("too many") }
                await Task.yield()
                inside.add("out")
                return "\(number)"
            }
            Step("end") { (texts: [String]) in texts.joined(separator: ",") }
        }
        let store = TestStore(InMemoryRunStore())
        try await withEngine(store) {
            workflow
        } _: { engine in
            #expect(try await engine.execute(workflow, 10, id: "r") == "0,1,2,3,4,5,6,7,8,9")
            #expect(try await engine.execute(workflow, 0) == "")
            #expect(most["too many"] == 0)
            let steps = try #require(try await engine.describe("r")).steps
            #expect(steps.map(\.id) == ["list", "each"] + (0..<10).map { "each[\($0)]" } + ["end"])
        }
    }

    @Test("shared state, outputs of earlier steps, context, tags") func context() async throws {
        let seats = RunStateKey("seats", default: 0)
        let workflow = Workflow("state") {
            Step("first") { (number: Int, context: StepContext) in
                context.state[seats] = 3
                context.state[seats] += 1
                return number
            }
            Parallel {
                Step("left") { (number: Int, context: StepContext) in
                    context.state[seats] += 10
                    return context.state[seats]
                }
                Step("right") { (number: Int, context: StepContext) in
                    context.state[seats] += 100
                    return context.state[seats]
                }
            }
            Join("end") { (left: Int, right: Int, context: StepContext) in
                let first: Int? = try context.output(of: "first")
                let own: Int? = try context.output(of: "end")
                let custom: String? = try context.custom()
                return
                    "\(left) \(right) \(context.state[seats]) \(first ?? -1) \(own ?? -1) \(custom ?? "") \(context.tags["a"] ?? "") \(context.resourceID ?? "") \(context.idempotencyKey)"
            }
        }
        try await withEngine(TestStore(InMemoryRunStore())) {
            workflow
        } _: { engine in
            let options = StartOptions(resourceID: "plane", tags: ["a": "b"]).context("mine")
            let text = try await engine.execute(workflow, 7, id: "r", options: options)
            #expect(text == "14 104 104 7 -1 mine b plane r/end")
        }
    }

    @Test("what cannot be encoded fails the step") func encoding() async throws {
        struct Odd: Codable, Sendable {
            init() {}
            init(from decoder: any Decoder) throws {}
            func encode(to encoder: any Encoder) throws { throw Trouble() }
        }
        let workflow = Workflow("odd", configuration: .init(retry: .none)) {
            Step("odd") { (_: Int) in Odd() }
            Step("end") { (_: Odd) in 1 }
        }
        try await withEngine(TestStore(InMemoryRunStore())) {
            workflow
        } _: { engine in
            do {
                _ = try await engine.execute(workflow, 1)
                Issue.record("it did not fail")
            } catch let error as WorkflowError {
                #expect(error.code == .executionFailed && error.step == "odd")
            }
        }
    }

    @Test("wrong workflows and configurations are refused in words") func rules() {
        let wrong = Workflow("wrong") {
            Step("a") { (number: Int) in number }
            Step("a") { (number: Int) in number }
        }
        #expect(throws: WorkflowError.self) { try WorkflowEngine(store: InMemoryRunStore()) { wrong } }
        var configuration = WorkflowEngine.Configuration()
        configuration.maximumRuns = 0
        configuration.lease = .zero
        #expect(configuration.violations.count == 2)
        #expect(throws: WorkflowError.self) {
            try WorkflowEngine(store: InMemoryRunStore(), configuration: configuration) { Self.double }
        }
    }
}
