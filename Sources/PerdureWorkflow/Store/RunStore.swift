public import PerdureModel

/// A place that keeps workflow runs.
///
/// Every store keeps the same promises; the suite in `PerdureTestKit` checks them on a store of anybody's:
///
/// 1. A snapshot has exactly what was stored: all fields, bytes identical; steps and messages in their order.
/// 2. Reads see every acknowledged change.
/// 3. Of several creations under one ID one makes the run; the others are told of it and change nothing.
/// 4. A change whose revision or fence is not the run's throws ``StoreError/Code/conflict`` with the stored revision, and
///    changes nothing. Of several against one revision exactly one succeeds.
/// 5. A change is stored as a whole or not at all, the messages to other runs included, and nobody ever sees a part of it.
/// 6. Every failed write says whether it may have happened, and a store never reports a conflict with one's own write.
/// 7. A run is claimed by one worker at a time, when it is due, higher priorities first; limits hold across processes.
/// 8. A worker that is fenced off changes nothing any more. Runs of a worker that is gone can be adopted, each by one worker.
/// 9. A message is taken once however often it is posted, and no run that it would wake sleeps through it.
/// 10. Pages list every run that exists during the whole listing exactly once; counts agree with them.
/// 11. Deleting removes everything that a run owns; purging removes only ended runs whose time is over.
/// 12. Cancelling the caller never leaves half a write; changes do not look at cancellation at all.
/// 13. Every ID that keeps the rule of ``PersistenceID`` works; others are refused with the rule in the error.
///
/// IDs, names, keys and tags are compared by their bytes.
public protocol RunStore: Sendable {
    /// Whether values are kept as the program has them: then nobody encodes them. Only memory does.
    var keepsLiveValues: Bool { get }

    /// Makes the store ready. Idempotent. Other operations do it by themselves the first time.
    func connect() async throws(StoreError)

    /// Finishes what is under way and lets go of every resource. Idempotent.
    func disconnect() async

    /// Makes a real round trip to the store; connects if not connected.
    func ping() async throws(StoreError)

    // MARK: Runs

    /// Stores a new run, unless there is one of its ID.
    func create(_ creation: RunCreation) async throws(StoreError) -> CreateVerdict

    /// Makes one atomic change of a run.
    ///
    /// When the change leaves the run without an owner and messages were posted that it had not seen
    /// (``RunProgress/inboxSeen``), the run wakes at once, whatever ``RunProgress/wake`` says.
    ///
    /// - Throws: ``StoreError/Code/conflict`` with the stored revision (0 where there is no such run) when revision or fence do not fit.
    func commit(_ commit: RunCommit) async throws(StoreError) -> CommitReceipt

    /// The run of an ID and all that it owns; nil when there is none. Also runs whose time is over, until they are purged.
    func snapshot(of runID: String) async throws(StoreError) -> RunSnapshot?

    /// The run of an ID without what it owns; nil when there is none. Also runs whose time is over, until they are purged.
    func run(_ runID: String) async throws(StoreError) -> RunRecord?

    /// Stores a message to a run, and wakes the run if nobody drives it and it is pending or running.
    func post(_ message: RunMessage, to runID: String) async throws(StoreError) -> PostVerdict

    /// Removes a run and all that it owns, if its revision and fence are still these.
    ///
    /// - Throws: ``StoreError/Code/conflict`` as for ``commit(_:)``.
    func delete(_ runID: String, expectedRevision: UInt64, expectedFence: UInt64) async throws(StoreError)

    // MARK: Work

    /// Takes runs that are due and that nobody drives: those whose time has come first, then those that can begin at once, by
    /// priority and age.
    ///
    /// A pending run begins only where ``RunRequest/workflowLimit`` and ``RunRequest/resourceLimit`` allow it, in all processes
    /// together; it becomes running, and gets its ``RunProgress/startedAt``.
    func claim(_ claim: RunClaim) async throws(StoreError) -> ClaimedRuns

    /// Takes running runs of these workflows whose owner is no registered worker; counts ``RunProgress/adoptions`` up.
    func adopt(_ claim: RunClaim) async throws(StoreError) -> [RunSnapshot]

    /// Those of a worker's runs that have messages which it has not seen, with the messages' numbers.
    func mail(for worker: String) async throws(StoreError) -> [RunMail]

    // MARK: Workers

    /// Stores a worker, and removes others of the same name: they were here before.
    func register(_ worker: WorkerRecord) async throws(StoreError)

    /// Moves a worker's beat on. Returns false when the worker is not registered any more: it was taken for dead.
    func renew(_ workerID: String, at time: Int64) async throws(StoreError) -> Bool

    /// Removes a worker that has not moved since `beat`; false when it has, or is gone.
    func bury(_ workerID: String, beat: UInt64) async throws(StoreError) -> Bool

    /// Removes a worker and gives up its runs: they wake at once, with a higher fence.
    func retire(_ workerID: String, at time: Int64) async throws(StoreError)

    /// All registered workers, by ID.
    func workers() async throws(StoreError) -> [WorkerRecord]

    // MARK: Looking

    /// A page of the runs for which `filter` holds, the newest first; see ``RunPage``.
    ///
    /// - Parameters:
    ///   - filter: which runs.
    ///   - cursor: ``RunPage/next`` of the page before; nil for the first.
    ///   - limit: the most runs in a page, 1 to 1,000. A page may have fewer and still not be the last.
    ///   - now: the time, in Unix milliseconds: runs whose time is over are not listed.
    /// - Returns: the page, and where the next begins.
    /// - Throws: ``StoreError`` when it cannot be read, ``StoreError/Code/invalidRequest`` for a limit out of range.
    func runs(
        where filter: RunFilter, after cursor: RunPage.Cursor?, limit: Int, now: Int64
    ) async throws(StoreError) -> RunPage

    /// How many runs there are for which `filter` holds.
    func countRuns(where filter: RunFilter, now: Int64) async throws(StoreError) -> Int

    /// Removes ended runs whose ``RunProgress/expiresAt`` has come, at most `limit` of them, with all that they own.
    ///
    /// - Returns: how many were removed.
    func purgeRuns(expiredAt now: Int64, limit: Int) async throws(StoreError) -> Int
}

/// A run that has mail.
public struct RunMail: Sendable, Hashable {
    /// The run's ID.
    public var runID: String
    /// The number of the last message that was posted to it.
    public var inboxCount: UInt64

    /// Makes a note.
    public init(runID: String, inboxCount: UInt64) {
        self.runID = runID
        self.inboxCount = inboxCount
    }
}

/// A store that can tell other processes at once that there is something to do; without it they ask now and then.
public protocol RunNotifications: RunStore {
    /// Calls `receive` with what happens, also in other processes, until the task is cancelled.
    ///
    /// Notices are hints: some may be lost, after which ``RunNotice/missed`` is given. `receive` returns at once.
    func notices(_ receive: @escaping @Sendable (RunNotice) -> Void) async throws(StoreError)
}

/// A hint that something happened.
public enum RunNotice: Sendable, Hashable {
    /// Some run can be claimed.
    case ready
    /// A message was posted to a run that somebody drives.
    case mail(runID: String)
    /// A run has ended.
    case ended(runID: String)
    /// Anything may have happened.
    case missed
}
