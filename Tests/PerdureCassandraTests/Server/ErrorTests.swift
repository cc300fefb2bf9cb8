import PerdureCQLClient
import PerdureState
import Testing

@testable import PerdureCassandra

/// What goes wrong is said: what it was, and what to do.
@Suite("Errors", .serialized) struct ErrorTests {
    private static func state(_ id: String) -> DurableState {
        DurableState(persistenceID: id, version: 1, payload: StatePayload(manifest: "m", bytes: [1]))
    }

    @Test func nobodyListens() async throws {
        var configuration = CassandraConfiguration(contactPoints: ["127.0.0.1"], port: 1, keyspace: "k")
        configuration.connectTimeout = .seconds(2)
        configuration.readTimeout = .seconds(2)
        let store = try CassandraStore(configuration)
        let error = await failure { () async throws(StoreError) in try await store.connect() }
        #expect(error?.code == .unavailable && error?.operation == .connect)
        let write = await failure { () async throws(StoreError) in try await store.write(Self.state("a"), if: .absent) }
        #expect(write?.code == .unavailable && write?.outcome == .notApplied && write?.persistenceID == "a")
        await store.disconnect()
        let closed = await failure { () async throws(StoreError) in _ = try await store.latestState(of: "a") }
        #expect(closed?.code == .closed)
    }

    @Test(.enabled(if: TestCluster.single != nil, "needs a node")) func keyspaceTableOrKeyAreMissing() async throws {
        let cluster = try #require(TestCluster.single)
        try await cluster.withTable { configuration in
            var other = configuration
            other.keyspace = "nowhere"
            let noKeyspace = await failure { [other] () async throws(StoreError) in
                try await CassandraStore(other).connect()
            }
            #expect(noKeyspace?.code == .misconfigured && noKeyspace?.message.contains("nowhere") == true)
            other = configuration
            other.table = "no_such_table"
            let noTable = await failure { [other] () async throws(StoreError) in
                try await CassandraStore(other).write(Self.state("a"), if: .absent)
            }
            #expect(noTable?.code == .misconfigured && noTable?.message.contains("no_such_table") == true)
            #expect(noTable?.outcome == .notApplied)
            other.table = "\(configuration.table)_tombstones"
            let noColumns = await failure { [other] () async throws(StoreError) in
                try await CassandraStore(other).connect()
            }
            #expect(noColumns?.code == .misconfigured && noColumns?.message.contains("state_payload") == true)
            other.table = "\(configuration.table)_chunks"
            let wrongKey = await failure { [other] () async throws(StoreError) in
                try await CassandraStore(other).setup()
            }
            #expect(wrongKey?.code == .misconfigured && wrongKey?.message.contains("the key of") == true)

            // A table that goes away under an open store.
            let store = try CassandraStore(configuration)
            try await store.write(Self.state("a"), if: .absent)
            try await cluster.run("DROP TABLE \(configuration.names.quoted())")
            let gone = await failure { () async throws(StoreError) in _ = try await store.latestState(of: "a") }
            #expect(gone?.code == .misconfigured, "\(String(reflecting: gone))")
            await store.disconnect()
        }
    }

    @Test(.enabled(if: TestCluster.secure != nil, "needs a node with passwords and TLS"))
    func passwordsRightsAndCertificates() async throws {
        let cluster = try #require(TestCluster.secure)
        try await cluster.withStore { store in
            try await store.write(Self.state("a"), if: .absent)
            #expect(try await store.latestState(of: "a") == Self.state("a"))
            let configuration = store.configuration

            var wrong = configuration
            wrong.password = "no secret"
            let password = await failure { [wrong] () async throws(StoreError) in
                try await CassandraStore(wrong).connect()
            }
            #expect(password?.code == .forbidden, "\(String(reflecting: password))")
            #expect(!String(reflecting: password).contains("no secret"))
            wrong = configuration
            wrong.tls = .on(CQLTLSConfiguration())
            let certificate = await failure { [wrong] () async throws(StoreError) in
                try await CassandraStore(wrong).connect()
            }
            #expect(
                [.forbidden, .misconfigured, .unavailable].contains(certificate?.code),
                "\(String(reflecting: certificate))")
            #expect(certificate.map { String(reflecting: $0).lowercased().contains("certificate") } == true)

            // A role that may read and nothing else.
            let role = "reader_\(configuration.table)"
            try await cluster.run("CREATE ROLE \(role) WITH PASSWORD = 'pw' AND LOGIN = true")
            for suffix in ["", "_tombstones", "_chunks"] {
                try await cluster.run("GRANT SELECT ON \(configuration.names.quoted(suffix)) TO \(role)")
            }
            try await cluster.run("GRANT SELECT ON \(configuration.names.record) TO \(role)")
            var reading = configuration
            (reading.user, reading.password) = (role, "pw")
            let reader = try CassandraStore(reading)
            let write = await failure { () async throws(StoreError) in
                try await reader.write(Self.state("b"), if: .absent)
            }
            #expect(write?.code == .forbidden && write?.outcome == .notApplied, "\(String(reflecting: write))")
            let setup = await failure { () async throws(StoreError) in try await reader.setup() }
            #expect(setup?.code == .forbidden, "\(String(reflecting: setup))")
            await reader.disconnect()
            #expect(try await store.latestState(of: "b") == nil)
        }
    }
}
