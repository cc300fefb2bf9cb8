internal import PerdureModel
internal import PerdureState
internal import PerdureWorkflow

/// The statements that change runs; see *Runs of workflows* in `Documentation/stores/postgres.md`.
///
/// Those on many runs take their rows as arrays, in the order of the IDs' bytes, and lock rows in that order, as ``StateStatements`` do.
enum RunStatements {
    /// Elements of arrays side by side, as the rows of a table.
    private static func rows(_ columns: [(type: String, name: String)]) -> String {
        let arrays = columns.enumerated().map { "unnest($\($0 + 1)::\($1.type)[]) AS \($1.name)" }
        return "(SELECT \(arrays.joined(separator: ", ")))"
    }

    private static func step(
        _ name: String, _ sql: @autoclosure () -> String, _ fill: (inout ParameterBuffer) -> Void
    ) -> Exchange.Step {
        var parameters = ParameterBuffer()
        fill(&parameters)
        return Exchange.Step(statement: Statement(name: "perdure_run_\(name)", sql: sql()), parameters: parameters)
    }

    // MARK: Creating

    private static let createSQL = """
        INSERT INTO workflow_runs (run_id, workflow_id, created_at, resource_id, parent_run_id, priority, workflow_limit,
            resource_limit, inbox_count, \(progressColumns))
        SELECT i.id, i.workflow, i.created, i.resource, i.parent, i.priority, i.wlimit, i.rlimit, 0, \(progressValues)
        FROM \(rows(
            [("text", "id"), ("text", "workflow"), ("bigint", "created"), ("text", "resource"), ("text", "parent"),
             ("bigint", "priority"), ("bigint", "wlimit"), ("bigint", "rlimit")] + progressArrays)) AS i
        ON CONFLICT (run_id) DO NOTHING
        """

    /// Joined by ID and write: only runs that this very creation made, now or in an attempt before.
    private static let inputSQL = """
        INSERT INTO workflow_inputs (run, workflow_version, input, context, tags, trigger_cause, parent_step, forked_from,
            write_id)
        SELECT r.run, i.version, i.input, i.context, i.tags, i.cause, i.parent_step, i.forked, i.write
        FROM \(rows(
            [("text", "id"), ("uuid", "write"), ("text", "version"), ("bytea", "input"), ("bytea", "context"), ("bytea", "tags"),
             ("bytea", "cause"), ("text", "parent_step"), ("text", "forked")])) AS i
        JOIN workflow_runs r ON r.run_id = ANY (ARRAY[i.id]) AND r.write_id = i.write
        ON CONFLICT (run) DO NOTHING
        """

    /// A subquery in place of a join: it can only be looked up, whatever the planner takes the size of the table to be.
    private static let foundCreatedSQL = """
        SELECT i.n FROM \(rows([("text", "id"), ("uuid", "write"), ("bigint", "n")])) AS i
        JOIN workflow_runs r ON r.run_id = ANY (ARRAY[i.id])
        WHERE (SELECT p.write_id FROM workflow_inputs p WHERE p.run = r.run) = i.write
        """

    private static let tagSQL = """
        INSERT INTO workflow_tags (run, name, value, created_at, run_id)
        SELECT r.run, i.name, i.value, r.created_at, r.run_id
        FROM \(rows([("text", "id"), ("uuid", "write"), ("text", "name"), ("text", "value")])) AS i
        JOIN workflow_runs r ON r.run_id = ANY (ARRAY[i.id]) AND r.write_id = i.write
        ON CONFLICT (run, name) DO NOTHING
        """

