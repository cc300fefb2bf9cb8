internal import PerdureCQLClient

/// The statements for runs.
///
/// The condition `changed_by != ?` always holds for a change that did not happen yet: a refused change is told the columns that its
/// conditions name, and so learns whether the run is as it has left it itself.
struct RunStatements: Sendable {
    /// Everything of a partition.
    let all: CQLStatement
    /// The head with the request and the output.
    let record: CQLStatement
    let head: CQLStatement
    let rowsOfKind: CQLStatement
    let row: CQLStatement

    /// Replaces the head, under its conditions.
    let change: CQLStatement
    /// What of the head never changes.
    let found: CQLStatement
    let putRow: CQLStatement
    let putNewRow: CQLStatement
    let consume: CQLStatement
    let removeRow: CQLStatement
    let removeItems: CQLStatement
    let removeKind: CQLStatement
    let remove: CQLStatement
    let removeAll: CQLStatement
    let clearOutbox: CQLStatement

    let listing: Hints
    let queue: Hints
    let buckets: CQLStatement
    let putBucket: CQLStatement
    let removeBucket: CQLStatement

    let values: Values
    let workers: Workers
    let admissions: Admissions

    /// For one of the tables of hints.
    struct Hints: Sendable {
        let read: CQLStatement
        let put: CQLStatement
        let remove: CQLStatement
    }

    struct Values: Sendable {
        let write: CQLStatement
        let read: CQLStatement
        let remove: CQLStatement
    }

    struct Workers: Sendable {
        let read: CQLStatement
        let guardShard: CQLStatement
        let put: CQLStatement
        let remove: CQLStatement
        let renew: CQLStatement
        let bury: CQLStatement
        let dismiss: CQLStatement
    }

    struct Admissions: Sendable {
        let read: CQLStatement
        let change: CQLStatement
        let put: CQLStatement
        let remove: CQLStatement
    }

    init(_ client: CQLClient, _ names: CassandraSchema.Names) async throws(CQLClientError) {
        let runs = names.quotedRuns("_runs")
        let owned = "kind, name, item, body, consumed_by, write_id, \(RunHead.columns)"
        self.all = try await client.prepare("SELECT \(owned) FROM \(runs) WHERE run_id = ?")
        self.record = try await client.prepare("SELECT \(owned) FROM \(runs) WHERE run_id = ? AND kind <= 1")
        self.head = try await client.prepare("SELECT DISTINCT run_id, \(RunHead.columns) FROM \(runs) WHERE run_id = ?")
        self.rowsOfKind = try await client.prepare("SELECT \(owned) FROM \(runs) WHERE run_id = ? AND kind = ?")
        self.row = try await client.prepare(
            "SELECT write_id FROM \(runs) WHERE run_id = ? AND kind = ? AND name = ? AND item = ?")

        self.change = try await client.prepare(
            """
            UPDATE \(runs) SET status = ?, progress = ?, definition_hash = ?, error = ?, parked_reason = ?, started_at = ?,
            completed_at = ?, updated_at = ?, expires_at = ?, wake = ?, wake_at = ?, owner = ?, fence = ?, revision = ?,
            adoptions = ?, inbox_seen = ?, inbox_count = ?, changed_by = ?, stamp = ?, placed_at = ?, outbox = ?, has_output = ?
            WHERE run_id = ? IF revision = ? AND fence = ? AND inbox_count = ? AND changed_by != ?
            """)
        self.found = try await client.prepare(
            """
            UPDATE \(runs) SET workflow = ?, created_at = ?, resource_id = ?, tags = ?, parent_id = ?, priority = ?,
            workflow_limit = ?, resource_limit = ?, created_by = ? WHERE run_id = ?
            """)
        let insert =
            "INSERT INTO \(runs) (run_id, kind, name, item, body, write_id) VALUES (?, ?, ?, ?, ?, ?)"
        self.putRow = try await client.prepare(insert)
        self.putNewRow = try await client.prepare("\(insert) IF NOT EXISTS")
        let row = "run_id = ? AND kind = ? AND name = ?"
        self.consume = try await client.prepare("UPDATE \(runs) SET consumed_by = ? WHERE \(row) AND item = ?")
        self.removeRow = try await client.prepare("DELETE FROM \(runs) WHERE \(row) AND item = ?")
        self.removeItems = try await client.prepare("DELETE FROM \(runs) WHERE \(row)")
        self.removeKind = try await client.prepare("DELETE FROM \(runs) WHERE run_id = ? AND kind = ?")
        self.remove = try await client.prepare(
            "UPDATE \(runs) SET changed_by = ? WHERE run_id = ? IF revision = ? AND fence = ?")
        self.removeAll = try await client.prepare("DELETE FROM \(runs) WHERE run_id = ?")
        self.clearOutbox = try await client.prepare("UPDATE \(runs) SET outbox = null WHERE run_id = ? IF outbox = ?")

        self.listing = try await Hints(client, names.quotedRuns("_listing"))
        self.queue = try await Hints(client, names.quotedRuns("_queue"))
        let buckets = names.quotedRuns("_buckets")
        self.buckets = try await client.prepare(
            "SELECT bucket, shard, written_at FROM \(buckets) WHERE scope = ? AND bucket >= ? LIMIT ?")
        self.putBucket = try await client.prepare(
            "INSERT INTO \(buckets) (scope, bucket, shard, written_at) VALUES (?, ?, ?, ?)")
        self.removeBucket = try await client.prepare(
            "DELETE FROM \(buckets) WHERE scope = ? AND bucket = ? AND shard = ?")

        self.values = try await Values(client, names.quotedRuns("_values"))
        self.workers = try await Workers(client, names.quotedRuns("_workers"))
        self.admissions = try await Admissions(client, names.quotedRuns("_admissions"))
    }
}

