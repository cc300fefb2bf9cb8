internal import PerdureConcurrency
internal import PerdureModel
public import PerdureWorkflow

/// Runs of workflows, in tables beside those of states; `setup()` makes both.
extension PostgresStore: RunStore {
    /// False: what a server keeps is bytes.
    public var keepsLiveValues: Bool { false }

    // MARK: Runs

    /// Stores a new run, unless there is one of its ID; travels with whatever else is created at the time.
    public func create(_ creation: RunCreation) async throws(StoreError) -> CreateVerdict {
        try self.check(creation)
        let id = creation.request.id
        let job = try CreateJob(creation, write: self.writeIDs.next(), limit: self.maximumPayloadByteCount)
        for _ in 0..<Self.attempts {
            if try await self.line(.write, id, job, { $0.creations }) { return .created }
            // There is one, or was a moment ago.
            let (rows, _) = try await self.look(.write, [Self.step(RunRows.record, id)])
            guard let run = rows.order.first, let record = try rows.all().first?.run else { continue }
            return rows.writes[run]?.first == job.write ? .created : .exists(record)
        }
        throw self.restless(id)
    }

    /// Makes one atomic change of a run; travels with whatever else is changed at the time.
    ///
    /// - Throws: ``StoreError/Code/conflict`` where revision or fence do not fit; with an unknown outcome only where an answer was lost
    ///   and somebody else has changed the run since.
    public func commit(_ commit: RunCommit) async throws(StoreError) -> CommitReceipt {
        try self.check(commit)
        let job = try CommitJob(commit, write: self.writeIDs.next(), limit: self.maximumPayloadByteCount)
        let status = commit.progress.status
        for _ in 0..<Self.attempts {
            let answer = try await self.line(.write, commit.runID, job, { $0.commits }) { lines, answer in
                guard answer.inboxCount != nil, status != .running else { return }
                lines.tell(job.runID, isEnded: status.isEnded)
            }
            if let inboxCount = answer.inboxCount { return CommitReceipt(inboxCount: inboxCount) }
            let found = try await self.found(commit.runID, for: .write)
            if let found, found.write == job.write { return CommitReceipt(inboxCount: found.inboxCount) }
            let stored = found?.revision ?? 0
            if stored == commit.expectedRevision, found?.fence == commit.expectedFence { continue }
            if answer.isRepeated, stored != commit.expectedRevision { throw self.lostSight(of: commit.runID, stored) }
            throw .runConflict(
                .write, of: commit.runID, expected: (commit.expectedRevision, commit.expectedFence), stored: stored)
        }
        throw self.restless(commit.runID)
    }

    /// The run of an ID and all that it owns, as of one moment; nil when there is none.
    public func snapshot(of runID: String) async throws(StoreError) -> RunSnapshot? {
        try self.checkRunID(runID, for: .read)
        return try await self.look(.read, [Self.step(RunRows.ofID, runID)]).rows.all().first
    }

    /// The run of an ID without what it owns; nil when there is none.
    public func run(_ runID: String) async throws(StoreError) -> RunRecord? {
        try self.checkRunID(runID, for: .read)
        return try await self.look(.read, [Self.step(RunRows.record, runID)]).rows.all().first?.run
    }

    /// Stores a message to a run, and wakes the run if nobody drives it.
    public func post(_ message: RunMessage, to runID: String) async throws(StoreError) -> PostVerdict {
        try self.check(message, to: runID)
        var encoding = RunEncoding(of: runID, limit: self.maximumPayloadByteCount)
        return try await self.line(.write, runID, EncodedPost(message, to: runID, &encoding), { $0.posts })
    }

    /// Removes a run and all that it owns, if its revision and fence are still these.
    public func delete(_ runID: String, expectedRevision: UInt64, expectedFence: UInt64) async throws(StoreError) {
        try self.checkRunID(runID, for: .delete)
        for _ in 0..<Self.attempts {
            let step = WorkStatements.delete(runID, revision: expectedRevision, fence: expectedFence)
            let (count, isRepeated) = try await self.change(.delete, [step], id: runID)
            if count > 0 { return }
            let found = try await self.found(runID, for: .delete)
            // An attempt whose answer was lost may have removed it; gone it is.
            if found == nil, isRepeated { return }
            if let found, found.revision == expectedRevision, found.fence == expectedFence { continue }
            throw .runConflict(
                .delete, of: runID, expected: (expectedRevision, expectedFence), stored: found?.revision ?? 0)
        }
        throw self.restless(runID)
    }

