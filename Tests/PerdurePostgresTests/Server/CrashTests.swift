import PerdureConcurrency
import PerdureState
import Testing

@testable import PerdurePostgres

/// A server of its own that is killed with SIGKILL, all its processes at once, and started again.
@Suite(.enabled(if: TestServer.isThere, "needs a server: script/server postgres start")) struct CrashTests {
    private static func state(_ id: String, _ version: UInt64) -> DurableState {
        DurableState(
            persistenceID: id, version: version,
            payload: StatePayload(manifest: "test", bytes: Array("\(id) \(version)".utf8)),
            timestamp: 1_700_000_000_000)
    }

    @Test(.timeLimit(.minutes(5))) func aKilledServerLosesNothingThatItAcknowledged() async throws {
        try await OwnServer.with { server in try await self.writeThroughCrashes(server) }
    }

    private func writeThroughCrashes(_ server: OwnServer) async throws {
        var configuration = try PostgresConfiguration(url: server.url)
        configuration.writeTimeout = .seconds(60)
        configuration.readTimeout = .seconds(60)
        let store = try PostgresStore(configuration)
        try await store.setup()
        let acknowledged = LockedState(0)
        let isOver = LockedState(false)
        let last = try await withThrowingTaskGroup(of: (String, UInt64)?.self) { group in
            for writer in 0..<32 {
                group.addTask {
                    let id = "writer-\(writer)"
                    var version: UInt64 = 0
                    // Conditional writes of one writer: each must succeed in the end, exactly once.
                    while !isOver.withLock({ $0 }) {
                        try await store.write(
                            Self.state(id, version + 1), if: version == 0 ? .absent : .version(version))
                        version += 1
                        acknowledged.withLock { $0 += 1 }
                    }
                    return (id, version)
                }
            }
            group.addTask {
                for crash in 1...3 {
                    // Under load: some writes are on their way.
                    for _ in 0..<1_000_000 where acknowledged.withLock({ $0 }) < crash * 300 { await Task.yield() }
                    try await server.crash()
                    let again = try await server.start()
                    #expect(again == server.url)
                }
                isOver.withLock { $0 = true }
                return nil
            }
            var last: [(String, UInt64)] = []
            for try await result in group { if let result { last.append(result) } }
            return last
        }
        for (id, version) in last {
            #expect(try await store.latestState(of: id) == Self.state(id, version))
        }
        #expect(last.count == 32)
        await store.disconnect()
    }
}
