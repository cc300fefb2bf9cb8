internal import PerdureModel
internal import PerdureWorkflow

/// What each change of runs and workers does, within the writer's transaction.
///
/// Lives on the writer's thread. The meaning is that of the in-memory store's table. Anything that fails after the first row was
/// changed ends the transaction, so that no part of a change is left.
final class RunStatements {
    typealias Step = WriteStatements.Step

    let rows: RunRows
    var cache: StatementCache { self.rows.cache }
    private let find: SQLiteStatement
    private let advance: SQLiteStatement
    private let replace: SQLiteStatement
    private let putStep: SQLiteStatement

    /// What a change has to know of the run as it is.
    struct Stored {
        let run: Int64
        let revision: UInt64
        let fence: UInt64
        let inboxCount: UInt64
        let inboxSeen: UInt64
        let status: RunStatus
        let isOwned: Bool
        /// Whether owner, status and wake are those of a change that is to come, so that no index is touched by it.
        let isAlike: Bool
        /// Whether the last change was this very one, by its write ID.
        let isMine: Bool
    }

    init(on connection: SQLiteConnection) throws(SQLiteFailure) {
        self.rows = RunRows(on: connection)
        self.find = try SQLiteStatement(
            """
            SELECT run, revision, fence, inbox_count, status, owner, wake, wake_at, inbox_seen, write_id
            FROM workflow_runs WHERE run_id = ?1
            """, on: connection)
        self.advance = try SQLiteStatement(
            """
            UPDATE workflow_runs SET revision = ?2, fence = ?3, progress = ?4, definition_hash = ?5, adoptions = ?6,
                inbox_seen = ?7, started_at = ?8, completed_at = ?9, updated_at = ?10, write_id = ?11, parked_reason = ?12,
                error = ?13, output = ?14
            WHERE run = ?1
            """, on: connection)
        self.replace = try SQLiteStatement(
            """
            UPDATE workflow_runs SET revision = ?2, fence = ?3, progress = ?4, definition_hash = ?5, adoptions = ?6,
                inbox_seen = ?7, started_at = ?8, completed_at = ?9, updated_at = ?10, write_id = ?11, parked_reason = ?12,
                error = ?13, output = ?14, status = ?15, owner = ?16, wake = ?17, wake_at = ?18, expires_at = ?19
            WHERE run = ?1
            """, on: connection)
        self.putStep = try SQLiteStatement(
            """
            INSERT OR REPLACE INTO step_executions (run, step_id, position, item, definition_hash, status, attempt, started_at,
                completed_at, wakes_at, input, output, error)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
            """, on: connection)
    }

    /// Carries out a change within the open transaction.
    ///
    /// `writeID` tells it from every other. `before` is what it gave in a transaction whose commit is lost, so that what is stored may
    /// be its own; nil the first time.
    func run(_ write: RunWrite, writeID: UnsafeRawBufferPointer, before: WriteVerdict?) -> Step {
        do throws(Failure) {
            return try self.perform(write, writeID, before)
        } catch {
            switch error {
            case .sqlite(let failure): return .broken(failure)
            case .payload: return .corrupted("a value that was encoded cannot be encoded any more")
            }
        }
    }

    /// What can fail on the way.
    enum Failure: Error {
        case sqlite(SQLiteFailure)
        case payload(PayloadError)
    }

    private func perform(
        _ write: RunWrite, _ writeID: UnsafeRawBufferPointer, _ before: WriteVerdict?
    ) throws(Failure) -> Step {
        switch write.request {
        case .create(let creation): return try self.create(creation, writeID, isRepeated: before != nil)
        case .commit(let commit): return try self.commit(commit, writeID, isRepeated: before != nil)
        case .post(let message, let runID):
            let verdict = try self.post(message, to: runID, isRepeated: before != nil)
            return .answered(RunAnswer(.posted(verdict)))
        case .delete(let runID, let revision, let fence):
            return try self.delete(runID, revision, fence, isRepeated: before != nil)
        case .claim, .adopt, .register, .renew, .bury, .retire, .purge:
            do throws(SQLiteFailure) {
                return try self.work(write, writeID, before)
            } catch {
                throw .sqlite(error)
            }
        }
    }