    /// Creates runs. The rows of the last step are the numbers of those that are these creations' own.
    static func create(_ jobs: [CreateJob]) -> [Exchange.Step] {
        var steps = [
            self.step("create", Self.createSQL) { p in
                p.append(arrayOf: .text, jobs) { $1.element($0.request.id) }
                p.append(arrayOf: .text, jobs) { $1.element($0.request.workflow) }
                p.append(arrayOf: .bigint, jobs) { $1.element($0.request.createdAt) }
                p.append(arrayOf: .text, jobs) { $1.element($0.request.resourceID) }
                p.append(arrayOf: .text, jobs) { $1.element($0.request.parent?.runID) }
                p.append(arrayOf: .bigint, jobs) { $1.element(Int64($0.request.priority)) }
                p.append(arrayOf: .bigint, jobs) { $1.element($0.request.workflowLimit.map { Int64($0) }) }
                p.append(arrayOf: .bigint, jobs) { $1.element($0.request.resourceLimit.map { Int64($0) }) }
                Self.append(jobs.map { ($0.progress, $0.write) }, to: &p)
            },
            self.step("input", Self.inputSQL) { p in
                p.append(arrayOf: .text, jobs) { $1.element($0.request.id) }
                p.append(arrayOf: .uuid, jobs) { $1.element($0.write) }
                p.append(arrayOf: .text, jobs) { $1.element($0.request.version) }
                p.append(arrayOf: .bytea, jobs) { $1.element($0.input) }
                p.append(arrayOf: .bytea, jobs) { $1.element($0.context) }
                p.append(arrayOf: .bytea, jobs) { $1.element($0.tags) }
                p.append(arrayOf: .bytea, jobs) { $1.element($0.trigger) }
                p.append(arrayOf: .text, jobs) { $1.element($0.request.parent?.step) }
                p.append(arrayOf: .text, jobs) { $1.element($0.request.forkedFrom) }
            },
        ]
        let tags = jobs.flatMap { job in
            // Names are told apart by bytes here, and by characters in a dictionary: those can only be fewer.
            job.request.tags.map { (job.request.id, job.write, $0.key, $0.value) }
        }
        if !tags.isEmpty {
            steps.append(
                self.step("tag", Self.tagSQL) { p in
                    p.append(arrayOf: .text, tags) { $1.element($0.0) }
                    p.append(arrayOf: .uuid, tags) { $1.element($0.1) }
                    p.append(arrayOf: .text, tags) { $1.element($0.2) }
                    p.append(arrayOf: .text, tags) { $1.element($0.3) }
                })
        }
        steps += self.putSteps(jobs.flatMap { job in job.steps.map { (job.request.id, job.write, $0) } })
        steps += self.putState(jobs.flatMap { job in job.state.map { (job.request.id, job.write, $0) } })
        let waiting = jobs.filter { $0.progress.content.owner == nil && $0.progress.content.status.isDrivable }
        steps += self.tellReady(waiting.map { ($0.request.id, $0.write) })
        steps.append(
            self.step("created", Self.foundCreatedSQL) { p in
                p.append(arrayOf: .text, jobs) { $1.element($0.request.id) }
                p.append(arrayOf: .uuid, jobs) { $1.element($0.write) }
                p.append(arrayOf: .bigint, Array(jobs.indices)) { $1.element(Int64($0)) }
            })
        return steps
    }

    // MARK: Progress

    private static let progressArrays: [(type: String, name: String)] = [
        ("text", "status"), ("text", "owner"), ("bigint", "fence"), ("bigint", "revision"), ("bigint", "seen"),
        ("bigint", "wake"), ("bigint", "wake_at"), ("bigint", "expires"), ("float8", "progress"), ("bigint", "hash"),
        ("bigint", "adoptions"), ("bigint", "started"), ("bigint", "completed"), ("bigint", "updated"),
        ("uuid", "write"),
        ("bytea", "parked"), ("bytea", "error"), ("bytea", "output"),
    ]
    private static let progressColumns = """
        status, owner, fence, revision, inbox_seen, wake, wake_at, expires_at, progress, definition_hash, adoptions,
            started_at, completed_at, updated_at, write_id, parked_reason, error, output
        """
    private static let progressValues = """
        i.status, i.owner, i.fence, i.revision, i.seen, i.wake, i.wake_at, i.expires, i.progress, i.hash, i.adoptions,
            i.started, i.completed, i.updated, i.write, i.parked, i.error, i.output
        """

    private static func append(_ items: [(EncodedProgress, WriteID)], to p: inout ParameterBuffer) {
        p.append(arrayOf: .text, items) { $1.element($0.0.content.status.rawValue) }
        p.append(arrayOf: .text, items) { $1.element($0.0.content.owner) }
        p.append(arrayOf: .bigint, items) { $1.element(Int64(clamping: $0.0.content.fence)) }
        p.append(arrayOf: .bigint, items) { $1.element(Int64(clamping: $0.0.content.revision)) }
        p.append(arrayOf: .bigint, items) { $1.element(Int64(clamping: $0.0.content.inboxSeen)) }
        p.append(arrayOf: .bigint, items) { $1.element($0.0.wake) }
        p.append(arrayOf: .bigint, items) { $1.element($0.0.wakeAt) }
        p.append(arrayOf: .bigint, items) { $1.element($0.0.content.expiresAt) }
        p.append(arrayOf: .double, items) { $1.element($0.0.content.progress) }
        p.append(arrayOf: .bigint, items) { $1.element(Int64(bitPattern: $0.0.content.definitionHash)) }
        p.append(arrayOf: .bigint, items) { $1.element(Int64($0.0.content.adoptions)) }
        p.append(arrayOf: .bigint, items) { $1.element($0.0.content.startedAt) }
        p.append(arrayOf: .bigint, items) { $1.element($0.0.content.completedAt) }
        p.append(arrayOf: .bigint, items) { $1.element($0.0.content.updatedAt) }
        p.append(arrayOf: .uuid, items) { $1.element($0.1) }
        p.append(arrayOf: .bytea, items) { $1.element($0.0.content.parkedReason.map { Array($0.utf8) }) }
        p.append(arrayOf: .bytea, items) { $1.element($0.0.failure) }
        p.append(arrayOf: .bytea, items) { $1.element($0.0.output) }
    }

