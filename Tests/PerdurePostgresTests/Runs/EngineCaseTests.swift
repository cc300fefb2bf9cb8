import EngineCases
import Testing

@testable import PerdurePostgres

/// What an engine does on any store, on a real server.
@Suite(.enabled(if: TestServer.isThere, "needs a server: script/server postgres start"), .timeLimit(.minutes(5)))
struct EngineCaseTests {
    @Test("does", arguments: EngineCase.all)
    func does(_ engineCase: EngineCase) async throws {
        try await TestServer.withSchema(named: "engine") { configuration in
            try await engineCase.verify { try PostgresStore(configuration) }
        }
    }
}
