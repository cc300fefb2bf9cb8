internal import PerdureModel
internal import PerdureWorkflow

/// The statements of workers: claiming, adopting, beats; and of removal.
enum WorkStatements {
    private static func step(
        _ name: String, _ sql: String, _ fill: (inout ParameterBuffer) -> Void = { _ in }
    ) -> Exchange.Step {
        var parameters = ParameterBuffer()
        fill(&parameters)
        return Exchange.Step(statement: Statement(name: "perdure_work_\(name)", sql: sql), parameters: parameters)
    }

    // MARK: Taking runs

    /// Rows of the second step: what was taken; of the last: when the next is due.
    static func claim(_ claim: RunClaim, write: WriteID) -> [Exchange.Step] {
        [
            // What was taken is handed on to the next statement, which sees the runs as they are then.
            self.step(
                "claim",
                "SELECT set_config('perdure.taken', workflow_claim($1::text, $2::text[], $3::bigint, $4::bigint, $5::uuid)::text,"
                    + " true)"
            ) { p in
                p.append(claim.worker)
                Self.append(claim.workflows, to: &p)
                p.append(Int64(clamping: claim.limit))
                p.append(claim.now)
                p.append(write)
            },
            self.taken,
            Exchange.Step(statement: RunRows.taken, parameters: ParameterBuffer()),
            self.step(
                "next_wake",
                """
                SELECT min(x.wake_at) FROM unnest($1::text[]) w(name) CROSS JOIN LATERAL (
                    SELECT r.wake_at FROM workflow_runs r WHERE r.workflow_id = w.name AND r.owner IS NULL AND r.wake = 2
                        AND r.status IN ('PENDING', 'RUNNING') AND r.wake_at > $2::bigint
                    ORDER BY r.wake_at LIMIT 1) x
                """
            ) { p in
                Self.append(claim.workflows, to: &p)
                p.append(claim.now)
            },
        ]
    }

    /// What the statement before has taken, in its order.
    private static let taken = Self.step("taken", "SELECT unnest(current_setting('perdure.taken')::bigint[])")

    static func adopt(_ claim: RunClaim, write: WriteID) -> [Exchange.Step] {
        [
            self.step(
                "adopt",
                """
                WITH RECURSIVE owners(owner) AS (
                    SELECT min(r.owner) FROM workflow_runs r WHERE r.owner IS NOT NULL
                    UNION ALL
                    SELECT (SELECT min(r.owner) FROM workflow_runs r WHERE r.owner > o.owner) FROM owners o
                    WHERE o.owner IS NOT NULL),
                orphans AS MATERIALIZED (
                    SELECT x.run FROM owners o CROSS JOIN LATERAL (
                        SELECT r.run FROM workflow_runs r WHERE r.owner = o.owner AND r.workflow_id = ANY ($2::text[])
                            AND r.status = 'RUNNING' LIMIT $3::bigint FOR NO KEY UPDATE SKIP LOCKED) x
                    WHERE o.owner <> $1::text AND NOT EXISTS (SELECT FROM workflow_workers w WHERE w.worker_id = o.owner)
                    LIMIT $3::bigint),
                adopted AS (
                    UPDATE workflow_runs r SET owner = $1::text, fence = r.fence + 1, revision = r.revision + 1,
                        adoptions = r.adoptions + 1, started_at = coalesce(r.started_at, $4::bigint),
                        updated_at = $4::bigint, write_id = $5::uuid
                    FROM orphans WHERE r.run = orphans.run RETURNING r.run)
                SELECT set_config('perdure.taken', coalesce(array_agg(run), '{}')::text, true) FROM adopted
                """
            ) { p in
                p.append(claim.worker)
                Self.append(claim.workflows, to: &p)
                p.append(Int64(clamping: claim.limit))
                p.append(claim.now)
                p.append(write)
            },
            self.taken,
            Exchange.Step(statement: RunRows.taken, parameters: ParameterBuffer()),
        ]
    }

    /// What a claim or an adoption has taken whose answer was lost.
    static func takenBy(_ worker: String, _ write: WriteID) -> Exchange.Step {
        var parameters = ParameterBuffer()
        parameters.append(worker)
        parameters.append(write)
        return Exchange.Step(statement: RunRows.takenBy, parameters: parameters)
    }

    private static func append(_ workflows: [String], to p: inout ParameterBuffer) {
        // What no workflow can be called is none.
        p.append(arrayOf: .text, workflows.filter { !PersistenceID.containsNUL($0) }) { $1.element($0) }
    }

    static func mail(for worker: String) -> Exchange.Step {
        self.step(
            "mail",
            "SELECT run_id, inbox_count FROM workflow_runs"
                + " WHERE owner IS NOT NULL AND owner = $1::text AND inbox_count > inbox_seen"
        ) { $0.append(worker) }
    }

    // MARK: Workers