    // MARK: Creating

    private func create(
        _ creation: RunCreation, _ writeID: UnsafeRawBufferPointer, isRepeated: Bool
    ) throws(Failure) -> Step {
        if let stored = try self.stored(creation.request.id, writeID) {
            guard isRepeated, stored.isMine else {
                let found = try self.attempt { () throws(SQLiteFailure) in try self.rows.record(stored.run) }
                guard let found else { return .corrupted("the run has no input") }
                return .answered(RunAnswer(.exists(found)))
            }
            // Written anew rather than believed: what a failed flush left in the log may never reach the disk.
            try self.attempt { () throws(SQLiteFailure) in try self.remove(stored.run) }
        }
        let request = creation.request
        let progress = creation.progress
        let (wake, wakeAt) = Self.columns(of: progress.wake)
        let failure = try Self.json(progress.failure)
        let output = try Self.bytes(progress.output)
        try self.attempt { () throws(SQLiteFailure) in
            try self.cache.run(
                """
                INSERT INTO workflow_runs (run_id, workflow_id, created_at, resource_id, parent_run_id, priority,
                    workflow_limit, resource_limit, status, owner, fence, revision, inbox_count, inbox_seen, wake, wake_at,
                    expires_at, progress, definition_hash, adoptions, started_at, completed_at, updated_at, write_id,
                    parked_reason, error, output)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, 0, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21,
                    ?22, ?23, ?24, ?25, ?26)
                """
            ) { row in
                row.bind(request.id, at: 1)
                row.bind(request.workflow, at: 2)
                row.bind(request.createdAt, at: 3)
                row.bind(request.resourceID, at: 4)
                row.bind(request.parent?.runID, at: 5)
                row.bind(request.priority, at: 6)
                row.bind(request.workflowLimit, at: 7)
                row.bind(request.resourceLimit, at: 8)
                row.bind(progress.status.rawValue, at: 9)
                row.bind(progress.owner, at: 10)
                row.bind(Int64(progress.fence), at: 11)
                row.bind(Int64(progress.revision), at: 12)
                row.bind(Int64(progress.inboxSeen), at: 13)
                row.bind(wake, at: 14)
                row.bind(wakeAt, at: 15)
                row.bind(progress.expiresAt, at: 16)
                row.bind(progress.progress, at: 17)
                row.bind(Int64(bitPattern: progress.definitionHash), at: 18)
                row.bind(progress.adoptions, at: 19)
                row.bind(progress.startedAt, at: 20)
                row.bind(progress.completedAt, at: 21)
                row.bind(progress.updatedAt, at: 22)
                row.bind(blob: writeID, at: 23)
                row.bind(progress.parkedReason, at: 24)
                row.bind(blob: failure, at: 25)
                row.bind(blob: output, at: 26)
            }
        }
        let run = self.cache.connection.lastRow
        try self.putInput(request, run)
        for step in creation.steps { try self.put(step, run) }
        for record in creation.state { try self.put(record, run) }
        return .done
    }

    private func putInput(_ request: RunRequest, _ run: Int64) throws(Failure) {
        let input = try Self.bytes(request.input)
        let context = try Self.bytes(request.context)
        let tags = request.tags.isEmpty ? nil : try Self.json(request.tags)
        let trigger = try Self.json(request.trigger)
        try self.attempt { () throws(SQLiteFailure) in
            try self.cache.run(
                """
                INSERT INTO workflow_inputs (run, workflow_version, input, context, tags, trigger_cause, parent_step, forked_from)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                """
            ) { row in
                row.bind(run, at: 1)
                row.bind(request.version, at: 2)
                row.bind(blob: input, at: 3)
                row.bind(blob: context, at: 4)
                row.bind(blob: tags, at: 5)
                row.bind(blob: trigger, at: 6)
                row.bind(request.parent?.step, at: 7)
                row.bind(request.forkedFrom, at: 8)
            }
            for (name, value) in request.tags {
                try self.cache.run(
                    "INSERT INTO workflow_tags (run, name, value, created_at, run_id) VALUES (?1, ?2, ?3, ?4, ?5)"
                ) { row in
                    row.bind(run, at: 1)
                    row.bind(name, at: 2)
                    row.bind(value, at: 3)
                    row.bind(request.createdAt, at: 4)
                    row.bind(request.id, at: 5)
                }
            }
        }
    }

