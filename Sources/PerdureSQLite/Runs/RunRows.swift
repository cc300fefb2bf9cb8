internal import PerdureModel
internal import PerdureWorkflow

/// Reads runs over a connection: the readers' threads and the writer's have one each.
final class RunRows {
    let cache: StatementCache

    init(on connection: SQLiteConnection) { self.cache = StatementCache(on: connection) }

    static let columns = """
        r.run, r.run_id, r.workflow_id, r.created_at, r.resource_id, r.parent_run_id, r.priority, r.workflow_limit,
        r.resource_limit, r.status, r.owner, r.fence, r.revision, r.inbox_count, r.inbox_seen, r.wake, r.wake_at, r.expires_at,
        r.progress, r.definition_hash, r.adoptions, r.started_at, r.completed_at, r.updated_at, r.parked_reason, r.error, r.output,
        i.workflow_version, i.input, i.context, i.tags, i.trigger_cause, i.parent_step, i.forked_from
        """
    static let byID =
        "SELECT \(columns) FROM workflow_runs r JOIN workflow_inputs i ON i.run = r.run WHERE r.run_id = ?1"
    static let byNumber =
        "SELECT \(columns) FROM workflow_runs r JOIN workflow_inputs i ON i.run = r.run WHERE r.run = ?1"

    // MARK: Runs

    func record(_ runID: String) throws(SQLiteFailure) -> (run: Int64, record: RunRecord)? {
        try self.cache.row(Self.byID, { $0.bind(runID, at: 1) }, Self.record)
    }

    func record(_ run: Int64) throws(SQLiteFailure) -> RunRecord? {
        try self.cache.row(Self.byNumber, { $0.bind(run, at: 1) }, Self.record)?.record
    }

    func snapshot(of runID: String) throws(SQLiteFailure) -> RunSnapshot? {
        guard let found = try self.record(runID) else { return nil }
        return try self.snapshot(found.run, found.record)
    }

    func snapshot(_ run: Int64) throws(SQLiteFailure) -> RunSnapshot? {
        guard let record = try self.record(run) else { return nil }
        return try self.snapshot(run, record)
    }

    private func snapshot(_ run: Int64, _ record: RunRecord) throws(SQLiteFailure) -> RunSnapshot {
        let steps = try self.cache.rows(
            """
            SELECT step_id, position, item, definition_hash, status, attempt, started_at, completed_at, wakes_at, input, output,
                error FROM step_executions WHERE run = ?1
            """, { $0.bind(run, at: 1) }, Self.step)
        let state = try self.cache.rows(
            "SELECT key, step_id, value FROM workflow_state WHERE run = ?1", { $0.bind(run, at: 1) },
            { row throws(SQLiteFailure) in
                StateRecord(
                    key: try row.string(at: 0), step: try row.string(at: 1),
                    value: row.optionalBlob(at: 2).map { RunValue(bytes: $0) })
            })
        let messages = try self.cache.rows(
            """
            SELECT message_id, kind, name, child_status, child_error, payload, posted_at, number, consumed_by
            FROM workflow_messages WHERE run = ?1 ORDER BY number
            """, { $0.bind(run, at: 1) }, Self.message)
        return RunSnapshot(
            run: record, steps: steps.sorted { $0.comes(before: $1) }, state: state, messages: messages)
    }

    private static func record(
        _ row: borrowing SQLiteStatement
    ) throws(SQLiteFailure) -> (run: Int64, record: RunRecord) {
        var request = RunRequest(
            id: try row.string(at: 1), workflow: try row.string(at: 2), version: try row.string(at: 27),
            input: RunValue(bytes: Array(row.bytes(at: 28))), createdAt: row.integer(at: 3))
        request.context = row.optionalBlob(at: 29).map { RunValue(bytes: $0) }
        request.resourceID = try row.optionalString(at: 4)
        request.tags = try Self.decoded(row, 30) ?? [:]
        request.priority = Int(row.integer(at: 6))
        request.workflowLimit = row.optionalInteger(at: 7).map { Int($0) }
        request.resourceLimit = row.optionalInteger(at: 8).map { Int($0) }
        request.trigger = try Self.decoded(row, 31)
        if let parent = try row.optionalString(at: 5), let step = try row.optionalString(at: 32) {
            request.parent = RunParent(runID: parent, step: step)
        }
        request.forkedFrom = try row.optionalString(at: 33)

        var progress = RunProgress(
            status: try Self.status(row, 9), definitionHash: UInt64(bitPattern: row.integer(at: 19)),
            at: row.integer(at: 23))
        progress.progress = row.double(at: 18)
        progress.output = row.optionalBlob(at: 26).map { RunValue(bytes: $0) }
        progress.failure = try Self.decoded(row, 25)
        progress.parkedReason = try row.optionalString(at: 24)
        progress.startedAt = row.optionalInteger(at: 21)
        progress.completedAt = row.optionalInteger(at: 22)
        progress.expiresAt = row.optionalInteger(at: 17)
        switch row.integer(at: 15) {
        case 0: progress.wake = .never
        case 1: progress.wake = .now
        case 2: progress.wake = .at(row.integer(at: 16))
        case let other: throw .unreadable("wake is \(other)")
        }
        progress.owner = try row.optionalString(at: 10)
        progress.fence = try row.uint(at: 11)
        progress.revision = try row.uint(at: 12)
        progress.adoptions = Int(row.integer(at: 20))
        progress.inboxSeen = try row.uint(at: 14)
        let record = RunRecord(request: request, progress: progress, inboxCount: try row.uint(at: 13))
        return (row.integer(at: 0), record)
    }