    // MARK: Work

    /// Takes runs that are due and that nobody drives, within their limits.
    ///
    /// - Throws: ``StoreError`` with an unknown outcome when the answer was lost and nothing shows that the claim was made; it may
    ///   still be. The worker must retire then, for it may drive runs that it does not know of.
    public func claim(_ claim: RunClaim) async throws(StoreError) -> ClaimedRuns {
        try self.check(claim)
        let write = self.writeIDs.next()
        return try await self.take(claim, write, WorkStatements.claim(claim, write: write))
    }

    /// Takes running runs whose owner is no registered worker.
    ///
    /// - Throws: as ``claim(_:)`` does.
    public func adopt(_ claim: RunClaim) async throws(StoreError) -> [RunSnapshot] {
        try self.check(claim)
        let write = self.writeIDs.next()
        return try await self.take(claim, write, WorkStatements.adopt(claim, write: write)).runs
    }

    private func take(
        _ claim: RunClaim, _ write: WriteID, _ steps: [Exchange.Step]
    ) async throws(StoreError) -> ClaimedRuns {
        let transaction = Transaction(
            operation: .write, repetition: .once, steps: steps, answer: Taken(),
            receive: { answer, step, rows in
                switch step {
                case 1: for row in 0..<rows.rowCount { if let run = rows.integer(row, 0) { answer.order.append(run) } }
                case 2: answer.rows.add(rows)
                case 3: if rows.rowCount > 0 { answer.nextWake = rows.integer(0, 0) }
                default: break
                }
            })
        let lost: StoreError
        do throws(StoreError) {
            let taken = try await self.carryOut(transaction, within: self.configuration.writeTimeout).answer
            return ClaimedRuns(runs: try taken.rows.ordered(taken.order), nextWake: taken.nextWake)
        } catch {
            lost = error
        }
        guard lost.outcome == .unknown else { throw lost }
        // Its traces prove that it was made, as a whole. Their absence proves nothing: it may be on its way.
        let found: RunRows? = try? await self.look(.write, [WorkStatements.takenBy(claim.worker, write)]).rows
        guard let found, !found.order.isEmpty else { throw lost }
        // More may be due: asked again at once, the worker finds out.
        return ClaimedRuns(runs: try found.all(), nextWake: claim.now)
    }

    private struct Taken: Sendable {
        var order: [Int64] = []
        var rows = RunRows()
        var nextWake: Int64?
    }

    /// Those of a worker's runs that have messages which it has not seen.
    public func mail(for worker: String) async throws(StoreError) -> [RunMail] {
        guard !PersistenceID.containsNUL(worker) else { return [] }
        return try await self.list(.read, WorkStatements.mail(for: worker)) { rows, row in
            RunMail(runID: rows.text(row, 0), inboxCount: UInt64(clamping: rows.integer(row, 1) ?? 0))
        }
    }

    // MARK: Workers

    /// Stores a worker, and removes others of the same name.
    public func register(_ worker: WorkerRecord) async throws(StoreError) {
        try self.check(worker)
        _ = try await self.change(.write, WorkStatements.register(worker))
    }

    /// Moves a worker's beat on; false when it is not registered any more.
    public func renew(_ workerID: String, at time: Int64) async throws(StoreError) -> Bool {
        guard !PersistenceID.containsNUL(workerID) else { return false }
        // A beat that is moved on twice has moved.
        return try await self.change(.write, [WorkStatements.renew(workerID, at: time)]).count > 0
    }

    /// Removes a worker that has not moved since `beat`; false when it has, or is gone.
    public func bury(_ workerID: String, beat: UInt64) async throws(StoreError) -> Bool {
        guard !PersistenceID.containsNUL(workerID), beat <= UInt64(Int64.max) else { return false }
        let (count, isRepeated) = try await self.change(.write, WorkStatements.bury(workerID, beat: beat))
        guard count == 0, isRepeated else { return count > 0 }
        // An attempt whose answer was lost may have buried it; gone it is.
        return try await !self.workers().contains { IDKey($0.id) == IDKey(workerID) }
    }

