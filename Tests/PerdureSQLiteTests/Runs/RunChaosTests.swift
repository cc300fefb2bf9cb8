import Chaos
import FoundationEssentials
import PerdureSQLite
import Testing

/// Worker processes on one file, killed and stopped by chance.
@Suite(.serialized, .timeLimit(.minutes(30))) struct RunChaosTests {
    @Test("two and three workers, killed, stopped and started again under load", arguments: [2, 3])
    func torment(_ workers: Int) async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/runs.sqlite"
            let store = try SQLiteStore(path)
            try await store.setup()
            try FileManager.default.createDirectory(atPath: folder + "/ledgers", withIntermediateDirectories: false)
            let seed = Chaos.wantedSeed
            let chaos = Chaos(
                place: path, folder: folder + "/ledgers", workerCount: workers, seed: seed,
                duration: Chaos.wantedDuration / 2)
            let report = try await chaos.report(on: store)
            await store.disconnect()
            print("chaos on SQLite, \(workers) workers, seed \(seed): \(report)")
            #expect(report.complaints.isEmpty, "seed \(seed): \(report.complaints.prefix(10))")
            #expect(report.kills + report.pauses > 0 && report.runs >= 20 * workers)
        }
    }
}
