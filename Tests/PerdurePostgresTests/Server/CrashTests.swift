import Glibc
import PerdureConcurrency
import PerdureState
import Testing

@testable import PerdurePostgres

/// A server of its own that is killed with SIGKILL, all its processes at once, and started again.
@Suite(.enabled(if: TestServer.isThere, "needs a server: script/server postgres start")) struct CrashTests {
    /// Runs `script/server postgres ACTION` on a server in `folder` and returns the last line of what it prints.
    private static func server(_ action: String, in folder: String) async throws -> String {
        try await Shell.lastLine(
            of: "PERDURE_SERVERS='\(folder)' '\(Shell.root)/script/server' postgres \(action) 2>/dev/null")
    }

    private static func state(_ id: String, _ version: UInt64) -> DurableState {
        DurableState(
            persistenceID: id, version: version,
            payload: StatePayload(manifest: "test", bytes: Array("\(id) \(version)".utf8)),
            timestamp: 1_700_000_000_000)
    }

    @Test(.timeLimit(.minutes(5))) func aKilledServerLosesNothingThatItAcknowledged() async throws {
        // The server runs as another user, who must get there.
        let folder = try await Shell.lastLine(of: "folder=$(mktemp -d) && chmod 755 $folder && echo $folder")
        let url = try await Self.server("start", in: folder)
        do {
            try await self.writeThroughCrashes(url, folder)
        } catch {
            _ = try await Self.server("stop", in: folder)
            throw error
        }
        _ = try await Self.server("stop", in: folder)
    }

    private func writeThroughCrashes(_ url: String, _ folder: String) async throws {
        var configuration = try PostgresConfiguration(url: url)
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
                    _ = try await Self.server("crash", in: folder)
                    let again = try await Self.server("start", in: folder)
                    #expect(again == url)
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
