import PerdureConcurrency
import PerdureTestKit
import Testing

@testable import PerdureDynamoDB

/// What every store promises, on DynamoDB Local.
@Suite("The DynamoDB store", .enabled(if: TestServer.url != nil, "needs PERDURE_TEST_DYNAMODB"))
struct PromiseTests {
    @Test("keeps every promise of a state store") func keepsEveryPromise() async throws {
        let proxy = try LossyProxy()
        defer { proxy.peer.stop() }
        let table = TestServer.randomTable()
        let configuration = try TestServer.configuration(table: table)
        try await DynamoDBStore(configuration).setup()
        let fixture = StateStoreFixture(
            "dynamodb",
            makeStore: { try DynamoDBStore(TestServer.configuration(table: table, endpoint: proxy.peer.url)) },
            corruptRow: { _, id in
                try await RawClient.with {
                    var expression = Expression()
                    expression.update = "SET StatePayload = :p"
                    expression.values.append(":p", .string("text where bytes belong"))
                    _ = try await $0.perform(
                        .updateItem(table: table, key: StateItem.key(id), expression, isRepeatable: true))
                }
            }, loseNextAnswer: { _, id in proxy.lose(.answer, id) },
            loseNextRequest: { _, id in proxy.lose(.request, id) })
        var settings = PromiseSettings()
        settings.timeLimit = .seconds(120)
        let report = await StatePromises.verify(fixture, settings: settings)
        print(report)
        #expect(report.broken.isEmpty)
        await TestServer.drop(table)
    }
}
