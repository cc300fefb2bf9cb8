import Chaos
import Testing

@testable import PerdureCassandra

/// Worker processes on one node, killed and stopped by chance.
@Suite(
    .serialized, .enabled(if: TestCluster.single != nil, "needs a node: script/server cassandra start"),
    .timeLimit(.minutes(30)))
struct RunChaosTests {
    @Test("two workers, killed, stopped and started again under load") func torment() async throws {
        let server = try #require(TestCluster.single)
        try await server.withRunTables("chaos") { tables in
            try await Chaos.withFolder { folder in
                let store = try CassandraStore(tables)
                var chaos = Chaos(
                    place: server.url(keyspace: tables.keyspace), tables: tables.runTables, folder: folder,
                    workerCount: 2,
                    seed: Chaos.wantedSeed, duration: Chaos.wantedDuration / 2)
                chaos.lease = .seconds(2)
                let report = try await chaos.report(on: store)
                await store.disconnect()
                print("chaos on Cassandra, 2 workers, seed \(chaos.seed): \(report)")
                #expect(report.complaints.isEmpty, "seed \(chaos.seed): \(report.complaints.prefix(10))")
                #expect(report.kills + report.pauses > 0 && report.runs >= 40)
            }
        }
    }
}
