internal import PerdureModel
public import PerdureWorkflow

/// Workflow runs, in tables beside that of the states; ``CassandraStore/setup(_:)`` makes both.
///
/// A run is one partition, and each of its changes one lightweight transaction. Everything else that finds runs, by workflow, status,
/// time or worker, is a hint that is written before the change and checked against the run when it is followed.
extension CassandraStore: RunStore {
    /// False: values are stored as bytes.
    public var keepsLiveValues: Bool { false }

    // MARK: Runs

    /// Stores a new run: one lightweight transaction, and its hints before it.
    ///
    /// - Throws: ``StoreError/Code/payloadTooLarge`` for a value above ``CassandraConfiguration/maximumPayloadByteCount``, and what
    ///   keeps the cluster from answering; the outcome says whether the run may be there.
    public func create(_ creation: RunCreation) async throws(StoreError) -> CreateVerdict {
        try self.check(creation)
        return try await self.change(.write, creation.request.id) { runs throws(StoreError) in
            try await runs.create(creation)
        }
    }

    /// Makes one change of a run: one lightweight transaction, whatever it has to carry.
    ///
    /// Messages to other runs are stored with it and brought on afterwards; whoever meets the run before that is done does it first.
    ///
    /// - Throws: ``StoreError/Code/conflict`` with the stored revision; otherwise the outcome says whether it may have happened.
    public func commit(_ commit: RunCommit) async throws(StoreError) -> CommitReceipt {
        try self.check(commit)
        return try await self.change(.write, commit.runID) { runs throws(StoreError) in try await runs.commit(commit) }
    }

    /// A run and all that it owns, as of one moment: one serial read of its partition.
    ///
    /// - Throws: ``StoreError/Code/corrupted`` for a run that cannot be read, and what keeps the cluster from answering.
    public func snapshot(of runID: String) async throws(StoreError) -> RunSnapshot? {
        try self.checkRunID(runID, for: .read)
        return try await self.look(.read, runID) { runs throws(StoreError) in try await runs.snapshot(of: runID) }
    }

    /// A run without what it owns: a serial read.
    ///
    /// - Throws: ``StoreError`` as ``snapshot(of:)`` does.
    public func run(_ runID: String) async throws(StoreError) -> RunRecord? {
        try self.checkRunID(runID, for: .read)
        return try await self.look(.read, runID) { runs throws(StoreError) in try await runs.run(runID) }
    }

    /// Stores a message, once for each of its IDs: a serial read and a lightweight transaction.
    ///
    /// - Throws: ``StoreError`` whose outcome says whether the message may be there; posting it again is safe.
    public func post(_ message: RunMessage, to runID: String) async throws(StoreError) -> PostVerdict {
        try self.check(message, to: runID)
        return try await self.change(.write, runID) { runs throws(StoreError) in
            try await runs.post(message, to: runID)
        }
    }

    /// Removes a run with all that it owns.
    ///
    /// - Throws: ``StoreError/Code/conflict`` with the stored revision; otherwise the outcome says whether it may have happened.
    public func delete(_ runID: String, expectedRevision: UInt64, expectedFence: UInt64) async throws(StoreError) {
        try self.checkRunID(runID, for: .delete)
        try await self.change(.delete, runID) { runs throws(StoreError) in
            try await runs.delete(runID, expectedRevision: expectedRevision, expectedFence: expectedFence)
        }
    }

    // MARK: Work

    /// Takes runs that are due and that nobody drives, in turn and within their limits.
    ///
    /// Costs a few reads of hints, and for each run a serial read and a lightweight transaction; where runs have limits, one more for
    /// all runs of a workflow together.
    ///
    /// - Throws: ``StoreError`` with an unknown outcome where a run may have been taken without this worker hearing of it.
    public func claim(_ claim: RunClaim) async throws(StoreError) -> ClaimedRuns {
        try self.check(claim)
        return try await self.change(.write, nil) { runs throws(StoreError) in try await runs.claim(claim) }
    }

    /// Takes running runs whose worker is gone.
    ///
    /// - Throws: ``StoreError`` as ``claim(_:)`` does.
    public func adopt(_ claim: RunClaim) async throws(StoreError) -> [RunSnapshot] {
        try self.check(claim)
        return try await self.change(.write, nil) { runs throws(StoreError) in try await runs.adopt(claim) }
    }

    /// A worker's runs that have messages which it has not seen, by the runs' IDs.
    ///
    /// - Throws: ``StoreError`` when it cannot be read.
    public func mail(for worker: String) async throws(StoreError) -> [RunMail] {
        try await self.look(.read, nil) { runs throws(StoreError) in try await runs.mail(for: worker) }
    }

