import PerdureConcurrency
import PerdureModel
import PerdureTestKit
import PerdureWorkflow

@testable import PerdureDynamoDB

/// A table of runs for one test.
struct RunTestTable: Sendable {
    let name: String

    /// Makes a table for `body` and takes it away afterwards.
    ///
    /// Tests tell times long past; with `expiresItems` the server would take away what has ended then.
    static func with<Result>(
        layout: DynamoDBRunLayout? = nil, expiresItems: Bool = false, _ body: (RunTestTable) async throws -> Result
    ) async throws -> Result {
        let table = RunTestTable(name: TestServer.randomTable())
        let store = try table.store()
        var setup = DynamoDBSetup()
        setup.expiresItems = expiresItems
        do {
            try await store.setup(setup, layout: layout)
            await store.disconnect()
            let result = try await body(table)
            await TestServer.drop(table.name)
            return result
        } catch {
            await store.disconnect()
            await TestServer.drop(table.name)
            throw error
        }
    }

    func store(
        endpoint: String? = nil, _ change: (inout DynamoDBConfiguration) -> Void = { _ in }
    ) throws -> DynamoDBRunStore {
        var configuration = try TestServer.configuration(table: self.name, endpoint: endpoint)
        configuration.maximumPayloadByteCount = 8 << 20
        change(&configuration)
        return try DynamoDBRunStore(configuration)
    }

    /// All items, as the server has them.
    func items() async throws -> [Item] {
        try await RawClient.with { client in
            var items: [Item] = []
            var start: Item?
            repeat {
                let page = try await client.perform(.scan(table: self.name, after: start, isConsistent: true))
                items += page.items
                start = page.next
            } while start != nil
            return items
        }
    }

    func item(_ partition: String, _ sort: String) async throws -> Item? {
        try await RawClient.with {
            try await $0.perform(
                .getItem(table: self.name, key: RunKey.key(partition, sort), isConsistent: true))
        }
    }
}
