internal import PerdureModel
internal import PerdureState
internal import PerdureWorkflow

/// Runs, and what they own, as they come from the server: all in one statement, so that they are of one moment.
///
/// One layout of columns for all kinds of rows: the kind, the run's number, texts, integers, a number, bytes. A plain value.
struct RunRows: Sendable {
    private(set) var snapshots: [Int64: RunSnapshot] = [:]
    /// The numbers of the runs, in the order of their coming.
    private(set) var order: [Int64] = []
    /// The write that last changed a run, and the one that created it.
    private(set) var writes: [Int64: (last: WriteID?, first: WriteID?)] = [:]
    /// What cannot be read.
    private(set) var trouble: String?

    static let recordColumns = """
        0::bigint AS kind, r.run, r.run_id AS t1, r.workflow_id AS t2, p.workflow_version AS t3, r.resource_id AS t4,
            r.parent_run_id AS t5, p.parent_step AS t6, p.forked_from AS t7, r.status AS t8, r.owner AS t9,
            r.created_at AS i1, r.priority AS i2, r.workflow_limit AS i3, r.resource_limit AS i4, r.fence AS i5,
            r.revision AS i6, r.inbox_count AS i7, r.inbox_seen AS i8, r.wake AS i9, r.wake_at AS i10, r.expires_at AS i11,
            r.definition_hash AS i12, r.adoptions AS i13, r.started_at AS i14, r.completed_at AS i15, r.updated_at AS i16,
            r.progress AS d, p.input AS b1, p.context AS b2, p.tags AS b3, p.trigger_cause AS b4, r.parked_reason AS b5,
            r.error AS b6, r.output AS b7, r.write_id AS w1, p.write_id AS w2
        """

    /// Everything that the runs of `condition`, on `run`, own.
    private static func owned(_ runs: String) -> String {
        let noTexts = Array(repeating: "NULL::text", count: 9)
        let noIntegers = Array(repeating: "NULL::bigint", count: 16)
        let noBytes = Array(repeating: "NULL::bytea", count: 7)
        func rows(_ kind: Int, _ table: String, _ texts: [String], _ integers: [String], _ bytes: [String]) -> String {
            var columns = ["\(kind)", "x.run"]
            columns += texts + noTexts.dropFirst(texts.count)
            columns += integers + noIntegers.dropFirst(integers.count)
            columns.append("NULL::float8")
            columns += bytes + noBytes.dropFirst(bytes.count)
            columns += ["NULL::uuid", "NULL::uuid"]
            return "SELECT \(columns.joined(separator: ", ")) FROM \(runs) a JOIN \(table) x ON x.run = a.run"
        }
        return [
            "SELECT \(Self.recordColumns) FROM \(runs) a JOIN workflow_runs r ON r.run = a.run"
                + " JOIN workflow_inputs p ON p.run = r.run",
            rows(
                1, "step_executions", ["x.step_id", "x.status"],
                [
                    "x.position", "x.item", "x.definition_hash", "x.attempt", "x.started_at", "x.completed_at",
                    "x.wakes_at",
                ],
                ["x.input", "x.output", "x.error"]),
            rows(2, "workflow_state", ["x.key", "x.step_id"], [], ["x.value"]),
            rows(
                3, "workflow_messages", ["x.message_id", "x.kind", "x.name", "x.child_status", "x.consumed_by"],
                ["x.posted_at", "x.number"], ["x.payload", "x.reason", "x.child_error"]),
        ].joined(separator: "\nUNION ALL\n")
    }

    static let ofID = Statement(
        name: "perdure_run_snapshot",
        sql: "WITH a AS MATERIALIZED (SELECT run FROM workflow_runs WHERE run_id = $1::text)\n" + Self.owned("a"))

    /// Of the runs that a statement before it in its transaction has taken.
    static let taken = Statement(
        name: "perdure_run_taken",
        sql: "WITH a AS MATERIALIZED (SELECT unnest(current_setting('perdure.taken')::bigint[]) AS run)\n"
            + Self.owned("a"))

    /// Of runs that a worker has taken by one claim.
    static let takenBy = Statement(
        name: "perdure_run_taken_by",
        sql: "WITH a AS MATERIALIZED (SELECT run FROM workflow_runs WHERE owner = $1::text AND write_id = $2::uuid)\n"
            + Self.owned("a"))