    private static func step(_ row: borrowing SQLiteStatement) throws(SQLiteFailure) -> StepRecord {
        guard let status = StepStatus(rawValue: try row.string(at: 4)) else {
            throw .unreadable("a step's status is unknown")
        }
        var step = StepRecord(
            id: try row.string(at: 0), position: Int(row.integer(at: 1)),
            item: row.optionalInteger(at: 2).map { Int($0) },
            definitionHash: UInt64(bitPattern: row.integer(at: 3)), status: status)
        step.attempt = Int(row.integer(at: 5))
        step.startedAt = row.optionalInteger(at: 6)
        step.completedAt = row.optionalInteger(at: 7)
        step.wakesAt = row.optionalInteger(at: 8)
        step.input = row.optionalBlob(at: 9).map { RunValue(bytes: $0) }
        step.output = row.optionalBlob(at: 10).map { RunValue(bytes: $0) }
        step.failure = try Self.decoded(row, 11)
        return step
    }

    private static func message(_ row: borrowing SQLiteStatement) throws(SQLiteFailure) -> RunMessage {
        let name = try row.optionalString(at: 2) ?? ""
        let kind: RunMessage.Kind
        switch try row.string(at: 1) {
        case "signal": kind = .signal(name)
        case "child": kind = .childEnded(runID: name, try Self.status(row, 3), try Self.decoded(row, 4))
        case "cancel": kind = .cancel(reason: name)
        case "pause": kind = .pause
        case let other: throw .unreadable("a message's kind is \(other)")
        }
        var message = RunMessage(
            id: try row.string(at: 0), kind: kind, payload: row.optionalBlob(at: 5).map { RunValue(bytes: $0) },
            postedAt: row.integer(at: 6))
        message.number = try row.uint(at: 7)
        message.consumedBy = try row.optionalString(at: 8)
        return message
    }

    private static func status(
        _ row: borrowing SQLiteStatement, _ column: Int32
    ) throws(SQLiteFailure) -> RunStatus {
        guard let status = RunStatus(rawValue: try row.string(at: column)) else {
            throw .unreadable("a run's status is unknown")
        }
        return status
    }

    private static func decoded<Value: Codable & Sendable>(
        _ row: borrowing SQLiteStatement, _ column: Int32
    ) throws(SQLiteFailure) -> Value? {
        guard let bytes = row.optionalBlob(at: column) else { return nil }
        do throws(PayloadError) {
            return try RunValue(bytes: bytes).decoded(as: Value.self)
        } catch {
            throw .unreadable("a column is no \(Value.self) as JSON")
        }
    }

    // MARK: Workers

    static let mailOfWorker = """
        SELECT run_id, inbox_count FROM workflow_runs
        WHERE owner = ?1 AND inbox_count > inbox_seen
        """

    func mail(for worker: String) throws(SQLiteFailure) -> [RunMail] {
        try self.cache.rows(Self.mailOfWorker, { $0.bind(worker, at: 1) }) { row throws(SQLiteFailure) in
            RunMail(runID: try row.string(at: 0), inboxCount: try row.uint(at: 1))
        }
    }

    func workers() throws(SQLiteFailure) -> [WorkerRecord] {
        try self.cache.rows(
            """
            SELECT worker_id, name, process, beat, lease, registered_at, renewed_at FROM workflow_workers
            ORDER BY worker_id
            """
        ) { row throws(SQLiteFailure) in
            WorkerRecord(
                id: try row.string(at: 0), name: try row.string(at: 1), process: try row.string(at: 2),
                beat: try row.uint(at: 3), leaseMilliseconds: row.integer(at: 4), registeredAt: row.integer(at: 5),
                renewedAt: row.integer(at: 6))
        }
    }
}