    // MARK: Committing

    private static let stepArrays: [(type: String, name: String)] = [
        ("text", "step"), ("bigint", "position"), ("bigint", "item"), ("bigint", "step_hash"), ("text", "step_status"),
        ("bigint", "attempt"), ("bigint", "step_started"), ("bigint", "step_completed"), ("bigint", "step_wakes"),
        ("bytea", "step_input"), ("bytea", "step_output"), ("bytea", "step_error"),
    ]
    private static let stepValues = Self.stepArrays.map { "i.\($0.name)" }.joined(separator: ", ")
    private static let stepColumns = """
        run, step_id, position, item, definition_hash, status, attempt, started_at, completed_at, wakes_at, input, output, error
        """
    private static let stepReplaced = """
        ON CONFLICT (run, step_id) DO UPDATE SET position = excluded.position, item = excluded.item,
            definition_hash = excluded.definition_hash, status = excluded.status, attempt = excluded.attempt,
            started_at = excluded.started_at, completed_at = excluded.completed_at, wakes_at = excluded.wakes_at,
            input = excluded.input, output = excluded.output, error = excluded.error
        """

    /// Nearly every change records one step: it travels in the row of its run, so that nothing has to be joined.
    private static let commitSQL = """
        WITH done AS (
            UPDATE workflow_runs AS r SET status = i.status, owner = i.owner, fence = i.fence, revision = i.revision,
                inbox_seen = i.seen, expires_at = i.expires, progress = i.progress, definition_hash = i.hash,
                adoptions = i.adoptions, started_at = i.started, completed_at = i.completed, updated_at = i.updated,
                write_id = i.write, parked_reason = i.parked, error = i.error, output = i.output,
                wake = CASE WHEN i.owner IS NULL AND r.inbox_count > i.seen AND i.status IN ('PENDING', 'RUNNING')
                    THEN 1 ELSE i.wake END,
                wake_at = CASE WHEN i.owner IS NULL AND r.inbox_count > i.seen AND i.status IN ('PENDING', 'RUNNING')
                    THEN NULL ELSE i.wake_at END
            FROM \(rows(
                [("text", "id"), ("bigint", "expected"), ("bigint", "expected_fence"), ("bigint", "n")] + progressArrays + stepArrays
            )) AS i
            WHERE r.run_id = ANY (ARRAY[i.id])
                AND (r.revision = i.expected AND r.fence = i.expected_fence OR r.write_id = i.write)
            RETURNING i.n, r.run, r.inbox_count, \(stepValues)),
        recorded AS (
            INSERT INTO step_executions (\(stepColumns))
            SELECT i.run, \(stepValues) FROM done AS i WHERE i.step IS NOT NULL \(stepReplaced))
        SELECT n, inbox_count FROM done
        """

    private static let stepSQL = """
        INSERT INTO step_executions (\(stepColumns))
        SELECT r.run, \(stepValues) FROM \(rows([("text", "id"), ("uuid", "write")] + stepArrays)) AS i
        JOIN workflow_runs r ON r.run_id = ANY (ARRAY[i.id]) AND r.write_id = i.write
        \(stepReplaced)
        """

    private static let stateSQL = """
        INSERT INTO workflow_state (run, key, step_id, value)
        SELECT r.run, i.key, i.step, i.value
        FROM \(rows([("text", "id"), ("uuid", "write"), ("text", "key"), ("text", "step"), ("bytea", "value")])) AS i
        JOIN workflow_runs r ON r.run_id = ANY (ARRAY[i.id]) AND r.write_id = i.write
        ON CONFLICT (run, key, step_id) DO UPDATE SET value = excluded.value
        """

