/// A run store around another: what it does not do otherwise goes on to that one.
public protocol RunStoreWrapper: RunStore {
    /// The store that does the work.
    var base: any RunStore { get }

    /// Carries out each call: `body` makes it on ``base``.
    ///
    /// - Parameters:
    ///   - call: what is asked for.
    ///   - body: makes the call; a wrapper can make it later, or not at all.
    func pass<Answer: Sendable>(
        _ call: RunStoreCall, _ body: () async throws(StoreError) -> Answer
    ) async throws(StoreError) -> Answer
}

/// A call of a run store, by name and by what it is about.
public struct RunStoreCall: Sendable, Hashable {
    /// The function of ``RunStore`` that is called.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// The functions that change something.
        case create, commit, post, delete, claim, adopt, register, renew, bury, retire, purge
        /// The functions that only look.
        case snapshot, run, mail, workers, list, count, ping
    }

    /// Which function it is.
    public var kind: Kind
    /// The run or the worker that it is about; empty where it is about none.
    public var id: String

    /// Makes a call.
    public init(_ kind: Kind, _ id: String = "") {
        self.kind = kind
        self.id = id
    }

    /// Whether it may change something.
    public var isWrite: Bool {
        switch self.kind {
        case .create, .commit, .post, .delete, .claim, .adopt, .register, .renew, .bury, .retire, .purge: true
        case .snapshot, .run, .mail, .workers, .list, .count, .ping: false
        }
    }

    var operation: StoreError.Operation {
        switch self.kind {
        case .delete, .purge: .delete
        case .list, .count: .list
        case .ping: .ping
        default: self.isWrite ? .write : .read
        }
    }
}

extension RunStoreWrapper {
    /// Makes the call.
    public func pass<Answer: Sendable>(
        _ call: RunStoreCall, _ body: () async throws(StoreError) -> Answer
    ) async throws(StoreError) -> Answer { try await body() }

    public var keepsLiveValues: Bool { self.base.keepsLiveValues }
    public func connect() async throws(StoreError) { try await self.base.connect() }
    public func disconnect() async { await self.base.disconnect() }
    public func ping() async throws(StoreError) {
        try await self.pass(.init(.ping)) { () async throws(StoreError) in try await self.base.ping() }
    }
    public func create(_ creation: RunCreation) async throws(StoreError) -> CreateVerdict {
        try await self.pass(.init(.create, creation.request.id)) { () async throws(StoreError) in
            try await self.base.create(creation)
        }
    }
    public func commit(_ commit: RunCommit) async throws(StoreError) -> CommitReceipt {
        try await self.pass(.init(.commit, commit.runID)) { () async throws(StoreError) in
            try await self.base.commit(commit)
        }
    }
    public func snapshot(of runID: String) async throws(StoreError) -> RunSnapshot? {
        try await self.pass(.init(.snapshot, runID)) { () async throws(StoreError) in
            try await self.base.snapshot(of: runID)
        }
    }
    public func run(_ runID: String) async throws(StoreError) -> RunRecord? {
        try await self.pass(.init(.run, runID)) { () async throws(StoreError) in try await self.base.run(runID) }
    }
    public func post(_ message: RunMessage, to runID: String) async throws(StoreError) -> PostVerdict {
        try await self.pass(.init(.post, runID)) { () async throws(StoreError) in
            try await self.base.post(message, to: runID)
        }
    }
    public func delete(_ runID: String, expectedRevision: UInt64, expectedFence: UInt64) async throws(StoreError) {
        try await self.pass(.init(.delete, runID)) { () async throws(StoreError) in
            try await self.base.delete(runID, expectedRevision: expectedRevision, expectedFence: expectedFence)
        }
    }
    public func claim(_ claim: RunClaim) async throws(StoreError) -> ClaimedRuns {
        try await self.pass(.init(.claim, claim.worker)) { () async throws(StoreError) in
            try await self.base.claim(claim)
        }
    }
    public func adopt(_ claim: RunClaim) async throws(StoreError) -> [RunSnapshot] {
        try await self.pass(.init(.adopt, claim.worker)) { () async throws(StoreError) in
            try await self.base.adopt(claim)
        }
    }
    public func mail(for worker: String) async throws(StoreError) -> [RunMail] {
        try await self.pass(.init(.mail, worker)) { () async throws(StoreError) in
            try await self.base.mail(for: worker)
        }
    }
    public func register(_ worker: WorkerRecord) async throws(StoreError) {
        try await self.pass(.init(.register, worker.id)) { () async throws(StoreError) in
            try await self.base.register(worker)
        }
    }
    public func renew(_ workerID: String, at time: Int64) async throws(StoreError) -> Bool {
        try await self.pass(.init(.renew, workerID)) { () async throws(StoreError) in
            try await self.base.renew(workerID, at: time)
        }
    }
    public func bury(_ workerID: String, beat: UInt64) async throws(StoreError) -> Bool {
        try await self.pass(.init(.bury, workerID)) { () async throws(StoreError) in
            try await self.base.bury(workerID, beat: beat)
        }
    }
    public func retire(_ workerID: String, at time: Int64) async throws(StoreError) {
        try await self.pass(.init(.retire, workerID)) { () async throws(StoreError) in
            try await self.base.retire(workerID, at: time)
        }
    }
    public func workers() async throws(StoreError) -> [WorkerRecord] {
        try await self.pass(.init(.workers)) { () async throws(StoreError) in try await self.base.workers() }
    }
    public func runs(
        where filter: RunFilter, after cursor: RunPage.Cursor?, limit: Int, now: Int64
    ) async throws(StoreError) -> RunPage {
        try await self.pass(.init(.list)) { () async throws(StoreError) in
            try await self.base.runs(where: filter, after: cursor, limit: limit, now: now)
        }
    }
    public func countRuns(where filter: RunFilter, now: Int64) async throws(StoreError) -> Int {
        try await self.pass(.init(.count)) { () async throws(StoreError) in
            try await self.base.countRuns(where: filter, now: now)
        }
    }
    public func purgeRuns(expiredAt now: Int64, limit: Int) async throws(StoreError) -> Int {
        try await self.pass(.init(.purge)) { () async throws(StoreError) in
            try await self.base.purgeRuns(expiredAt: now, limit: limit)
        }
    }
}
