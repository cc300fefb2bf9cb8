import PerdureConcurrency
import PerdureState
import Testing

@testable import PerdureDynamoDB

@Suite("Setting up", .enabled(if: TestServer.url != nil, "needs PERDURE_TEST_DYNAMODB"), .timeLimit(.minutes(5)))
struct SetupTests {
    @Test func isIdempotent() async throws {
        try await TestServer.withTable { store in
            var setup = DynamoDBSetup()
            setup.tags = ["team": "a", "stage": "test"]
            try await store.setup(setup)
            try await store.setup()
            try await store.connect()
            try await store.ping()
        }
    }

    @Test func namesAWrongKey() async throws {
        let table = TestServer.randomTable()
        _ = try await RawClient.with {
            try await $0.perform(
                .createTable(
                    TableDefinition(
                        name: table,
                        key: .init(hash: .init(name: "PK", type: "S"), range: .init(name: "SK", type: "S")),
                        indexes: [.init(name: "GSI1", key: .init(hash: .init(name: "G", type: "S")))],
                        tags: [(key: "a", value: "b")])))
        }
        let store = try DynamoDBStore(TestServer.configuration(table: table))
        for attempt in ["connect", "setup"] {
            do throws(StoreError) {
                if attempt == "connect" { try await store.connect() } else { try await store.setup() }
                Issue.record("a table with another key was accepted")
            } catch {
                #expect(
                    error.code == .misconfigured && error.message.contains("PK (HASH of type S), SK (RANGE of type S)"),
                    "\(error.message)")
            }
        }
        do throws(StoreError) {
            _ = try await store.latestState(of: "x")
            Issue.record("a table with another key was read")
        } catch {
            #expect(error.code == .misconfigured)
        }
        await store.disconnect()
        await TestServer.drop(table)
    }

    @Test func namesAMissingTable() async throws {
        let store = try DynamoDBStore(TestServer.configuration(table: TestServer.randomTable()))
        for attempt in 0..<4 {
            do throws(StoreError) {
                switch attempt {
                case 0: try await store.connect()
                case 1: try await store.ping()
                case 2: _ = try await store.latestState(of: "x")
                default: try await store.delete("x", if: .version(1))
                }
                Issue.record("a missing table was used")
            } catch {
                #expect(
                    error.code == .misconfigured && error.outcome == .notApplied && error.message.contains("setup()"))
            }
        }
        await store.disconnect()
    }

    /// The operations that the store itself does not use.
    @Test func otherOperationsWork() async throws {
        try await TestServer.withTable { store in
            let table = store.configuration.table
            try await RawClient.with { client in
                var count = Expression()
                count.update = "ADD #c :one"
                count.names = [("#c", "Counter")]
                count.values.append(":one", .number(1))
                for expected in 1...3 {
                    let item = try await client.perform(
                        .updateItem(
                            table: table, key: StateItem.key("k"), count, returning: "ALL_NEW", isRepeatable: false))
                    #expect(item?["Counter"] == .number(expected))
                }
                var query = Expression()
                query.keyCondition = "PersistenceID = :k"
                query.values.append(":k", .string("k"))
                let page = try await client.perform(.query(table: table, query, isConsistent: true))
                #expect(page.items.count == 1 && page.next == nil && page.scannedCount == 1)
                let found = try await client.perform(
                    .transactGetItems([(table, StateItem.key("k")), (table, StateItem.key("none"))]))
                #expect(found.count == 2 && found[0]?["Counter"] == .number(3) && found[1] == nil)
                let rest = try await client.perform(
                    .batchWriteItem(
                        table: table,
                        writes: [.put(["PersistenceID": .string("l")]), .delete(key: StateItem.key("k"))],
                        isRepeatable: true))
                #expect(rest.isEmpty)
                let items = try await client.perform(
                    .batchGetItem(table: table, keys: ["k", "l"].map { StateItem.key($0) }, isConsistent: true))
                #expect(items.items == [["PersistenceID": .string("l")]] && items.unprocessed.isEmpty)
                let parts = try await [0, 1].asyncMap {
                    try await client.perform(.scan(table: table, isConsistent: true, segment: ($0, 2))).items.count
                }
                #expect(parts.reduce(0, +) == 1)
            }
        }
    }

    private static let setup = {
        var setup = DynamoDBSetup()
        setup.isProtected = true
        return setup
    }()

    /// Sets a table up, and looks whether it came to be what was asked for.
    private static func settingUp(
        through proxy: LossyProxy, _ setUp: (DynamoDBStore) async throws -> Void
    ) async throws {
        let configuration = try TestServer.configuration(
            table: TestServer.randomTable(), endpoint: "http://127.0.0.1:\(proxy.peer.port)")
        let store = try DynamoDBStore(configuration)
        try await setUp(store)
        await store.disconnect()
        let table = configuration.table
        try await RawClient.with { client in
            let description = try await client.perform(.describeTable(table))
            #expect(description.status == "ACTIVE" && description.isProtected)
            let expiry = try await client.perform(.describeTimeToLive(table))
            #expect(expiry.attribute == "ExpiresAt" && expiry.status == "ENABLED")
            _ = try await client.perform(.updateTable(table, .protection(false)))
        }
        await TestServer.drop(table)
    }

    @Test("takes up what it did already when an answer was lost", arguments: [LossyProxy.Loss.request, .answer])
    func lostAnswers(_ loss: LossyProxy.Loss) async throws {
        let proxy = try LossyProxy()
        defer { proxy.peer.stop() }
        let lost = LockedState<Set<String>>([])
        // The first of every kind.
        proxy.set { request in lost.withLock { $0.insert(request.operation).inserted } ? .lost(loss) : nil }
        try await Self.settingUp(through: proxy) { try await $0.setup(Self.setup) }
        #expect(
            lost.withLock { $0 }.isSuperset(of: ["CreateTable", "DescribeTable", "UpdateTimeToLive", "UpdateTable"]))
    }

    @Test("can be done by several at once, and once more") func together() async throws {
        let proxy = try LossyProxy()
        defer { proxy.peer.stop() }
        try await Self.settingUp(through: proxy) { store in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 { group.addTask { try await store.setup(Self.setup) } }
                try await group.waitForAll()
            }
            try await store.setup(Self.setup)
        }
    }
}

extension Array {
    fileprivate func asyncMap<Result>(_ transform: (Element) async throws -> Result) async rethrows -> [Result] {
        var results: [Result] = []
        for element in self { results.append(try await transform(element)) }
        return results
    }
}
