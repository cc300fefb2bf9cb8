import CFaultPoints
import Glibc
import PerdureConcurrency
import PerdureModel
import PerdureSQLite
import PerdureTestKit
import PerdureWorkflow
import Waiting
import WorkflowZoo

/// A store in which a chosen write is the last that its process makes.
final class DeadlyRunStore: RunStoreWrapper {
    let base: any RunStore
    private let point: Int
    private let isBefore: Bool
    private let count = LockedState(0)

    init(_ base: any RunStore, at point: Int, isBefore: Bool) {
        self.base = base
        self.point = point
        self.isBefore = isBefore
    }

    var writeCount: Int { self.count.withLock { $0 } }

    func pass<Answer: Sendable>(
        _ call: RunStoreCall, _ body: () async throws(StoreError) -> Answer
    ) async throws(StoreError) -> Answer {
        guard call.isWrite, self.point > 0 else { return try await body() }
        var number = 0
        // How often is asked for work is a matter of time; only what is got counts.
        let isAsking = call.kind == .claim || call.kind == .adopt
        if !isAsking {
            number = self.next()
            if number == self.point, self.isBefore { self.die() }
        }
        let answer = try await body()
        if isAsking {
            let isEmpty = (answer as? ClaimedRuns)?.runs.isEmpty ?? (answer as? [RunSnapshot])?.isEmpty ?? true
            if !isEmpty { number = self.next() }
        }
        if number == self.point { self.die() }
        return answer
    }

    private func next() -> Int {
        self.count.withLock { count in
            count += 1
            return count
        }
    }

    private func die() {
        kill(getpid(), SIGKILL)
        while true { pause() }
    }
}

/// Begins a run of the zoo, or goes on with it, does to it what the world does, and waits for its end.
func keepRun(
    of name: String, in path: String, ledger: String, as worker: String, point: Int, mode: Int
) async throws {
    guard let write = Ledger(ledger).writer() else { return report("violation: the ledger cannot be written") }
    // One that hangs is no use to anybody.
    alarm(20)
    if (1...5).contains(mode) { faultpoints_arm(path, point, faultpoints_mode(rawValue: UInt32(mode)), 1) }
    let witness = Witness(name: "\(getpid())", telling: write)
    let zoo = Zoo(witness)
    guard let animal = zoo.animal(name) else { return report("violation: there is no animal called \(name)") }
    let sqlite = try SQLiteStore(path)
    let store = DeadlyRunStore(
        WitnessedRunStore(sqlite, witness), at: mode > 10 ? point : 0, isBefore: mode == 11)
    var configuration = WorkflowEngine.Configuration()
    configuration.name = worker
    // Whatever waits, waits in the store.
    configuration.releaseAfter = .zero
    configuration.pollInterval = .milliseconds(2) ... .milliseconds(20)
    configuration.mailInterval = .milliseconds(5)
    configuration.watchInterval = .milliseconds(10)
    configuration.lease = .seconds(600)
    let engine = try WorkflowEngine(store: store, configuration: configuration) { zoo.workflows }
    let running = try await beginWorking(engine)
    let keeper = Keeper(engine, witness)
    try await keeper.start(animal, 5)
    report("started")
    if animal.visit != .none {
        // Not before it waits: so that it is woken from the store.
        _ = try await poll(while: { true }) {
            try await engine.describe(Keeper.id(of: animal, 5))?.run.progress.owner == nil
        }
        try await keeper.visit(animal, 5)
        report("visited")
    }
    try await keeper.end(of: animal, 5)
    report("ended")
    running.cancel()
    try await running.value
    await sqlite.disconnect()
    report("done \(mode > 10 ? store.writeCount : faultpoints_count())")
}