    // MARK: Committing

    private func commit(
        _ commit: RunCommit, _ writeID: UnsafeRawBufferPointer, isRepeated: Bool
    ) throws(Failure) -> Step {
        guard let stored = try self.stored(commit.runID, writeID, against: commit.progress) else {
            return .conflict(stored: 0)
        }
        let isOwn = isRepeated && stored.isMine
        guard isOwn || stored.revision == commit.expectedRevision && stored.fence == commit.expectedFence else {
            return .conflict(stored: stored.revision)
        }
        let progress = commit.progress
        let wakes = progress.owner == nil && progress.status.isDrivable && stored.inboxCount > progress.inboxSeen
        let statement = stored.isAlike && !wakes && !isOwn ? Variant.advance : .replace
        try self.update(statement, stored.run, progress, wakes ? .now : progress.wake, writeID)
        for step in commit.removedSteps { try self.removeStep(step, stored.run) }
        for step in commit.steps { try self.put(step, stored.run) }
        for record in commit.state { try self.put(record, stored.run) }
        for (message, step) in commit.consumed { try self.consume(message, by: step, stored.run) }
        guard !commit.posts.isEmpty else { return .counted(stored.inboxCount) }
        var inboxCount = stored.inboxCount
        for (runID, message) in commit.posts {
            let verdict = try self.post(message, to: runID, isRepeated: isOwn)
            if verdict == .posted, IDKey(runID) == IDKey(commit.runID) { inboxCount += 1 }
        }
        return .counted(inboxCount)
    }

    private enum Variant {
        /// Nothing changes that an index has.
        case advance
        case replace
    }

    private func update(
        _ variant: Variant, _ run: Int64, _ progress: RunProgress, _ wake: RunWake, _ writeID: UnsafeRawBufferPointer
    ) throws(Failure) {
        switch variant {
        case .advance:
            try Self.bind(progress, run, writeID, to: self.advance)
            try self.attempt { () throws(SQLiteFailure) in try self.advance.run() }
        case .replace:
            try Self.bind(progress, run, writeID, to: self.replace)
            let (wake, wakeAt) = Self.columns(of: wake)
            self.replace.bind(progress.status.rawValue, at: 15)
            self.replace.bind(progress.owner, at: 16)
            self.replace.bind(wake, at: 17)
            self.replace.bind(wakeAt, at: 18)
            self.replace.bind(progress.expiresAt, at: 19)
            try self.attempt { () throws(SQLiteFailure) in try self.replace.run() }
        }
    }

    private static func bind(
        _ progress: RunProgress, _ run: Int64, _ writeID: UnsafeRawBufferPointer,
        to statement: borrowing SQLiteStatement
    ) throws(Failure) {
        statement.bind(run, at: 1)
        statement.bind(Int64(progress.revision), at: 2)
        statement.bind(Int64(progress.fence), at: 3)
        statement.bind(progress.progress, at: 4)
        statement.bind(Int64(bitPattern: progress.definitionHash), at: 5)
        statement.bind(progress.adoptions, at: 6)
        statement.bind(Int64(progress.inboxSeen), at: 7)
        statement.bind(progress.startedAt, at: 8)
        statement.bind(progress.completedAt, at: 9)
        statement.bind(progress.updatedAt, at: 10)
        statement.bind(blob: writeID, at: 11)
        statement.bind(progress.parkedReason, at: 12)
        statement.bind(blob: try self.json(progress.failure), at: 13)
        statement.bind(blob: try self.bytes(progress.output), at: 14)
    }