    static let record = Statement(
        name: "perdure_run_record",
        sql: "SELECT \(Self.recordColumns) FROM workflow_runs r JOIN workflow_inputs p ON p.run = r.run"
            + " WHERE r.run_id = $1::text")

    /// Each with its own materialized list.
    mutating func add(_ rows: borrowing ServerResult) {
        for row in 0..<rows.rowCount {
            do throws(Unreadable) {
                try self.add(rows, row)
            } catch {
                self.trouble = error.reason
            }
        }
    }

    private struct Unreadable: Error { let reason: String }

    private mutating func add(_ rows: borrowing ServerResult, _ row: Int) throws(Unreadable) {
        guard let kind = rows.integer(row, 0), let run = rows.integer(row, 1) else {
            throw Unreadable(reason: "a row of a run has no number")
        }
        switch kind {
        case 0:
            self.snapshots[run] = RunSnapshot(run: try Self.record(rows, row), steps: [], state: [], messages: [])
            self.order.append(run)
            self.writes[run] = (rows.writeID(row, Column.write), rows.writeID(row, Column.write + 1))
        case 1: self.snapshots[run]?.steps.append(try Self.step(rows, row))
        case 2:
            self.snapshots[run]?.state.append(
                StateRecord(
                    key: rows.text(row, Column.text), step: rows.text(row, Column.text + 1),
                    value: Self.value(rows, row, 0)))
        default: self.snapshots[run]?.messages.append(try Self.message(rows, row))
        }
    }

    /// The snapshots in the order of their coming, each with its parts in order.
    func all() throws(StoreError) -> [RunSnapshot] { try self.ordered(self.order) }

    func ordered(_ order: [Int64]) throws(StoreError) -> [RunSnapshot] {
        if let trouble = self.trouble { throw StoreError(.corrupted, operation: .read, message: trouble) }
        return order.compactMap { run in
            guard var snapshot = self.snapshots[run] else { return nil }
            snapshot.steps.sort { $0.comes(before: $1) }
            snapshot.messages.sort { $0.number < $1.number }
            return snapshot
        }
    }

    // MARK: Columns

    private enum Column {
        static let text = 2
        static let integer = 11
        static let double = 27
        static let bytes = 28
        static let write = 35
    }

    private static func text(_ rows: borrowing ServerResult, _ row: Int, _ number: Int) -> String? {
        rows.isNull(row, Column.text + number) ? nil : rows.text(row, Column.text + number)
    }

    private static func integer(_ rows: borrowing ServerResult, _ row: Int, _ number: Int) -> Int64? {
        rows.integer(row, Column.integer + number)
    }

    private static func bytes(_ rows: borrowing ServerResult, _ row: Int, _ number: Int) -> [UInt8]? {
        rows.isNull(row, Column.bytes + number) ? nil : rows.bytes(row, Column.bytes + number)
    }

    private static func value(_ rows: borrowing ServerResult, _ row: Int, _ number: Int) -> RunValue? {
        self.bytes(rows, row, number).map { RunValue(bytes: $0) }
    }

    private static func json<Value: Codable & Sendable>(
        _ rows: borrowing ServerResult, _ row: Int, _ number: Int
    ) throws(Unreadable) -> Value? {
        guard let bytes = self.bytes(rows, row, number) else { return nil }
        do throws(PayloadError) {
            return try RunValue(bytes: bytes).decoded(as: Value.self)
        } catch {
            throw Unreadable(reason: "a column is no \(Value.self) as JSON")
        }
    }

    private static func count(_ rows: borrowing ServerResult, _ row: Int, _ number: Int) throws(Unreadable) -> UInt64 {
        guard let integer = self.integer(rows, row, number), integer >= 0 else {
            throw Unreadable(reason: "a run's revision, fence or count of messages is negative")
        }
        return UInt64(integer)
    }

    private static func status(_ text: String?) throws(Unreadable) -> RunStatus {
        guard let status = text.flatMap({ RunStatus(rawValue: $0) }) else {
            throw Unreadable(reason: "a run's status is unknown")
        }
        return status
    }

