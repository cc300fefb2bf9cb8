import Glibc
import PerdureModel
import PerdureStores
import PerdureWorkflow
import Testing

/// What setting up would do, how a store is, and what it takes to use it.
private struct InspectingTour {
    let kind: TestStore

    func inspect(_ dryRun: [String], _ doctor: [String], policy: String?) async throws {
        try await withFolder { folder in
            let store = ["--store", self.kind.url(in: folder)]
            let plan = try await ToolProcess.run(["store", "setup", "--dry-run"] + store, in: folder)
            #expect(plan.status == 0, "\(plan.errors)")
            for line in dryRun { #expect(plan.output.contains(line), "\(plan)") }
            // Nothing was made.
            let before = try await ToolProcess.run(["store", "doctor"] + store, in: folder)
            #expect(before.status != 0, "\(before)")
            #expect(try await ToolProcess.run(["store", "setup"] + store, in: folder).status == 0)
            #expect(try await ToolProcess.run(["state", "put", "ada", "-m", "m"] + store, in: folder).status == 0)
            let after = try await ToolProcess.run(["store", "doctor"] + store, in: folder)
            #expect(after.status == 0 && !after.output.contains("✗"), "\(after.output)\(after.errors)")
            for line in doctor { #expect(after.output.contains(line), "\(after)") }
            let json = try await ToolProcess.run(["store", "doctor", "--json"] + store, in: folder)
            #expect(json.output.hasPrefix("{\"verdict\":\"good\",\"subject\":\"store\",\"text\":\""))
            let rights = try await ToolProcess.run(["store", "policy"] + store, in: folder)
            #expect(rights.status == (policy == nil ? 2 : 0))
            if let policy { #expect(rights.output.contains(policy), "\(rights)") }
            let bench = try await ToolProcess.run(["store", "bench", "-n", "20", "-c", "4"] + store, in: folder)
            let lines = bench.output.split(separator: "\n").map { $0.split(separator: " ").first }
            #expect(
                lines == ["OPERATION", "create", "update", "read", "delete"] && bench.status == 0, "\(bench.errors)")
            #expect(try await ToolProcess.run(["state", "list"] + store, in: folder).output == "ada\n")
        }
    }
}

@Suite("Looking into stores, on SQLite")
struct InspectingSQLiteTests {
    @Test("setup --dry-run, doctor, policy, bench") func inspect() async throws {
        try await InspectingTour(kind: .sqlite).inspect(
            [
                "BEGIN IMMEDIATE;\n", "CREATE TABLE workflow_runs ", "CREATE INDEX workflow_runs_due ",
                "PRAGMA user_version = 2;\nCOMMIT;\n",
            ],
            [
                "✓ store       SQLite\n", "✓ schema      version 2, this release's\n",
                "✓ log         a write-ahead log\n", "✓ workers     none is registered\n",
            ], policy: nil)
    }

    @Test("what somebody took away is named") func missing() async throws {
        try await withStores(.sqlite) { folder, urls in
            let sql = [
                "DROP INDEX workflow_runs_due", "DROP TABLE workflow_messages",
                "ALTER TABLE step_executions DROP COLUMN wakes_at",
            ].joined(separator: "; ")
            let change =
                "import sqlite3; sqlite3.connect(\"\(urls[0].dropFirst("sqlite:".count))\").executescript(\"\(sql)\")"
            let python = try await ToolProcess.shell("/usr/bin/python3 -c '\(change)'", in: folder)
            try #require(python.status == 0, "\(python.errors)")
            let doctor = try await ToolProcess.run(["store", "doctor", "--store", urls[0]], in: folder)
            #expect(doctor.status == 1)
            #expect(
                doctor.output.contains(
                    "the index workflow_runs_due is missing; with the service stopped, run: CREATE INDEX workflow_runs_due ON"
                ), "\(doctor)")
            #expect(doctor.output.contains("the table workflow_messages is missing; restore"))
            #expect(doctor.output.contains("the column step_executions.wakes_at is missing; restore"))
            #expect(!doctor.output.contains("workflow_messages."))
        }
    }

    @Test("a worker whose lease is over is named, and runs that wait for a person are counted") func workers()
        async throws
    {
        try await withStores(.sqlite) { folder, urls in
            let store = try ChosenStore(StoreURL(urls[0]))
            let runs = try #require(store.runs)
            let now = SystemClock().unixMilliseconds
            for (name, silence) in [("lively", 0), ("silent", 60_000)] as [(String, Int64)] {
                try await runs.register(
                    WorkerRecord(
                        id: name, name: name, leaseMilliseconds: 30_000, registeredAt: now - 90_000,
                        renewedAt: now - silence))
            }
            await store.disconnect()
            let doctor = try await ToolProcess.run(["store", "doctor", "--store", urls[0]], in: folder)
            #expect(doctor.status == 0)
            #expect(doctor.output.contains("! worker      silent was last heard of 1 m"), "\(doctor)")
            #expect(!doctor.output.contains("lively"))
        }
    }

    @Test("a store that is set up needs nothing more") func nothing() async throws {
        try await withStores(.sqlite) { folder, urls in
            let plan = try await ToolProcess.run(["store", "setup", "--dry-run", "--store", urls[0]], in: folder)
            #expect(plan.status == 0 && plan.output == "" && plan.errors == "")
        }
    }
}

@Suite(
    "Looking into stores, on PostgreSQL", .enabled(if: TestStore.postgres.isThere, "PERDURE_TEST_POSTGRES is not set"))
struct InspectingPostgresTests {
    @Test("setup --dry-run, doctor, policy, bench") func inspect() async throws {
        try await InspectingTour(kind: .postgres).inspect(
            [
                "BEGIN;\n", "CREATE SCHEMA IF NOT EXISTS \"cli_",
                ".states_store\n(\n    persistence_id  VARCHAR(255) PRIMARY KEY,", ".workflow_runs\n(\n    run ",
                "CREATE INDEX IF NOT EXISTS workflow_runs_due\n", "'runs', 1)",
            ],
            [
                "✓ server", "PostgreSQL ", ".states_store, with our columns\n", "states, version 2\n",
                "none of the 1 rows that were looked at\n", "states and runs can be read, written and deleted\n",
                "runs, version 1\n",
                "workers",
            ], policy: ".workflow_runs,\n    ")
    }