    private func put(_ step: StepRecord, _ run: Int64) throws(Failure) {
        let input = try Self.bytes(step.input)
        let output = try Self.bytes(step.output)
        let failure = try Self.json(step.failure)
        self.putStep.bind(run, at: 1)
        self.putStep.bind(step.id, at: 2)
        self.putStep.bind(step.position, at: 3)
        self.putStep.bind(step.item, at: 4)
        self.putStep.bind(Int64(bitPattern: step.definitionHash), at: 5)
        self.putStep.bind(step.status.rawValue, at: 6)
        self.putStep.bind(step.attempt, at: 7)
        self.putStep.bind(step.startedAt, at: 8)
        self.putStep.bind(step.completedAt, at: 9)
        self.putStep.bind(step.wakesAt, at: 10)
        self.putStep.bind(blob: input, at: 11)
        self.putStep.bind(blob: output, at: 12)
        self.putStep.bind(blob: failure, at: 13)
        try self.attempt { () throws(SQLiteFailure) in try self.putStep.run() }
    }

    private func put(_ record: StateRecord, _ run: Int64) throws(Failure) {
        let value = try Self.bytes(record.value)
        try self.attempt { () throws(SQLiteFailure) in
            try self.cache.run(
                "INSERT OR REPLACE INTO workflow_state (run, key, step_id, value) VALUES (?1, ?2, ?3, ?4)"
            ) { row in
                row.bind(run, at: 1)
                row.bind(record.key, at: 2)
                row.bind(record.step, at: 3)
                row.bind(blob: value, at: 4)
            }
        }
    }

    private func removeStep(_ step: String, _ run: Int64) throws(Failure) {
        try self.attempt { () throws(SQLiteFailure) in
            for table in ["step_executions", "workflow_state"] {
                try self.cache.run("DELETE FROM \(table) WHERE run = ?1 AND step_id = ?2") { row in
                    row.bind(run, at: 1)
                    row.bind(step, at: 2)
                }
            }
        }
    }

    private func consume(_ message: String, by step: String, _ run: Int64) throws(Failure) {
        try self.attempt { () throws(SQLiteFailure) in
            try self.cache.run(
                "UPDATE workflow_messages SET consumed_by = ?3 WHERE run = ?1 AND message_id = ?2"
            ) { row in
                row.bind(run, at: 1)
                row.bind(message, at: 2)
                row.bind(step, at: 3)
            }
        }
    }

    // MARK: Messages

    private func post(_ message: RunMessage, to runID: String, isRepeated: Bool) throws(Failure) -> PostVerdict {
        guard let stored = try self.stored(runID, nil) else { return .notFound }
        let present = try self.attempt { () throws(SQLiteFailure) in
            // Changed to what it is where the post may be its own: a page that is written goes to the disk with this commit.
            try self.cache.run(
                "UPDATE workflow_messages SET posted_at = posted_at WHERE run = ?1 AND message_id = ?2"
            ) { row in
                row.bind(stored.run, at: 1)
                row.bind(message.id, at: 2)
            }
        }
        if present > 0, !isRepeated { return .duplicate }
        if present == 0, stored.status.isEnded { return .ended(stored.status) }
        if present == 0 { try self.put(message, stored) }
        let number = stored.inboxCount + (present == 0 ? 1 : 0)
        let wakes = !stored.isOwned && stored.status.isDrivable
        try self.attempt { () throws(SQLiteFailure) in
            try self.cache.run(
                wakes
                    ? "UPDATE workflow_runs SET inbox_count = ?2, wake = 1, wake_at = NULL WHERE run = ?1"
                    : "UPDATE workflow_runs SET inbox_count = ?2 WHERE run = ?1"
            ) { row in
                row.bind(stored.run, at: 1)
                row.bind(Int64(number), at: 2)
            }
        }
        return .posted
    }

