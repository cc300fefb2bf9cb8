internal import PerdureModel
internal import PerdureWorkflow

/// Workers, and the runs that they take.
extension RunStatements {
    func work(
        _ write: RunWrite, _ writeID: UnsafeRawBufferPointer, _ before: WriteVerdict?
    ) throws(SQLiteFailure) -> Step {
        switch write.request {
        case .claim(let claim):
            var runs = try self.takenAlready(before, writeID)
            if runs.isEmpty {
                var turn = ClaimTurn(claim: claim, rows: self.rows)
                runs = try self.take(try turn.next(), claim, writeID, adopting: false)
            }
            let nextWake = try ClaimTurn(claim: claim, rows: self.rows).nextWake()
            return .answered(RunAnswer(.claimed(ClaimedRuns(runs: runs, nextWake: nextWake))))
        case .adopt(let claim):
            var runs = try self.takenAlready(before, writeID)
            if runs.isEmpty { runs = try self.take(try self.orphans(for: claim), claim, writeID, adopting: true) }
            return .answered(RunAnswer(.adopted(runs)))
        case .register(let worker):
            try self.register(worker)
            return .done
        case .renew(let id, let time):
            let count = try self.cache.run(
                "UPDATE workflow_workers SET beat = beat + 1, renewed_at = ?2 WHERE worker_id = ?1"
            ) { row in
                row.bind(id, at: 1)
                row.bind(time, at: 2)
            }
            return .answered(RunAnswer(.truth(count > 0)))
        case .bury(let id, let beat):
            guard beat <= UInt64(Int64.max) else { return .answered(RunAnswer(.truth(false))) }
            let count = try self.cache.run("DELETE FROM workflow_workers WHERE worker_id = ?1 AND beat = ?2") { row in
                row.bind(id, at: 1)
                row.bind(Int64(beat), at: 2)
            }
            // A worker that was found and buried the first time was buried, whoever finds it gone now.
            var wasBuried = false
            if case .answered(let answer)? = before, case .truth(true) = answer.result { wasBuried = true }
            return .answered(RunAnswer(.truth(count > 0 || wasBuried)))
        case .retire(let id, let time):
            try self.retire(id, time, writeID)
            return .done
        case .purge(let now, let limit):
            return .counted(UInt64(try self.purge(now, limit)))
        case .create, .commit, .post, .delete:
            return .done
        }
    }

    // MARK: Taking runs

    /// The runs that this very claim has taken in a transaction whose commit was lost: written anew, as they are.
    private func takenAlready(
        _ before: WriteVerdict?, _ writeID: UnsafeRawBufferPointer
    ) throws(SQLiteFailure) -> [RunSnapshot] {
        guard case .answered(let answer)? = before else { return [] }
        let runs: [RunSnapshot]
        switch answer.result {
        case .claimed(let claimed): runs = claimed.runs
        case .adopted(let adopted): runs = adopted
        case .exists, .posted, .truth: return []
        }
        var taken: [RunSnapshot] = []
        for snapshot in runs {
            let count = try self.cache.run(
                "UPDATE workflow_runs SET status = status, owner = owner, wake = wake WHERE run_id = ?1 AND write_id = ?2"
            ) { row in
                row.bind(snapshot.run.id, at: 1)
                row.bind(blob: writeID, at: 2)
            }
            if count > 0, let found = try self.rows.snapshot(of: snapshot.run.id) { taken.append(found) }
        }
        return taken
    }

