import PerdureModel
import PerdureTestKit
import Testing
import Waiting

@testable import PerdureWorkflow

/// What Gorkflow does and what was mended of it, a test a row: each has the row's name.
///
/// What must not compile, such as a condition without a default where the types differ, is in `TypingTests`.
@Suite(.timeLimit(.minutes(5))) struct BehaviourTableTests {
    private struct Order: Codable, Sendable, Validatable {
        var card: String
        var lines: Int

        func validate() throws {
            if self.lines == 0 { throw ValidationError("an order has at least one line") }
        }
    }

    @Test("defaults of a step: three retries, one second, linear, 30 seconds an attempt") func defaults() {
        let configuration = WorkflowConfiguration()
        #expect(configuration.retry.maximumAttempts == 4 && configuration.retry.backoff == .linear)
        #expect(configuration.retry.delay == .seconds(1) && configuration.stepTimeout == .seconds(30))
    }

    @Test("back-off: the same formulas, capped, jittered, never negative") func backoff() {
        var policy = RetryPolicy(
            maximumAttempts: 100, backoff: .linear, delay: .seconds(2), maximumDelay: .seconds(3_600), jitter: 0)
        #expect((1...4).map { policy.pause(afterAttempt: $0, random: 0.5) } == [2, 4, 6, 8].map { .seconds($0) })
        policy.backoff = .exponential
        #expect((1...4).map { policy.pause(afterAttempt: $0, random: 0.5) } == [2, 4, 8, 16].map { .seconds($0) })
        for attempt in [12, 34, 35, 36, 63, 64, 65, 1_000, Int.max] {
            #expect(policy.pause(afterAttempt: attempt, random: 0.5) == .seconds(3_600), "after attempt \(attempt)")
        }
        policy.jitter = 0.5
        for random in [0, 0.25, 0.5, 0.999] {
            let pause = policy.pause(afterAttempt: 3, random: random)
            #expect(pause > .zero && pause <= .seconds(12), "\(pause)")
        }
        policy.backoff = .none
        #expect(policy.pause(afterAttempt: 3, random: 0.5) == .zero)
    }

    @Test("time-outs: half a second is half a second, and who overruns has failed") func timeouts() async throws {
        let clock = ManualClock()
        let door = Door()
        let workflow = Workflow("slow", configuration: .init(retry: .none)) {
            Step("slow") { (number: Int) in
                await door.pass()
                return number
            }.timeout(.milliseconds(500))
        }
        try await withEngine(InMemoryRunStore(), { $0.clock = clock }, workflows: { workflow }) { engine in
            let early = try await engine.start(workflow, 1, id: "early")
            try await eventually("in it") { door.arrivals == 1 }
            clock.advance(by: .milliseconds(499))
            door.open()
            #expect(try await early.value == 1)
        }
        let shut = Door()
        let overrun = Workflow("overrun", configuration: .init(retry: .none)) {
            Step("slow") { (number: Int) in
                await shut.pass()
                return number
            }.timeout(.milliseconds(500))
        }
        try await withEngine(InMemoryRunStore(), { $0.clock = clock }, workflows: { overrun }) { engine in
            let late = try await engine.start(overrun, 1, id: "late")
            try await eventually("in it") { shut.arrivals == 1 }
            try await eventually("timed out") {
                clock.advance(by: .milliseconds(100))
                return try await late.status() == .failed
            }
            shut.open()
            #expect(try await engine.describe("late")?.run.progress.failure?.code == .timeout)
        }
    }

    @Test("validation: of types and closures, never retried, the value never told") func validation() async throws {
        let tally = Tally()
        let workflow = Workflow("validated", configuration: .init(retry: .immediate(attempts: 5))) {
            Step("order") { (order: Order) in
                tally.add("order")
                return order.lines
            }
            Step("few") { (lines: Int) in lines }.validate { lines in
                if lines > 3 { throw ValidationError("at most three lines") }
            }
        }
        try await withEngine(InMemoryRunStore()) {
            workflow
        } _: { engine in
            for (id, order, words) in [
                ("none", Order(card: "4111-1111", lines: 0), "at least one line"),
                ("many", Order(card: "4111-1111", lines: 7_654_321), "at most three lines"),
            ] {
                do {
                    _ = try await engine.execute(workflow, order, id: id)
                    Issue.record("it was not refused")
                } catch let error as WorkflowError {
                    #expect(error.code == .validation && error.message.contains(words))
                    #expect(!"\(error)".contains("4111") && !"\(error)".contains("7654321"))
                }
                #expect(try await engine.describe(id)?.steps.last?.attempt == 1)
            }
            #expect(tally["order"] == 1)
        }
    }

    @Test("conditional step, condition false: the default, completed; without one the input, skipped")
    func conditions() async throws {
        let workflow = Workflow("conditional") {
            Step("default") { (number: Int) in "\(number)" }.when({ _ in false }, otherwise: "none")
            Step("passed") { (text: String) in text + "!" }.when { _ in false }
        }
        try await withEngine(InMemoryRunStore()) {
            workflow
        } _: { engine in
            let output = try await engine.execute(workflow, 1, id: "r")
            #expect(output == "none")
            #expect(try await engine.describe("r")?.steps.map(\.status) == [.completed, .skipped])
        }
    }

    @Test("join after parallel, and a workflow that ends in parallel: every branch, in the order of declaration")
    func branches() async throws {
        let door = Door()
        let fork = Workflow("fork") {
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
        let joined = Workflow("joined") {
            Parallel {
                Step("one") { (number: Int) in "\(number)" }
                Step("two") { (number: Int) in number * 2 }
            }
            Join("join") { (one: String, two: Int) in "\(one) \(two)" }
        }
        try await withEngine(InMemoryRunStore()) {
            fork
            joined
        } _: { engine in
            let outputs = try await engine.execute(fork, 7, id: "fork")
            #expect(outputs.first == "slow 7" && outputs.second == 7)
            #expect(try await engine.execute(joined, 4) == "4 8")
        }
    }

    @Test("step order in listings: total, however equal their times are") func order() async throws {
        let clock = ManualClock()
        let workflow = Workflow("order") {
            Parallel {
                Step("z") { (number: Int) in [number] }
                Step("a") { (number: Int) in [number, number] }
            }
            Join("list") { (z: [Int], a: [Int]) in z + a }
            ForEach("each", limit: 3) { (number: Int) in number }
        }
        try await withEngine(InMemoryRunStore(), { $0.clock = clock }, workflows: { workflow }) { engine in
            for id in ["1", "2", "3"] {
                _ = try await engine.execute(workflow, 1, id: id)
                let steps = try #require(try await engine.describe(id)).steps.map(\.id)
                #expect(steps == ["z", "a", "list", "each", "each[0]", "each[1]", "each[2]"])
            }
            #expect(try await engine.runs().runs.map(\.id) == ["1", "2", "3"])
        }
    }

    @Test("continue on error: the next step gets an optional; a failure of the store is none") func continuing()
        async throws
    {
        let workflow = Workflow("continues", configuration: .init(retry: .none)) {
            Step("may fail") { (number: Int) -> Int in
                if number < 0 { throw Trouble() }
                return number
            }.continueOnError()
            Step("end") { (number: Int?) in number.map { "\($0)" } ?? "nothing" }
        }
        let store = FaultyRunStore(InMemoryRunStore()) { call, number in
            call.kind == .commit && number < 12 ? .refuse(.unavailable) : nil
        }
        try await withEngine(store) {
            workflow
        } _: { engine in
            let output = try await engine.execute(workflow, 5, id: "store fails")
            #expect(output == "5")
            #expect(store.faultCount > 0)
            #expect(try await engine.execute(workflow, -5, id: "step fails") == "nothing")
            #expect(try await engine.describe("step fails")?.steps.map(\.status) == [.failed, .completed])
        }
    }

    @Test("cancel: stored, from any process") func cancel() async throws {
        let memory = InMemoryRunStore()
        let workflow = Workflow("waits") {
            WaitForSignal("go", Int.self) { (number: Int, signal: Int) in number + signal }
        }
        let stranger = try WorkflowEngine(store: memory) { Workflow("other") { Step("one") { (it: Int) in it } } }
        let client = try WorkflowEngine(store: memory) { workflow }
        _ = try await client.start(workflow, 1, id: "r")
        #expect(try await stranger.cancel("r", reason: "no more"))
        #expect(try await memory.run("r")?.status == .cancelled)
        try await withEngine(memory) {
            workflow
        } _: { engine in
            await #expect(throws: WorkflowError.self) { try await engine.run(workflow, "r").value }
            let failure = try await memory.run("r")?.progress.failure
            #expect(failure?.code == .cancelled)
        }
    }

    @Test("concurrency limits: enforced") func limits() async throws {
        let tally = Tally()
        let workflow = Workflow("limited", configuration: .init(concurrencyLimit: 2)) {
            Step("work") { (number: Int) in
                tally.add("in")
                if tally["in"] - tally["out"] > 2 { tally.add("too many") }
                for _ in 0..<10 { await Task.yield() }
                tally.add("out")
            }
        }
        try await withEngine(InMemoryRunStore()) {
            workflow
        } _: { engine in
            for number in 0..<20 { _ = try await engine.start(workflow, number, id: "\(number)") }
            for number in 0..<20 { _ = try await engine.run(workflow, "\(number)").value }
        }
        #expect(tally["in"] == 20 && tally["too many"] == 0)
    }

    @Test("progress: the share of the steps that have ended") func progress() async throws {
        let workflow = Workflow("progress") {
            Step("one") { (number: Int) in number }
            Parallel {
                Step("two") { (number: Int) in number }
                Step("three") { (number: Int) in number }
            }
            Join("four") { (two: Int, three: Int) in two + three }
            WaitForSignal("five", Int.self) { (number: Int, signal: Int) in number + signal }
        }
        try await withEngine(InMemoryRunStore()) {
            workflow
        } _: { engine in
            let run = try await engine.start(workflow, 1, id: "r")
            try await eventually("waits") { engine.activeRunCount == 0 }
            #expect(try await engine.describe("r")?.run.progress.progress == 0.8)
            try await run.signal("five", 1)
            _ = try await run.value
            #expect(try await engine.describe("r")?.run.progress.progress == 1)
        }
    }

    @Test("writes per run of n steps: at most n + 2") func writes() async throws {
        let store = CountingRunStore(InMemoryRunStore())
        let workflow = Workflow("writes") {
            Step("one") { (number: Int) in number }
            Parallel {
                Step("two") { (number: Int) in number }
                Step("three") { (number: Int) in number }
            }
            Join("four") { (two: Int, three: Int) in two + three }
            Step("five") { (number: Int) in number }
        }
        try await withEngine(store) {
            workflow
        } _: { engine in
            for number in 0..<10 {
                _ = try await engine.execute(workflow, number, id: "\(number)")
                #expect(store.writes(of: "\(number)") <= 5 + 2)
            }
        }
    }

    @Test("persistence failures: tried again, or the run fails; never ignored") func failures() async throws {
        let workflow = Workflow("records", configuration: .init(retry: .none)) {
            Step("one") { (number: Int) in number + 1 }
            Step("two") { (number: Int) in number * 2 }
        }
        let memory = InMemoryRunStore()
        let unreachable = FaultyRunStore(memory) { call, number in
            call.kind == .commit && number % 3 != 0 ? .refuse(.unavailable) : nil
        }
        try await withEngine(unreachable) {
            workflow
        } _: { engine in
            let output = try await engine.execute(workflow, 1, id: "again")
            #expect(output == 4)
            #expect(unreachable.faultCount > 0)
            #expect(try await memory.snapshot(of: "again")?.steps.map(\.status) == [.completed, .completed])
        }
        // What the store will never take fails the step, in words.
        let tally = Tally()
        let narrow = FaultyRunStore(memory) { call, _ in
            guard call.kind == .commit, tally["refused"] == 0 else { return nil }
            tally.add("refused")
            return .refuse(.payloadTooLarge)
        }
        try await withEngine(narrow, name: "b") {
            workflow
        } _: { engine in
            await #expect(throws: WorkflowError.self) { try await engine.execute(workflow, 1, id: "fails") }
            #expect(narrow.faultCount == 1)
            let run = try await memory.run("fails")
            #expect(run?.status == .failed)
        }
    }

    @Test("two runs with one ID: the same run, or a conflict") func identity() async throws {
        let workflow = Workflow("same") { Step("one") { (number: Int) in number + 1 } }
        let other = Workflow("other") { Step("one") { (number: Int) in number + 1 } }
        let store = CountingRunStore(InMemoryRunStore())
        try await withEngine(store) {
            workflow
            other
        } _: { engine in
            for _ in 0..<3 {
                let value = try await engine.start(workflow, 1, id: "r").value
                #expect(value == 2)
            }
            #expect(store.count(of: .init(.commit, "r")) == 1)
            await #expect(throws: WorkflowError.self) { try await engine.start(workflow, 2, id: "r") }
            await #expect(throws: WorkflowError.self) { try await engine.start(other, 1, id: "r") }
        }
    }

    @Test("crash: recovered, from the first step without a result") func crash() async throws {
        let memory = InMemoryRunStore()
        let tally = Tally()
        let workflow = Workflow("crashes") {
            Step("one") { (number: Int) in
                tally.add("one")
                return number + 1
            }
            Step("two") { (number: Int) in
                tally.add("two")
                return number * 2
            }
        }
        let dying = FaultyRunStore(memory) { call, _ in call.kind == .commit ? .crashAfter : nil }
        var configuration = WorkflowEngine.Configuration.quick
        configuration.name = "pod"
        // What it has under way is lost.
        configuration.drainTimeout = .zero
        let first = try WorkflowEngine(store: dying, configuration: configuration) { workflow }
        let running = Task { try await first.run() }
        try await eventually("registered") { first.isWorker }
        _ = try await first.start(workflow, 1, id: "r")
        try await eventually("dead") { dying.isCrashed }
        try await withEngine(memory, name: "pod") {
            workflow
        } _: { second in
            let output = try await value(of: "r", workflow, second)
            #expect(output == 4)
        }
        #expect(tally["one"] == 1 && tally["two"] >= 1)
        running.cancel()
        try? await running.value
    }
}
