import BrokenRunStores
import PerdureConcurrency
import PerdureModel
import PerdureTestKit
import Waiting
import WorkflowZoo

@testable import PerdureWorkflow

/// One way in which a store fails an engine, by its number, and what becomes of a run of the zoo meanwhile.
struct Schedule: Sendable {
    struct Findings: Sendable {
        var faults = 0
        var hasCrashed = false
        var wasStopped = false
        var violations: [String] = []
    }

    /// A moment in the life of a process.
    enum Point: Sendable, Hashable {
        /// Before its write of this number, from 1. Most of them ask for work: how many is a matter of time.
        case write(Int)
        /// Before its change of a run of this number, from 1.
        case commit(Int)
    }

    /// What becomes of the process that has the run first.
    enum Fate: Sendable, Hashable {
        case lives
        /// It dies, perhaps just after the write, and one of its name takes its place.
        case crashes(Point, isAfter: Bool)
        /// It stands still, so that it is taken for dead; it goes on when a stranger has the run, or has ended it.
        case stops(Point, untilEnd: Bool)
    }

    private let seed: UInt64
    private let number: Int
    /// What there is in truth: below everything that goes wrong on the way to it.
    private let store: BrokenRunStore
    /// How long a run may take.
    private let patience: Duration
    private let animal: String?
    private let fate: Fate
    /// How often calls go wrong.
    private let rate: Double
    /// How long a run stays in memory without anything to do.
    private let releaseAfter: Duration
    /// What comes by chance after that.
    private let generator: PerdureTestKit.SeededGenerator

    /// Where nothing else is said chance decides, and the store is a good one.
    ///
    /// A process that is said to live has no trouble at all: then a run that does not end is the store's fault.
    init(
        seed: UInt64, number: Int, animal: String? = nil, fate: Fate? = nil, store: BrokenRunStore = BrokenRunStore(),
        patience: Duration = .seconds(120)
    ) {
        self.seed = seed
        self.number = number
        self.store = store
        self.patience = patience
        self.animal = animal
        var generator = PerdureTestKit.SeededGenerator(seed: seed, stream: UInt64(number))
        let rates: [Double] = [0.02, 0.1, 0.25]
        let chosenRate = rates[Int.random(in: 0..<rates.count, using: &generator)]
        self.rate = fate == .lives ? 0 : chosenRate
        let chosen = Fate.random(&generator)
        self.fate = fate ?? chosen
        self.releaseAfter = generator.chance(0.7) ? .milliseconds(1) : .seconds(5)
        self.generator = generator
    }

    func findings() async throws -> Findings {
        let lines = LockedState<[String]>([])
        let shared = EncodingRunStore(self.store)
        /// Each process has its witness: what one of them knows the other need not know.
        func witness(_ name: String) -> Witness {
            Witness(name: "\(name)\(self.number)") { line in lines.withLock { $0.append(line) } }
        }
        func engine(_ name: String, _ witness: Witness, on store: any RunStore) throws -> WorkflowEngine {
            var configuration = WorkflowEngine.Configuration.quick
            configuration.name = name
            configuration.releaseAfter = self.releaseAfter
            // What a process had under way when it died is lost.
            configuration.drainTimeout = .zero
            // None of the runs is to blame for what happens here.
            configuration.maximumAdoptions = 1_000
            return try WorkflowEngine(store: store, configuration: configuration) { Zoo(witness).workflows }
        }
        let keeping = witness("keeper")
        let truth = keeping.watching(shared)
        let keeper = Keeper(try engine("keeper", keeping, on: truth), keeping)
        let animals = Zoo(keeping).animals
        let animal = animals.first { $0.name == self.animal } ?? animals[self.number % animals.count]
        let id = Keeper.id(of: animal, self.number)
        func hasEnded() async throws -> Bool {
            let run = try await truth.run(id)
            if run?.status == .parked { try await keeper.answer(id) }
            return run?.status.isEnded ?? false
        }

        let mishaps = Mishaps(of: self.fate, rate: self.rate, self.generator)
        let before = witness("pod")
        let way = LateCommits(before.watching(shared), seed: self.seed, number: self.number, rate: self.rate / 2)
        let faulty = FaultyRunStore(way, plan: mishaps.plan)
        let first = try engine("pod", before, on: faulty)
        var running = [Self.run(first)]
        defer {
            for task in running { task.cancel() }
            // It may have come to a stand only now.
            mishaps.end()
            faulty.releaseHeld()
        }
        func isGone() -> Bool { faulty.isCrashed || mishaps.isStopped && faulty.heldCount > 0 }
        try await self.begin(animal, first, keeper, isGone)
        _ = try await self.comes { if isGone() { true } else { try await hasEnded() } }
        var findings = Findings(hasCrashed: faulty.isCrashed, wasStopped: mishaps.isStopped)
        if isGone() {
            if findings.hasCrashed { running[0].cancel() }
            // Somebody takes it for dead; one of the same name does so by itself.
            if findings.wasStopped {
                for worker in try await truth.workers() { _ = try await truth.bury(worker.id, beat: worker.beat) }
            }
            let after = witness("heir")
            let name = findings.wasStopped ? "heir" : "pod"
            running.append(Self.run(try engine(name, after, on: after.watching(shared))))
            try await keeper.start(animal, self.number)
            try await keeper.visit(animal, self.number)
            if findings.wasStopped {
                let untilEnd = if case .stops(_, let untilEnd) = self.fate { untilEnd } else { false }
                _ = try await self.comes {
                    if try await hasEnded() { return true }
                    let owner = try await truth.run(id)?.progress.owner ?? ""
                    return !untilEnd && owner.hasPrefix("heir")
                }
                mishaps.end()
                faulty.releaseHeld()
            }
            _ = try await self.comes(hasEnded)
            // What it still had to say, and what was still on its way.
            if findings.wasStopped { _ = try await self.comes { first.isIdle && faulty.heldCount == 0 } }
        }
        await way.land()
        findings.faults = faulty.faultCount + way.lateCount
        let look = try await Judge.look(at: animal, self.number, in: truth)
        findings.violations = look.violations + Judge.violations(in: lines.withLock { $0 } + look.lines)
        findings.violations = findings.violations.map { "schedule \(self.number): \($0)" }
        return findings
    }

