import PerdureConcurrency
import PerdureTestKit
import Testing

@testable import PerdureSQLite

/// Every promise of the contract, on a file of its own.
@Suite struct PromiseTests {
    @Test("keeps its promise", arguments: StatePromise.all)
    func keeps(_ promise: StatePromise) async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/states.sqlite"
            let faults = PlannedFaults()
            var limited = SQLiteStore.Configuration()
            limited.maximumPayloadByteCount = 4 << 20
            let configuration = limited
            let fixture = StateStoreFixture(
                "SQLite",
                makeStore: { try SQLiteStore(path, configuration: configuration, faults: { faults.next(for: $0) }) },
                corruptRow: { _, id in try corruptRow(of: id, in: path) },
                loseNextAnswer: { _, id in faults.plan(.answerLost, for: id) },
                loseNextRequest: { _, id in faults.plan(.requestLost, for: id) })
            let verdict = try await promise.verify(on: fixture)
            // The feed of changes is not offered; everything else must have been looked at.
            #expect(verdict == .kept || promise.number == 13, "\(verdict)")
        }
    }
}

/// Puts into the row of an ID what no store wrote: a version below zero.
func corruptRow(of id: String, in path: String) throws {
    let connection = try SQLiteConnection(path, .readWrite(create: false))
    defer { connection.close() }
    let statement = try SQLiteStatement(
        "UPDATE states_store SET version_number = -1 WHERE persistence_id = ?1", on: connection)
    var id = id
    try id.withUTF8 { bytes in
        statement.bind(text: UnsafeRawBufferPointer(bytes), at: 1)
        try statement.run()
    }
    guard connection.changes == 1 else { throw SQLiteFailure(code: .error, message: "no such row", errorNumber: 0) }
}

/// The faults that a test wants, each for the next commit that has its ID in it.
final class PlannedFaults: Sendable {
    private let faults = LockedState<[String: CommitFault]>([:])

    func plan(_ fault: CommitFault, for id: String) { self.faults.withLock { $0[id] = fault } }

    func next(for ids: [String]) -> CommitFault? {
        self.faults.withLock { faults in
            for id in ids {
                if let fault = faults.removeValue(forKey: id) { return fault }
            }
            return nil
        }
    }
}