    static func register(_ worker: WorkerRecord) -> [Exchange.Step] {
        [
            self.step(
                "register_others", "DELETE FROM workflow_workers WHERE name = $1::text AND worker_id <> $2::text"
            ) { p in
                p.append(worker.name)
                p.append(worker.id)
            },
            self.step(
                "register",
                """
                INSERT INTO workflow_workers (worker_id, name, process, beat, lease, registered_at, renewed_at)
                VALUES ($1::text, $2::text, $3::text, $4::bigint, $5::bigint, $6::bigint, $7::bigint)
                ON CONFLICT (worker_id) DO UPDATE SET name = excluded.name, process = excluded.process, beat = excluded.beat,
                    lease = excluded.lease, registered_at = excluded.registered_at, renewed_at = excluded.renewed_at
                """
            ) { p in
                p.append(worker.id)
                p.append(worker.name)
                p.append(worker.process)
                p.append(Int64(clamping: worker.beat))
                p.append(worker.leaseMilliseconds)
                p.append(worker.registeredAt)
                p.append(worker.renewedAt)
            },
        ]
    }

    static func renew(_ workerID: String, at time: Int64) -> Exchange.Step {
        self.step(
            "renew",
            "UPDATE workflow_workers SET beat = beat + 1, renewed_at = $2::bigint WHERE worker_id = $1::text RETURNING beat"
        ) { p in
            p.append(workerID)
            p.append(time)
        }
    }

    static func bury(_ workerID: String, beat: UInt64) -> [Exchange.Step] {
        [
            self.step(
                "bury", "DELETE FROM workflow_workers WHERE worker_id = $1::text AND beat = $2::bigint RETURNING beat"
            ) { p in
                p.append(workerID)
                p.append(Int64(clamping: beat))
            }
        ]
    }

    static func retire(_ workerID: String, at time: Int64, write: WriteID) -> [Exchange.Step] {
        [
            self.step(
                "retire_runs",
                """
                WITH mine AS MATERIALIZED (
                    SELECT run FROM workflow_runs WHERE owner = $1::text ORDER BY run_id FOR NO KEY UPDATE),
                freed AS (
                    UPDATE workflow_runs r SET owner = NULL, wake = 1, wake_at = NULL, fence = r.fence + 1,
                        revision = r.revision + 1, updated_at = $2::bigint, write_id = $3::uuid
                    FROM mine WHERE r.run = mine.run RETURNING r.run)
                SELECT pg_notify('perdure_runs_' || 'workflow_runs'::regclass::oid, 'r') FROM (SELECT FROM freed LIMIT 1) a
                """
            ) { p in
                p.append(workerID)
                p.append(time)
                p.append(write)
            },
            self.step("retire", "DELETE FROM workflow_workers WHERE worker_id = $1::text") { $0.append(workerID) },
        ]
    }

    static let workers = Self.step(
        "workers",
        """
        SELECT worker_id, name, process, beat, lease, registered_at, renewed_at FROM workflow_workers ORDER BY worker_id
        """)

    // MARK: Removing

    /// Removes what the runs of a query own, and the runs.
    private static func remove(_ runs: String) -> String {
        """
        WITH gone AS (\(runs)),
        inputs AS (DELETE FROM workflow_inputs x USING gone WHERE x.run = gone.run),
        steps AS (DELETE FROM step_executions x USING gone WHERE x.run = gone.run),
        state AS (DELETE FROM workflow_state x USING gone WHERE x.run = gone.run),
        messages AS (DELETE FROM workflow_messages x USING gone WHERE x.run = gone.run),
        tags AS (DELETE FROM workflow_tags x USING gone WHERE x.run = gone.run)
        SELECT run FROM gone
        """
    }

    static func delete(_ runID: String, revision: UInt64, fence: UInt64) -> Exchange.Step {
        self.step(
            "delete",
            Self.remove(
                "DELETE FROM workflow_runs WHERE run_id = $1::text AND revision = $2::bigint AND fence = $3::bigint"
                    + " RETURNING run")
        ) { p in
            p.append(runID)
            p.append(Int64(clamping: revision))
            p.append(Int64(clamping: fence))
        }
    }

    static func purge(expiredAt now: Int64, limit: Int) -> Exchange.Step {
        self.step(
            "purge",
            Self.remove(
                """
                DELETE FROM workflow_runs r USING (
                    SELECT run AS old FROM workflow_runs WHERE expires_at <= $1::bigint ORDER BY expires_at LIMIT $2::bigint
                    FOR UPDATE SKIP LOCKED) x
                WHERE r.run = x.old RETURNING r.run
                """)
        ) { p in
            p.append(now)
            p.append(Int64(clamping: limit))
        }
    }

    static func revision(of runID: String) -> Exchange.Step {
        self.step(
            "revision", "SELECT revision, write_id, fence, inbox_count FROM workflow_runs WHERE run_id = $1::text"
        ) { $0.append(runID) }
    }
}
