-- Runs of workflows.
--
-- A run has a number of its own (run), so that what belongs to it is found by eight bytes. workflow_runs has what changes with each
-- step and what runs are found by; what never changes and can be large is in workflow_inputs, so that a step does not copy it. Names
-- and IDs sort by their bytes. Times are milliseconds since 1970 (all of them must come back exactly, and are compared with those
-- of programs only), hashes the bits of unsigned numbers, values and errors JSON as it was given.
--
-- There are no foreign keys: each recorded step would look its run up and lock it once more. Whoever removes a run removes all
-- that it owns, in the same transaction.
CREATE TABLE IF NOT EXISTS SCHEMA.workflow_runs
(
    run              BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id           TEXT COLLATE "C" NOT NULL UNIQUE,
    workflow_id      TEXT COLLATE "C" NOT NULL,
    created_at       BIGINT NOT NULL,
    resource_id      TEXT COLLATE "C",
    parent_run_id    TEXT COLLATE "C",
    priority         BIGINT NOT NULL,
    workflow_limit   BIGINT,
    resource_limit   BIGINT,
    status           TEXT COLLATE "C" NOT NULL,
    owner            TEXT COLLATE "C",
    fence            BIGINT NOT NULL,
    revision         BIGINT NOT NULL,
    inbox_count      BIGINT NOT NULL,
    inbox_seen       BIGINT NOT NULL,
    -- 0 never, 1 now, 2 at wake_at
    wake             BIGINT NOT NULL,
    wake_at          BIGINT,
    expires_at       BIGINT,
    progress         DOUBLE PRECISION NOT NULL,
    definition_hash  BIGINT NOT NULL,
    adoptions        BIGINT NOT NULL,
    started_at       BIGINT,
    completed_at     BIGINT,
    updated_at       BIGINT NOT NULL,
    write_id         UUID NOT NULL,
    parked_reason    BYTEA,
    error            BYTEA,
    output           BYTEA
) WITH (fillfactor = 60);

-- write_id is the creation's.
CREATE TABLE IF NOT EXISTS SCHEMA.workflow_inputs
(
    run               BIGINT PRIMARY KEY,
    workflow_version  TEXT COLLATE "C" NOT NULL,
    input             BYTEA NOT NULL,
    context           BYTEA,
    tags              BYTEA,
    trigger_cause     BYTEA,
    parent_step       TEXT COLLATE "C",
    forked_from       TEXT COLLATE "C",
    write_id          UUID NOT NULL
);

-- A step and its output are one row, so that recording a step is one insertion.
CREATE TABLE IF NOT EXISTS SCHEMA.step_executions
(
    run              BIGINT NOT NULL,
    step_id          TEXT COLLATE "C" NOT NULL,
    position         BIGINT NOT NULL,
    item             BIGINT,
    definition_hash  BIGINT NOT NULL,
    status           TEXT COLLATE "C" NOT NULL,
    attempt          BIGINT NOT NULL,
    started_at       BIGINT,
    completed_at     BIGINT,
    wakes_at         BIGINT,
    input            BYTEA,
    output           BYTEA,
    error            BYTEA,
    PRIMARY KEY (run, step_id)
);

-- NULL where the step removed the key.
CREATE TABLE IF NOT EXISTS SCHEMA.workflow_state
(
    run      BIGINT NOT NULL,
    key      TEXT COLLATE "C" NOT NULL,
    step_id  TEXT COLLATE "C" NOT NULL,
    value    BYTEA,
    PRIMARY KEY (run, key, step_id)
);

-- kind is signal, child, cancel or pause; name is the signal's name or the child's run.
CREATE TABLE IF NOT EXISTS SCHEMA.workflow_messages
(
    run           BIGINT NOT NULL,
    number        BIGINT NOT NULL,
    message_id    TEXT COLLATE "C" NOT NULL,
    kind          TEXT COLLATE "C" NOT NULL,
    name          TEXT COLLATE "C",
    reason        BYTEA,
    child_status  TEXT COLLATE "C",
    child_error   BYTEA,
    payload       BYTEA,
    posted_at     BIGINT NOT NULL,
    consumed_by   TEXT COLLATE "C",
    PRIMARY KEY (run, number),
    UNIQUE (run, message_id)
);

