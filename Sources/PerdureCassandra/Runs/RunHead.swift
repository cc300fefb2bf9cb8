internal import PerdureCQLClient
internal import PerdureModel
internal import PerdureWorkflow

/// What a run's partition says of the run as a whole: its static columns.
struct RunHead: Sendable {
    /// The request as far as the static columns have it, or all of it where ``RunRows`` has filled it in.
    var record: RunRecord
    /// The write that made the run, and the one that changed it last.
    var createdBy: CQLUUID?
    var changedBy: CQLUUID?
    /// The time, in microseconds, under which the run's hints were last written. It only goes up: what was deleted under a stamp can
    /// be written again under a later one, whatever the writers' clocks say.
    var stamp: Int64
    /// Since when the run lies where it lies, with its owner or in a queue, in milliseconds: the bucket of those hints.
    var placedAt: Int64
    /// The change whose messages to other runs are still on their way.
    var outbox: CQLUUID?
    var hasOutput: Bool

    var id: String { self.record.request.id }
    var progress: RunProgress { self.record.progress }
    var hasMail: Bool { self.record.inboxCount > self.record.progress.inboxSeen }

    /// The columns, in the order in which they are read.
    static let columns = """
        workflow, created_at, resource_id, tags, parent_id, priority, workflow_limit, resource_limit, created_by, status, progress,
        definition_hash, error, parked_reason, started_at, completed_at, updated_at, expires_at, wake, wake_at, owner, fence,
        revision, adoptions, inbox_seen, inbox_count, changed_by, stamp, placed_at, outbox, has_output
        """

    /// Reads the columns; nil where there is no run.
    init?(_ id: String, _ columns: inout CQLRow.Reader) throws(CQLProtocolError) {
        let workflow: String? = try columns.next()
        let createdAt: Int64? = try columns.next()
        var request = RunRequest(
            id: id, workflow: workflow ?? "", version: "", input: RunValue(bytes: []), createdAt: createdAt ?? 0)
        request.resourceID = try columns.next()
        request.tags = try columns.next([String: String]?.self) ?? [:]
        request.parent = try columns.next(String?.self).map { RunParent(runID: $0, step: "") }
        request.priority = Int(try columns.next(Int64?.self) ?? 0)
        request.workflowLimit = try columns.next(Int64?.self).map { Int($0) }
        request.resourceLimit = try columns.next(Int64?.self).map { Int($0) }
        self.createdBy = try columns.next()
        guard let status = try columns.next(String?.self) else { return nil }
        var progress = RunProgress(status: try Self.status(status), definitionHash: 0, at: 0)
        progress.progress = try columns.next(Double?.self) ?? 0
        progress.definitionHash = UInt64(bitPattern: try columns.next(Int64?.self) ?? 0)
        if let failure = try columns.next(String?.self) {
            progress.failure = try RecordReader.decoded(Array(failure.utf8))
        }
        progress.parkedReason = try columns.next()
        progress.startedAt = try columns.next()
        progress.completedAt = try columns.next()
        progress.updatedAt = try columns.next(Int64?.self) ?? 0
        progress.expiresAt = try columns.next()
        let wake = try columns.next(Int8?.self)
        let wakeAt = try columns.next(Int64?.self)
        switch wake {
        case 0: progress.wake = .never
        case 1: progress.wake = .now
        case 2: progress.wake = .at(wakeAt ?? 0)
        default: throw RecordReader.unreadable("has a wake that is none of 0, 1 and 2")
        }
        progress.owner = try columns.next()
        progress.fence = try Self.count(try columns.next())
        progress.revision = try Self.count(try columns.next())
        progress.adoptions = Int(try columns.next(Int64?.self) ?? 0)
        progress.inboxSeen = try Self.count(try columns.next())
        self.record = RunRecord(request: request, progress: progress, inboxCount: try Self.count(try columns.next()))
        self.changedBy = try columns.next()
        self.stamp = try columns.next(Int64?.self) ?? 0
        self.placedAt = try columns.next(Int64?.self) ?? 0
        self.outbox = try columns.next()
        self.hasOutput = try columns.next(Bool?.self) ?? false
    }

    /// A run that begins, or what follows from what it was.
    ///
    /// - Parameters:
    ///   - record: how it is from now on.
    ///   - old: how it was; nil for one that begins.
    ///   - now: the time, in microseconds; the stamp is later than the old one in any case.
    init(_ record: RunRecord, after old: RunHead?, at now: Int64) {
        self.record = record
        self.createdBy = old?.createdBy
        self.changedBy = old?.changedBy
        self.stamp = max(now, (old?.stamp ?? 0) + 1)
        self.outbox = old?.outbox
        self.hasOutput = old?.hasOutput ?? false
        let stays = old.map { Self.liesWhereItLay(record.progress, $0.progress) } ?? false
        self.placedAt = stays ? old?.placedAt ?? 0 : now / 1_000
        // Nobody sleeps through what was posted.
        if record.progress.owner == nil, record.status.isDrivable, self.hasMail { self.record.progress.wake = .now }
    }

    private static func liesWhereItLay(_ new: RunProgress, _ old: RunProgress) -> Bool {
        guard let newOwner = new.owner, let oldOwner = old.owner else { return false }
        return IDKey(newOwner) == IDKey(oldOwner)
    }

    private static func count(_ number: Int64?) throws(CQLProtocolError) -> UInt64 {
        guard let number, number >= 0 else { throw RecordReader.unreadable("has a count that is missing or negative") }
        return UInt64(number)
    }

    static func status(_ text: String) throws(CQLProtocolError) -> RunStatus {
        guard let status = RunStatus(rawValue: text) else {
            throw RecordReader.unreadable("has a status that is not known here")
        }
        return status
    }
}
