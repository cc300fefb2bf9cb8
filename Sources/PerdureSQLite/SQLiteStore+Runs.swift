internal import PerdureModel
public import PerdureWorkflow

/// Runs of workflows, in the same file as states and committed together with them.
extension SQLiteStore: RunStore {
    /// False: what is on a disk is bytes.
    public var keepsLiveValues: Bool { false }

    // MARK: Runs

    /// Stores a new run, unless there is one of its ID.
    public func create(_ creation: RunCreation) async throws(StoreError) -> CreateVerdict {
        try self.check(creation)
        let request = creation.request
        var weight = RunWeight(of: request.id, limit: self.maximumPayloadByteCount)
        try weight.add(request.input)
        try weight.add(request.context)
        try weight.add(creation.progress, creation.steps, creation.state)
        switch try await self.change(.create(creation), weight.total) {
        case .answered(let answer):
            if case .exists(let record) = answer.result { return .exists(record) }
            return .created
        case .done, .counted, .conflict, .failed: return .created
        }
    }

    /// Makes one atomic change of a run, committed together with whatever else waits.
    public func commit(_ commit: RunCommit) async throws(StoreError) -> CommitReceipt {
        try self.check(commit)
        var weight = RunWeight(of: commit.runID, limit: self.maximumPayloadByteCount)
        try weight.add(commit.progress, commit.steps, commit.state)
        for (_, message) in commit.posts { try weight.add(message.payload) }
        switch try await self.change(.commit(commit), weight.total) {
        case .counted(let inboxCount): return CommitReceipt(inboxCount: inboxCount)
        case .conflict(let stored):
            throw .runConflict(
                .write, of: commit.runID, expected: (commit.expectedRevision, commit.expectedFence), stored: stored)
        case .done, .answered, .failed: return CommitReceipt(inboxCount: 0)
        }
    }

    /// The run of an ID and all that it owns, as of one moment; nil when there is none.
    public func snapshot(of runID: String) async throws(StoreError) -> RunSnapshot? {
        try self.checkRunID(runID, for: .read)
        return try await self.look(.read, of: runID) { rows throws(SQLiteFailure) in try rows.snapshot(of: runID) }
    }

    /// The run of an ID without what it owns; nil when there is none.
    public func run(_ runID: String) async throws(StoreError) -> RunRecord? {
        try self.checkRunID(runID, for: .read)
        return try await self.look(.read, of: runID) { rows throws(SQLiteFailure) in try rows.record(runID)?.record }
    }

    /// Stores a message to a run, and wakes the run if nobody drives it.
    public func post(_ message: RunMessage, to runID: String) async throws(StoreError) -> PostVerdict {
        try self.check(message, to: runID)
        var weight = RunWeight(of: runID, limit: self.maximumPayloadByteCount)
        try weight.add(message.payload)
        guard case .answered(let answer) = try await self.change(.post(message, runID: runID), weight.total),
            case .posted(let verdict) = answer.result
        else { return .posted }
        return verdict
    }

    /// Removes a run and all that it owns, if its revision and fence are still these.
    public func delete(_ runID: String, expectedRevision: UInt64, expectedFence: UInt64) async throws(StoreError) {
        try self.checkRunID(runID, for: .delete)
        let verdict = try await self.change(.delete(runID, revision: expectedRevision, fence: expectedFence))
        if case .conflict(let stored) = verdict {
            throw .runConflict(.delete, of: runID, expected: (expectedRevision, expectedFence), stored: stored)
        }
    }

    // MARK: Work

    /// Takes runs that are due and that nobody drives, within their limits.
    public func claim(_ claim: RunClaim) async throws(StoreError) -> ClaimedRuns {
        try self.check(claim)
        guard case .answered(let answer) = try await self.change(.claim(claim)),
            case .claimed(let runs) = answer.result
        else { return ClaimedRuns(runs: [], nextWake: nil) }
        return runs
    }

    /// Takes running runs whose owner is no registered worker.
    public func adopt(_ claim: RunClaim) async throws(StoreError) -> [RunSnapshot] {
        try self.check(claim)
        guard case .answered(let answer) = try await self.change(.adopt(claim)),
            case .adopted(let runs) = answer.result
        else { return [] }
        return runs
    }

    /// Those of a worker's runs that have messages which it has not seen.
    public func mail(for worker: String) async throws(StoreError) -> [RunMail] {
        try await self.look(.read) { rows throws(SQLiteFailure) in try rows.mail(for: worker) }
    }

    // MARK: Workers

    /// Stores a worker, and removes others of the same name.
    public func register(_ worker: WorkerRecord) async throws(StoreError) {
        try self.check(worker)
        _ = try await self.change(.register(worker))
    }

