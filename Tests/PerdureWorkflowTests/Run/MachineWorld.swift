import PerdureModel
import PerdureTestKit

@testable import PerdureWorkflow

/// A world of one run: a machine, a store as a value, and chance that decides what happens next.
///
/// No task, no clock.
struct MachineWorld {
    /// What handlers of this world do, so that a naive interpreter can tell what must come out.
    struct Fates {
        let seed: UInt64
        var failureRate = 0.0

        func roll(_ text: String) -> Double {
            var generator = PerdureTestKit.SeededGenerator(
                seed: self.seed, stream: PersistenceID.shard(of: text, among: .max))
            return Double(generator.next() >> 11) * 0x1p-53
        }

        func fails(_ id: String, afterFailures failures: Int) -> Bool {
            self.roll("\(id) \(failures + 1)") < self.failureRate
        }
        func holds(_ id: String) -> Bool { self.roll("\(id) condition") < 0.7 }
        func elementCount(_ id: String) -> Int { Int(self.roll("\(id) elements") * 6) }
        func output(_ id: String, _ input: String) -> String { "\(id)(\(input))" }
    }

    var table = RunTable()
    var machine: RunMachine?
    var now = Moment(wall: 1_700_000_000_000, steady: .seconds(1_000))
    let plan: RunPlan
    let fates: Fates
    let expected: NaiveRun
    var generator: PerdureTestKit.SeededGenerator

    var crashRate = 0.0
    var works: [StepWork] = []
    var commit: RunCommit?
    var isReadingMail = false
    var worker = 0

    var writes = 0
    var failedAttempts = 0
    var crashes = 0
    var signals = 0
    var handled: [String: Int] = [:]
    var violations: [String] = []
    var trace: [String] = []

    static let runID = "run"

    init(_ graph: WorkflowGraph, seed: UInt64, failureRate: Double, crashRate: Double) {
        self.plan = RunPlan(graph)
        self.fates = Fates(seed: seed, failureRate: failureRate)
        self.generator = PerdureTestKit.SeededGenerator(seed: seed, stream: 1)
        self.crashRate = crashRate
        self.expected = NaiveRun(graph, input: "in", self.fates)
    }

    // MARK: The run from its beginning to its end

    mutating func run() {
        self.startWorker()
        let request = RunRequest(
            id: Self.runID, workflow: self.plan.graph.name, version: "1", input: RunValue("in"),
            createdAt: self.now.wall)
        var machine = RunMachine(creating: request, by: "worker \(self.worker)", self.plan, .init(), self.now)
        let creation = machine.creation(self.now)
        _ = self.table.create(creation)
        self.writes += 1
        machine.stored(CommitReceipt(inboxCount: 0), self.now)
        self.machine = machine
        for _ in 0..<20_000 {
            if let status = self.record?.status, status.isEnded, self.commit == nil { return }
            self.drain()
            self.happen()
        }
        self.violations.append("the run never ended: \(self.record?.status.rawValue ?? "gone")")
    }

    var record: RunRecord? { self.table.run(Self.runID) }

    private mutating func drain() {
        while var machine = self.machine {
            let action = machine.next(self.now)
            self.machine = machine
            switch action {
            case .perform(let work): self.begin(work)
            case .commit(let commit): self.commit = commit
            case .readMail: self.isReadingMail = true
            case .wait: return
            case .leave: self.forget()
            }
            let gone = Set(self.machine?.abandoned ?? [])
            self.machine?.abandoned = []
            if !gone.isEmpty { self.works.removeAll { gone.contains($0.token) && self.generator.chance(0.5) } }
        }
    }

    private mutating func begin(_ work: StepWork) {
        self.trace.append("perform \(work.id) attempt \(work.attempt)")
        let stored = self.table.snapshot(of: Self.runID)?.steps.first { $0.id == work.id }
        if let stored, stored.status.isEnded { self.violations.append("\(work.id) ran again after it was recorded") }
        if case .handler = work.purpose, let input = try? work.input.decoded(as: String.self),
            let must = self.expected.inputs[work.id], must != input
        {
            self.violations.append("\(work.id) got \(input) instead of \(must)")
        }
        self.works.append(work)
    }

    private mutating func happen() {
        var choices: [Int] = []
        if !self.works.isEmpty { choices += [0, 0, 0] }
        if self.commit != nil { choices += [1, 1, 1] }
        if self.isReadingMail { choices += [2, 2] }
        if self.machine == nil { choices += [3] }
        if self.machine?.alarm(self.now) != nil { choices += choices.isEmpty ? [4] : [4] }
        if self.generator.chance(0.05) || choices.isEmpty { choices += [5] }
        if self.machine != nil, self.generator.chance(self.crashRate) {
            self.crash()
            return
        }
        switch choices.randomElement(using: &self.generator) {
        case 0: self.finishWork()
        case 1: self.store()
        case 2: self.readMail()
        case 3: self.takeUp()
        case 4: self.letTimePass()
        default: self.sendSignal()
        }
    }

    // MARK: Events

