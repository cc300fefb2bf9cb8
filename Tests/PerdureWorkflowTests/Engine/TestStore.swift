import PerdureConcurrency
import PerdureModel
import PerdureTestKit
import PerdureWorkflow

/// One engine's way to a store in memory that others share: it can be cut, stopped, made to fail, and counts what goes over it.
final class TestStore: RunStore {
    enum Line: Sendable {
        case open
        /// Everything waits until the line is open again: a process that was stopped.
        case stopped
        /// Everything fails, and nothing arrives: a process that was killed.
        case cut
    }

    private struct State {
        var line = Line.open
        var waiters: [CheckedContinuation<Void, Never>] = []
        var counts: [String: Int] = [:]
        var generator: PerdureTestKit.SeededGenerator
        var faultRate = 0.0
        var killAtWrite: Int?
        var writes = 0
    }

    let base: EncodingRunStore<InMemoryRunStore>
    private let state: LockedState<State>

    init(_ base: InMemoryRunStore, seed: UInt64 = 0, faultRate: Double = 0) {
        self.base = EncodingRunStore(base)
        self.state = LockedState(
            State(generator: PerdureTestKit.SeededGenerator(seed: seed, stream: 7), faultRate: faultRate))
    }

    func count(_ operation: String) -> Int { self.state.withLock { $0.counts[operation, default: 0] } }
    var writes: Int { self.state.withLock { $0.writes } }

    /// Cuts the line when this write, from 1, has been made.
    func cut(afterWrite number: Int) { self.state.withLock { $0.killAtWrite = number } }
    func setFaultRate(_ rate: Double) { self.state.withLock { $0.faultRate = rate } }

