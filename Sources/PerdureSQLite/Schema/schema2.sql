-- Version 2: runs of workflows.
--
-- A run has a number of its own (run), so that what belongs to it, and what is written at the same time, lies side by side.
-- workflow_runs has what changes with each step and what runs are found by; what never changes and can be large is in
-- workflow_inputs, so that a step does not copy it.
--
-- There are no foreign keys: each recorded step would look its run up once more. Whoever removes a run removes all that it owns,
-- in the same transaction.
--
-- Times are milliseconds since 1970, hashes are the bits of unsigned numbers, values and errors are JSON.
CREATE TABLE workflow_runs (
    run INTEGER PRIMARY KEY,
    run_id TEXT NOT NULL UNIQUE,
    workflow_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    resource_id TEXT,
    parent_run_id TEXT,
    priority INTEGER NOT NULL,
    workflow_limit INTEGER,
    resource_limit INTEGER,
    status TEXT NOT NULL,
    owner TEXT,
    fence INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    inbox_count INTEGER NOT NULL,
    inbox_seen INTEGER NOT NULL,
    wake INTEGER NOT NULL, -- 0 never, 1 now, 2 at wake_at
    wake_at INTEGER,
    expires_at INTEGER,
    progress REAL NOT NULL,
    definition_hash INTEGER NOT NULL,
    adoptions INTEGER NOT NULL,
    started_at INTEGER,
    completed_at INTEGER,
    updated_at INTEGER NOT NULL,
    write_id BLOB,
    parked_reason TEXT,
    error BLOB,
    output BLOB
) STRICT;

CREATE TABLE workflow_inputs (
    run INTEGER PRIMARY KEY,
    workflow_version TEXT NOT NULL,
    input BLOB NOT NULL,
    context BLOB,
    tags BLOB,
    trigger_cause BLOB,
    parent_step TEXT,
    forked_from TEXT
) STRICT;

-- A step and its output are one row, so that recording a step is one insertion.
CREATE TABLE step_executions (
    run INTEGER NOT NULL,
    step_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    item INTEGER,
    definition_hash INTEGER NOT NULL,
    status TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    started_at INTEGER,
    completed_at INTEGER,
    wakes_at INTEGER,
    input BLOB,
    output BLOB,
    error BLOB,
    PRIMARY KEY (run, step_id)
) STRICT, WITHOUT ROWID;

-- NULL where the step removed the key.
CREATE TABLE workflow_state (
    run INTEGER NOT NULL,
    key TEXT NOT NULL,
    step_id TEXT NOT NULL,
    value BLOB,
    PRIMARY KEY (run, key, step_id)
) STRICT, WITHOUT ROWID;

-- kind is signal, child, cancel or pause; name is the signal's name, the child's run or the reason.
CREATE TABLE workflow_messages (
    run INTEGER NOT NULL,
    number INTEGER NOT NULL,
    message_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT,
    child_status TEXT,
    child_error BLOB,
    payload BLOB,
    posted_at INTEGER NOT NULL,
    consumed_by TEXT,
    PRIMARY KEY (run, number),
    UNIQUE (run, message_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE workflow_tags (
    run INTEGER NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    run_id TEXT NOT NULL,
    PRIMARY KEY (run, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX workflow_tags_by_value ON workflow_tags (name, value, created_at DESC, run_id);

CREATE TABLE workflow_workers (
    worker_id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    process TEXT NOT NULL,
    beat INTEGER NOT NULL,
    lease INTEGER NOT NULL,
    registered_at INTEGER NOT NULL,
    renewed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Listings by workflow and status; those by one of them go through it once for each workflow, or status.
CREATE INDEX workflow_runs_by_workflow ON workflow_runs (workflow_id, status, created_at DESC, run_id);
CREATE INDEX workflow_runs_by_resource ON workflow_runs (resource_id, created_at DESC, run_id)
    WHERE resource_id IS NOT NULL;
CREATE INDEX workflow_runs_by_parent ON workflow_runs (parent_run_id, created_at DESC, run_id)
    WHERE parent_run_id IS NOT NULL;

-- What a worker looks for. A run that is driven is in none of the first three, so that its steps do not touch them.
CREATE INDEX workflow_runs_due ON workflow_runs (workflow_id, wake_at, priority DESC, created_at, run_id)
    WHERE owner IS NULL AND wake = 2 AND status IN ('PENDING', 'RUNNING');
CREATE INDEX workflow_runs_woken ON workflow_runs (workflow_id, priority DESC, created_at, run_id)
    WHERE owner IS NULL AND wake = 1 AND status = 'RUNNING';
CREATE INDEX workflow_runs_pending
    ON workflow_runs (workflow_id, workflow_limit, priority DESC, created_at, run_id, resource_id, resource_limit)
    WHERE owner IS NULL AND wake = 1 AND status = 'PENDING';
CREATE INDEX workflow_runs_at_work ON workflow_runs (workflow_id, resource_id)
    WHERE status = 'RUNNING' AND resource_id IS NOT NULL;
CREATE INDEX workflow_runs_owned ON workflow_runs (owner, workflow_id) WHERE owner IS NOT NULL;
CREATE INDEX workflow_runs_with_mail ON workflow_runs (owner)
    WHERE owner IS NOT NULL AND inbox_count > inbox_seen;
CREATE INDEX workflow_runs_over ON workflow_runs (expires_at) WHERE expires_at IS NOT NULL;