extension RunStatements.Hints {
    fileprivate init(_ client: CQLClient, _ table: String) async throws(CQLClientError) {
        self.read = try await client.prepare(
            """
            SELECT bucket, shard, first, second, third, run_id, written_at, resource_id, workflow_limit, resource_limit
            FROM \(table) WHERE scope = ? AND bucket IN ? AND shard IN ? AND (first, second, third, run_id) > (?, ?, ?, ?)
            PER PARTITION LIMIT ?
            """)
        self.put = try await client.prepare(
            """
            INSERT INTO \(table) (scope, bucket, shard, first, second, third, run_id, written_at, resource_id, workflow_limit,
            resource_limit) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """)
        self.remove = try await client.prepare(
            """
            DELETE FROM \(table) WHERE scope = ? AND bucket = ? AND shard = ? AND first = ? AND second = ? AND third = ?
            AND run_id = ?
            """)
    }
}

extension RunStatements.Values {
    fileprivate init(_ client: CQLClient, _ table: String) async throws(CQLClientError) {
        self.write = try await client.prepare(
            "INSERT INTO \(table) (set_id, number, bytes, run_id, written_at) VALUES (?, ?, ?, ?, ?)")
        self.read = try await client.prepare("SELECT number, bytes FROM \(table) WHERE set_id = ?")
        self.remove = try await client.prepare("DELETE FROM \(table) WHERE set_id = ?")
    }
}

extension RunStatements.Workers {
    fileprivate init(_ client: CQLClient, _ table: String) async throws(CQLClientError) {
        self.read = try await client.prepare(
            """
            SELECT shard, worker_id, name, process, beat, lease, registered_at, renewed_at, write_id, buried_by, revision FROM \(table)
            WHERE shard IN ?
            """)
        self.guardShard = try await client.prepare("UPDATE \(table) SET revision = ? WHERE shard = ? IF revision = ?")
        self.put = try await client.prepare(
            """
            INSERT INTO \(table) (shard, worker_id, name, process, beat, lease, registered_at, renewed_at, write_id,
            buried_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, null)
            """)
        self.remove = try await client.prepare("DELETE FROM \(table) WHERE shard = ? AND worker_id = ?")
        self.renew = try await client.prepare(
            """
            UPDATE \(table) SET beat = ?, renewed_at = ? WHERE shard = ? AND worker_id = ? IF beat = ? AND buried_by = null
            """)
        self.bury = try await client.prepare(
            "UPDATE \(table) SET buried_by = ? WHERE shard = ? AND worker_id = ? IF beat = ? AND buried_by = null")
        self.dismiss = try await client.prepare("DELETE FROM \(table) WHERE shard = ? AND worker_id = ? IF EXISTS")
    }
}

extension RunStatements.Admissions {
    fileprivate init(_ client: CQLClient, _ table: String) async throws(CQLClientError) {
        self.read = try await client.prepare(
            "SELECT run_id, run_revision, resource_id, revision FROM \(table) WHERE workflow = ?")
        self.change = try await client.prepare(
            "UPDATE \(table) SET revision = ?, changed_by = ? WHERE workflow = ? IF revision = ? AND changed_by != ?")
        self.put = try await client.prepare(
            "INSERT INTO \(table) (workflow, run_id, run_revision, resource_id) VALUES (?, ?, ?, ?)")
        self.remove = try await client.prepare("DELETE FROM \(table) WHERE workflow = ? AND run_id = ?")
    }
}
