/// A run store around another: what it does not do otherwise goes on to that one.
public protocol RunStoreWrapper: RunStore {
    /// The store that does the work.
    var base: any RunStore { get }

    /// Carries out each call, named by `call`: `body` makes it on ``base``.
    ///
    /// A wrapper can make it later, or not at all.
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

    /// Whether the store beneath keeps values as the program has them.
    public var keepsLiveValues: Bool { self.base.keepsLiveValues }
    /// Connects the store beneath.
    public func connect() async throws(StoreError) { try await self.base.connect() }
    /// Disconnects the store beneath.
    public func disconnect() async { await self.base.disconnect() }
    /// A round trip to the store beneath.
    public func ping() async throws(StoreError) {
        try await self.pass(.init(.ping)) { () async throws(StoreError) in try await self.base.ping() }
    }
    /// Stores a new run, unless there is one of its ID.
    public func create(_ creation: RunCreation) async throws(StoreError) -> CreateVerdict {
        try await self.pass(.init(.create, creation.request.id)) { () async throws(StoreError) in
            try await self.base.create(creation)
        }
    }
    /// Makes one atomic change of a run, committed together with whatever else waits.
    public func commit(_ commit: RunCommit) async throws(StoreError) -> CommitReceipt {
        try await self.pass(.init(.commit, commit.runID)) { () async throws(StoreError) in
            try await self.base.commit(commit)
        }
    }
    /// The run of an ID and all that it owns, as of one moment; nil when there is none.
    public func snapshot(of runID: String) async throws(StoreError) -> RunSnapshot? {
        try await self.pass(.init(.snapshot, runID)) { () async throws(StoreError) in
            try await self.base.snapshot(of: runID)
        }
    }
    /// The run of an ID without what it owns; nil when there is none.
    public func run(_ runID: String) async throws(StoreError) -> RunRecord? {
        try await self.pass(.init(.run, runID)) { () async throws(StoreError) in try await self.base.run(runID) }
    }
    /// Stores a message to a run, and wakes the run if nobody drives it.
    public func post(_ message: RunMessage, to runID: String) async throws(StoreError) -> PostVerdict {
        try await self.pass(.init(.post, runID)) { () async throws(StoreError) in
            try await self.base.post(message, to: runID)
        }
    }
    /// Removes a run and all that it owns, if its revision and fence are still these.
    public func delete(_ runID: String, expectedRevision: UInt64, expectedFence: UInt64) async throws(StoreError) {
        try await self.pass(.init(.delete, runID)) { () async throws(StoreError) in
            try await self.base.delete(runID, expectedRevision: expectedRevision, expectedFence: expectedFence)
        }
    }
    /// Takes runs that are due and that nobody drives, within their limits.
    public func claim(_ claim: RunClaim) async throws(StoreError) -> ClaimedRuns {
        try await self.pass(.init(.claim, claim.worker)) { () async throws(StoreError) in
            try await self.base.claim(claim)
        }
    }
    /// Takes running runs whose owner is no registered worker.
    public func adopt(_ claim: RunClaim) async throws(StoreError) -> [RunSnapshot] {
        try await self.pass(.init(.adopt, claim.worker)) { () async throws(StoreError) in
            try await self.base.adopt(claim)
        }
    }
    /// Those of a worker's runs that have messages which it has not seen.
    public func mail(for worker: String) async throws(StoreError) -> [RunMail] {
        try await self.pass(.init(.mail, worker)) { () async throws(StoreError) in
            try await self.base.mail(for: worker)
        }
    }
    /// Stores a worker, and removes others of the same name.
    public func register(_ worker: WorkerRecord) async throws(StoreError) {
        try await self.pass(.init(.register, worker.id)) { () async throws(StoreError) in
            try await self.base.register(worker)
        }
    }
    /// Moves a worker's beat on; false when it is not registered any more.
    public func renew(_ workerID: String, at time: Int64) async throws(StoreError) -> Bool {
        try await self.pass(.init(.renew, workerID)) { () async throws(StoreError) in
            try await self.base.renew(workerID, at: time)
        }
    }
    /// Removes a worker that has not moved since `beat`; false when it has, or is gone.
    public func bury(_ workerID: String, beat: UInt64) async throws(StoreError) -> Bool {
        try await self.pass(.init(.bury, workerID)) { () async throws(StoreError) in
            try await self.base.bury(workerID, beat: beat)
        }
    }
    /// Removes a worker and gives up its runs.
    public func retire(_ workerID: String, at time: Int64) async throws(StoreError) {
        try await self.pass(.init(.retire, workerID)) { () async throws(StoreError) in
            try await self.base.retire(workerID, at: time)
        }
    }
    /// All registered workers, by ID.
    public func workers() async throws(StoreError) -> [WorkerRecord] {
        try await self.pass(.init(.workers)) { () async throws(StoreError) in try await self.base.workers() }
    }
    /// A page of the runs for which `filter` holds, the newest first.
    public func runs(
        where filter: RunFilter, after cursor: RunPage.Cursor?, limit: Int, now: Int64
    ) async throws(StoreError) -> RunPage {
        try await self.pass(.init(.list)) { () async throws(StoreError) in
            try await self.base.runs(where: filter, after: cursor, limit: limit, now: now)
        }
    }
    /// How many runs there are for which `filter` holds.
    public func countRuns(where filter: RunFilter, now: Int64) async throws(StoreError) -> Int {
        try await self.pass(.init(.count)) { () async throws(StoreError) in
            try await self.base.countRuns(where: filter, now: now)
        }
    }
    /// Removes ended runs whose time is over, the oldest first; says how many.
    public func purgeRuns(expiredAt now: Int64, limit: Int) async throws(StoreError) -> Int {
        try await self.pass(.init(.purge)) { () async throws(StoreError) in
            try await self.base.purgeRuns(expiredAt: now, limit: limit)
        }
    }
}