CREATE TABLE IF NOT EXISTS SCHEMA.workflow_tags
(
    run         BIGINT NOT NULL,
    name        TEXT COLLATE "C" NOT NULL,
    value       TEXT COLLATE "C" NOT NULL,
    created_at  BIGINT NOT NULL,
    run_id      TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (run, name)
);
CREATE INDEX IF NOT EXISTS workflow_tags_by_value ON SCHEMA.workflow_tags (name, value, created_at DESC, run_id);

CREATE TABLE IF NOT EXISTS SCHEMA.workflow_workers
(
    worker_id      TEXT COLLATE "C" PRIMARY KEY,
    name           TEXT COLLATE "C" NOT NULL,
    process        TEXT COLLATE "C" NOT NULL,
    beat           BIGINT NOT NULL,
    lease          BIGINT NOT NULL,
    registered_at  BIGINT NOT NULL,
    renewed_at     BIGINT NOT NULL
);

-- Listings; those by workflow alone, or by nothing, go through one of these once for each status.
CREATE INDEX IF NOT EXISTS workflow_runs_by_workflow
    ON SCHEMA.workflow_runs (workflow_id, status, created_at DESC, run_id);
CREATE INDEX IF NOT EXISTS workflow_runs_by_status ON SCHEMA.workflow_runs (status, created_at DESC, run_id);
CREATE INDEX IF NOT EXISTS workflow_runs_by_resource ON SCHEMA.workflow_runs (resource_id, created_at DESC, run_id)
    WHERE resource_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS workflow_runs_by_parent ON SCHEMA.workflow_runs (parent_run_id, created_at DESC, run_id)
    WHERE parent_run_id IS NOT NULL;

-- What a worker looks for. A run that is driven is in none of the first three. A step changes no column of any index.
CREATE INDEX IF NOT EXISTS workflow_runs_due
    ON SCHEMA.workflow_runs (workflow_id, wake_at, priority DESC, created_at, run_id)
    WHERE owner IS NULL AND wake = 2 AND status IN ('PENDING', 'RUNNING');
CREATE INDEX IF NOT EXISTS workflow_runs_ready
    ON SCHEMA.workflow_runs (workflow_id, priority DESC, created_at, run_id)
    WHERE owner IS NULL AND wake = 1 AND status IN ('PENDING', 'RUNNING')
        AND (status = 'RUNNING' OR workflow_limit IS NULL AND resource_limit IS NULL);
CREATE INDEX IF NOT EXISTS workflow_runs_limited
    ON SCHEMA.workflow_runs (workflow_id, workflow_limit, priority DESC, created_at, run_id)
    WHERE owner IS NULL AND status = 'PENDING' AND (workflow_limit IS NOT NULL OR resource_limit IS NOT NULL);
CREATE INDEX IF NOT EXISTS workflow_runs_at_work ON SCHEMA.workflow_runs (workflow_id, resource_id)
    WHERE status = 'RUNNING' AND resource_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS workflow_runs_owned ON SCHEMA.workflow_runs (owner, workflow_id) WHERE owner IS NOT NULL;
CREATE INDEX IF NOT EXISTS workflow_runs_with_mail ON SCHEMA.workflow_runs (owner)
    WHERE owner IS NOT NULL AND inbox_count > inbox_seen;
CREATE INDEX IF NOT EXISTS workflow_runs_over ON SCHEMA.workflow_runs (expires_at) WHERE expires_at IS NOT NULL;