    // MARK: Workers

    /// Stores a worker in the place of others of its name: one lightweight transaction.
    ///
    /// - Throws: ``StoreError`` whose outcome says whether it may be registered.
    public func register(_ worker: WorkerRecord) async throws(StoreError) {
        try self.check(worker)
        try await self.change(.write, worker.id) { runs throws(StoreError) in try await runs.register(worker) }
    }

    /// Moves a worker's beat on: one lightweight transaction, however many runs it drives.
    ///
    /// - Throws: ``StoreError`` whose outcome says whether it may have moved; renewing again is safe.
    public func renew(_ workerID: String, at time: Int64) async throws(StoreError) -> Bool {
        try await self.change(.write, workerID) { runs throws(StoreError) in
            try await runs.renew(workerID, at: time)
        }
    }

    /// Takes a worker for dead that has not moved since a beat; of several that try, one is told that it did.
    ///
    /// - Throws: ``StoreError`` whose outcome says whether it may be buried.
    public func bury(_ workerID: String, beat: UInt64) async throws(StoreError) -> Bool {
        try await self.change(.write, workerID) { runs throws(StoreError) in
            try await runs.bury(workerID, beat: beat)
        }
    }

    /// Gives up a worker's runs, one transaction for each, and removes the worker.
    ///
    /// - Throws: ``StoreError`` where not all is done; the worker is registered still, and retiring again goes on.
    public func retire(_ workerID: String, at time: Int64) async throws(StoreError) {
        try await self.change(.write, workerID) { runs throws(StoreError) in
            try await runs.retire(workerID, at: time)
        }
    }

    /// All registered workers, by ID: one read.
    ///
    /// - Throws: ``StoreError`` when they cannot be read.
    public func workers() async throws(StoreError) -> [WorkerRecord] {
        try await self.look(.read, nil) { runs throws(StoreError) in try await runs.workers() }
    }

    // MARK: Looking

    /// A page of runs, the newest first: hints are followed, and each run is read.
    ///
    /// - Parameters:
    ///   - filter: which runs; the narrowest of parent, tag, resource, workflow and status decides whose hints are followed.
    ///   - cursor: ``RunPage/next`` of the page before; nil for the first.
    ///   - limit: the most runs in a page, 1 to 1,000.
    ///   - now: the time, in Unix milliseconds.
    /// - Returns: the page, and where the next begins.
    /// - Throws: ``StoreError`` when it cannot be read, ``StoreError/Code/invalidRequest`` for a limit out of range.
    public func runs(
        where filter: RunFilter, after cursor: RunPage.Cursor?, limit: Int, now: Int64
    ) async throws(StoreError) -> RunPage {
        try self.checkRunLimit(limit)
        let place = try cursor.map { cursor throws(StoreError) in try RunPlace(parsing: cursor) }
        return try await self.look(.list, nil) { runs throws(StoreError) in
            try await runs.runs(where: filter, after: place, limit: limit, now: now)
        }
    }

    /// How many runs there are for which `filter` holds; looks at each of them.
    ///
    /// - Throws: ``StoreError`` when they cannot be read.
    public func countRuns(where filter: RunFilter, now: Int64) async throws(StoreError) -> Int {
        try await self.look(.list, nil) { runs throws(StoreError) in
            try await runs.countRuns(where: filter, now: now)
        }
    }

    /// Removes ended runs whose time is over, the earliest first, at most `limit` of them.
    ///
    /// - Returns: how many were removed.
    /// - Throws: ``StoreError`` where it could not go on; what was removed by then stays removed.
    public func purgeRuns(expiredAt now: Int64, limit: Int) async throws(StoreError) -> Int {
        try await self.change(.delete, nil) { runs throws(StoreError) in
            try await runs.purge(expiredAt: now, limit: limit)
        }
    }

    // MARK: Details

    private func look<Value: Sendable>(
        _ operation: StoreError.Operation, _ id: String?,
        _ body: (RunSession) async throws(StoreError) -> Value
    ) async throws(StoreError) -> Value {
        let session = try await self.enter(operation, id)
        defer { session.leave() }
        return try await body(RunSession(session))
    }

    /// A change is not kept from being made, nor left half way, by a caller who is cancelled.
    private func change<Value: Sendable>(
        _ operation: StoreError.Operation, _ id: String?,
        _ body: (RunSession) async throws(StoreError) -> Value
    ) async throws(StoreError) -> Value {
        let session = try await self.enter(operation, id, heedsCancellation: false)
        defer { session.leave() }
        return try await body(RunSession(session))
    }
}
