import EngineCases
import Glibc
import PerdureConcurrency
import PerdureModel
import PerdureTestKit
import Testing
import WorkflowZoo

@testable import PerdureWorkflow

/// Ways in which a store can fail an engine, each with a run of the zoo that must end as its model says: hundreds, or as many thousands
/// as `PERDURE_SCHEDULES` says.
///
/// In real time: what is late is late by some milliseconds, and engines wait between attempts.
@Suite(.timeLimit(.minutes(10))) struct ScheduleTests {
    private static let scheduleCount = getenv("PERDURE_SCHEDULES").flatMap { Int(String(cString: $0)) } ?? 200

    @Test("refused, lost, late and cut off, with and without a crash") func schedules() async throws {
        let seed = SeededGenerator.printedSeed("fault schedules")
        let (faults, crashes, violations) = try await withThrowingTaskGroup(of: Schedule.Findings.self) { group in
            var (faults, crashes, violations) = (0, 0, [String]())
            func note(_ found: Schedule.Findings) {
                faults += found.faults
                crashes += found.hasCrashed ? 1 : 0
                violations += found.violations
            }
            for number in 0..<Self.scheduleCount {
                if number >= 48, let found = try await group.next() { note(found) }
                group.addTask { try await Schedule(seed: seed, number: number).findings() }
            }
            for try await found in group { note(found) }
            return (faults, crashes, violations)
        }
        print(
            "fault schedules: \(Self.scheduleCount) schedules, \(faults) faults, \(crashes) crashes, \(violations.count) violations, seed \(seed)"
        )
        #expect(violations.isEmpty, "\(violations.prefix(10))")
        #expect(faults > Self.scheduleCount && crashes > Self.scheduleCount / 10)
    }

    @Test("the judge sees what is wrong") func judge() async throws {
        let zoo = Zoo(Witness(name: "w") { _ in })
        let animal = try #require(zoo.animal("sequence"))
        let memory = InMemoryRunStore()
        try await withEngine(TestStore(memory)) {
            zoo.workflows
        } _: { engine in
            try await Keeper(engine, Witness(name: "k") { _ in }).start(animal, 5)
            _ = try? await engine.run(animal.workflow, "sequence-5").value
        }
        let good = try #require(try await memory.snapshot(of: "sequence-5"))
        #expect(Judge.violations(of: good, animal, 5) == [])
        #expect(Judge.violations(of: good, animal, 6).count == 1)
        #expect(Judge.violations(of: nil, animal, 5).count == 1)
        // A result that is not made of what is recorded.
        var swapped = good
        swapped.steps[0].output = RunValue(Parcel(6, trail: ["first@another"]))
        #expect(!Judge.violations(of: swapped, animal, 5).isEmpty)
        #expect(Judge.changes(of: good, to: swapped).count == 1)
        #expect(Judge.changes(of: good, to: good).isEmpty)
        #expect(Judge.reruns(after: [good], in: ["ran sequence-5/second w.9", "ran other/second w.8"]).count == 1)
        let lines = ["took r 1 1", "stored r 2 1", "took r 3 2"]
        #expect(Judge.violations(in: lines) == [])
        #expect(Judge.violations(in: lines + ["stored r 4 1"]).count == 1)
        #expect(Judge.violations(in: lines + ["stored r 3 2"]).count == 1)
        #expect(Judge.violations(in: ["seen r 5 3", "stored r 6 2"]).count == 1)
        #expect(Judge.violations(in: ["ran once-1/pay a", "ran once-1/pay b"]).count == 1)
        #expect(Judge.violations(in: ["ran once-1/pay a", "decided once-1", "ran once-1/pay b"]) == [])
    }
}

/// One way of failing, by its number.
private struct Schedule {
    struct Findings {
        var faults = 0
        var hasCrashed = false
        var violations: [String] = []
    }

    private let seed: UInt64
    private let number: Int

    init(seed: UInt64, number: Int) {
        self.seed = seed
        self.number = number
    }