    /// Removes a worker and gives up its runs.
    public func retire(_ workerID: String, at time: Int64) async throws(StoreError) {
        guard !PersistenceID.containsNUL(workerID) else { return }
        _ = try await self.change(
            .write, WorkStatements.retire(workerID, at: time, write: self.writeIDs.next()))
    }

    /// All registered workers, by ID.
    public func workers() async throws(StoreError) -> [WorkerRecord] {
        try await self.list(.read, WorkStatements.workers) { rows, row in
            WorkerRecord(
                id: rows.text(row, 0), name: rows.text(row, 1), process: rows.text(row, 2),
                beat: UInt64(clamping: rows.integer(row, 3) ?? 0), leaseMilliseconds: rows.integer(row, 4) ?? 0,
                registeredAt: rows.integer(row, 5) ?? 0, renewedAt: rows.integer(row, 6) ?? 0)
        }
    }

    // MARK: Looking

    /// A page of the runs for which `filter` holds, the newest first.
    public func runs(
        where filter: RunFilter, after cursor: RunPage.Cursor?, limit: Int, now: Int64
    ) async throws(StoreError) -> RunPage {
        try self.checkRunLimit(limit)
        let place = try cursor.map { cursor throws(StoreError) in try RunPlace(parsing: cursor) }
        if let place, PersistenceID.containsNUL(place.id) {
            throw StoreError(.invalidRequest, operation: .list, message: "a cursor of this listing has no NUL (U+0000)")
        }
        let listing = RunListing(filter: filter, now: now)
        if listing.isEmpty { return RunPage(runs: [], next: nil) }
        let found = try await self.look(.list, [listing.page(after: place, limit: limit + 1)]).rows.all().map(\.run)
        let runs = Array(found.prefix(limit))
        return RunPage(runs: runs, next: found.count > limit ? runs.last.map { RunPlace($0.request).cursor } : nil)
    }

    /// How many runs there are for which `filter` holds.
    public func countRuns(where filter: RunFilter, now: Int64) async throws(StoreError) -> Int {
        let listing = RunListing(filter: filter, now: now)
        if listing.isEmpty { return 0 }
        return try await self.list(.list, listing.count()) { rows, row in Int(rows.integer(row, 0) ?? 0) }.first ?? 0
    }

    /// Removes ended runs whose time is over, the oldest first; says how many.
    public func purgeRuns(expiredAt now: Int64, limit: Int) async throws(StoreError) -> Int {
        guard limit > 0 else { return 0 }
        return try await self.change(.delete, [WorkStatements.purge(expiredAt: now, limit: limit)]).count
    }

    // MARK: Details

    /// How often a change is tried whose run is another each time that one looks.
    private static let attempts = 100

    private static func step(_ statement: Statement, _ id: String) -> Exchange.Step {
        var parameters = ParameterBuffer()
        parameters.append(id)
        return Exchange.Step(statement: statement, parameters: parameters)
    }

    /// Puts a job in line and waits for its answer; `after` is called on the loop.
    private func line<Job, Answer>(
        _ operation: StoreError.Operation, _ id: String, _ job: Job,
        _ line: @escaping @Sendable (RunLines) -> GroupLine<Job, Answer>,
        after: @escaping @Sendable (RunLines, Answer) -> Void = { _, _ in }
    ) async throws(StoreError) -> Answer {
        let works = try self.works(for: operation)
        let deadline = self.clock.now + self.configuration.writeTimeout
        let answer: Result<Answer, StoreError> = await withUnsafeContinuation { continuation in
            let runs = works.runs
            let isLeft = works.intake.leave {
                $0.errands.append {
                    guard let lines = runs.value else { return }
                    line(lines).add(
                        .init(job: job, key: IDKey(id), deadline: deadline) { answer in
                            if case .success(let answer) = answer { after(lines, answer) }
                            continuation.resume(returning: answer)
                        })
                }
            }
            if !isLeft { continuation.resume(returning: .failure(.disconnected(operation, id))) }
        }
        return try answer.get()
    }

