import Chaos
import Testing

@testable import PerdurePostgres

/// Worker processes on one database, killed and stopped by chance.
@Suite(
    .serialized, .enabled(if: TestServer.isThere, "needs a server: script/server postgres start"),
    .timeLimit(.minutes(30)))
struct RunChaosTests {
    @Test("two and three workers, killed, stopped and started again under load", arguments: [2, 3])
    func torment(_ workers: Int) async throws {
        try await TestServer.withSchema(named: "chaos") { configuration in
            try await Chaos.withFolder { folder in
                let store = try PostgresStore(configuration)
                let seed = Chaos.wantedSeed
                let chaos = Chaos(
                    place: TestServer.url ?? "", tables: configuration.schema ?? "", folder: folder,
                    workerCount: workers,
                    seed: seed, duration: Chaos.wantedDuration / 2)
                let report = try await chaos.report(on: store)
                await store.disconnect()
                print("chaos on PostgreSQL, \(workers) workers, seed \(seed): \(report)")
                #expect(report.complaints.isEmpty, "seed \(seed): \(report.complaints.prefix(10))")
                #expect(report.kills + report.pauses > 0 && report.runs >= 20 * workers)
            }
        }
    }
}
