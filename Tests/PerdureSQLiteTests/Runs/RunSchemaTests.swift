import PerdureTestKit
import Testing

@testable import PerdureSQLite

/// How runs come into a file that had states only, and how they are found in it.
@Suite struct RunSchemaTests {
    @Test func aFileOfStatesGetsRunsWhenAsked() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/s"
            let first = Schema(migrations: Array(Schema.current.migrations.prefix(1)))
            try await SQLiteStore(path, schema: first, faults: nil).setup()
            let connection = try SQLiteConnection(path, .readWrite(create: false))
            try connection.execute("INSERT INTO states_store VALUES ('a', 1, x'01', 'm', 2, 3, NULL)")
            connection.close()

            let new = try SQLiteStore(path)
            await expectFailure(.misconfigured) { _ = try await new.run("r") }
            try await new.setup()
            #expect(try await new.run("r") == nil)
            let request = RunRequest(id: "r", workflow: "w", version: "1", input: RunValue(1), createdAt: 0)
            _ = try await new.create(RunCreation(request: request, progress: RunProgress(definitionHash: 0, at: 0)))
            #expect(try await new.run("r")?.request.input.decoded(as: Int.self) == 1)
            #expect(try await new.latestState(of: "a")?.shard == 3)
            await new.disconnect()
            let again = try SQLiteStore(path, schema: first, faults: nil)
            await expectFailure(.misconfigured) { try await again.connect() }
        }
    }

    /// Nothing that a worker asks again and again looks at all runs.
    @Test(arguments: [
        ClaimTurn.due, ClaimTurn.woken, ClaimTurn.unlimited, ClaimTurn.limited, ClaimTurn.nextLimit, ClaimTurn.next,
        ClaimTurn.atWork, ClaimTurn.atWorkOnResource, RunStatements.strangers, RunStatements.runsOfOwner,
        RunStatements.over, RunRows.mailOfWorker, RunRows.byID, RunListing.nextWorkflow,
    ])
    func isFoundByAnIndex(_ sql: String) async throws {
        try await withTemporaryFolder { folder in
            let store = try SQLiteStore(folder + "/s")
            try await store.connect()
            await store.disconnect()
            let connection = try SQLiteConnection(folder + "/s", .readWrite(create: false))
            defer { connection.close() }
            let plan = try StatementCache(on: connection).rows("EXPLAIN QUERY PLAN \(sql)") {
                row throws(SQLiteFailure) in
                try row.string(at: 3)
            }
            #expect(!plan.isEmpty)
            for line in plan {
                #expect(!line.hasPrefix("SCAN workflow_runs"), "\(plan)")
                #expect(!line.contains("TEMP B-TREE"), "\(plan)")
            }
        }
    }
}
