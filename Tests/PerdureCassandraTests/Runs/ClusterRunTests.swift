import Chaos
import PerdureConcurrency
import Testing

@testable import PerdureCassandra

/// Workers on three nodes, of which one is killed with SIGKILL and brought back.
///
/// Part of the cluster's one suite, whose tests run one after the other: nobody else likes to lose a node.
extension ClusterTests {
    @Test("ends every run rightly, each step recorded once, while nodes are killed")
    func endsEveryRunWhileNodesAreKilled() async throws {
        let server = try #require(TestCluster.cluster)
        var configuration = try server.configuration()
        (configuration.keyspace, configuration.runTables) = ("perdure_cluster_runs", TestCluster.randomTable())
        configuration.table = "states_of_\(configuration.runTables)"
        let store = try CassandraStore(configuration)
        var setup = CassandraSetup()
        setup.replication = .copies(3)
        try await store.setup(setup)
        try await Chaos.withFolder { folder in
            var chaos = Chaos(
                place: server.url(keyspace: configuration.keyspace), tables: configuration.runTables, folder: folder,
                workerCount: 2, seed: Chaos.wantedSeed, duration: .zero)
            // Three nodes share two cores with the workers, and one of them begins anew.
            (chaos.lease, chaos.room) = (.seconds(4), 16)
            // The first is the one that was asked first, and that tells about the cluster.
            let nodes = Chaos.wantedDuration > .seconds(16) ? 1...3 : 1...1
            let clock = ContinuousClock()
            let times = LockedState<[String]>([])
            let start = clock.now
            @Sendable func note(_ what: String) { times.withLock { $0.append("\(what) \(clock.now - start)") } }
            var report = try await chaos.report(on: store) { more in
                for node in nodes {
                    try await more(30)
                    note("crash")
                    #expect(try await Self.server("crash", node) == "done")
                    // Two of three are enough.
                    try await more(40)
                    note("start")
                    #expect(try await Self.server("start", node) == "done")
                    note("up")
                }
                try await more(20)
            }
            note("end")
            print(times.withLock { $0 })
            report.kills = nodes.count
            print("killed nodes: \(report)")
            #expect(report.complaints.isEmpty, "\(report.complaints.prefix(10))")
            #expect(report.runs >= 90)
        }
        await store.disconnect()
    }
}