    private func take(
        _ runs: [Int64], _ claim: RunClaim, _ writeID: UnsafeRawBufferPointer, adopting: Bool
    ) throws(SQLiteFailure) -> [RunSnapshot] {
        var taken: [RunSnapshot] = []
        for run in runs {
            try self.cache.run(
                """
                UPDATE workflow_runs SET status = 'RUNNING', owner = ?2, started_at = ifnull(started_at, ?3), updated_at = ?3,
                    fence = fence + 1, revision = revision + 1, adoptions = adoptions + ?4, write_id = ?5
                WHERE run = ?1
                """
            ) { row in
                row.bind(run, at: 1)
                row.bind(claim.worker, at: 2)
                row.bind(claim.now, at: 3)
                row.bind(Int64(adopting ? 1 : 0), at: 4)
                row.bind(blob: writeID, at: 5)
            }
            if let snapshot = try self.rows.snapshot(run) { taken.append(snapshot) }
        }
        return taken
    }

    /// The owners that are no registered workers; a step in the index for each.
    static let strangers = """
        WITH RECURSIVE owners (owner) AS (
            SELECT min(owner) FROM workflow_runs WHERE owner IS NOT NULL
            UNION ALL
            SELECT (SELECT min(owner) FROM workflow_runs WHERE owner > owners.owner) FROM owners
            WHERE owners.owner IS NOT NULL)
        SELECT owner FROM owners
        WHERE owner IS NOT NULL AND NOT EXISTS (SELECT 1 FROM workflow_workers WHERE worker_id = owners.owner)
        """
    static let runsOfOwner = "SELECT run FROM workflow_runs WHERE owner = ?1 AND workflow_id = ?2 LIMIT ?3"

    private func orphans(for claim: RunClaim) throws(SQLiteFailure) -> [Int64] {
        let owners = try self.cache.rows(Self.strangers) { row throws(SQLiteFailure) in try row.string(at: 0) }
        var runs: [Int64] = []
        for owner in owners where IDKey(owner) != IDKey(claim.worker) {
            for workflow in claim.workflows where runs.count < claim.limit {
                let room = claim.limit - runs.count
                runs += try self.cache.rows(
                    Self.runsOfOwner,
                    { row in
                        row.bind(owner, at: 1)
                        row.bind(workflow, at: 2)
                        row.bind(room, at: 3)
                    }, { $0.integer(at: 0) })
            }
        }
        return runs
    }

    // MARK: Workers

    private func register(_ worker: WorkerRecord) throws(SQLiteFailure) {
        try self.cache.run("DELETE FROM workflow_workers WHERE name = ?1") { $0.bind(worker.name, at: 1) }
        try self.cache.run(
            """
            INSERT OR REPLACE INTO workflow_workers (worker_id, name, process, beat, lease, registered_at, renewed_at)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
            """
        ) { row in
            row.bind(worker.id, at: 1)
            row.bind(worker.name, at: 2)
            row.bind(worker.process, at: 3)
            row.bind(Int64(worker.beat), at: 4)
            row.bind(worker.leaseMilliseconds, at: 5)
            row.bind(worker.registeredAt, at: 6)
            row.bind(worker.renewedAt, at: 7)
        }
    }

    private func retire(_ id: String, _ time: Int64, _ writeID: UnsafeRawBufferPointer) throws(SQLiteFailure) {
        try self.cache.run("DELETE FROM workflow_workers WHERE worker_id = ?1") { $0.bind(id, at: 1) }
        try self.cache.run(
            """
            UPDATE workflow_runs SET owner = NULL, wake = 1, wake_at = NULL, fence = fence + 1, revision = revision + 1,
                updated_at = ?2, write_id = ?3
            WHERE owner = ?1
            """
        ) { row in
            row.bind(id, at: 1)
            row.bind(time, at: 2)
            row.bind(blob: writeID, at: 3)
        }
    }

    // MARK: Purging

    static let over = "SELECT run FROM workflow_runs WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2"

    private func purge(_ now: Int64, _ limit: Int) throws(SQLiteFailure) -> Int {
        let runs = try self.cache.rows(
            Self.over,
            { row in
                row.bind(now, at: 1)
                row.bind(limit, at: 2)
            }, { $0.integer(at: 0) })
        for run in runs { try self.remove(run) }
        return runs.count
    }
}
