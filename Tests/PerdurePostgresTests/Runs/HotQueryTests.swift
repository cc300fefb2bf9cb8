import PerdureModel
import PerdureTestKit
import PerdureWorkflow
import Testing
import Waiting

@testable import PerdurePostgres

/// Among a hundred thousand runs, nothing that workers do all the time reads the whole table: the server counts its scans.
@Suite(.enabled(if: TestServer.isThere, "needs a server: script/server postgres start"), .timeLimit(.minutes(5)))
struct HotQueryTests {
    private static let rowCount = 100_000

    @Test("claiming, adopting, mail, due timers, listing, counting and purging go by indexes") func indexes()
        async throws
    {
        try await TestServer.withSchema(named: "hot") { configuration in
            try await self.fill(configuration)
            // What the statements before have read is not to count.
            let before = try await self.scans(configuration)
            let store = try PostgresStore(configuration)
            try await self.work(on: store)
            // Its sessions tell the server what they did when they end.
            await store.disconnect()
            let after = try await self.settled(configuration, past: before)
            for (table, count) in after.tables {
                #expect(count == before.tables[table], "\(table) was read as a whole")
            }
            let used = after.indexes.filter { $0.value > before.indexes[$0.key, default: 0] }.keys.sorted()
            print(
                "hot queries over \(Self.rowCount) runs: no sequential scan; indexes used: \(used.joined(separator: ", "))"
            )
            for index in [
                "workflow_runs_ready", "workflow_runs_due", "workflow_runs_owned", "workflow_runs_with_mail",
                "workflow_runs_by_workflow", "workflow_runs_by_status", "workflow_runs_by_resource",
                "workflow_runs_over", "workflow_tags_by_value", "workflow_runs_pkey", "workflow_runs_run_id_key",
            ] {
                #expect(used.contains(index), "\(index) was not used: \(used)")
            }
        }
    }

    /// Runs of ten workflows: ended ones, some asleep, some that a living worker drives, some that a dead one left, some ready.
    private func fill(_ configuration: PostgresConfiguration) async throws {
        for first in stride(from: 1, through: Self.rowCount, by: 5_000) {
            try await TestServer.run(
                """
                WITH made AS (
                    INSERT INTO workflow_runs (run_id, workflow_id, created_at, resource_id, priority, status, owner, fence, revision,
                        inbox_count, inbox_seen, wake, wake_at, expires_at, progress, definition_hash, adoptions, updated_at, write_id)
                    SELECT 'run-' || n, 'flow-' || n % 10, n, 'resource-' || n % 1000, 0,
                        CASE WHEN n % 100 < 90 THEN 'COMPLETED' ELSE 'RUNNING' END,
                        CASE n % 100 WHEN 95 THEN 'living' WHEN 96 THEN 'dead' END, 1, 1,
                        CASE WHEN n % 1000 = 95 THEN 1 ELSE 0 END, 0,
                        CASE WHEN n % 100 IN (97, 98) THEN 1 WHEN n % 100 >= 90 THEN 2 ELSE 0 END,
                        CASE WHEN n % 100 >= 90 AND n % 100 NOT IN (97, 98) THEN 1000000000 + n END,
                        CASE WHEN n % 100 < 90 THEN 1000000000 + n END, 0, 0, 0, n, gen_random_uuid()
                    FROM generate_series(\(first), \(first + 4_999)) n RETURNING run, run_id, created_at),
                inputs AS (
                    INSERT INTO workflow_inputs (run, workflow_version, input, write_id)
                    SELECT run, '1', '1', gen_random_uuid() FROM made RETURNING run)
                INSERT INTO workflow_tags (run, name, value, created_at, run_id)
                SELECT run, 'kind', 'k' || run % 500, created_at, run_id FROM made
                """, [], configuration)
        }
        try await TestServer.run("ANALYZE", [], configuration)
    }

    private func work(on store: PostgresStore) async throws {
        let flows = (0..<10).map { "flow-\($0)" }
        for worker in ["living", "mine"] {
            try await store.register(
                WorkerRecord(id: worker, name: worker, leaseMilliseconds: 1_000, registeredAt: 0, renewedAt: 0))
        }
        for round in 0..<8 {
            let now = Int64(1_000_000_000 + round * 100)
            let claim = RunClaim(worker: "mine", workflows: flows, limit: 20, now: now)
            let claimed = try await store.claim(claim)
            #expect(claimed.runs.count == 20)
            #expect(try await store.adopt(claim).count == 20)
            #expect(try await store.mail(for: "living").count == 100)
            _ = try await store.renew("mine", at: now)
            for run in claimed.runs.prefix(3) {
                var progress = run.run.progress
                progress.revision += 1
                progress.status = .completed
                progress.owner = nil
                progress.wake = .never
                var commit = RunCommit(
                    runID: run.run.id, expectedRevision: progress.revision - 1, expectedFence: progress.fence,
                    progress: progress)
                commit.steps = [StepRecord(id: "one", position: 0, definitionHash: 1, status: .completed)]
                _ = try await store.commit(commit)
                _ = try await store.snapshot(of: run.run.id)
            }
            try await self.look(into: store)
        }
        #expect(try await store.purgeRuns(expiredAt: 1_000_000_500, limit: 100) == 100)
    }

    private func look(into store: PostgresStore) async throws {
        var filters = [RunFilter](repeating: RunFilter(), count: 6)
        filters[1].workflow = "flow-3"
        filters[2].statuses = [.running]
        filters[3].resourceID = "resource-7"
        filters[4].tag = .init("kind", "k9")
        filters[5].workflow = "flow-7"
        filters[5].statuses = [.running]
        for filter in filters {
            let first = try await store.runs(where: filter, after: nil, limit: 50, now: 0)
            if let next = first.next { _ = try await store.runs(where: filter, after: next, limit: 50, now: 0) }
        }
        for filter in filters.suffix(3) { _ = try await store.countRuns(where: filter, now: 0) }
    }

    // MARK: What the server has counted

    private struct Scans: Equatable {
        var tables: [String: Int] = [:]
        var indexes: [String: Int] = [:]
    }

    private func scans(_ configuration: PostgresConfiguration) async throws -> Scans {
        var scans = Scans()
        let tables = try await TestServer.run(
            """
            SELECT relname || ' ' || coalesce(seq_scan, 0) FROM pg_stat_user_tables WHERE schemaname = current_schema()
                AND relname IN ('workflow_runs', 'workflow_inputs', 'workflow_tags', 'step_executions')
            """, [], configuration)
        let indexes = try await TestServer.run(
            "SELECT indexrelname || ' ' || coalesce(idx_scan, 0) FROM pg_stat_user_indexes WHERE schemaname = current_schema()",
            [], configuration)
        for line in tables {
            let words = line.split(separator: " ")
            scans.tables[String(words[0])] = Int(words[1])
        }
        for line in indexes {
            let words = line.split(separator: " ")
            scans.indexes[String(words[0])] = Int(words[1])
        }
        return scans
    }

    /// Sessions tell a moment after they are closed.
    private func settled(_ configuration: PostgresConfiguration, past before: Scans) async throws -> Scans {
        var last = before
        var quiet = 0
        try await eventually("the server's counts settle") {
            let now = try await self.scans(configuration)
            quiet = now == last && now != before ? quiet + 1 : 0
            last = now
            return quiet == 500
        }
        return last
    }
}
