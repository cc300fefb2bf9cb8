import PerdureState
import PerdureTestKit
import Testing

@testable import PerdureCassandra

/// What every store promises, on real nodes.
@Suite("The Cassandra store") struct PromiseTests {
    static let layouts: [CassandraSetup.Key] = [.persistenceID, .shard]

    static func verify(
        _ name: String, _ cluster: TestCluster, _ key: CassandraSetup.Key, proxied: Bool = true,
        promises: [StatePromise] = StatePromise.all, settings: PromiseSettings = PromiseSettings()
    ) async throws {
        var setup = CassandraSetup()
        setup.key = key
        try await cluster.withTable(setup) { table in
            let proxy = proxied ? try LossyProxy(to: table.port) : nil
            defer { proxy?.stop() }
            let fixture = StateStoreFixture(
                name,
                makeStore: {
                    var configuration = table
                    if let proxy {
                        configuration.port = proxy.port
                        configuration.newestVersion = .v4
                    }
                    configuration.maximumPayloadByteCount = 3 << 20
                    return try CassandraStore(configuration)
                },
                corruptRow: { _, id in
                    let shard = key == .shard ? "shard_number = \(PersistenceID.shard(of: id, among: 1_024)) AND " : ""
                    try await cluster.run(
                        "UPDATE \(table.names.quoted()) SET state_manifest = null WHERE \(shard)persistence_id = ?"
                            + " IF EXISTS"
                    ) { try $0.bind(id) }
                },
                loseNextAnswer: proxy.map { proxy in { @Sendable _, id in proxy.lose(.answer, id) } },
                loseNextRequest: proxy.map { proxy in { @Sendable _, id in proxy.lose(.request, id) } })
            var settings = settings
            settings.timeLimit = .seconds(240)
            let report = await StatePromises.verify(fixture, promises: promises, settings: settings)
            print(report)
            #expect(report.broken.isEmpty)
            #expect(report.keptCount > (promises.count > 100 ? 140 : 0))
        }
    }

    @Test(
        "keeps every promise of a state store on one node", .enabled(if: TestCluster.single != nil, "needs a node"),
        arguments: Self.layouts) func keepsEveryPromise(_ key: CassandraSetup.Key) async throws
    {
        try await Self.verify("cassandra, one node, key by \(key)", #require(TestCluster.single), key)
    }

    /// Where answers get lost, nobody can count together: a lost one that others wrote over stays unknown. Here none gets lost.
    @Test(
        "lets one of several writers win where nothing gets lost",
        .enabled(if: TestCluster.single != nil, "needs a node"),
        arguments: Self.layouts) func letsOneWin(_ key: CassandraSetup.Key) async throws
    {
        try await Self.verify(
            "cassandra, nothing lost, key by \(key)", #require(TestCluster.single), key, proxied: false,
            promises: StatePromise.all.filter { [2, 4].contains($0.number) })
    }
}
