import Testing

/// What setting up would do, how a store is, and what it takes to use it.
private struct InspectingTour {
    let kind: TestStore

    func inspect(_ dryRun: [String], _ doctor: [String], policy: String?) async throws {
        try await withFolder { folder in
            let store = ["--store", self.kind.url(in: folder)]
            let plan = try await ToolProcess.run(["store", "setup", "--dry-run"] + store, in: folder)
            #expect(plan.status == 0, "\(plan.errors)")
            for line in dryRun { #expect(plan.output.contains(line), "\(plan.output)") }
            // Nothing was made.
            let before = try await ToolProcess.run(["store", "doctor"] + store, in: folder)
            #expect(before.status != 0, "\(before.output)")
            #expect(try await ToolProcess.run(["store", "setup"] + store, in: folder).status == 0)
            #expect(try await ToolProcess.run(["state", "put", "ada", "-m", "m"] + store, in: folder).status == 0)
            let after = try await ToolProcess.run(["store", "doctor"] + store, in: folder)
            #expect(after.status == 0 && !after.output.contains("✗"), "\(after.output)\(after.errors)")
            for line in doctor { #expect(after.output.contains(line), "\(after.output)") }
            let json = try await ToolProcess.run(["store", "doctor", "--json"] + store, in: folder)
            #expect(json.output.hasPrefix("{\"verdict\":\"good\",\"subject\":\"store\",\"text\":\""))
            let rights = try await ToolProcess.run(["store", "policy"] + store, in: folder)
            #expect(rights.status == (policy == nil ? 2 : 0))
            if let policy { #expect(rights.output.contains(policy), "\(rights.output)") }
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
            ["BEGIN IMMEDIATE;\n", "CREATE TABLE ", "PRAGMA user_version = 2;\nCOMMIT;\n"],
            [
                "✓ store       SQLite\n", "✓ schema      version 2, this release's\n",
                "✓ log         a write-ahead log\n",
            ], policy: nil)
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
                ".states_store\n(\n    persistence_id  VARCHAR(255) PRIMARY KEY,",
            ],
            [
                "✓ server", "PostgreSQL ", ".states_store, with our columns\n", "states, version 2\n",
                "none of the 1 rows that were looked at\n", "states can be read, written and deleted\n",
            ], policy: "GRANT SELECT, INSERT, UPDATE, DELETE ON\n    \"cli_")
    }
}

@Suite("Looking into stores, on DynamoDB", .enabled(if: TestStore.dynamodb.isThere, "PERDURE_TEST_DYNAMODB is not set"))
struct InspectingDynamoDBTests {
    @Test("setup --dry-run, doctor, policy, bench") func inspect() async throws {
        try await InspectingTour(kind: .dynamodb).inspect(
            ["CreateTable {\"TableName\":\"cli_", "UpdateTimeToLive {\"TableName\":\"cli_"],
            [
                "is ACTIVE, with the key PersistenceID (HASH of type S)\n", "✓ TTL", "by ExpiresAt\n", "! protection",
                "none of the 1 rows that were looked at\n",
            ], policy: "\"Resource\": [\"arn:aws:dynamodb:eu-central-1:*:table/cli_")
    }
}

@Suite(
    "Looking into stores, on Cassandra", .enabled(if: TestStore.cassandra.isThere, "PERDURE_TEST_CASSANDRA is not set"))
struct InspectingCassandraTests {
    @Test("setup --dry-run, doctor, policy, bench") func inspect() async throws {
        try await InspectingTour(kind: .cassandra).inspect(
            ["CREATE TABLE IF NOT EXISTS \"perdure\".\"cli_", "_tombstones\" (\n", " ADD write_id uuid;\n"],
            [
                "✓ server", "Cassandra 5", "the server's clock is ", "with the key (persistence_id), which eGo reads\n",
                "none of the 1 rows that were looked at\n",
            ], policy: "GRANT MODIFY ON \"perdure\".\"cli_")
    }
}
