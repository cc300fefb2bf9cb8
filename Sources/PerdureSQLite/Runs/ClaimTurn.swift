internal import PerdureModel
internal import PerdureWorkflow

/// Whose turn it is when a worker asks for runs.
///
/// Each index gives its runs in order, and is read only as far as runs are wanted; where a workflow is at its limit, what waits
/// for it is not looked at.
struct ClaimTurn {
    let claim: RunClaim
    let rows: RunRows
    /// Runs at work by workflow and, with a resource, by that, at most as many as was asked for; with those of this claim.
    private var counts: [Counted: Int] = [:]
    /// Pending runs that this claim has taken.
    private var taken: [Candidate] = []

    init(claim: RunClaim, rows: RunRows) {
        self.claim = claim
        self.rows = rows
    }

    private struct Counted: Hashable {
        let workflow: IDKey
        let resource: IDKey?
        let limit: Int
    }

    private struct Candidate: Comparable {
        let run: Int64
        let due: Int64
        let priority: Int64
        let createdAt: Int64
        let id: IDKey
        let isPending: Bool
        let workflow: String
        let workflowLimit: Int?
        let resource: String?
        let resourceLimit: Int?

        static func < (left: Candidate, right: Candidate) -> Bool {
            if left.due != right.due { return left.due < right.due }
            if left.priority != right.priority { return left.priority > right.priority }
            if left.createdAt != right.createdAt { return left.createdAt < right.createdAt }
            return left.id < right.id
        }
    }

    private static let columns =
        "run, wake_at, priority, created_at, run_id, status, workflow_limit, resource_id, resource_limit"
    static let due = """
        SELECT \(columns) FROM workflow_runs
        WHERE workflow_id = ?1 AND owner IS NULL AND wake = 2 AND status IN ('PENDING', 'RUNNING') AND wake_at <= ?2
        ORDER BY wake_at, priority DESC, created_at, run_id
        """
    static let woken = """
        SELECT \(columns) FROM workflow_runs
        WHERE workflow_id = ?1 AND owner IS NULL AND wake = 1 AND status = 'RUNNING'
        ORDER BY priority DESC, created_at, run_id
        """
    static let unlimited = """
        SELECT \(columns) FROM workflow_runs
        WHERE workflow_id = ?1 AND owner IS NULL AND wake = 1 AND status = 'PENDING' AND workflow_limit IS NULL
        ORDER BY priority DESC, created_at, run_id
        """
    static let limited = """
        SELECT \(columns) FROM workflow_runs
        WHERE workflow_id = ?1 AND owner IS NULL AND wake = 1 AND status = 'PENDING' AND workflow_limit = ?2
        ORDER BY priority DESC, created_at, run_id
        """
    static let nextLimit = """
        SELECT min(workflow_limit) FROM workflow_runs
        WHERE workflow_id = ?1 AND owner IS NULL AND wake = 1 AND status = 'PENDING' AND workflow_limit > ?2
        """
    static let next = """
        SELECT min(wake_at) FROM workflow_runs
        WHERE workflow_id = ?1 AND owner IS NULL AND wake = 2 AND status IN ('PENDING', 'RUNNING') AND wake_at > ?2
        """
    static let atWork = """
        SELECT count(*) FROM (
            SELECT 1 FROM workflow_runs WHERE workflow_id = ?1 AND status = 'RUNNING' LIMIT ?2)
        """
    static let atWorkOnResource = """
        SELECT count(*) FROM (
            SELECT 1 FROM workflow_runs WHERE workflow_id = ?1 AND status = 'RUNNING' AND resource_id = ?3 LIMIT ?2)
        """

    /// The numbers of the runs to take, in their order.
    mutating func next() throws(SQLiteFailure) -> [Int64] {
        var found: [Candidate] = []
        // Limits are a workflow's own, so each workflow can be asked by itself.
        for workflow in self.claim.workflows { found += try self.turn(of: workflow) }
        return found.sorted().prefix(self.claim.limit).map(\.run)
    }

    /// When the next run is due that is not yet.
    func nextWake() throws(SQLiteFailure) -> Int64? {
        var first: Int64?
        for workflow in self.claim.workflows {
            let wake = try self.rows.cache.row(
                Self.next,
                { row in
                    row.bind(workflow, at: 1)
                    row.bind(self.claim.now, at: 2)
                }, { $0.optionalInteger(at: 0) })
            if let wake, let time = wake { first = min(first ?? time, time) }
        }
        return first
    }

    private mutating func turn(of workflow: String) throws(SQLiteFailure) -> [Candidate] {
        var found: [Candidate] = []
        try self.collect(try self.lines([(Self.due, self.claim.now)], of: workflow), of: workflow, into: &found)
        guard found.count < self.claim.limit else { return found }
        var ready: [(sql: String, value: Int64?)] = [(Self.woken, nil), (Self.unlimited, nil)]
        var limit: Int64 = 0
        while let next = try self.limit(after: limit, of: workflow) {
            ready.append((Self.limited, next))
            limit = next
        }
        try self.collect(try self.lines(ready, of: workflow), of: workflow, into: &found)
        return found
    }