    private func put(_ message: RunMessage, _ stored: Stored) throws(Failure) {
        let payload = try Self.bytes(message.payload)
        let kind: String
        var (name, status, error): (String?, RunStatus?, [UInt8]?) = (nil, nil, nil)
        switch message.kind {
        case .signal(let signal): (kind, name) = ("signal", signal)
        case .cancel(let reason): (kind, name) = ("cancel", reason)
        case .pause: kind = "pause"
        case .childEnded(let child, let end, let failure):
            (kind, name, status, error) = ("child", child, end, try Self.json(failure))
        }
        try self.attempt { () throws(SQLiteFailure) in
            try self.cache.run(
                """
                INSERT INTO workflow_messages (run, number, message_id, kind, name, child_status, child_error, payload, posted_at)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
                """
            ) { [name, status, error] row in
                row.bind(stored.run, at: 1)
                row.bind(Int64(stored.inboxCount + 1), at: 2)
                row.bind(message.id, at: 3)
                row.bind(kind, at: 4)
                row.bind(name, at: 5)
                row.bind(status?.rawValue, at: 6)
                row.bind(blob: error, at: 7)
                row.bind(blob: payload, at: 8)
                row.bind(message.postedAt, at: 9)
            }
        }
    }

    // MARK: Deleting

    private func delete(
        _ runID: String, _ revision: UInt64, _ fence: UInt64, isRepeated: Bool
    ) throws(Failure) -> Step {
        guard let stored = try self.stored(runID, nil) else {
            // The first time it was there and was removed.
            return isRepeated ? .done : .conflict(stored: 0)
        }
        guard stored.revision == revision, stored.fence == fence else { return .conflict(stored: stored.revision) }
        try self.attempt { () throws(SQLiteFailure) in try self.remove(stored.run) }
        return .done
    }

    /// Removes a run and all that it owns.
    func remove(_ run: Int64) throws(SQLiteFailure) {
        for table in [
            "step_executions", "workflow_state", "workflow_messages", "workflow_tags", "workflow_inputs",
            "workflow_runs",
        ] {
            try self.cache.run("DELETE FROM \(table) WHERE run = ?1") { $0.bind(run, at: 1) }
        }
    }

    // MARK: Details

    private func stored(
        _ runID: String, _ writeID: UnsafeRawBufferPointer?, against progress: RunProgress? = nil
    ) throws(Failure) -> Stored? {
        try self.attempt { () throws(SQLiteFailure) in
            self.find.bind(runID, at: 1)
            guard try self.find.hasRow() else { return nil }
            defer { self.find.reset() }
            guard let status = RunStatus(rawValue: try self.find.string(at: 4)) else {
                throw .unreadable("a run's status is unknown")
            }
            let isOwned = self.find.kind(at: 5) != .null
            var isAlike = false
            if let progress, isOwned, status == progress.status, var owner = progress.owner {
                let (wake, wakeAt) = Self.columns(of: progress.wake)
                isAlike =
                    owner.withUTF8 { $0.elementsEqual(self.find.bytes(at: 5)) } && self.find.integer(at: 6) == wake
                    && self.find.optionalInteger(at: 7) == wakeAt
            }
            let isMine = writeID.map { self.find.bytes(at: 9).elementsEqual($0) } ?? false
            return Stored(
                run: self.find.integer(at: 0), revision: try self.find.uint(at: 1), fence: try self.find.uint(at: 2),
                inboxCount: try self.find.uint(at: 3), inboxSeen: try self.find.uint(at: 8), status: status,
                isOwned: isOwned, isAlike: isAlike, isMine: isMine)
        }
    }

    @discardableResult
    private func attempt<Result>(_ body: () throws(SQLiteFailure) -> Result) throws(Failure) -> Result {
        do throws(SQLiteFailure) { return try body() } catch { throw .sqlite(error) }
    }

    private static func columns(of wake: RunWake) -> (wake: Int64, at: Int64?) {
        switch wake {
        case .never: (0, nil)
        case .now: (1, nil)
        case .at(let time): (2, time)
        }
    }

    // The caller has encoded them; here they are only fetched.

    private static func bytes(_ value: RunValue) throws(Failure) -> [UInt8] {
        do throws(PayloadError) { return try value.bytes } catch { throw .payload(error) }
    }

    private static func bytes(_ value: RunValue?) throws(Failure) -> [UInt8]? {
        guard let value else { return nil }
        return try self.bytes(value) as [UInt8]
    }

    private static func json<Value: Codable & Sendable>(_ value: Value?) throws(Failure) -> [UInt8]? {
        guard let value else { return nil }
        return try self.bytes(RunValue(value)) as [UInt8]
    }
}
