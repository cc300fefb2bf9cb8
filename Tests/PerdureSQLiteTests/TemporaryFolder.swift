import FoundationEssentials
import PerdureSQLite
import Testing

/// Runs `body` with a folder of its own, and removes the folder afterwards.
func withTemporaryFolder<Result>(_ body: (String) async throws -> Result) async throws -> Result {
    let folder = FileManager.default.temporaryDirectory.path + "/perdure-sqlite-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try await body(folder)
}

/// Runs `body` with a store on a new file, and disconnects it afterwards.
func withStore<Result>(
    configuration: SQLiteStore.Configuration = .init(), _ body: (SQLiteStore) async throws -> Result
) async throws -> Result {
    try await withTemporaryFolder { folder in
        let store = try SQLiteStore(folder + "/states.sqlite", configuration: configuration)
        do {
            let result = try await body(store)
            await store.disconnect()
            return result
        } catch {
            await store.disconnect()
            throw error
        }
    }
}

/// A state for tests, whose payload tells version and ID.
func sample(_ id: String, _ version: UInt64, padding: Int = 0) -> DurableState {
    let text = "\(id)=\(version)"
    return DurableState(
        persistenceID: id, version: version,
        payload: StatePayload(
            manifest: "text", bytes: Array(text.utf8) + [UInt8](repeating: UInt8(version % 251), count: padding)),
        timestamp: Int64(version) * 1_000, shard: version % 7)
}

/// Expects that `body` fails with a `StoreError` of this code, and returns it.
@discardableResult
func expectFailure<Result>(
    _ code: StoreError.Code, sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Result
) async -> StoreError? {
    do {
        let result = try await body()
        Issue.record("expected \(code), got \(result)", sourceLocation: sourceLocation)
    } catch let error as StoreError {
        #expect(error.code == code, "\(error.debugDescription)", sourceLocation: sourceLocation)
        return error
    } catch {
        Issue.record("expected \(code), got \(error)", sourceLocation: sourceLocation)
    }
    return nil
}