    /// Moves a worker's beat on; false when it is not registered any more.
    public func renew(_ workerID: String, at time: Int64) async throws(StoreError) -> Bool {
        try await self.truth(.renew(workerID, time))
    }

    /// Removes a worker that has not moved since `beat`; false when it has, or is gone.
    public func bury(_ workerID: String, beat: UInt64) async throws(StoreError) -> Bool {
        try await self.truth(.bury(workerID, beat: beat))
    }

    /// Removes a worker and gives up its runs.
    public func retire(_ workerID: String, at time: Int64) async throws(StoreError) {
        _ = try await self.change(.retire(workerID, time))
    }

    /// All registered workers, by ID.
    public func workers() async throws(StoreError) -> [WorkerRecord] {
        try await self.look(.read) { rows throws(SQLiteFailure) in try rows.workers() }
    }

    // MARK: Looking

    /// A page of the runs for which `filter` holds, the newest first.
    public func runs(
        where filter: RunFilter, after cursor: RunPage.Cursor?, limit: Int, now: Int64
    ) async throws(StoreError) -> RunPage {
        try self.checkRunLimit(limit)
        let start = try cursor.map { cursor throws(StoreError) in try RunPlace(parsing: cursor) }
        return try await self.look(.list) { rows throws(SQLiteFailure) in
            let listing = RunListing(filter: filter, now: now)
            let found = try listing.places(after: start, limit: limit + 1, in: rows)
            var records: [RunRecord] = []
            for place in found.prefix(limit) {
                if let record = try rows.record(place.run) { records.append(record) }
            }
            return RunPage(runs: records, next: found.count > limit ? found[limit - 1].place.cursor : nil)
        }
    }

    /// How many runs there are for which `filter` holds.
    public func countRuns(where filter: RunFilter, now: Int64) async throws(StoreError) -> Int {
        try await self.look(.list) { rows throws(SQLiteFailure) in
            try RunListing(filter: filter, now: now).count(in: rows)
        }
    }

    /// Removes ended runs whose time is over, the oldest first; says how many.
    public func purgeRuns(expiredAt now: Int64, limit: Int) async throws(StoreError) -> Int {
        guard limit > 0, case .counted(let count) = try await self.change(.purge(now, limit: limit)) else { return 0 }
        return Int(count)
    }

    // MARK: Details

    /// Puts a change in line; an error of its own is thrown, a conflict is returned.
    private func change(_ request: RunWrite.Request, _ weight: Int = 0) async throws(StoreError) -> WriteVerdict {
        let verdict = try await self.submit(.runs(RunWrite(request, weight: weight)))
        if case .failed(let failure) = verdict { throw failure.error }
        return verdict
    }

    private func truth(_ request: RunWrite.Request) async throws(StoreError) -> Bool {
        guard case .answered(let answer) = try await self.change(request), case .truth(let isSo) = answer.result else {
            return false
        }
        return isSo
    }

    private func look<Answer: Sendable>(
        _ operation: StoreError.Operation, of id: String? = nil,
        _ body: @escaping @Sendable (RunRows) throws(SQLiteFailure) -> Answer
    ) async throws(StoreError) -> Answer {
        try await self.read(operation, of: id) { (continuation: UnsafeContinuation<ReadAnswer<Answer>?, Never>) in
            ReadJob(
                request: .runs { rows in
                    do throws(SQLiteFailure) {
                        continuation.resume(returning: .success(try body(rows)))
                    } catch {
                        continuation.resume(returning: .failure(error.storeError(operation, of: id)))
                    }
                })
        }.get()
    }
}

/// Encodes what a change brings along, in its caller's task rather than on the writer's thread, and adds the bytes up.
private struct RunWeight {
    private(set) var total = 0
    private let runID: String
    private let limit: Int

    init(of runID: String, limit: Int) {
        self.runID = runID
        self.limit = limit
    }

    mutating func add(_ progress: RunProgress, _ steps: [StepRecord], _ state: [StateRecord]) throws(StoreError) {
        try self.add(progress.output)
        for step in steps {
            try self.add(step.input)
            try self.add(step.output)
        }
        for record in state { try self.add(record.value) }
    }

    mutating func add(_ value: RunValue?) throws(StoreError) {
        guard let value else { return }
        let count: Int
        do throws(PayloadError) {
            count = try value.bytes.count
        } catch {
            throw StoreError(
                .undecodable, operation: .write, persistenceID: self.runID,
                message: "a value cannot be written as JSON; nothing was sent", underlying: error)
        }
        guard count <= self.limit else {
            throw StoreError(
                .payloadTooLarge, operation: .write, persistenceID: self.runID,
                message: "a value has \(count) bytes, this store takes at most \(self.limit);"
                    + " make it smaller or keep it elsewhere")
        }
        self.total += count
    }
}
