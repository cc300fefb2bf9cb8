internal import PerdureConcurrency
public import PerdureModel
internal import Synchronization

/// The reference of what a run store does, in memory: for tests, for trying things out, and to compare other stores with.
///
/// It keeps every promise of ``RunStore`` except that of outliving the process. Several engines can share one; then it is as if they
/// were processes that share a database.
public final class InMemoryRunStore: RunNotifications {
    private let table = LockedState(RunTable())
    private let isClosed = Atomic<Bool>(false)
    private let listeners = LockedState(Listeners())

    private struct Listeners {
        var next: UInt64 = 0
        var receivers: [UInt64: @Sendable (RunNotice) -> Void] = [:]
    }

    /// Makes an empty store.
    public init() {}

    public var keepsLiveValues: Bool { true }

    // MARK: Connection

    public func connect() async throws(StoreError) { self.isClosed.store(false, ordering: .releasing) }

    public func disconnect() async { self.isClosed.store(true, ordering: .releasing) }

    public func ping() async throws(StoreError) { try await self.connect() }

    // MARK: Runs

    public func create(_ creation: RunCreation) async throws(StoreError) -> CreateVerdict {
        try self.check(creation)
        return try self.change(.write, creation.request.id) { $0.create(creation) }
    }

    public func commit(_ commit: RunCommit) async throws(StoreError) -> CommitReceipt {
        try self.check(commit)
        switch try self.change(.write, commit.runID, { $0.commit(commit) }) {
        case .done(let receipt): return receipt
        case .conflict(let stored):
            throw .runConflict(
                .write, of: commit.runID, expected: (commit.expectedRevision, commit.expectedFence), stored: stored)
        }
    }

    public func snapshot(of runID: String) async throws(StoreError) -> RunSnapshot? {
        try self.checkRunID(runID, for: .read)
        return try self.look(.read, runID) { $0.snapshot(of: runID) }
    }

    public func run(_ runID: String) async throws(StoreError) -> RunRecord? {
        try self.checkRunID(runID, for: .read)
        return try self.look(.read, runID) { $0.run(runID) }
    }

    public func post(_ message: RunMessage, to runID: String) async throws(StoreError) -> PostVerdict {
        try self.check(message, to: runID)
        return try self.change(.write, runID) { $0.post(message, to: runID) }
    }

    public func delete(_ runID: String, expectedRevision: UInt64, expectedFence: UInt64) async throws(StoreError) {
        try self.checkRunID(runID, for: .delete)
        let verdict = try self.change(.delete, runID) {
            $0.delete(runID, expectedRevision: expectedRevision, expectedFence: expectedFence)
        }
        if case .conflict(let stored) = verdict {
            throw .runConflict(.delete, of: runID, expected: (expectedRevision, expectedFence), stored: stored)
        }
    }

    // MARK: Work

    public func claim(_ claim: RunClaim) async throws(StoreError) -> ClaimedRuns {
        try self.check(claim)
        return try self.change(.write) { $0.claim(claim) }
    }

    public func adopt(_ claim: RunClaim) async throws(StoreError) -> [RunSnapshot] {
        try self.check(claim)
        return try self.change(.write) { $0.adopt(claim) }
    }

    public func mail(for worker: String) async throws(StoreError) -> [RunMail] {
        try self.look(.read) { $0.mail(for: worker) }
    }

    // MARK: Workers

    public func register(_ worker: WorkerRecord) async throws(StoreError) {
        try self.check(worker)
        try self.change(.write) { $0.register(worker) }
    }

    public func renew(_ workerID: String, at time: Int64) async throws(StoreError) -> Bool {
        try self.change(.write) { $0.renew(workerID, at: time) }
    }

    public func bury(_ workerID: String, beat: UInt64) async throws(StoreError) -> Bool {
        try self.change(.write) { $0.bury(workerID, beat: beat) }
    }

    public func retire(_ workerID: String, at time: Int64) async throws(StoreError) {
        try self.change(.write) { $0.retire(workerID, at: time) }
    }

    public func workers() async throws(StoreError) -> [WorkerRecord] { try self.look(.read) { $0.workers() } }

    // MARK: Looking

    public func runs(
        where filter: RunFilter, after cursor: RunPage.Cursor?, limit: Int, now: Int64
    ) async throws(StoreError) -> RunPage {
        try self.checkRunLimit(limit)
        let start = try cursor.map { cursor throws(StoreError) in try RunPlace(parsing: cursor) }
        let records = try self.look(.list) { $0.records(where: filter, now: now) }
        var found = records.map { (place: RunPlace($0.request), record: $0) }
        if let start { found.removeAll { $0.place <= start } }
        found.sort { $0.place < $1.place }
        let page = found.prefix(limit)
        return RunPage(runs: page.map(\.record), next: found.count > limit ? page.last?.place.cursor : nil)
    }

    public func countRuns(where filter: RunFilter, now: Int64) async throws(StoreError) -> Int {
        try self.look(.list) { $0.count(where: filter, now: now) }
    }

    public func purgeRuns(expiredAt now: Int64, limit: Int) async throws(StoreError) -> Int {
        try self.change(.delete) { $0.purge(expiredAt: now, limit: limit) }
    }

    // MARK: Notices

    public func notices(_ receive: @escaping @Sendable (RunNotice) -> Void) async throws(StoreError) {
        try self.checkOpen(.read, nil)
        let number = self.listeners.withLock { listeners in
            listeners.next += 1
            listeners.receivers[listeners.next] = receive
            return listeners.next
        }
        self.table.withLock { $0.listenerCount += 1 }
        // Ends with the task, and only then.
        let (end, ending) = AsyncStream<Never>.makeStream()
        await withTaskCancellationHandler {
            for await _ in end {}
        } onCancel: {
            ending.finish()
        }
        self.table.withLock { $0.listenerCount -= 1 }
        self.listeners.withLock { $0.receivers[number] = nil }
    }

    private func tell(_ notices: [RunNotice]) {
        let receivers = self.listeners.withLock { $0.receivers.values.map { $0 } }
        for receive in receivers {
            for notice in notices { receive(notice) }
        }
    }

    // MARK: Details

    private func change<Result: Sendable>(
        _ operation: StoreError.Operation, _ id: String? = nil, _ body: (inout RunTable) -> Result
    ) throws(StoreError) -> Result {
        try self.checkOpen(operation, id)
        let (result, notices) = self.table.withLock { table in
            let result = body(&table)
            guard table.notices?.isEmpty == false else { return (result, [RunNotice]()) }
            let notices = table.notices ?? []
            table.notices?.removeAll(keepingCapacity: true)
            return (result, notices)
        }
        if !notices.isEmpty { self.tell(notices) }
        return result
    }

    private func look<Result: Sendable>(
        _ operation: StoreError.Operation, _ id: String? = nil, _ body: (borrowing RunTable) -> Result
    ) throws(StoreError) -> Result {
        try self.checkOpen(operation, id)
        return self.table.withLock { body($0) }
    }

    private func checkOpen(_ operation: StoreError.Operation, _ id: String?) throws(StoreError) {
        if self.isClosed.load(ordering: .acquiring) { throw .disconnected(operation, id) }
    }
}