    /// Whatever becomes of the start: the same again, until it is known to be there, or its process is gone.
    private func begin(
        _ animal: Animal, _ engine: WorkflowEngine, _ keeper: Keeper, _ isGone: @escaping () -> Bool
    ) async throws {
        let id = Keeper.id(of: animal, self.number)
        for _ in 0..<1_000 where !isGone() {
            // Who starts a run waits for the store as long as the worker lives. In a process that has died it waits for ever.
            let answer = LockedState<Bool?>(nil)
            Task {
                let isThere = (try? await engine.start(animal.workflow, Parcel(self.number), id: id)) != nil
                answer.withLock { $0 = isThere }
            }
            guard try await self.comes({ isGone() || answer.withLock { $0 } != nil }) else { return }
            if answer.withLock({ $0 }) == true { return try await keeper.visit(animal, self.number) }
        }
    }

    /// Waits until something holds, for as long as patience lasts; returns whether it does.
    private func comes(_ holds: () async throws -> Bool) async throws -> Bool {
        let end = ContinuousClock.now + self.patience
        return try await poll(while: { ContinuousClock.now < end }, holds)
    }

    /// Registering fails now and then: again, until it works, at the pace of somebody who starts a process anew.
    private static func run(_ engine: WorkflowEngine) -> Task<Void, Never> {
        Task { _ = try? await poll(while: { !Task.isCancelled }) { (try? await engine.run()) != nil } }
    }
}

extension Schedule.Fate {
    fileprivate static func random(_ generator: inout PerdureTestKit.SeededGenerator) -> Self {
        let (roll, flip) = (Double.random(in: 0..<1, using: &generator), generator.chance(0.5))
        let commit = Int.random(in: 1...6, using: &generator)
        let write = Int.random(in: 1...16, using: &generator)
        let point: Schedule.Point = generator.chance(0.7) ? .commit(commit) : .write(write)
        if roll < 0.3 { return .crashes(point, isAfter: flip) }
        return roll < 0.6 ? .stops(point, untilEnd: flip) : .lives
    }
}

/// What goes wrong with the calls of a process.
private final class Mishaps: Sendable {
    private struct State {
        var generator: PerdureTestKit.SeededGenerator
        var commitCount = 0
        var isStopped = false
        var isOver = false
    }

    private let fate: Schedule.Fate
    private let rate: Double
    private let state: LockedState<State>

    init(of fate: Schedule.Fate, rate: Double, _ generator: PerdureTestKit.SeededGenerator) {
        self.fate = fate
        self.rate = rate
        self.state = LockedState(State(generator: generator))
    }

    /// Whether the process stands still, or did.
    var isStopped: Bool { self.state.withLock { $0.isStopped } }

    /// Nothing goes wrong any more.
    func end() { self.state.withLock { $0.isOver = true } }

    var plan: FaultyRunStore.Plan {
        { call, number in self.state.withLock { self.fault(call, number, &$0) } }
    }

    private func fault(_ call: RunStoreCall, _ number: Int, _ state: inout State) -> FaultyRunStore.Fault? {
        if state.isOver { return nil }
        if call.kind == .commit { state.commitCount += 1 }
        func isThere(_ point: Schedule.Point) -> Bool {
            switch point {
            case .write(let write): call.isWrite && number == write
            case .commit(let commit): call.kind == .commit && state.commitCount == commit
            }
        }
        switch self.fate {
        case .crashes(let point, let isAfter) where isThere(point): return isAfter ? .crashAfter : .crashBefore
        case .stops(let point, _) where isThere(point): state.isStopped = true
        case .lives, .crashes, .stops: break
        }
        if state.isStopped { return .hold }
        guard state.generator.chance(self.rate) else { return nil }
        switch Int.random(in: 0..<6, using: &state.generator) {
        case 0: return .refuse(.unavailable)
        case 1: return .loseRequest
        case 2: return .delay(.milliseconds(Int.random(in: 1...5, using: &state.generator)))
        case 3: return .disconnect(calls: Int.random(in: 2...5, using: &state.generator))
        default: return .loseAnswer
        }
    }
}
