internal import Glibc
internal import PerdureConcurrency
internal import PerdureModel
internal import PerdureTestKit
internal import PerdureWorkflow
internal import Waiting
internal import WorkflowZoo

/// Has runs begun, does to them what the world does, and judges them in the end.
final class Feeder: Sendable {
    private struct State {
        /// All runs below are somebody's to start.
        var next = 0
        /// Runs that are known to have ended.
        var ended: Set<Int> = []
        var visited: Set<Int> = []
        var seen: [String] = []
        var pass = 0
    }

    private let room: Int
    private let store: any RunStore
    private let zoo: Zoo
    private let keeper: Keeper
    private let ledger: Ledger
    private let state = LockedState(State())

    init(_ store: some RunStore, room: Int, ledger: Ledger) throws {
        guard let write = ledger.writer() else { throw ChaosTrouble(description: "the ledger cannot be written") }
        let witness = Witness(name: "feeder", telling: write)
        let zoo = Zoo(witness)
        var configuration = WorkflowEngine.Configuration()
        configuration.name = "feeder"
        let engine = try WorkflowEngine(
            store: WitnessedRunStore(store, witness), configuration: configuration
        ) { zoo.workflows }
        self.room = room
        self.store = store
        self.zoo = zoo
        self.ledger = ledger
        self.keeper = Keeper(engine, witness)
    }

    /// Some more runs, for whoever asks, to start.
    func reserve(_ count: Int) -> Range<Int> {
        self.state.withLock { state in
            state.next += count
            return state.next - count..<state.next
        }
    }

    /// How many runs are known to have ended.
    var endedCount: Int { self.state.withLock { $0.ended.count } }

    private func animal(_ number: Int) -> Animal { self.zoo.animals[number % self.zoo.animals.count] }

    /// Everything that waits for the world, once; what fails is done the next time.
    func feed() async {
        let open = self.state.withLock { state in
            state.pass += 1
            return (0..<state.next).filter { !state.ended.contains($0) }
        }
        if open.count < self.room { for number in self.reserve(8) { await self.care(for: number) } }
        for number in open { await self.care(for: number) }
        try? await Task.sleep(for: .milliseconds(10))
    }

    /// Starts a run that nobody has started, and does to it what the world does to it, now or later.
    private func care(for number: Int) async {
        let animal = self.animal(number)
        let id = Keeper.id(of: animal, number)
        do {
            let run = try await self.store.run(id)
            guard let run else { return try await self.keeper.start(animal, number) }
            if run.status.isEnded { return self.state.withLock { _ = $0.ended.insert(number) } }
            if run.status == .parked { return try await self.keeper.answer(id) }
            let isNew = animal.visit != .none && self.state.withLock { !$0.visited.contains(number) }
            if isNew {
                try await self.keeper.visit(animal, number)
                self.state.withLock { _ = $0.visited.insert(number) }
            }
        } catch {
            // The store is out of reach now and then, or somebody else was quicker.
        }
    }

    /// Cares for all runs until they have ended; returns those that have not in that time.
    func finish(within duration: Duration) async -> [String] {
        let end = ContinuousClock.now + duration
        var open: [Int] = []
        _ = try? await poll(while: { ContinuousClock.now < end }) {
            open = self.state.withLock { state in (0..<state.next).filter { !state.ended.contains($0) } }
            for number in open { await self.care(for: number) }
            return open.isEmpty
        }
        return open.map { Keeper.id(of: self.animal($0), $0) }
    }

    // MARK: Looking

    func runningRuns() async throws -> [RunRecord] {
        var filter = RunFilter()
        filter.statuses = [.running]
        return try await self.store.runs(where: filter, after: nil, limit: 1_000, now: 0).runs
    }

    /// Nobody with an earlier fence may change this run any more.
    func saw(_ run: RunRecord) {
        let line = "seen \(run.id) \(run.progress.revision) \(run.progress.fence)"
        self.state.withLock { $0.seen.append(line) }
    }

    func judge(_ report: inout ChaosReport, _ lines: [String]) async throws {
        let (count, seen) = self.state.withLock { ($0.next, $0.seen) }
        var effects: Set<String> = []
        var ends: [String] = []
        for number in 0..<count {
            let look = try await Judge.look(at: self.animal(number), number, in: self.store)
            report.violations += look.violations
            ends += look.lines
            for run in look.runs {
                for step in run.steps where step.status == .completed { effects.insert("\(run.run.id)/\(step.id)") }
            }
        }
        let history = Judge.History(lines + self.ledger.lines + seen + ends)
        report.violations += history.violations
        report.runs = count
        report.effects = history.executions.keys.count { effects.contains($0) }
        report.executions = history.executions.values.reduce(0, +)
        report.takenCount = history.takenCount
        report.storedCount = history.storedCount
        report.refusedCount = history.refusedCount
    }
}

struct ChaosTrouble: Error, CustomStringConvertible { let description: String }
