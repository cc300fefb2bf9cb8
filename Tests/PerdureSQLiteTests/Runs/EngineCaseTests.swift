import EngineCases
import PerdureSQLite
import Testing

/// What an engine does on any store, on a file.
@Suite(.timeLimit(.minutes(5))) struct EngineCaseTests {
    @Test("does", arguments: EngineCase.all)
    func does(_ engineCase: EngineCase) async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/runs.sqlite"
            let store = try SQLiteStore(path)
            try await store.setup()
            await store.disconnect()
            try await engineCase.verify { try SQLiteStore(path) }
        }
    }
}
