import Chaos
import Testing

@testable import PerdureDynamoDB

/// Worker processes on one table, killed and stopped by chance.
@Suite(.serialized, .enabled(if: TestServer.url != nil, "needs PERDURE_TEST_DYNAMODB"), .timeLimit(.minutes(30)))
struct RunChaosTests {
    @Test("two workers, killed, stopped and started again under load") func torment() async throws {
        try await RunTestTable.with { table in
            try await Chaos.withFolder { folder in
                let store = try table.store()
                var chaos = Chaos(
                    place: TestServer.url ?? "", tables: table.name, folder: folder, workerCount: 2,
                    seed: Chaos.wantedSeed, duration: Chaos.wantedDuration / 2)
                chaos.lease = .seconds(2)
                let report = try await chaos.report(on: store)
                await store.disconnect()
                print("chaos on DynamoDB, 2 workers, seed \(chaos.seed): \(report)")
                #expect(report.complaints.isEmpty, "seed \(chaos.seed): \(report.complaints.prefix(10))")
                #expect(report.kills + report.pauses > 0 && report.runs >= 40)
            }
        }
    }
}
