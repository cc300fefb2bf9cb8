internal import PerdureConcurrency
public import PerdureModel
public import PerdureWorkflow

/// Runs of workflows in a single table of Amazon DynamoDB, laid out as Gorkflow's users know it.
///
/// A step is recorded by one transaction, on condition of the run's revision and fence; what workers look for (what is due, what
/// runs, whose it is) stands in items that are written in the same transaction and read consistently, so that no run is missed and
/// none is driven twice. The two indexes answer listings by workflow and by status, and may lag behind a little.
///
/// Nothing is opened before ``connect()`` or the first use, and no table is made but by ``setup(_:layout:)``.
///
/// ```swift
/// let store = try DynamoDBRunStore(DynamoDBConfiguration(table: "workflow_executions", region: "eu-central-1"))
/// try await store.setup()
/// let engine = try WorkflowEngine(store: store) { fulfilment }
/// ```
public final class DynamoDBRunStore: RunStore {
    /// How the store was configured.
    public let configuration: DynamoDBConfiguration
    /// The largest value in bytes.
    public var maximumPayloadByteCount: Int { self.configuration.maximumPayloadByteCount }
    /// False: what the table keeps is bytes.
    public var keepsLiveValues: Bool { false }

    let opener: TableOpener
    private let known = KnownRuns()

    /// Makes a store over a table; opens and starts nothing.
    ///
    /// - Throws: ``StoreError/Code/misconfigured`` when the configuration breaks a rule, with the rule in the message.
    public convenience init(_ configuration: DynamoDBConfiguration) throws(StoreError) {
        try self.init(configuration, environment: .process, clock: SystemClock())
    }

    /// Makes a store from a URL such as `dynamodb://eu-central-1/workflow_executions`; see ``DynamoDBConfiguration/init(url:)``.
    ///
    /// - Throws: ``StoreError/Code/misconfigured`` that says what is wrong with it.
    public convenience init(url: String) throws(StoreError) {
        try self.init(DynamoDBConfiguration(url: url))
    }

    init(
        _ configuration: DynamoDBConfiguration, environment: AWSEnvironment, clock: any PerdureClock
    ) throws(StoreError) {
        self.opener = try TableOpener(configuration, environment: environment, clock: clock)
        self.configuration = configuration
    }

    // MARK: Connection

    /// Makes the store ready, and sees that the table is there and has the right keys and indexes. Idempotent.
    ///
    /// - Throws: ``StoreError/Code/misconfigured`` for a missing or another table, and what keeps the service from answering.
    public func connect() async throws(StoreError) {
        let session = try await self.opener.enter(.connect, reopens: true)
        defer { session.leave() }
        try await session.checkTable(.runs)
    }

    /// Waits for what is under way and closes the connections. Idempotent.
    public func disconnect() async { await self.opener.disconnect() }

    public func ping() async throws(StoreError) { try await self.opener.ping(RunMarkerKey.layout) }

    /// Makes the table with its indexes if it is missing, sets what `setup` says, and waits until the table is active. Idempotent.
    ///
    /// The layout is written into the table by the first setup and holds for ever; without one it is the usual.
    ///
    /// - Throws: ``StoreError/Code/misconfigured`` when there is a table of the name with other keys, or with another layout.
    public func setup(_ setup: DynamoDBSetup = .init(), layout: DynamoDBRunLayout? = nil) async throws(StoreError) {
        if let violation = layout?.violation {
            throw StoreError(.misconfigured, operation: .setup, message: violation)
        }
        let session = try await self.opener.enter(.setup, reopens: true)
        defer { session.leave() }
        try await session.setUp(setup, .runs)
        try await session.writeRunLayout(layout)
    }

    // MARK: Runs

    public func create(_ creation: RunCreation) async throws(StoreError) -> CreateVerdict {
        try self.check(creation)
        return try await self.work(.write, creation.request.id) { (work) throws(StoreError) in
            try await work.create(creation)
        }
    }

    public func commit(_ commit: RunCommit) async throws(StoreError) -> CommitReceipt {
        try self.check(commit)
        return try await self.work(.write, commit.runID) { (work) throws(StoreError) in try await work.commit(commit) }
    }

    public func snapshot(of runID: String) async throws(StoreError) -> RunSnapshot? {
        try self.checkRunID(runID, for: .read)
        return try await self.work(.read, runID) { (work) throws(StoreError) in
            guard let partition = try await work.partition(runID) else { return nil }
            return try work.snapshot(partition)
        }
    }

    public func run(_ runID: String) async throws(StoreError) -> RunRecord? {
        try self.checkRunID(runID, for: .read)
        return try await self.work(.read, runID) { (work) throws(StoreError) in try await work.record(runID) }
    }