    private func limit(after limit: Int64, of workflow: String) throws(SQLiteFailure) -> Int64? {
        let next = try self.rows.cache.row(
            Self.nextLimit,
            { row in
                row.bind(workflow, at: 1)
                row.bind(limit, at: 2)
            }, { $0.optionalInteger(at: 0) })
        return next ?? nil
    }

    // MARK: Lines

    /// Runs in their order, of which only the first is known.
    private final class Line {
        let entry: StatementCache.Entry
        var first: Candidate?
        init(_ entry: StatementCache.Entry) { self.entry = entry }
    }

    private func lines(_ queries: [(sql: String, value: Int64?)], of workflow: String) throws(SQLiteFailure) -> [Line] {
        var lines: [Line] = []
        for (number, query) in queries.enumerated() {
            let line = Line(try self.rows.cache.entry(query.sql, copy: number))
            line.entry.statement.bind(workflow, at: 1)
            if let value = query.value { line.entry.statement.bind(value, at: 2) }
            lines.append(line)
        }
        return lines
    }

    private func advance(_ line: Line, _ workflow: String) throws(SQLiteFailure) {
        line.first = nil
        let code = line.entry.statement.step()
        if code == .done { return }
        guard code == .row else { throw self.rows.cache.connection.failure(code) }
        line.first = try Self.candidate(line.entry.statement, workflow)
    }

    private static func candidate(
        _ row: borrowing SQLiteStatement, _ workflow: String
    ) throws(SQLiteFailure) -> Candidate {
        Candidate(
            run: row.integer(at: 0), due: row.optionalInteger(at: 1) ?? .max, priority: row.integer(at: 2),
            createdAt: row.integer(at: 3), id: IDKey(try row.string(at: 4)),
            isPending: try row.string(at: 5) == RunStatus.pending.rawValue, workflow: workflow,
            workflowLimit: row.optionalInteger(at: 6).map { Int($0) }, resource: try row.optionalString(at: 7),
            resourceLimit: row.optionalInteger(at: 8).map { Int($0) })
    }

    /// Merges lines, and takes what may begin until there is enough.
    private mutating func collect(
        _ lines: [Line], of workflow: String, into found: inout [Candidate]
    ) throws(SQLiteFailure) {
        defer { for line in lines { line.entry.statement.reset() } }
        for line in lines { try self.advance(line, workflow) }
        while found.count < self.claim.limit {
            var best: Line?
            for line in lines {
                guard let first = line.first else { continue }
                if let other = best?.first, other < first { continue }
                best = line
            }
            guard let best, let candidate = best.first else { return }
            switch try self.admit(candidate) {
            case .taken:
                found.append(candidate)
                try self.advance(best, workflow)
            case .resourceFull:
                try self.advance(best, workflow)
            case .workflowFull where candidate.due == .max:
                // All others in this line have the same limit.
                best.first = nil
            case .workflowFull:
                try self.advance(best, workflow)
            }
        }
    }

    // MARK: Limits

    private enum Admission {
        case taken, workflowFull, resourceFull
    }

    private mutating func admit(_ candidate: Candidate) throws(SQLiteFailure) -> Admission {
        guard candidate.isPending else { return .taken }
        if let limit = candidate.workflowLimit, try self.count(candidate.workflow, nil, limit) >= limit {
            return .workflowFull
        }
        if let limit = candidate.resourceLimit, let resource = candidate.resource,
            try self.count(candidate.workflow, resource, limit) >= limit
        {
            return .resourceFull
        }
        self.taken.append(candidate)
        for key in self.counts.keys where key.workflow == IDKey(candidate.workflow) {
            if let resource = key.resource, candidate.resource.map({ IDKey($0) }) != resource { continue }
            self.counts[key]? += 1
        }
        return .taken
    }

    private mutating func count(_ workflow: String, _ resource: String?, _ limit: Int) throws(SQLiteFailure) -> Int {
        let key = Counted(workflow: IDKey(workflow), resource: resource.map { IDKey($0) }, limit: limit)
        if let count = self.counts[key] { return count }
        let stored = try self.rows.cache.row(
            resource == nil ? Self.atWork : Self.atWorkOnResource,
            { row in
                row.bind(workflow, at: 1)
                row.bind(limit, at: 2)
                if let resource { row.bind(resource, at: 3) }
            }, { Int($0.integer(at: 0)) })
        // Those that this claim took before are not stored yet.
        let taken = self.taken.count {
            IDKey($0.workflow) == key.workflow && (resource == nil || $0.resource.map { IDKey($0) } == key.resource)
        }
        let count = (stored ?? 0) + taken
        self.counts[key] = count
        return count
    }
}