-- Whether limits let one more run begin; NULL for no limit.
CREATE OR REPLACE FUNCTION SCHEMA.workflow_may_begin(workflow TEXT, workflow_most BIGINT, resource TEXT, resource_most BIGINT)
RETURNS BOOLEAN LANGUAGE sql STABLE AS $$
    SELECT (workflow_most IS NULL OR workflow_most > (SELECT count(*) FROM (SELECT FROM SCHEMA.workflow_runs r
            WHERE r.workflow_id = workflow AND r.status = 'RUNNING' LIMIT workflow_most) a))
        AND (resource_most IS NULL OR resource IS NULL OR resource_most > (SELECT count(*) FROM (SELECT FROM SCHEMA.workflow_runs r
            WHERE r.workflow_id = workflow AND r.resource_id = resource AND r.status = 'RUNNING' LIMIT resource_most) b))
$$;

-- The limits of a workflow's waiting runs that are not reached: each is found by one look into an index.
CREATE OR REPLACE FUNCTION SCHEMA.workflow_open_limits(workflow TEXT)
RETURNS SETOF BIGINT LANGUAGE sql STABLE AS $$
    WITH RECURSIVE l(most) AS (
        SELECT min(r.workflow_limit) FROM SCHEMA.workflow_runs r
        WHERE r.workflow_id = workflow AND r.owner IS NULL AND r.status = 'PENDING' AND r.workflow_limit IS NOT NULL
        UNION ALL
        SELECT (SELECT min(r.workflow_limit) FROM SCHEMA.workflow_runs r WHERE r.workflow_id = workflow AND r.owner IS NULL
            AND r.status = 'PENDING' AND r.workflow_limit IS NOT NULL AND r.workflow_limit > l.most)
        FROM l WHERE l.most IS NOT NULL)
    SELECT most FROM l WHERE most IS NOT NULL AND SCHEMA.workflow_may_begin(workflow, most, NULL, NULL)
$$;

-- Takes due runs for a worker, one after the other in their order, and returns their numbers.
--
-- Code and not a statement, because limits make each choice depend on those before. Claims of workflows that have limits in use go one after
-- the other; the others step over what somebody else is just taking. Each statement in here sees what was committed before it.
CREATE OR REPLACE FUNCTION SCHEMA.workflow_claim(worker TEXT, workflows TEXT[], most BIGINT, at BIGINT, write UUID)
RETURNS BIGINT[] LANGUAGE plpgsql AS $$
#variable_conflict use_variable
DECLARE
    names TEXT[] := ARRAY(SELECT DISTINCT n COLLATE "C" FROM unnest(workflows) n ORDER BY 1);
    name TEXT;
    taken BIGINT[] := '{}';
    seen BIGINT[] := '{}';
    before BIGINT;
    candidate RECORD;
    taken_now BIGINT;
    place OID;
