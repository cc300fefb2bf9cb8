import PerdureTestKit
import PerdureWorkflow
import Testing

@testable import PerdureCassandra

/// Every promise of the run stores' contract on a real node, with a network between that loses what it is told to lose.
@Suite(
    "Runs on Cassandra", .enabled(if: TestCluster.single != nil, "needs a node: script/server cassandra start"),
    .timeLimit(.minutes(20)))
struct RunPromiseTests {
    @Test("keeps its promise", arguments: RunPromise.all)
    func keeps(_ promise: RunPromise) async throws {
        try await Self.verify(promise, #require(TestCluster.single))
    }

    static func verify(_ promise: RunPromise, _ cluster: TestCluster) async throws {
        // Engines bury workers that stand still, so promises have tables without engines. And what is purged is whatever has expired,
        // whoever stored it.
        let isAlone = promise.number == 11 && promise.name.hasPrefix("purges")
        try await cluster.withRunTables(isAlone ? "purge_\(abs(promise.name.hashValue) % 1_000_000)" : "promises") {
            tables in
            let proxy = try LossyProxy(to: tables.port)
            defer { proxy.stop() }
            var leading = tables
            leading.maximumPayloadByteCount = 8 << 20
            // Large values take the proxy long.
            if promise.number == 6 {
                leading.port = proxy.port
                leading.newestVersion = .v4
            }
            let configuration = leading
            let fixture = RunStoreFixture(
                "cassandra", makeStore: { try CassandraStore(configuration) },
                makeSecondStore: { _ in try CassandraStore(configuration) },
                loseNextAnswer: { _, id in proxy.lose(.answer, id) },
                loseNextRequest: { _, id in proxy.lose(.request, id) })
            var settings = PromiseSettings(rounds: 2)
            settings.timeLimit = .seconds(240)
            let verdict = try await promise.verify(on: fixture, settings: settings)
            #expect(verdict == .kept, "\(verdict)")
        }
    }
}
