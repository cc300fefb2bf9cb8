import PerdureTestKit
import Testing

@testable import PerdureSQLite

/// Every promise of the run stores' contract, on a file of its own.
@Suite(.timeLimit(.minutes(20))) struct RunPromiseTests {
    @Test("keeps its promise", arguments: RunPromise.all)
    func keeps(_ promise: RunPromise) async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/runs.sqlite"
            let faults = PlannedFaults()
            let fixture = RunStoreFixture(
                "SQLite", makeStore: { try SQLiteStore(path, faults: { faults.next(for: $0) }) },
                makeSecondStore: { _ in try SQLiteStore(path) },
                loseNextAnswer: { _, id in faults.plan(.answerLost, for: id) },
                loseNextRequest: { _, id in faults.plan(.requestLost, for: id) })
            let verdict = try await promise.verify(on: fixture, settings: PromiseSettings(rounds: 2))
            #expect(verdict == .kept, "\(verdict)")
        }
    }
}