    public func post(_ message: RunMessage, to runID: String) async throws(StoreError) -> PostVerdict {
        try self.check(message, to: runID)
        return try await self.work(.write, runID) { (work) throws(StoreError) in
            try await work.post(message, to: runID)
        }
    }

    public func delete(_ runID: String, expectedRevision: UInt64, expectedFence: UInt64) async throws(StoreError) {
        try self.checkRunID(runID, for: .delete)
        try await self.work(.delete, runID) { (work) throws(StoreError) in
            try await work.delete(runID, expectedRevision: expectedRevision, expectedFence: expectedFence)
        }
    }

    // MARK: Work

    /// Takes runs that are due and that nobody drives, within their limits; each by a transaction of its own.
    ///
    /// - Throws: ``StoreError`` with an unknown outcome when an answer was lost and nothing shows what became of it. The worker must
    ///   retire then, for it may drive runs that it does not know of.
    public func claim(_ claim: RunClaim) async throws(StoreError) -> ClaimedRuns {
        try self.check(claim)
        return try await self.work(.write) { (work) throws(StoreError) in try await work.claim(claim) }
    }

    /// Takes running runs whose owner is no registered worker.
    ///
    /// - Throws: as ``claim(_:)`` does.
    public func adopt(_ claim: RunClaim) async throws(StoreError) -> [RunSnapshot] {
        try self.check(claim)
        return try await self.work(.write) { (work) throws(StoreError) in try await work.adopt(claim) }
    }

    public func mail(for worker: String) async throws(StoreError) -> [RunMail] {
        try await self.work(.read) { (work) throws(StoreError) in try await work.mail(for: worker) }
    }

    // MARK: Workers

    public func register(_ worker: WorkerRecord) async throws(StoreError) {
        try self.check(worker)
        try await self.work(.write) { (work) throws(StoreError) in try await work.register(worker) }
    }

    public func renew(_ workerID: String, at time: Int64) async throws(StoreError) -> Bool {
        try await self.work(.write) { (work) throws(StoreError) in try await work.renew(workerID, at: time) }
    }

    public func bury(_ workerID: String, beat: UInt64) async throws(StoreError) -> Bool {
        try await self.work(.write) { (work) throws(StoreError) in try await work.bury(workerID, beat: beat) }
    }

    /// Gives up a worker's runs, one transaction each, and removes it.
    public func retire(_ workerID: String, at time: Int64) async throws(StoreError) {
        try await self.work(.write) { (work) throws(StoreError) in try await work.retire(workerID, at: time) }
    }

    public func workers() async throws(StoreError) -> [WorkerRecord] {
        try await self.work(.read) { (work) throws(StoreError) in try await work.workers() }
    }

    // MARK: Looking

    /// A page of the runs for which `filter` holds, the newest first.
    ///
    /// By resource, tag, parent, or workflow and status, it is of this moment. By workflow or by status alone, or by nothing, it is
    /// found by an index, which may lag behind the table for a moment: a run just created may be missing. What is listed is always
    /// read from the table itself.
    public func runs(
        where filter: RunFilter, after cursor: RunPage.Cursor?, limit: Int, now: Int64
    ) async throws(StoreError) -> RunPage {
        try self.checkRunLimit(limit)
        let place = try cursor.map { cursor throws(StoreError) in try RunPlace(parsing: cursor) }
        return try await self.work(.list) { (work) throws(StoreError) in
            try await work.runs(where: filter, after: place, limit: limit, now: now)
        }
    }

    /// How many runs there are for which `filter` holds; reads an item of some hundred bytes for each of them.
    public func countRuns(where filter: RunFilter, now: Int64) async throws(StoreError) -> Int {
        try await self.work(.list) { (work) throws(StoreError) in try await work.count(where: filter, now: now) }
    }

    public func purgeRuns(expiredAt now: Int64, limit: Int) async throws(StoreError) -> Int {
        try await self.work(.delete) { (work) throws(StoreError) in try await work.purge(expiredAt: now, limit: limit) }
    }

    // MARK: Details

    private func work<Answer>(
        _ operation: StoreError.Operation, _ id: String? = nil,
        _ body: (RunWork) async throws(StoreError) -> Answer
    ) async throws(StoreError) -> Answer {
        let session = try await self.opener.enter(operation, id, heedsCancellation: false)
        defer { session.leave() }
        let layout: DynamoDBRunLayout
        if let known = self.known.layout {
            layout = known
        } else {
            layout = try await session.runLayout(operation)
            self.known.layout = layout
        }
        return try await body(RunWork(session, layout, self.known, operation))
    }
}
