internal import PerdureConcurrency
internal import PerdureModel
internal import PerdureWorkflow

/// A process's way to its store, which ends when the process dies: nothing gets through any more, in either direction.
final class MortalRunStore: RunStore {
    private struct State {
        var writeCount = 0
        var lastWrite: Int?
        var isDead = false
    }

    private let base: EncodingRunStore<InMemoryRunStore>
    private let state = LockedState(State())

    init(_ base: EncodingRunStore<InMemoryRunStore>) { self.base = base }

    var keepsLiveValues: Bool { false }
    var isDead: Bool { self.state.withLock { $0.isDead } }
    var isDoomed: Bool { self.state.withLock { $0.lastWrite != nil } }
    var writeCount: Int { self.state.withLock { $0.writeCount } }

    func die(afterWrites count: Int) { self.state.withLock { $0.lastWrite = $0.writeCount + count } }

    private func begin() throws(StoreError) {
        if self.isDead {
            throw StoreError(.closed, operation: .write, message: "the process of this test has died")
        }
    }

    private func end(isWrite: Bool) throws(StoreError) {
        self.state.withLock { state in
            guard isWrite, !state.isDead else { return }
            state.writeCount += 1
            if state.writeCount == state.lastWrite { state.isDead = true }
        }
        if self.isDead {
            throw StoreError(
                .closed, outcome: .unknown, operation: .write, message: "the process of this test has died")
        }
    }

    // MARK: The contract

    func connect() async throws(StoreError) { try self.begin() }
    func disconnect() async {}
    func ping() async throws(StoreError) { try self.begin() }

    func create(_ creation: RunCreation) async throws(StoreError) -> CreateVerdict {
        try self.begin()
        let result = try await self.base.create(creation)
        try self.end(isWrite: true)
        return result
    }

    func commit(_ commit: RunCommit) async throws(StoreError) -> CommitReceipt {
        try self.begin()
        let result = try await self.base.commit(commit)
        try self.end(isWrite: true)
        return result
    }

    func snapshot(of runID: String) async throws(StoreError) -> RunSnapshot? {
        try self.begin()
        let result = try await self.base.snapshot(of: runID)
        try self.end(isWrite: false)
        return result
    }

    func run(_ runID: String) async throws(StoreError) -> RunRecord? {
        try self.begin()
        let result = try await self.base.run(runID)
        try self.end(isWrite: false)
        return result
    }

    func post(_ message: RunMessage, to runID: String) async throws(StoreError) -> PostVerdict {
        try self.begin()
        let result = try await self.base.post(message, to: runID)
        try self.end(isWrite: true)
        return result
    }

    func claim(_ claim: RunClaim) async throws(StoreError) -> ClaimedRuns {
        try self.begin()
        let result = try await self.base.claim(claim)
        try self.end(isWrite: false)
        return result
    }

    func adopt(_ claim: RunClaim) async throws(StoreError) -> [RunSnapshot] {
        try self.begin()
        let result = try await self.base.adopt(claim)
        try self.end(isWrite: false)
        return result
    }

    func mail(for worker: String) async throws(StoreError) -> [RunMail] {
        try self.begin()
        let result = try await self.base.mail(for: worker)
        try self.end(isWrite: false)
        return result
    }

    func renew(_ workerID: String, at time: Int64) async throws(StoreError) -> Bool {
        try self.begin()
        let result = try await self.base.renew(workerID, at: time)
        try self.end(isWrite: false)
        return result
    }

    func bury(_ workerID: String, beat: UInt64) async throws(StoreError) -> Bool {
        try self.begin()
        let result = try await self.base.bury(workerID, beat: beat)
        try self.end(isWrite: false)
        return result
    }

    func workers() async throws(StoreError) -> [WorkerRecord] {
        try self.begin()
        let result = try await self.base.workers()
        try self.end(isWrite: false)
        return result
    }

    func countRuns(where filter: RunFilter, now: Int64) async throws(StoreError) -> Int {
        try self.begin()
        let result = try await self.base.countRuns(where: filter, now: now)
        try self.end(isWrite: false)
        return result
    }

    func purgeRuns(expiredAt now: Int64, limit: Int) async throws(StoreError) -> Int {
        try self.begin()
        let result = try await self.base.purgeRuns(expiredAt: now, limit: limit)
        try self.end(isWrite: false)
        return result
    }

    func register(_ worker: WorkerRecord) async throws(StoreError) {
        try self.begin()
        try await self.base.register(worker)
        try self.end(isWrite: false)
    }

    func retire(_ workerID: String, at time: Int64) async throws(StoreError) {
        try self.begin()
        try await self.base.retire(workerID, at: time)
        try self.end(isWrite: false)
    }

    func delete(_ runID: String, expectedRevision: UInt64, expectedFence: UInt64) async throws(StoreError) {
        try self.begin()
        try await self.base.delete(runID, expectedRevision: expectedRevision, expectedFence: expectedFence)
        try self.end(isWrite: true)
    }

    func runs(
        where filter: RunFilter, after cursor: RunPage.Cursor?, limit: Int, now: Int64
    ) async throws(StoreError) -> RunPage {
        try self.begin()
        let page = try await self.base.runs(where: filter, after: cursor, limit: limit, now: now)
        try self.end(isWrite: false)
        return page
    }
}