BEGIN
    FOREACH name IN ARRAY names LOOP
        SELECT r.tableoid INTO place FROM SCHEMA.workflow_runs r
            WHERE r.workflow_id = name AND r.owner IS NULL AND r.status = 'PENDING'
                AND (r.workflow_limit IS NOT NULL OR r.resource_limit IS NOT NULL) LIMIT 1;
        IF FOUND THEN
            PERFORM pg_advisory_xact_lock(hashtextextended('perdure limits ' || name, place::bigint));
        END IF;
    END LOOP;
    WHILE cardinality(taken) < most LOOP
        before := cardinality(taken) + cardinality(seen);
        <<candidates>>
        FOR candidate IN
            SELECT c.* FROM unnest(names) AS w(name) CROSS JOIN LATERAL (
                (SELECT r.run, r.wake_at AS due, r.priority, r.created_at, r.run_id, r.status, r.workflow_id, r.workflow_limit,
                        r.resource_id, r.resource_limit
                    FROM SCHEMA.workflow_runs r
                    WHERE r.workflow_id = w.name AND r.owner IS NULL AND r.wake = 2 AND r.status IN ('PENDING', 'RUNNING')
                        AND r.wake_at <= at AND r.run <> ALL (seen) AND (r.status = 'RUNNING'
                            OR SCHEMA.workflow_may_begin(r.workflow_id, r.workflow_limit, r.resource_id, r.resource_limit))
                    ORDER BY r.wake_at, r.priority DESC, r.created_at, r.run_id LIMIT most - cardinality(taken))
                UNION ALL
                (SELECT r.run, NULL, r.priority, r.created_at, r.run_id, r.status, r.workflow_id, r.workflow_limit,
                        r.resource_id, r.resource_limit
                    FROM SCHEMA.workflow_runs r
                    WHERE r.workflow_id = w.name AND r.owner IS NULL AND r.wake = 1 AND r.status IN ('PENDING', 'RUNNING')
                        AND (r.status = 'RUNNING' OR r.workflow_limit IS NULL AND r.resource_limit IS NULL)
                        AND r.run <> ALL (seen)
                    ORDER BY r.priority DESC, r.created_at, r.run_id LIMIT most - cardinality(taken))
                UNION ALL
                (SELECT l.* FROM SCHEMA.workflow_open_limits(w.name) AS o(most_running) CROSS JOIN LATERAL
                    (SELECT r.run, NULL::bigint, r.priority, r.created_at, r.run_id, r.status, r.workflow_id, r.workflow_limit,
                            r.resource_id, r.resource_limit
                        FROM SCHEMA.workflow_runs r
                        WHERE r.workflow_id = w.name AND r.owner IS NULL AND r.wake = 1 AND r.status = 'PENDING'
                            AND r.workflow_limit = o.most_running
                            AND (r.workflow_limit IS NOT NULL OR r.resource_limit IS NOT NULL) AND r.run <> ALL (seen)
                            AND SCHEMA.workflow_may_begin(r.workflow_id, NULL, r.resource_id, r.resource_limit)
                        ORDER BY r.priority DESC, r.created_at, r.run_id LIMIT most - cardinality(taken)) l)
                UNION ALL
                (SELECT r.run, NULL, r.priority, r.created_at, r.run_id, r.status, r.workflow_id, r.workflow_limit,
                        r.resource_id, r.resource_limit
                    FROM SCHEMA.workflow_runs r
                    WHERE r.workflow_id = w.name AND r.owner IS NULL AND r.wake = 1 AND r.status = 'PENDING'
                        AND r.workflow_limit IS NULL AND r.resource_limit IS NOT NULL AND r.run <> ALL (seen)
                        AND SCHEMA.workflow_may_begin(r.workflow_id, NULL, r.resource_id, r.resource_limit)
                    ORDER BY r.priority DESC, r.created_at, r.run_id LIMIT most - cardinality(taken))) c
            ORDER BY due NULLS LAST, priority DESC, created_at, run_id
        LOOP
            IF candidate.status = 'PENDING' AND NOT SCHEMA.workflow_may_begin(candidate.workflow_id,
                candidate.workflow_limit, candidate.resource_id, candidate.resource_limit) THEN
                -- Others behind it may come before those of other lines: looked for anew.
                EXIT candidates;
            END IF;
            UPDATE SCHEMA.workflow_runs u SET owner = worker, status = 'RUNNING', started_at = coalesce(u.started_at, at),
                    updated_at = at, fence = u.fence + 1, revision = u.revision + 1, write_id = write
                WHERE u.run = (SELECT r.run FROM SCHEMA.workflow_runs r
                    WHERE r.run = candidate.run AND r.owner IS NULL AND r.status = candidate.status
                        AND (r.wake = 1 OR r.wake = 2 AND r.wake_at <= at) FOR NO KEY UPDATE SKIP LOCKED)
                RETURNING u.run INTO taken_now;
            IF taken_now IS NULL THEN seen := seen || candidate.run; ELSE taken := taken || taken_now; END IF;
            EXIT candidates WHEN cardinality(taken) >= most;
        END LOOP;
        EXIT WHEN cardinality(taken) + cardinality(seen) = before;
    END LOOP;
    RETURN taken;
END
$$;
