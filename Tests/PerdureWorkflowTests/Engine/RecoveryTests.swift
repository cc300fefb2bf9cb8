import PerdureModel
import PerdureTestKit
import Testing
import Waiting

@testable import PerdureWorkflow

/// Processes that die, are slow, restart, or come back with another definition.
@Suite(.timeLimit(.minutes(5))) struct RecoveryTests {
    /// An engine that can be abandoned like a process that was killed.
    private static func abandon(_ engine: WorkflowEngine, _ store: TestStore, _ running: Task<Void, any Error>) {
        store.set(.cut)
        running.cancel()
    }

    @Test("a worker that dies: another adopts its runs, and no step runs again that is recorded") func dying()
        async throws
    {
        let memory = InMemoryRunStore()
        let clock = ManualClock()
        let door = Door()
        let tally = Tally()
        let workflow = Workflow("dies") {
            Step("first") { (number: Int) in
                tally.add("first")
                return number + 1
            }
            Step("second") { (number: Int, context: StepContext) in
                tally.add(context.idempotencyKey)
                if tally[context.idempotencyKey] == 1 { await door.pass() }
                return number * 2
            }.timeout(.seconds(100_000))
            Step("third") { (number: Int) in
                tally.add("third")
                return number
            }
        }
        let lost = TestStore(memory)
        var configuration = WorkflowEngine.Configuration.quick
        configuration.clock = clock
        configuration.lease = .seconds(15)
        configuration.name = "slow"
        let slow = try WorkflowEngine(store: lost, configuration: configuration) { workflow }
        let running = Task { try await slow.run() }
        try await eventually("registered") { slow.core.state.withLock { $0.worker } != nil }
        _ = try await slow.start(workflow, 1, id: "r")
        try await eventually("second") { door.arrivals == 1 }
        // Stopped, as by SIGSTOP: it neither renews nor hears anything.
        lost.set(.stopped)

        try await withEngine(
            TestStore(memory), name: "heir",
            {
                $0.clock = clock
                $0.lease = .seconds(15)
            },
            workflows: { workflow }
        ) { heir in
            let start = clock.now
            try await eventually("adopted and completed") {
                if try await heir.describe("r")?.run.status == .completed { return true }
                clock.advance(by: .milliseconds(250))
                return false
            }
            // Lease + 5 s, and what the test's own steps of the clock add.
            #expect(clock.now - start <= .seconds(20))
            let output6 = try await value(of: "r", workflow, heir)
            #expect(output6 == 4)
            #expect(tally["first"] == 1 && tally["r/second"] == 2 && tally["third"] == 1)
            let before = try #require(try await heir.describe("r"))

            // The slow one goes on where it was: it can record nothing.
            lost.set(.open)
            door.open()
            try await eventually("given up") { slow.activeRunCount == 0 }
            try await eventually("registered anew") {
                clock.advance(by: .milliseconds(250))
                return slow.core.state.withLock { $0.worker } != nil
            }
            let after = try #require(try await heir.describe("r"))
            #expect(after.run.progress.revision == before.run.progress.revision && tally["third"] == 1)
        }
        running.cancel()
        try? await running.value
    }

    @Test("a restarted process of the same name has its runs back at once") func restarting() async throws {
        let memory = InMemoryRunStore()
        let tally = Tally()
        let door = Door()
        let workflow = Workflow("restarts") {
            Step("first") { (number: Int) in
                tally.add("first")
                return number
            }
            Step("second") { (number: Int) in
                tally.add("second")
                if tally["second"] == 1 { await door.pass() }
                return number
            }
        }
        let lost = TestStore(memory)
        var configuration = WorkflowEngine.Configuration.quick
        configuration.name = "pod-1"
        let first = try WorkflowEngine(store: lost, configuration: configuration) { workflow }
        let running = Task { try await first.run() }
        try await eventually("registered") { first.core.state.withLock { $0.worker } != nil }
        _ = try await first.start(workflow, 1, id: "r")
        try await eventually("second") { door.arrivals == 1 }
        lost.set(.cut)
        try await withEngine(TestStore(memory), name: "pod-1") {
            workflow
        } _: { second in
            let output7 = try await value(of: "r", workflow, second)
            #expect(output7 == 1)
            #expect(tally["first"] == 1 && tally["second"] == 2)
        }
        door.open()
        running.cancel()
        try? await running.value
    }

    @Test("stopping lets handlers end and gives the runs to others at once") func stopping() async throws {
        let memory = InMemoryRunStore()
        let door = Door()
        let tally = Tally()
        let workflow = Workflow("stops") {
            Step("first") { (number: Int) in
                tally.add("first")
                await door.pass()
                return number
            }
            Step("second") { (number: Int) in number }
        }
        let configuration = WorkflowEngine.Configuration.quick
        let first = try WorkflowEngine(store: TestStore(memory), configuration: configuration) { workflow }
        let running = Task { try await first.run() }
        try await eventually("registered") { first.core.state.withLock { $0.worker } != nil }
        _ = try await first.start(workflow, 1, id: "r")
        try await eventually("first") { door.arrivals == 1 }
        running.cancel()
        try await eventually("draining") { first.core.state.withLock { $0.isDraining } }
        door.open()
        try await running.value
        #expect(first.activeRunCount == 0)
        let left = try #require(try await first.describe("r"))
        #expect(left.run.progress.owner == nil && left.run.status == .running)
        #expect(left.steps.map(\.status) == [.completed])
        #expect(try await memory.workers().isEmpty)
        try await withEngine(TestStore(memory), name: "b") {
            workflow
        } _: { second in
            let output8 = try await value(of: "r", workflow, second)
            #expect(output8 == 1)
        }
        #expect(tally["first"] == 1)
    }

    @Test("a definition that has changed where something is recorded parks the run, with the reason") func changed()
        async throws
    {
        let memory = InMemoryRunStore()
        let before = Workflow("changes") {
            Step("first") { (number: Int) in number }
            WaitForSignal("go", Int.self) { (number: Int, signal: Int) in number + signal }
        }
        let after = Workflow("changes") {
            Step("other") { (number: Int) in number }
            WaitForSignal("go", Int.self) { (number: Int, signal: Int) in number + signal }
        }
        let longer = Workflow("changes") {
            Step("first") { (number: Int) in number }
            WaitForSignal("go", Int.self) { (number: Int, signal: Int) in number + signal }
            Step("more") { (number: Int) in number * 100 }
        }
        try await withEngine(TestStore(memory)) {
            before
        } _: { engine in
            _ = try await engine.start(before, 1, id: "r")
            try await eventually("released") { engine.activeRunCount == 0 }
        }
        try await withEngine(TestStore(memory)) {
            after
        } _: { engine in
            try await engine.signal("r", "go", 2)
            try await eventually("parked") { try await engine.describe("r")?.run.status == .parked }
            let reason = try #require(try await engine.describe("r")?.run.progress.parkedReason)
            #expect(reason.contains("\"first\""))
        }
        try await withEngine(TestStore(memory)) {
            longer
        } _: { engine in
            #expect(try await engine.resume("r"))
            let output9 = try await value(of: "r", longer, engine)
            #expect(output9 == 300)
        }
    }

    @Test("a step that must run at most once is a question after a crash", arguments: 0..<3)
    func atMostOnce(_ answer: Int) async throws {
        let memory = InMemoryRunStore()
        let door = Door()
        let tally = Tally()
        let workflow = Workflow("once", configuration: .init(retry: .none)) {
            Step("first") { (number: Int) in number }
            Step("pay") { (number: Int) in
                tally.add("pay")
                if tally["pay"] == 1 { await door.pass() }
                return number
            }.atMostOnce()
        }
        let lost = TestStore(memory)
        var configuration = WorkflowEngine.Configuration.quick
        configuration.name = "pod-1"
        let first = try WorkflowEngine(store: lost, configuration: configuration) { workflow }
        let running = Task { try await first.run() }
        try await eventually("registered") { first.core.state.withLock { $0.worker } != nil }
        _ = try await first.start(workflow, 1, id: "r")
        try await eventually("pay") { door.arrivals == 1 }
        // The announcement rides on the commit before.
        #expect(lost.writes == 2)
        lost.set(.cut)
        try await withEngine(TestStore(memory), name: "pod-1") {
            workflow
        } _: { engine in
            try await eventually("parked") { try await engine.describe("r")?.run.status == .parked }
            #expect(try await engine.describe("r")?.run.progress.parkedReason?.contains("\"pay\"") == true)
            await #expect(throws: WorkflowError.self) { try await engine.resume("r") }
            await #expect(throws: WorkflowError.self) {
                try await engine.resume("r", step: "first", deciding: .runAgain)
            }
            let run: RunHandle<Int> = engine.run(workflow, "r")
            switch answer {
            case 0:
                try await engine.resume("r", step: "pay", deciding: .runAgain)
                #expect(try await run.value == 1)
                #expect(tally["pay"] == 2)
            case 1:
                try await engine.resume("r", step: "pay", deciding: .completed(9))
                #expect(try await run.value == 9)
                #expect(tally["pay"] == 1)
            default:
                try await engine.resume("r", step: "pay", deciding: .failed("the bank says no"))
                await #expect(throws: WorkflowError.self) { try await run.value }
                #expect(tally["pay"] == 1)
            }
        }
        door.open()
        running.cancel()
        try? await running.value
    }

    @Test("a run that ends its workers again and again is parked") func poison() async throws {
        let memory = InMemoryRunStore()
        let workflow = Workflow("poison") { Step("bad") { (number: Int) in number } }
        let plan = RunPlan(workflow.graph)
        let request = RunRequest(id: "r", workflow: "poison", version: "1", input: RunValue(1), createdAt: 0)
        var machine = RunMachine(
            creating: request, by: "dead", plan, .init(), Moment(wall: 0, steady: .zero))
        _ = try await memory.create(machine.creation(Moment(wall: 0, steady: .zero)))
        for number in 1...5 {
            let worker = "dead \(number)"
            try await memory.register(
                WorkerRecord(id: worker, name: "x", leaseMilliseconds: 1, registeredAt: 0, renewedAt: 0))
            #expect(
                try await memory.adopt(RunClaim(worker: worker, workflows: ["poison"], limit: 9, now: 0)).count == 1)
        }
        try await withEngine(TestStore(memory), name: "x") {
            workflow
        } _: { engine in
            try await eventually("parked") { try await engine.describe("r")?.run.status == .parked }
            #expect(try await engine.describe("r")?.run.progress.failure?.code == .panic)
            #expect(try await engine.resume("r"))
            let output10 = try await value(of: "r", workflow, engine)
            #expect(output10 == 1)
        }
    }

    @Test("a sleep of a month leaves memory, and survives a restart") func sleeping() async throws {
        let memory = InMemoryRunStore()
        let clock = ManualClock()
        let workflow = Workflow("sleeps") {
            Step("first") { (number: Int) in number }
            Sleep("a month", for: .seconds(30 * 86_400))
            Step("second") { (number: Int) in number + 1 }
        }
        func configure(_ configuration: inout WorkflowEngine.Configuration) { configuration.clock = clock }
        let store = TestStore(memory)
        try await withEngine(store, { configure(&$0) }, workflows: { workflow }) { engine in
            _ = try await engine.start(workflow, 1, id: "r")
            try await eventually("released") { engine.activeRunCount == 0 }
            #expect(store.writes == 2)
        }
        clock.advance(by: .seconds(30 * 86_400))
        try await withEngine(store, { configure(&$0) }, workflows: { workflow }) { engine in
            try await eventually("completed") {
                clock.advance(by: .milliseconds(1))
                return try await engine.describe("r")?.run.status == .completed
            }
        }
    }
}