    private static let removeStepsSQL = """
        WITH gone AS (
            SELECT r.run, i.step, i.keeps FROM \(rows([("text", "id"), ("uuid", "write"), ("text", "step"), ("bigint", "keeps")])) AS i
            JOIN workflow_runs r ON r.run_id = ANY (ARRAY[i.id]) AND r.write_id = i.write),
        forgotten AS (
            DELETE FROM workflow_state s USING gone WHERE s.run = gone.run AND s.step_id = gone.step)
        DELETE FROM step_executions s USING gone WHERE s.run = gone.run AND s.step_id = gone.step AND gone.keeps = 0
        """

    private static let consumeSQL = """
        UPDATE workflow_messages m SET consumed_by = i.step
        FROM \(rows([("text", "id"), ("uuid", "write"), ("text", "message"), ("text", "step")])) AS i
        JOIN workflow_runs r ON r.run_id = ANY (ARRAY[i.id]) AND r.write_id = i.write
        WHERE m.run = r.run AND m.message_id = i.message
        """

    /// Where the rows of a commit's statements are found among its steps.
    struct CommitPlaces {
        var commit = 0
        var posts: Int?

        init(_ jobs: [CommitJob]) {
            guard jobs.contains(where: { !$0.posts.isEmpty }) else { return }
            self.commit = 1
            self.posts = 2
        }
    }

    /// Makes changes: rows of the step `commit` are the numbers and message counts of those whose condition held.
    static func commit(_ jobs: [CommitJob]) -> [Exchange.Step] {
        var steps: [Exchange.Step] = []
        let posts = jobs.enumerated().flatMap { number, job in job.posts.map { (number, job, $0) } }
        if !posts.isEmpty { steps.append(self.lock(jobs.map(\.runID) + posts.map(\.2.runID))) }
        steps.append(
            self.step("commit", Self.commitSQL) { p in
                p.append(arrayOf: .text, jobs) { $1.element($0.runID) }
                p.append(arrayOf: .bigint, jobs) { $1.element($0.revision) }
                p.append(arrayOf: .bigint, jobs) { $1.element($0.fence) }
                p.append(arrayOf: .bigint, Array(jobs.indices)) { $1.element(Int64($0)) }
                Self.append(jobs.map { ($0.progress, $0.write) }, to: &p)
                Self.append(jobs.map(\.steps.first), to: &p)
            })
        if !posts.isEmpty {
            steps.append(self.post(posts.map { ($0.1.runID, $0.1.write, $0.2) }))
        }
        let removed = jobs.flatMap { job in
            let kept = Set(job.steps.map { IDKey($0.content.id) })
            return job.removedSteps.map { (job.runID, job.write, $0, kept.contains(IDKey($0)) ? Int64(1) : 0) }
        }
        if !removed.isEmpty {
            steps.append(
                self.step("remove_steps", Self.removeStepsSQL) { p in
                    p.append(arrayOf: .text, removed) { $1.element($0.0) }
                    p.append(arrayOf: .uuid, removed) { $1.element($0.1) }
                    p.append(arrayOf: .text, removed) { $1.element($0.2) }
                    p.append(arrayOf: .bigint, removed) { $1.element($0.3) }
                })
        }
        steps += self.putSteps(jobs.flatMap { job in job.steps.dropFirst().map { (job.runID, job.write, $0) } })
        steps += self.putState(jobs.flatMap { job in job.state.map { (job.runID, job.write, $0) } })
        let consumed = jobs.flatMap { job in job.consumed.map { (job.runID, job.write, $0.message, $0.step) } }
        if !consumed.isEmpty {
            steps.append(
                self.step("consume", Self.consumeSQL) { p in
                    p.append(arrayOf: .text, consumed) { $1.element($0.0) }
                    p.append(arrayOf: .uuid, consumed) { $1.element($0.1) }
                    p.append(arrayOf: .text, consumed) { $1.element($0.2) }
                    p.append(arrayOf: .text, consumed) { $1.element($0.3) }
                })
        }
        steps += self.tellReady(jobs.filter(\.releases).map { ($0.runID, $0.write) })
        return steps
    }

