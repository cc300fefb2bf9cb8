import PerdureModel
import PerdureTestKit
import Testing
import Waiting

@testable import PerdureWorkflow

/// What people do with runs, from the process that drives them and from others.
@Suite(.timeLimit(.minutes(5))) struct OperationTests {
    static func client(_ store: any RunStore, _ workflows: () -> [RegisteredWorkflow]) throws -> WorkflowEngine {
        try WorkflowEngine(store: store, configuration: .quick) { workflows() }
    }

    @Test("cancelling from another process: the handler is told, what ended stays") func cancelling() async throws {
        let memory = InMemoryRunStore()
        let door = Door()
        let workflow = Workflow("long") {
            Step("first") { (number: Int) in number }
            Step("second") { (number: Int) in
                await withTaskCancellationHandler {
                    await door.pass()
                } onCancel: {
                    door.open()
                }
                return number
            }
            Step("third") { (number: Int) in number }
        }
        let client = try Self.client(TestStore(memory)) { [RegisteredWorkflow(graph: workflow.graph)] }
        try await withEngine(TestStore(memory)) {
            workflow
        } _: { engine in
            let run = try await engine.start(workflow, 1, id: "r")
            try await eventually("second") { door.arrivals == 1 }
            #expect(try await client.cancel("r", reason: "no more"))
            do {
                _ = try await run.value
                Issue.record("it was not cancelled")
            } catch let error as WorkflowError {
                #expect(error.code == .cancelled && error.message == "no more")
            }
            let steps = try #require(try await engine.describe("r")).steps
            #expect(steps.map(\.status) == [.completed, .cancelled])
            #expect(try await !client.cancel("r"))
            // Tried again: from the step on that did not end.
            #expect(try await client.retry("r"))
            #expect(try await run.value == 1)
        }
    }

    @Test("a run that waits is cancelled at once, and nothing wakes it") func cancellingWaiting() async throws {
        let memory = InMemoryRunStore()
        let workflow = Workflow("waits") {
            WaitForSignal("go", Int.self) { (number: Int, signal: Int) in number + signal }
        }
        try await withEngine(TestStore(memory)) {
            workflow
        } _: { engine in
            let run = try await engine.start(workflow, 1, id: "r")
            try await eventually("released") { engine.activeRunCount == 0 }
            #expect(try await engine.cancel("r"))
            #expect(try await run.status() == .cancelled)
            #expect(try await engine.signal("r", "go", 1) == .ended(.cancelled))
        }
    }

    @Test("signals: before the wait and after, each once, in the order of their coming") func signals() async throws {
        let memory = InMemoryRunStore()
        let workflow = Workflow("signals") {
            WaitForSignal("one", String.self, signal: "go") { (text: String, signal: String) in text + signal }
            WaitForSignal("two", String.self, signal: "go") { (text: String, signal: String) in text + signal }
            WaitForSignal("three", String.self, signal: "never", timeout: .milliseconds(5)) {
                (text: String, signal: String?) in text + (signal ?? "-")
            }
        }
        let client = try Self.client(TestStore(memory)) { [RegisteredWorkflow(graph: workflow.graph)] }
        try await withEngine(TestStore(memory)) {
            workflow
        } _: { engine in
            let early = try await client.start(workflow, ">", id: "early")
            #expect(try await client.signal("early", "go", "a", id: "1") == .delivered)
            #expect(try await client.signal("early", "go", "a", id: "1") == .duplicate)
            #expect(try await client.signal("early", "go", "b", id: "2") == .delivered)
            #expect(try await early.value == ">ab-")
            let late = try await engine.start(workflow, ">", id: "late")
            try await eventually("released") { engine.activeRunCount == 0 }
            try await late.signal("go", "x")
            try await late.signal("go", "y")
            #expect(try await late.value == ">xy-")
            let messages = try #require(try await engine.describe("late")).messages
            #expect(messages.map(\.consumedBy) == ["one", "two"])
            await #expect(throws: WorkflowError.self) { try await client.signal("nobody", "go", 1) }
        }
    }

    @Test("a required signal that does not come in time fails the step") func lateSignal() async throws {
        let workflow = Workflow("late", configuration: .init(retry: .none)) {
            WaitForSignal("go", Int.self, timeout: .milliseconds(5)) { (number: Int, signal: Int) in number + signal }
        }
        try await withEngine(TestStore(InMemoryRunStore())) {
            workflow
        } _: { engine in
            do {
                _ = try await engine.execute(workflow, 1)
                Issue.record("it did not fail")
            } catch let error as WorkflowError {
                #expect(error.code == .timeout && error.step == "go")
            }
        }
    }

    @Test("paused runs hold still, whatever they were doing") func pausing() async throws {
        let memory = InMemoryRunStore()
        let door = Door()
        let tally = Tally()
        let workflow = Workflow("pauses") {
            Step("first") { (number: Int) in
                await door.pass()
                return number
            }
            Step("second") { (number: Int) in
                tally.add("second")
                return number
            }
        }
        try await withEngine(TestStore(memory)) {
            workflow
        } _: { engine in
            let run = try await engine.start(workflow, 1, id: "r")
            try await eventually("first") { door.arrivals == 1 }
            #expect(try await engine.pause("r"))
            try await eventually("noticed") {
                guard let driver = engine.core.driver(of: "r") else { return false }
                return driver.state.withLock { if case .pause = $0.machine.intent { true } else { false } }
            }
            door.open()
            try await eventually("paused") { try await run.status() == .paused }
            #expect(tally["second"] == 0)
            #expect(try await !engine.pause("r"))
            #expect(try await engine.resume("r"))
            #expect(try await run.value == 1)
            #expect(try await !engine.resume("r"))
            let pending = try await engine.start(
                workflow, 2, id: "p", options: StartOptions(begin: .after(.seconds(1_000))))
            #expect(try await engine.pause("p"))
            #expect(try await pending.status() == .paused)
            #expect(try await engine.resume("p"))
            #expect(try await pending.status() == .pending)
            #expect(try await engine.cancel("p"))
            #expect(try await pending.status() == .cancelled)
        }
    }

    @Test("a failed run is tried again from the step that failed") func retrying() async throws {
        let tally = Tally()
        let workflow = Workflow("flaky", configuration: .init(retry: .none)) {
            Step("first") { (number: Int) in
                tally.add("first")
                return number
            }
            Step("second") { (number: Int, context: StepContext) in
                tally.add("second")
                if context.attempt < 3 { throw Trouble() }
                return number
            }
        }
        try await withEngine(TestStore(InMemoryRunStore())) {
            workflow
        } _: { engine in
            let run = try await engine.start(workflow, 1, id: "r")
            for _ in 0..<2 {
                await #expect(throws: WorkflowError.self) { try await run.value }
                #expect(try await engine.retry("r"))
            }
            let output2 = try await value(of: "r", workflow, engine)
            #expect(output2 == 1)
            #expect(tally["first"] == 1 && tally["second"] == 3)
            #expect(try await !engine.retry("r"))
        }
    }

    @Test("a fork takes over what came before, with an edited input or output") func forking() async throws {
        let tally = Tally()
        let workflow = Workflow("forks") {
            Step("first") { (number: Int) in
                tally.add("first")
                return number + 1
            }
            Step("second") { (number: Int) in number * 10 }
            Step("third") { (number: Int) in "\(number)" }
        }
        try await withEngine(TestStore(InMemoryRunStore())) {
            workflow
        } _: { engine in
            #expect(try await engine.execute(workflow, 1, id: "r") == "20")
            let same = try await engine.fork("r", from: "second")
            let output3 = try await value(of: same, workflow, engine)
            #expect(output3 == "20")
            try await engine.fork("r", from: "second", edit: .input(7), id: "input")
            let output4 = try await value(of: "input", workflow, engine)
            #expect(output4 == "70")
            try await engine.fork("r", from: "second", edit: .output(5), id: "output")
            let output5 = try await value(of: "output", workflow, engine)
            #expect(output5 == "5")
            #expect(tally["first"] == 1)
            #expect(try await engine.describe("input")?.run.request.forkedFrom == "r")
            await #expect(throws: WorkflowError.self) { try await engine.fork("r", from: "fourth") }
            await #expect(throws: WorkflowError.self) { try await engine.fork("nobody", from: "first") }
            await #expect(throws: WorkflowError.self) { try await engine.fork("r", from: "first", id: "input") }
        }
    }

    @Test("a client without definitions forks by what is recorded, and signals values of any type")
    func forkingByRecords() async throws {
        let tally = Tally()
        let workflow = Workflow("forks") {
            Step("first") { (number: Int) in
                tally.add("first")
                return number + 1
            }
            Step("second") { (number: Int) in number * 10 }
            WaitForSignal("go", Int.self) { (number: Int, signal: Int) in number + signal }
        }
        let store = TestStore(InMemoryRunStore())
        let client = WorkflowEngine(operatingOn: store)
        try await withEngine(store) {
            workflow
        } _: { engine in
            let run = try await engine.start(workflow, 1, id: "r")
            #expect(try await client.signal("r", "go", value: RunValue(bytes: Array("5".utf8)), id: "s") == .delivered)
            #expect(try await client.signal("r", "go", value: RunValue(bytes: Array("6".utf8)), id: "s") == .duplicate)
            let output = try await run.value
            #expect(output == 25)
            let input = WorkflowEngine.ForkEdit.input(value: RunValue(bytes: Array("7".utf8)))
            try await client.fork("r", fromRecorded: "second", edit: input, id: "input")
            try await client.signal("input", "go", value: RunValue(bytes: Array("1".utf8)))
            let edited = try await engine.run(workflow, "input").value
            #expect(edited == 71)
            let given = WorkflowEngine.ForkEdit.output(value: RunValue(bytes: Array("3".utf8)))
            try await client.fork("r", fromRecorded: "go", edit: given, id: "output")
            let replaced = try await engine.run(workflow, "output").value
            #expect(replaced == 3)
            #expect(tally["first"] == 1)
            #expect(try await client.describe("output")?.run.request.forkedFrom == "r")
            await #expect(throws: WorkflowError.self) { try await client.fork("r", fromRecorded: "third") }
            await #expect(throws: WorkflowError.self) { try await client.fork("nobody", fromRecorded: "first") }
            await #expect(throws: WorkflowError.self) {
                try await client.fork("r", fromRecorded: "first", id: "input")
            }
        }
    }

    @Test("children: their output, their failure, their cancellation") func children() async throws {
        let door = Door()
        let child = Workflow("child", configuration: .init(retry: .none)) {
            Step("work") { (number: Int) -> Int in
                if number < 0 { throw Trouble(number: number) }
                if number == 0 {
                    await withTaskCancellationHandler {
                        await door.pass()
                    } onCancel: {
                        door.open()
                    }
                }
                return number * 2
            }
        }
        let parent = Workflow("parent", configuration: .init(retry: .none)) {
            Step("before") { (number: Int) in number }
            Child("child", child)
            Step("after") { (number: Int) in number + 1 }
        }
        let store = TestStore(InMemoryRunStore())
        try await withEngine(store) {
            parent
        } _: { engine in
            #expect(try await engine.execute(parent, 4, id: "good") == 9)
            #expect(
                try await engine.describe("good/child")?.run.request.parent == RunParent(runID: "good", step: "child"))
            do {
                _ = try await engine.execute(parent, -4, id: "bad")
                Issue.record("it did not fail")
            } catch let error as WorkflowError {
                #expect(error.step == "child" && error.message.contains("trouble -4") && error.type == "Trouble")
            }
            let waiting = try await engine.start(parent, 0, id: "waits")
            try await eventually("child") { door.arrivals == 1 }
            try await waiting.cancel()
            try await eventually("child cancelled") {
                try await engine.describe("waits/child")?.run.status == .cancelled
            }
            #expect(try await waiting.status() == .cancelled)
            try await engine.delete("good")
            #expect(try await engine.describe("good/child") == nil)
            #expect(try await engine.countRuns() == 4)
        }
    }

    @Test("listing, counting, deleting") func listing() async throws {
        try await withEngine(TestStore(InMemoryRunStore())) {
            RunningTests.double
        } _: { engine in
            for number in 0..<5 {
                let options = StartOptions(resourceID: number % 2 == 0 ? "even" : "odd", tags: ["n": "\(number)"])
                _ = try await engine.execute(RunningTests.double, number, id: "r\(number)", options: options)
            }
            var filter = RunFilter()
            filter.resourceID = "even"
            #expect(try await engine.countRuns(where: filter) == 3)
            filter.tag = .init("n", "2")
            #expect(try await engine.runs(where: filter).runs.map(\.id) == ["r2"])
            try await engine.delete("r2")
            #expect(try await engine.describe("r2") == nil)
            await #expect(throws: WorkflowError.self) { try await engine.delete("r2") }
        }
    }
}
