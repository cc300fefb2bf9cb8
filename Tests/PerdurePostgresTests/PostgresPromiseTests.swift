import PerdureState
import PerdureTestKit
import Testing

@testable import PerdurePostgres

/// Every promise of the suite on a real server, each a test case of its own.
@Suite(.enabled(if: TestServer.isThere, "needs a server: script/server postgres start"))
struct PostgresPromiseTests {
    @Test("keeps its promise:", arguments: StatePromise.all)
    func keeps(_ promise: StatePromise) async throws {
        try await TestServer.withSchema(named: "promise") { configuration in
            let fixture = StateStoreFixture(
                "postgres",
                makeStore: {
                    var configuration = configuration
                    configuration.maximumPayloadByteCount = 8 << 20
                    return try PostgresStore(configuration)
                },
                corruptRow: { _, id in
                    _ = try await TestServer.run(
                        "UPDATE states_store SET version_number = -7 WHERE persistence_id = $1", [id], configuration)
                })
            let verdict = try await promise.verify(on: fixture)
            if case .notTested(let reason) = verdict { print("not tested: \(promise): \(reason)") }
        }
    }
}