    @Test("what somebody took away is named, and setup brings it back") func missing() async throws {
        try await withStores(.postgres) { folder, urls in
            let schema = try #require(urls[0].split(separator: "=").last)
            let server = try #require(getenv("PERDURE_TEST_POSTGRES").map { String(cString: $0) })
            let sql = [
                "DROP INDEX workflow_runs_due", "DROP TABLE workflow_tags", "DROP FUNCTION workflow_claim",
                "ALTER TABLE step_executions DROP COLUMN wakes_at",
            ].joined(separator: "; ")
            let psql = try await ToolProcess.shell(
                "PGOPTIONS='-c search_path=\(schema)' psql -v ON_ERROR_STOP=1 -c '\(sql)' '\(server)'", in: folder)
            try #require(psql.status == 0, "\(psql.errors)")
            let doctor = try await ToolProcess.run(["store", "doctor", "--store", urls[0]], in: folder)
            #expect(doctor.status == 1)
            for part in ["table workflow_tags", "index workflow_runs_due", "function workflow_claim"] {
                #expect(
                    doctor.output.contains("the \(part) is missing; `store setup` makes it again\n"), "\(doctor)"
                )
            }
            #expect(doctor.output.contains("the column step_executions.wakes_at is missing; restore"))
            #expect(!doctor.output.contains("workflow_tags."))
            #expect(try await ToolProcess.run(["store", "setup", "--store", urls[0]], in: folder).status == 0)
            let after = try await ToolProcess.run(["store", "doctor", "--store", urls[0]], in: folder)
            #expect(after.output.ranges(of: "is missing").count == 1)
        }
    }
}