    private func look(
        _ operation: StoreError.Operation, _ steps: [Exchange.Step]
    ) async throws(StoreError) -> (rows: RunRows, isRepeated: Bool) {
        let transaction = Transaction(
            operation: operation, repetition: .reading, steps: steps, answer: RunRows(),
            receive: { answer, _, rows in answer.add(rows) })
        let found = try await self.carryOut(transaction, within: self.configuration.readTimeout)
        return (found.answer, found.isRepeated)
    }

    private func list<Item: Sendable>(
        _ operation: StoreError.Operation, _ step: Exchange.Step,
        _ item: @escaping @Sendable (_ rows: borrowing ServerResult, _ row: Int) -> Item
    ) async throws(StoreError) -> [Item] {
        let transaction = Transaction<[Item]>(
            operation: operation, repetition: .reading, steps: [step], answer: [],
            receive: { answer, _, rows in for row in 0..<rows.rowCount { answer.append(item(rows, row)) } })
        return try await self.carryOut(transaction, within: self.configuration.readTimeout).answer
    }

    /// Runs an idempotent change; says how many rows its last statement gave.
    private func change(
        _ operation: StoreError.Operation, _ steps: [Exchange.Step], id: String? = nil
    ) async throws(StoreError) -> (count: Int, isRepeated: Bool) {
        let last = steps.count - 1
        let transaction = Transaction(
            operation: operation, persistenceID: id, repetition: .idempotent, steps: steps, answer: 0,
            receive: { answer, step, rows in if step == last { answer = rows.rowCount } })
        let done = try await self.carryOut(transaction, within: self.configuration.writeTimeout)
        return (done.answer, done.isRepeated)
    }

    private struct Found: Sendable {
        let revision: UInt64
        let write: WriteID?
        let fence: UInt64
        let inboxCount: UInt64
    }

    private func found(_ runID: String, for operation: StoreError.Operation) async throws(StoreError) -> Found? {
        try await self.list(operation, WorkStatements.revision(of: runID)) { rows, row in
            Found(
                revision: UInt64(clamping: rows.integer(row, 0) ?? 0), write: rows.writeID(row, 1),
                fence: UInt64(clamping: rows.integer(row, 2) ?? 0),
                inboxCount: UInt64(clamping: rows.integer(row, 3) ?? 0))
        }.first
    }

    private func restless(_ id: String) -> StoreError {
        StoreError(
            .unavailable, operation: .write, persistenceID: id,
            message: "the run was another each of \(Self.attempts) times that it was looked at; try again")
    }

    private func lostSight(of id: String, _ stored: UInt64) -> StoreError {
        StoreError(
            .unavailable, outcome: .unknown, operation: .write, persistenceID: id,
            message:
                "the server's answer was lost, and others have changed the run since (revision \(stored) is stored):"
                + " this change may have been made before theirs; read the run again",
            storedVersion: stored)
    }
}

extension PostgresStore: RunNotifications {
    /// Calls `receive` with what happens in any process that uses these tables, until the task is cancelled or the store disconnected.
    ///
    /// Listens on a connection of its own. ``RunNotice/missed`` comes when listening begins, and each time that it begins again.
    public func notices(_ receive: @escaping @Sendable (RunNotice) -> Void) async throws(StoreError) {
        let channels = try await self.list(
            .read,
            Exchange.Step(
                statement: Statement(
                    name: "perdure_run_channel", sql: "SELECT 'perdure_runs_' || 'workflow_runs'::regclass::oid"),
                parameters: ParameterBuffer())
        ) { rows, row in rows.text(row, 0) }
        let listener = try self.listen(to: channels, capacity: 4_096)
        for await signal in listener.signals {
            switch signal {
            case .listening, .overflowed: receive(.missed)
            case .interrupted: break
            case .notification(_, let payload):
                switch payload.utf8.first {
                case UInt8(ascii: "r"): receive(.ready)
                case UInt8(ascii: "m"): receive(.mail(runID: String(payload.dropFirst())))
                case UInt8(ascii: "e"): receive(.ended(runID: String(payload.dropFirst())))
                default: receive(.missed)
                }
            }
        }
        listener.close()
    }
}