    private mutating func finishWork() {
        let work = self.works.remove(at: Int.random(in: 0..<self.works.count, using: &self.generator))
        let outcome = self.outcome(of: work)
        let isKnown = self.machine?.ended(work.token, with: outcome, self.now) ?? false
        self.trace.append("ended \(work.id) \(isKnown)")
        if isKnown, case .failed = outcome { self.failedAttempts += 1 }
        if isKnown, case .value = outcome { self.handled[work.id, default: 0] += 1 }
    }

    private mutating func outcome(of work: StepWork) -> StepOutcome {
        let settings = self.plan.nodes[work.unit.node].settings
        if work.isFirst, settings.condition != nil, !self.fates.holds(work.id) { return .conditionDoesNotHold }
        switch work.purpose {
        case .condition: return .conditionHolds
        case .elements:
            let input = (try? work.input.decoded(as: String.self)) ?? "?"
            return .elements((0..<self.fates.elementCount(work.id)).map { RunValue("\(input)#\($0)") })
        case .child: return .childRuns
        case .handler:
            // Not the number of the attempt: a crash must not change a step's fate.
            let failures = self.machine?[work.unit].failure?.attempt ?? 0
            if self.fates.fails(work.id, afterFailures: failures) {
                return .failed(RunFailure(.executionFailed, message: "fate"), isRetryable: true)
            }
            let input = (try? work.input.decoded(as: String.self)) ?? "?"
            return .value(
                RunValue(self.fates.output(work.id, input)),
                changes: [StateChange(key: "last", value: RunValue(work.id))])
        }
    }

    private mutating func store() {
        guard let commit = self.commit else { return }
        self.commit = nil
        guard let receipt = self.apply(commit) else {
            self.machine?.drop()
            return
        }
        self.machine?.stored(receipt, self.now)
    }

    private mutating func apply(_ commit: RunCommit) -> CommitReceipt? {
        let before = self.table.snapshot(of: Self.runID)?.steps ?? []
        guard case .done(let receipt) = self.table.commit(commit) else { return nil }
        self.writes += 1
        self.trace.append("stored \(commit.steps.map { "\($0.id) \($0.status.rawValue)" })")
        for step in commit.steps {
            guard let old = before.first(where: { $0.id == step.id }), old.status.isEnded else { continue }
            if old.status != step.status || (try? old.output?.bytes) != (try? step.output?.bytes) {
                self.violations.append("the recorded result of \(step.id) changed")
            }
        }
        return receipt
    }

    private mutating func readMail() {
        self.isReadingMail = false
        guard let snapshot = self.table.snapshot(of: Self.runID) else { return }
        self.machine?.take(mail: snapshot.messages, count: snapshot.run.inboxCount, self.now)
    }

    private mutating func crash() {
        self.crashes += 1
        self.trace.append("crash")
        // The write under way may happen or not.
        if let commit = self.commit, self.generator.chance(0.5) { _ = self.apply(commit) }
        self.forget()
    }

    private mutating func forget() {
        self.machine = nil
        self.works = []
        self.commit = nil
        self.isReadingMail = false
    }

    private mutating func startWorker() {
        self.worker += 1
        self.table.register(
            WorkerRecord(
                id: "worker \(self.worker)", name: "worker", leaseMilliseconds: 1_000, registeredAt: 0, renewedAt: 0))
    }

    /// Another worker adopts or claims what there is; a person decides what must be decided.
    private mutating func takeUp() {
        if let record = self.record, record.status == .parked, let snapshot = self.table.snapshot(of: Self.runID) {
            guard let step = snapshot.steps.first(where: { $0.status == .running }),
                let commit = RunEdits.decide(.runAgain, onStep: step.id, of: snapshot, self.now.wall)
            else {
                self.violations.append("parked without a question: \(record.progress.parkedReason ?? "?")")
                return
            }
            _ = self.table.commit(commit)
            return
        }
        self.startWorker()
        let claim = RunClaim(
            worker: "worker \(self.worker)", workflows: [self.plan.graph.name], limit: 1, now: self.now.wall)
        var runs = self.table.adopt(claim)
        if runs.isEmpty {
            let claimed = self.table.claim(claim)
            runs = claimed.runs
            if runs.isEmpty, let wake = claimed.nextWake {
                self.pass(.milliseconds(wake - self.now.wall))
                return
            }
        }
        guard let snapshot = runs.first else { return }
        self.trace.append("taken up by worker \(self.worker)")
        // Crashes are many here, and none of them poisons a run.
        var settings = RunMachine.Settings()
        settings.maximumAdoptions = .max
        self.machine = RunMachine(snapshot, self.plan, settings, self.now)
        self.machine?.tick(self.now)
    }

    private mutating func letTimePass() {
        guard let alarm = self.machine?.alarm(self.now) else { return }
        self.pass(max(alarm - self.now.steady, .zero))
        self.machine?.tick(self.now)
    }

    private mutating func pass(_ duration: Duration) {
        self.now.steady += duration
        self.now.wall += duration.wholeMilliseconds
    }

    private mutating func sendSignal() {
        let verdict = self.table.post(
            RunMessage(
                id: "signal \(self.generator.next())", kind: .signal("go"), payload: RunValue("!"),
                postedAt: self.now.wall), to: Self.runID)
        if case .posted = verdict { self.signals += 1 }
        if case .posted = verdict, self.machine != nil {
            let count = self.record?.inboxCount ?? 0
            self.machine?.noteMail(upTo: count)
        }
    }
}
