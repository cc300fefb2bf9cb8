import PerdureState
import Testing

@testable import PerdureCassandra

/// Clusters that are asked for several changes of the schema at once fail at some of them.
@Suite("Setting up a cluster in trouble", .enabled(if: TestCluster.single != nil, "needs a node"))
struct SetupTroubleTests {
    @Test("asks again for what the cluster failed at") func asksAgain() async throws {
        try await self.withTrouble(once: true) { configuration, proxy in
            let store = try CassandraStore(configuration)
            try await store.setup()
            // A table, its columns, two tables beside it and those of runs.
            #expect(proxy.failedSchemaChanges >= 5)
            let state = DurableState(persistenceID: "a", version: 1, payload: StatePayload(manifest: "m", bytes: [1]))
            try await store.write(state, if: .absent)
            #expect(try await store.latestState(of: "a") == state)
            await store.disconnect()
        }
    }

    @Test("says in the server's words what it gave up") func saysWhatItGaveUp() async throws {
        try await self.withTrouble(once: false) { configuration, _ in
            var impatient = configuration
            impatient.setupTimeout = .seconds(3)
            let store = try CassandraStore(impatient)
            let error = await failure { () async throws(StoreError) in try await store.setup() }
            #expect(error?.operation == .setup && error?.code == .unavailable)
            #expect(error?.message.contains("the schema was not changed") == true, "\(String(reflecting: error))")
            await store.disconnect()
        }
    }

    private func withTrouble(
        once isOnce: Bool, _ body: @escaping (CassandraConfiguration, LossyProxy) async throws -> Void
    ) async throws {
        let cluster = try #require(TestCluster.single)
        try await cluster.withTable(nil) { configuration in
            let proxy = try LossyProxy(to: configuration.port)
            defer { proxy.stop() }
            proxy.failSchemaChanges(saying: "the schema was not changed", once: isOnce)
            var other = configuration
            other.port = proxy.port
            other.newestVersion = .v4
            try await TestCluster.schemaTurn.run { [other] in try await body(other, proxy) }
        }
    }
}