    private static func append(_ steps: [EncodedStep?], to p: inout ParameterBuffer) {
        p.append(arrayOf: .text, steps) { $1.element($0?.content.id) }
        p.append(arrayOf: .bigint, steps) { $1.element($0.map { Int64($0.content.position) }) }
        p.append(arrayOf: .bigint, steps) { $1.element($0?.content.item.map { Int64($0) }) }
        p.append(arrayOf: .bigint, steps) { $1.element($0.map { Int64(bitPattern: $0.content.definitionHash) }) }
        p.append(arrayOf: .text, steps) { $1.element($0?.content.status.rawValue) }
        p.append(arrayOf: .bigint, steps) { $1.element($0.map { Int64($0.content.attempt) }) }
        p.append(arrayOf: .bigint, steps) { $1.element($0?.content.startedAt) }
        p.append(arrayOf: .bigint, steps) { $1.element($0?.content.completedAt) }
        p.append(arrayOf: .bigint, steps) { $1.element($0?.content.wakesAt) }
        p.append(arrayOf: .bytea, steps) { $1.element($0?.input) }
        p.append(arrayOf: .bytea, steps) { $1.element($0?.output) }
        p.append(arrayOf: .bytea, steps) { $1.element($0?.failure) }
    }

    private static func putSteps(_ steps: [(String, WriteID, EncodedStep)]) -> [Exchange.Step] {
        guard !steps.isEmpty else { return [] }
        return [
            self.step("step", Self.stepSQL) { p in
                p.append(arrayOf: .text, steps) { $1.element($0.0) }
                p.append(arrayOf: .uuid, steps) { $1.element($0.1) }
                Self.append(steps.map(\.2), to: &p)
            }
        ]
    }

    private static func putState(_ state: [(String, WriteID, EncodedState)]) -> [Exchange.Step] {
        guard !state.isEmpty else { return [] }
        return [
            self.step("state", Self.stateSQL) { p in
                p.append(arrayOf: .text, state) { $1.element($0.0) }
                p.append(arrayOf: .uuid, state) { $1.element($0.1) }
                p.append(arrayOf: .text, state) { $1.element($0.2.key) }
                p.append(arrayOf: .text, state) { $1.element($0.2.step) }
                p.append(arrayOf: .bytea, state) { $1.element($0.2.value) }
            }
        ]
    }

    // MARK: Messages

    private static let lockSQL = """
        SELECT r.run FROM \(rows([("text", "id")])) AS i
        JOIN workflow_runs r ON r.run_id = ANY (ARRAY[i.id]) FOR NO KEY UPDATE OF r
        """

    /// Locks runs in the order that all batches keep, so that the next statement sees them as they will stay.
    static func lock(_ ids: [String]) -> Exchange.Step {
        let sorted = Set(ids.map { IDKey($0) }).sorted()
        return self.step("lock", Self.lockSQL) { p in p.append(arrayOf: .text, sorted) { $1.element($0.id) } }
    }

    /// Numbers messages as they come, and leaves out those that are there or whose run has ended; runs must be locked.
    ///
    /// A message with a write belongs to a change that may not have been made.
    private static let postSQL = """
        WITH asked AS MATERIALIZED (
            SELECT i.*, r.run, r.status, r.owner, r.inbox_count, EXISTS (SELECT FROM workflow_messages m
                WHERE m.run = r.run AND m.message_id = i.message) AS is_there
            FROM \(rows(
                [("bigint", "n"), ("text", "id"), ("text", "source"), ("uuid", "write"), ("text", "message"), ("text", "kind"),
                 ("text", "name"), ("bytea", "reason"), ("text", "child_status"), ("bytea", "child_error"), ("bytea", "payload"),
                 ("bigint", "posted")])) AS i
            LEFT JOIN workflow_runs r ON r.run_id = ANY (ARRAY[i.id])
            WHERE i.source IS NULL
                OR EXISTS (SELECT FROM workflow_runs s WHERE s.run_id = ANY (ARRAY[i.source]) AND s.write_id = i.write)),
        fresh AS (
            SELECT DISTINCT ON (run, message) * FROM asked
            WHERE run IS NOT NULL AND NOT is_there AND status NOT IN ('COMPLETED', 'FAILED', 'CANCELLED')
            ORDER BY run, message, n),
        numbered AS MATERIALIZED (
            SELECT fresh.*, inbox_count + row_number() OVER (PARTITION BY run ORDER BY n) AS number FROM fresh),
        stored AS (
            INSERT INTO workflow_messages (run, number, message_id, kind, name, reason, child_status, child_error, payload, posted_at)
            SELECT run, number, message, kind, name, reason, child_status, child_error, payload, posted FROM numbered),
        woken AS (
            UPDATE workflow_runs r SET inbox_count = c.last,
                wake = CASE WHEN r.owner IS NULL AND r.status IN ('PENDING', 'RUNNING') THEN 1 ELSE r.wake END,
                wake_at = CASE WHEN r.owner IS NULL AND r.status IN ('PENDING', 'RUNNING') THEN NULL ELSE r.wake_at END
            FROM (SELECT run, max(number) AS last FROM numbered GROUP BY run) c WHERE r.run = c.run),
        told AS MATERIALIZED (
            SELECT pg_notify('perdure_runs_' || 'workflow_runs'::regclass::oid,
                CASE WHEN owner IS NULL THEN 'r' ELSE 'm' || id END) FROM numbered
            WHERE owner IS NOT NULL OR status IN ('PENDING', 'RUNNING'))
        SELECT a.n, coalesce(a.status, ''), a.is_there, f.number IS NOT NULL, (SELECT count(*) FROM told)
        FROM asked a LEFT JOIN numbered f ON f.n = a.n
        """