@Suite("Looking into stores, on DynamoDB", .enabled(if: TestStore.dynamodb.isThere, "PERDURE_TEST_DYNAMODB is not set"))
struct InspectingDynamoDBTests {
    @Test("setup --dry-run, doctor, policy, bench") func inspect() async throws {
        try await InspectingTour(kind: .dynamodb).inspect(
            [
                "CreateTable {\"TableName\":\"cli_", "UpdateTimeToLive {\"TableName\":\"cli_",
                "\"IndexName\":\"GSI1\"", "\"AttributeName\":\"ttl\"", "PutItem {\"TableName\":\"cli_", "_a-runs\"",
            ],
            [
                "is ACTIVE, with the key PersistenceID (HASH of type S)\n", "✓ TTL", "by ExpiresAt\n", "! protection",
                "none of the 1 rows that were looked at\n",
                "-runs is ACTIVE, with the key PK (HASH of type S), SK (RANGE of type S)\n", "GSI2 is ACTIVE\n",
                "✓ runs: TTL", "by ttl\n", "✓ workers",
            ], policy: "_a-runs/index/*\"")
    }

    @Test("a table of runs that is missing is named; entities work without it") func missing() async throws {
        try await withStores(.dynamodb) { folder, urls in
            // The states' table of another URL: there is none for runs beside it.
            let url = urls[0].replacing("?", with: "-runs?", maxReplacements: 1)
            let doctor = try await ToolProcess.run(["store", "doctor", "--store", url], in: folder)
            #expect(doctor.status == 1)
            #expect(doctor.output.contains("✗ table"), "\(doctor)")
            #expect(doctor.output.contains("it must be PersistenceID (HASH of type S)\n"), "\(doctor)")
            #expect(doctor.output.contains("! runs: table"), "\(doctor)")
            #expect(doctor.output.contains("-runs-runs, so no workflow can run; `store setup` makes it\n"))
        }
    }

    @Test("alarms are for both tables") func alarms() async throws {
        try await withFolder { folder in
            let url = "dynamodb://eu-central-1/bank"
            let alarms = try await ToolProcess.run(["store", "alarms", "--store", url], in: folder)
            #expect(alarms.status == 0 && alarms.output.contains("Alarms of the tables bank and bank-runs"))
            #expect(alarms.output.contains("\"Table2GSI1ReadThrottleEvents\""))
            let policy = ["store", "policy", "--account", "123456789012", "--setup", "--store", url]
            #expect(
                try await ToolProcess.run(policy, in: folder).output.contains(
                    "eu-central-1:123456789012:table/bank-runs"))
            #expect(
                try await ToolProcess.run(["store", "policy", "--account", "1", "--store", url], in: folder).status == 2
            )
            let file = "sqlite:\(folder)/a"
            #expect(try await ToolProcess.run(["store", "alarms", "--store", file], in: folder).status == 2)
            #expect(try await ToolProcess.run(["store", "policy", "--setup", "--store", file], in: folder).status == 2)
        }
    }
}

@Suite(
    "Looking into stores, on Cassandra", .enabled(if: TestStore.cassandra.isThere, "PERDURE_TEST_CASSANDRA is not set"))
struct InspectingCassandraTests {
    @Test("setup --dry-run, doctor, policy, bench") func inspect() async throws {
        try await InspectingTour(kind: .cassandra).inspect(
            [
                "CREATE TABLE IF NOT EXISTS \"perdure\".\"cli_", "_tombstones\" (\n", " ADD write_id uuid;\n",
                "CREATE TABLE IF NOT EXISTS \"perdure\".\"workflow_runs\" (\n",
                "INSERT INTO \"perdure\".\"perdure_schema\" (component, version) VALUES (?, ?);\n",
            ],
            [
                "✓ server", "Cassandra 5", "the server's clock is ", "with the key (persistence_id), which eGo reads\n",
                "none of the 1 rows that were looked at\n",
                "✓ runs: tables    the 7 whose names begin with workflow_\n",
                "✓ workers",
            ], policy: "GRANT MODIFY ON \"perdure\".\"workflow_runs\"")
    }
}
