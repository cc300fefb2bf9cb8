import Chaos
import Testing

@testable import PerdureCassandra

/// Workers on three nodes, of which one is killed with SIGKILL now and then and brought back.
@Suite(
    "Runs on a cluster of three", .serialized, .enabled(if: TestCluster.cluster != nil, "needs a cluster"),
    .timeLimit(.minutes(15)))
struct ClusterRunTests {
    @Test("ends every run rightly, each step recorded once, while nodes are killed")
    func endsEveryRunWhileNodesAreKilled() async throws {
        let server = try #require(TestCluster.cluster)
        var configuration = try server.configuration(table: "states_of_runs")
        (configuration.keyspace, configuration.runTables) = ("perdure_cluster_runs", "runs")
        let store = try CassandraStore(configuration)
        var setup = CassandraSetup()
        setup.replication = .copies(3)
        try await store.setup(setup)
        try await Chaos.withFolder { folder in
            var chaos = Chaos(
                place: server.url(keyspace: configuration.keyspace), tables: configuration.runTables, folder: folder,
                workerCount: 2, seed: Chaos.wantedSeed, duration: .zero)
            // Three nodes share two cores with the workers, and one of them begins anew.
            chaos.lease = .seconds(4)
            var report = try await chaos.report(on: store) { more in
                try await more(30)
                // The first is the one that was asked first, and that tells about the cluster.
                for node in 1...2 {
                    #expect(try await ClusterTests.server("crash", node) == "done")
                    try await more(40)
                    #expect(try await ClusterTests.server("start", node) == "done")
                    try await more(20)
                }
            }
            report.kills = 2
            print("killed nodes: \(report)")
            #expect(report.complaints.isEmpty, "\(report.complaints.prefix(10))")
            #expect(report.runs >= 150)
        }
        await store.disconnect()
    }
}