    /// How often calls go wrong, and at which write the process dies, if it does.
    private var plan: FaultyRunStore.Plan {
        var generator = PerdureTestKit.SeededGenerator(seed: self.seed, stream: UInt64(self.number))
        let rates: [Double] = [0.02, 0.1, 0.25]
        let rate: Double = rates[Int.random(in: 0..<rates.count, using: &generator)]
        let crash = generator.chance(0.4) ? Int.random(in: 1...16, using: &generator) : 0
        let isAfter = generator.chance(0.5)
        let rolls = LockedState(generator)
        return { call, number in
            if call.isWrite, number == crash { return isAfter ? .crashAfter : .crashBefore }
            return rolls.withLock { generator -> FaultyRunStore.Fault? in
                guard generator.chance(rate) else { return nil }
                switch Int.random(in: 0..<6, using: &generator) {
                case 0: return .refuse(.unavailable)
                case 1: return .loseRequest
                case 2: return .delay(.milliseconds(Int.random(in: 1...5, using: &generator)))
                case 3: return .disconnect(calls: Int.random(in: 2...5, using: &generator))
                default: return .loseAnswer
                }
            }
        }
    }

    func findings() async throws -> Findings {
        let lines = LockedState<[String]>([])
        let witness = Witness(name: "\(self.number)") { line in lines.withLock { $0.append(line) } }
        let zoo = Zoo(witness)
        let animal = zoo.animals[self.number % zoo.animals.count]
        // Below the faults: what is there in truth.
        let truth = WitnessedRunStore(EncodingRunStore(InMemoryRunStore()), witness)
        let faulty = FaultyRunStore(truth, plan: self.plan)
        var configuration = WorkflowEngine.Configuration.quick
        configuration.name = "pod"
        configuration.releaseAfter = .milliseconds(1)
        // What a process had under way when it died is lost.
        configuration.drainTimeout = .zero
        // None of the runs is to blame for what happens here.
        configuration.maximumAdoptions = 1_000
        let client = try WorkflowEngine(store: truth, configuration: configuration) { zoo.workflows }
        let keeper = Keeper(client, witness)
        let id = Keeper.id(of: animal, self.number)
        var findings = Findings()

        let first = try WorkflowEngine(store: faulty, configuration: configuration) { zoo.workflows }
        var running = Self.run(first)
        defer { running.cancel() }
        try await self.begin(animal, first, faulty, keeper)
        let look = { try await truth.run(id)?.status.isEnded ?? false }
        try await eventually("the end of \(id), or of its process, seed \(self.seed)") {
            if faulty.isCrashed { return true }
            if try await truth.run(id)?.status == .parked { try await keeper.answer(id) }
            return try await look()
        }
        findings.faults = faulty.faultCount
        if faulty.isCrashed {
            findings.hasCrashed = true
            running.cancel()
            let next = try WorkflowEngine(store: truth, configuration: configuration) { zoo.workflows }
            running = Self.run(next)
            try await keeper.start(animal, self.number)
            try await keeper.visit(animal, self.number)
            try await eventually("the end of \(id) after a crash, seed \(self.seed)") {
                if try await truth.run(id)?.status == .parked { try await keeper.answer(id) }
                return try await look()
            }
        }
        var children: [String: RunSnapshot] = [:]
        if let child = try await truth.snapshot(of: "\(id)/child") { children["child"] = child }
        let run = try await truth.snapshot(of: id)
        findings.violations = Judge.violations(of: run, animal, self.number, children: children)
        findings.violations += Judge.violations(in: lines.withLock { $0 })
        findings.violations = findings.violations.map { "schedule \(self.number): \($0)" }
        return findings
    }

    /// Whatever becomes of the start: the same again, until it is known to be there, or its process has died.
    private func begin(
        _ animal: Animal, _ engine: WorkflowEngine, _ faulty: FaultyRunStore, _ keeper: Keeper
    ) async throws {
        let id = Keeper.id(of: animal, self.number)
        for _ in 0..<1_000 where !faulty.isCrashed {
            // Who starts a run waits for the store as long as the worker lives. In a process that has died it waits for ever.
            let answer = LockedState<Bool?>(nil)
            Task {
                let isThere = (try? await engine.start(animal.workflow, Parcel(self.number), id: id)) != nil
                answer.withLock { $0 = isThere }
            }
            try await eventually("an answer to starting \(id), or a crash, seed \(self.seed)") {
                faulty.isCrashed || answer.withLock { $0 } != nil
            }
            if answer.withLock({ $0 }) == true { return try await keeper.visit(animal, self.number) }
        }
    }

    /// Registering fails now and then: again, until it works.
    private static func run(_ engine: WorkflowEngine) -> Task<Void, Never> {
        Task {
            while !Task.isCancelled {
                if (try? await engine.run()) != nil { return }
                await Task.yield()
            }
        }
    }
}
