import PerdureIO
import PerdureState
import Testing

@testable import PerdurePostgres

/// A server that has as many connections as it allows (`53300`).
@Suite(.enabled(if: TestServer.isThere, "needs a server: script/server postgres start"))
struct CrowdedServerTests {
    private let state = DurableState(
        persistenceID: "a", version: 1, payload: StatePayload(manifest: "test", bytes: [1]))

    /// A role that may have one connection, in a schema of its own; the configuration is the role's.
    private func withLimitedRole(_ body: (PostgresConfiguration) async throws -> Void) async throws {
        try await TestServer.withSchema(named: "crowded") { configuration in
            let schema = SessionSettings.quoted(configuration.schema ?? "")
            let role = "limited_\(String(UInt64.random(in: 0...UInt64.max), radix: 36))"
            try await TestServer.run("CREATE ROLE \(role) LOGIN PASSWORD 'x' CONNECTION LIMIT 1", [], configuration)
            try await TestServer.run("GRANT USAGE ON SCHEMA \(schema) TO \(role)", [], configuration)
            try await TestServer.run("GRANT ALL ON ALL TABLES IN SCHEMA \(schema) TO \(role)", [], configuration)
            var limited = configuration
            limited.user = role
            limited.password = "x"
            let result: Result<Void, any Error>
            do { result = .success(try await body(limited)) } catch { result = .failure(error) }
            try await TestServer.run("DROP OWNED BY \(role)", [], configuration)
            try await TestServer.run("DROP ROLE \(role)", [], configuration)
            try result.get()
        }
    }

    @Test(.timeLimit(.minutes(10))) func tooManyConnectionsAreToldAtTheDeadline() async throws {
        try await self.withLimitedRole { configuration in
            let loop = try EventLoop.start(named: "test-crowd")
            let crowd = PostgresSession(configuration, on: loop)
            try await crowd.open()
            var hasty = configuration
            hasty.writeTimeout = .seconds(3)
            hasty.connectTimeout = .seconds(3)
            let store = try PostgresStore(hasty)
            for change in 0..<2 {
                let error = await failure { () async throws(StoreError) in
                    if change == 0 { try await store.connect() } else { try await store.write(self.state, if: .absent) }
                }
                #expect(error?.code == .throttled && error?.outcome == .notApplied, "\(String(reflecting: error))")
                #expect((error?.underlying as? PostgresServerError)?.sqlState == "53300")
                #expect(error?.message.contains("allow the server more connections, or the pool fewer") == true)
            }
            await store.disconnect()
            await crowd.close()
            loop.shutDown()
        }
    }

    /// It is tried again until there is room.
    @Test(.timeLimit(.minutes(10))) func aPlaceThatBecomesFreeIsTaken() async throws {
        try await self.withLimitedRole { configuration in
            let loop = try EventLoop.start(named: "test-crowd")
            let crowd = PostgresSession(configuration, on: loop)
            try await crowd.open()
            var patient = configuration
            patient.writeTimeout = .seconds(60)
            let store = try PostgresStore(patient)
            async let writing = failure { () async throws(StoreError) in
                try await store.write(self.state, if: .absent)
            }
            // Refused at least once: the server's own log of connections is not ours to read, but a second role's attempt shows it.
            var hasty = configuration
            hasty.connectTimeout = .seconds(3)
            let other = try PostgresStore(hasty)
            let refused = await failure { () async throws(StoreError) in try await other.connect() }
            #expect(refused?.code == .throttled)
            await other.disconnect()
            await crowd.close()
            let error = await writing
            #expect(error == nil, "\(String(reflecting: error))")
            #expect(try await store.latestState(of: "a") == self.state)
            // More callers than the one connection has lanes.
            await withTaskGroup(of: Void.self) { group in
                for number in 0..<50 {
                    group.addTask {
                        var state = self.state
                        state.persistenceID = "many-\(number)"
                        let (state2, store2) = (state, store)
                        let error = await failure { () async throws(StoreError) in
                            try await store2.write(state2, if: .absent)
                            _ = try await store2.latestState(of: state2.persistenceID)
                        }
                        #expect(error == nil, "\(String(reflecting: error))")
                    }
                }
            }
            await store.disconnect()
            loop.shutDown()
        }
    }
}