    private static func record(_ rows: borrowing ServerResult, _ row: Int) throws(Unreadable) -> RunRecord {
        var request = RunRequest(
            id: rows.text(row, Column.text), workflow: rows.text(row, Column.text + 1),
            version: rows.text(row, Column.text + 2), input: RunValue(bytes: rows.bytes(row, Column.bytes)),
            createdAt: self.integer(rows, row, 0) ?? 0)
        request.resourceID = self.text(rows, row, 3)
        if let parent = self.text(rows, row, 4), let step = self.text(rows, row, 5) {
            request.parent = RunParent(runID: parent, step: step)
        }
        request.forkedFrom = self.text(rows, row, 6)
        request.priority = Int(self.integer(rows, row, 1) ?? 0)
        request.workflowLimit = self.integer(rows, row, 2).map { Int($0) }
        request.resourceLimit = self.integer(rows, row, 3).map { Int($0) }
        request.context = self.value(rows, row, 1)
        request.tags = try self.json(rows, row, 2) ?? [:]
        request.trigger = try self.json(rows, row, 3)

        var progress = RunProgress(
            status: try self.status(self.text(rows, row, 7)),
            definitionHash: UInt64(bitPattern: self.integer(rows, row, 11) ?? 0), at: self.integer(rows, row, 15) ?? 0)
        progress.owner = self.text(rows, row, 8)
        progress.fence = try self.count(rows, row, 4)
        progress.revision = try self.count(rows, row, 5)
        progress.inboxSeen = try self.count(rows, row, 7)
        switch self.integer(rows, row, 8) {
        case 0: progress.wake = .never
        case 1: progress.wake = .now
        case 2: progress.wake = .at(self.integer(rows, row, 9) ?? 0)
        default: throw Unreadable(reason: "a run's wake is none of 0, 1 and 2")
        }
        progress.expiresAt = self.integer(rows, row, 10)
        progress.adoptions = Int(self.integer(rows, row, 12) ?? 0)
        progress.startedAt = self.integer(rows, row, 13)
        progress.completedAt = self.integer(rows, row, 14)
        progress.progress = Double(bitPattern: UInt64(bitPattern: rows.integer(row, Column.double) ?? 0))
        progress.parkedReason = self.bytes(rows, row, 4).map { String(decoding: $0, as: UTF8.self) }
        progress.failure = try self.json(rows, row, 5)
        progress.output = self.value(rows, row, 6)
        return RunRecord(request: request, progress: progress, inboxCount: try self.count(rows, row, 6))
    }

    private static func step(_ rows: borrowing ServerResult, _ row: Int) throws(Unreadable) -> StepRecord {
        guard let status = self.text(rows, row, 1).flatMap({ StepStatus(rawValue: $0) }) else {
            throw Unreadable(reason: "a step's status is unknown")
        }
        var step = StepRecord(
            id: rows.text(row, Column.text), position: Int(self.integer(rows, row, 0) ?? 0),
            item: self.integer(rows, row, 1).map { Int($0) },
            definitionHash: UInt64(bitPattern: self.integer(rows, row, 2) ?? 0), status: status)
        step.attempt = Int(self.integer(rows, row, 3) ?? 0)
        step.startedAt = self.integer(rows, row, 4)
        step.completedAt = self.integer(rows, row, 5)
        step.wakesAt = self.integer(rows, row, 6)
        step.input = self.value(rows, row, 0)
        step.output = self.value(rows, row, 1)
        step.failure = try self.json(rows, row, 2)
        return step
    }

    private static func message(_ rows: borrowing ServerResult, _ row: Int) throws(Unreadable) -> RunMessage {
        let name = self.text(rows, row, 2) ?? ""
        let kind: RunMessage.Kind
        switch rows.text(row, Column.text + 1) {
        case "signal": kind = .signal(name)
        case "child":
            kind = .childEnded(
                runID: name, try self.status(self.text(rows, row, 3)), try self.json(rows, row, 2))
        case "cancel":
            kind = .cancel(reason: String(decoding: self.bytes(rows, row, 1) ?? [], as: UTF8.self))
        case "pause": kind = .pause
        default: throw Unreadable(reason: "a message's kind is unknown")
        }
        var message = RunMessage(
            id: rows.text(row, Column.text), kind: kind, payload: self.value(rows, row, 0),
            postedAt: self.integer(rows, row, 0) ?? 0)
        message.number = try self.count(rows, row, 1)
        message.consumedBy = self.text(rows, row, 4)
        return message
    }
}