    func set(_ line: Line) {
        let waiters = self.state.withLock { state in
            state.line = line
            if case .stopped = line { return [CheckedContinuation<Void, Never>]() }
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    private enum Fate { case good, lostRequest, lostAnswer, refused }

    private func pass<Result: Sendable>(
        _ name: String, isWrite: Bool, changes: Bool = true, _ body: () async throws(StoreError) -> Result
    ) async throws(StoreError) -> Result {
        await self.gate()
        let fate = self.state.withLock { state -> Fate? in
            if case .cut = state.line { return nil }
            state.counts[name, default: 0] += 1
            if isWrite {
                state.writes += 1
                if state.killAtWrite == state.writes { state.line = .cut }
            }
            let roll = Double(state.generator.next() >> 11) * 0x1p-53
            if roll < state.faultRate * 0.4 { return .lostAnswer }
            if roll < state.faultRate * 0.7 { return .lostRequest }
            return roll < state.faultRate ? .refused : .good
        }
        guard let fate else { throw self.error(.closed, .notApplied) }
        switch fate {
        case .good: break
        case .refused: throw self.error(.unavailable, .notApplied)
        case .lostRequest: throw self.error(.timeout, changes ? .unknown : .notApplied)
        case .lostAnswer:
            _ = try await body()
            throw self.error(.timeout, changes ? .unknown : .notApplied)
        }
        let result = try await body()
        // The answer does not get through to a process that was stopped or killed meanwhile.
        await self.gate()
        if case .cut = self.state.withLock({ $0.line }) { throw self.error(.closed, .unknown) }
        return result
    }

    private func gate() async {
        await withCheckedContinuation { continuation in
            let goesOn = self.state.withLock { state -> Bool in
                guard case .stopped = state.line else { return true }
                state.waiters.append(continuation)
                return false
            }
            if goesOn { continuation.resume() }
        }
    }

    private func error(_ code: StoreError.Code, _ outcome: StoreError.Outcome) -> StoreError {
        StoreError(code, outcome: outcome, operation: .write, message: "the test's line")
    }

    // MARK: The contract

    var keepsLiveValues: Bool { false }
    func connect() async throws(StoreError) {}
    func disconnect() async {}
    func ping() async throws(StoreError) {}

    func create(_ creation: RunCreation) async throws(StoreError) -> CreateVerdict {
        try await self.pass("create", isWrite: true) { () async throws(StoreError) in
            try await self.base.create(creation)
        }
    }
    func commit(_ commit: RunCommit) async throws(StoreError) -> CommitReceipt {
        try await self.pass("commit", isWrite: true) { () async throws(StoreError) in try await self.base.commit(commit)
        }
    }
    func snapshot(of runID: String) async throws(StoreError) -> RunSnapshot? {
        try await self.pass("snapshot", isWrite: false, changes: false) { () async throws(StoreError) in
            try await self.base.snapshot(of: runID)
        }
    }
    func run(_ runID: String) async throws(StoreError) -> RunRecord? {
        try await self.pass("run", isWrite: false, changes: false) { () async throws(StoreError) in
            try await self.base.run(runID)
        }
    }
    func post(_ message: RunMessage, to runID: String) async throws(StoreError) -> PostVerdict {
        try await self.pass("post", isWrite: true) { () async throws(StoreError) in
            try await self.base.post(message, to: runID)
        }
    }
    func delete(_ runID: String, expectedRevision: UInt64, expectedFence: UInt64) async throws(StoreError) {
        try await self.pass("delete", isWrite: true) { () async throws(StoreError) in
            try await self.base.delete(runID, expectedRevision: expectedRevision, expectedFence: expectedFence)
        }
    }
    func claim(_ claim: RunClaim) async throws(StoreError) -> ClaimedRuns {
        try await self.pass("claim", isWrite: false) { () async throws(StoreError) in try await self.base.claim(claim) }
    }
    func adopt(_ claim: RunClaim) async throws(StoreError) -> [RunSnapshot] {
        try await self.pass("adopt", isWrite: false) { () async throws(StoreError) in try await self.base.adopt(claim) }
    }
    func mail(for worker: String) async throws(StoreError) -> [RunMail] {
        try await self.pass("mail", isWrite: false, changes: false) { () async throws(StoreError) in
            try await self.base.mail(for: worker)
        }
    }
    func register(_ worker: WorkerRecord) async throws(StoreError) {
        try await self.pass("register", isWrite: false) { () async throws(StoreError) in
            try await self.base.register(worker)
        }
    }
    func renew(_ workerID: String, at time: Int64) async throws(StoreError) -> Bool {
        try await self.pass("renew", isWrite: false) { () async throws(StoreError) in
            try await self.base.renew(workerID, at: time)
        }
    }
    func bury(_ workerID: String, beat: UInt64) async throws(StoreError) -> Bool {
        try await self.pass("bury", isWrite: false) { () async throws(StoreError) in
            try await self.base.bury(workerID, beat: beat)
        }
    }
    func retire(_ workerID: String, at time: Int64) async throws(StoreError) {
        try await self.pass("retire", isWrite: false) { () async throws(StoreError) in
            try await self.base.retire(workerID, at: time)
        }
    }
    func workers() async throws(StoreError) -> [WorkerRecord] {
        try await self.pass("workers", isWrite: false, changes: false) { () async throws(StoreError) in
            try await self.base.workers()
        }
    }
    func runs(
        where filter: RunFilter, after cursor: RunPage.Cursor?, limit: Int, now: Int64
    ) async throws(StoreError) -> RunPage {
        try await self.pass("runs", isWrite: false, changes: false) { () async throws(StoreError) in
            try await self.base.runs(where: filter, after: cursor, limit: limit, now: now)
        }
    }
    func countRuns(where filter: RunFilter, now: Int64) async throws(StoreError) -> Int {
        try await self.pass("countRuns", isWrite: false, changes: false) { () async throws(StoreError) in
            try await self.base.countRuns(where: filter, now: now)
        }
    }
    func purgeRuns(expiredAt now: Int64, limit: Int) async throws(StoreError) -> Int {
        try await self.pass("purge", isWrite: false) { () async throws(StoreError) in
            try await self.base.purgeRuns(expiredAt: now, limit: limit)
        }
    }
}
