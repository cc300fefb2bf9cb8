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

    /// A tenth of all changes or their answers get lost: histories must still be linearizable, one writer of several must win, and
    /// nobody may conflict with themselves.
    @Test("keeps order while requests and answers get lost") func keepsOrderOnABadNetwork() async throws {
        let proxy = try LossyProxy()
        defer { proxy.peer.stop() }
        let table = TestServer.randomTable()
        let seed = UInt64.random(in: 0 ... .max)
        try await DynamoDBStore(TestServer.configuration(table: table)).setup()
        proxy.loseAtRandom(perMille: 100, seed: seed)
        let fixture = StateStoreFixture(
            "dynamodb on a bad network",
            makeStore: {
                var configuration = try TestServer.configuration(table: table, endpoint: proxy.peer.url)
                configuration.retries.budget = 10_000
                return try DynamoDBStore(configuration)
            }, loseNextAnswer: { _, id in proxy.lose(.answer, id) },
            loseNextRequest: { _, id in proxy.lose(.request, id) })
        let promises = StatePromise.all.filter { [2, 4].contains($0.number) }
        var settings = PromiseSettings(seed: seed)
        settings.repeatsVersions = false
        settings.timeLimit = .seconds(120)
        let report = await StatePromises.verify(fixture, promises: promises, settings: settings)
        print(report)
        #expect(report.broken.isEmpty, "seed \(seed)")
        // Counting together takes writers who know what became of their writes: where one's answer was lost and another has written
        // since, nobody does, and the promise says that it was not tested.
        #expect(report.untested.allSatisfy { $0.name.hasPrefix("loses no increment") })
        #expect(report.keptCount >= promises.count - 2)
        await TestServer.drop(table)
    }
}