    /// Posts messages; rows: number, the run's status or nothing, whether it was there, whether it was stored.
    static func post(_ posts: [(source: String?, write: WriteID, post: EncodedPost)]) -> Exchange.Step {
        self.step("post", Self.postSQL) { p in
            p.append(arrayOf: .bigint, Array(posts.indices)) { $1.element(Int64($0)) }
            p.append(arrayOf: .text, posts) { $1.element($0.post.runID) }
            p.append(arrayOf: .text, posts) { $1.element($0.source) }
            p.append(arrayOf: .uuid, posts) { $1.element($0.write) }
            p.append(arrayOf: .text, posts) { $1.element($0.post.message.id) }
            p.append(arrayOf: .text, posts) { $1.element($0.post.kind) }
            p.append(arrayOf: .text, posts) { $1.element($0.post.name) }
            p.append(arrayOf: .bytea, posts) { $1.element($0.post.reason) }
            p.append(arrayOf: .text, posts) { $1.element($0.post.childStatus) }
            p.append(arrayOf: .bytea, posts) { $1.element($0.post.childError) }
            p.append(arrayOf: .bytea, posts) { $1.element($0.post.payload) }
            p.append(arrayOf: .bigint, posts) { $1.element($0.post.message.postedAt) }
        }
    }

    // MARK: Notices

    private static let readySQL = """
        SELECT pg_notify('perdure_runs_' || 'workflow_runs'::regclass::oid, 'r') FROM (
            SELECT FROM \(rows([("text", "id"), ("uuid", "write")])) AS i
            JOIN workflow_runs r ON r.run_id = ANY (ARRAY[i.id]) AND r.write_id = i.write
                AND r.owner IS NULL AND r.wake = 1 LIMIT 1) a
        """

    /// Tells that something can be claimed, if one of these changes was made and leaves its run so.
    private static func tellReady(_ runs: [(String, WriteID)]) -> [Exchange.Step] {
        guard !runs.isEmpty else { return [] }
        return [
            self.step("ready", Self.readySQL) { p in
                p.append(arrayOf: .text, runs) { $1.element($0.0) }
                p.append(arrayOf: .uuid, runs) { $1.element($0.1) }
            }
        ]
    }

    private static let leftSQL = """
        SELECT pg_notify('perdure_runs_' || 'workflow_runs'::regclass::oid, 'e' || i.id)
        FROM \(rows([("text", "id"), ("bigint", "ended")])) AS i WHERE i.ended = 1
        UNION ALL
        SELECT pg_notify('perdure_runs_' || 'workflow_runs'::regclass::oid, 'r') FROM (
            SELECT FROM \(rows([("text", "id")])) AS i
            JOIN workflow_runs r ON r.run_id = ANY (ARRAY[i.id])
            WHERE EXISTS (SELECT FROM workflow_runs w WHERE w.workflow_id = r.workflow_id AND w.owner IS NULL
                AND w.status = 'PENDING' AND (w.workflow_limit IS NOT NULL OR w.resource_limit IS NOT NULL)) LIMIT 1) a
        """

    /// Tells that runs have ended, and that something can be claimed if somebody waited for that.
    static func tellLeft(_ runs: [(id: String, isEnded: Bool)]) -> Exchange.Step {
        self.step("left", Self.leftSQL) { p in
            p.append(arrayOf: .text, runs) { $1.element($0.id) }
            p.append(arrayOf: .bigint, runs) { $1.element($0.isEnded ? Int64(1) : 0) }
        }
    }
}
