import PerdureTestKit
import PerdureWorkflow
import Testing

@testable import PerdureDynamoDB

/// Every promise of the run stores' contract on DynamoDB Local, with a network between that loses what it is told to lose.
///
/// One after the other: all at once they ask more of a server with a small heap than it answers in time.
@Suite(.serialized, .enabled(if: TestServer.url != nil, "needs PERDURE_TEST_DYNAMODB"), .timeLimit(.minutes(20)))
struct RunPromiseTests {
    @Test("keeps its promise", arguments: RunPromise.all)
    func keeps(_ promise: RunPromise) async throws {
        try await RunTestTable.with { table in
            let proxy = try LossyProxy()
            defer { proxy.peer.stop() }
            // Large values take the proxy long.
            let endpoint = promise.number == 6 ? proxy.peer.url : nil
            let fixture = RunStoreFixture(
                "dynamodb", makeStore: { try table.store(endpoint: endpoint) },
                makeSecondStore: { _ in try table.store(endpoint: endpoint) },
                loseNextAnswer: { _, id in proxy.lose(.answer, id) },
                loseNextRequest: { _, id in proxy.lose(.request, id) })
            var settings = PromiseSettings(rounds: 2)
            settings.timeLimit = .seconds(240)
            let verdict = try await promise.verify(on: fixture, settings: settings)
            #expect(verdict == .kept, "\(verdict)")
        }
    }
}
