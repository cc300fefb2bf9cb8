import PerdureConcurrency
import Testing

@testable import PerdureDynamoDB

/// The operations that the state store does not use, on DynamoDB Local: what a table of runs needs, with two keys and two indexes.
@Suite("The client's operations", .enabled(if: TestServer.url != nil, "needs PERDURE_TEST_DYNAMODB"))
struct LocalOperationTests {
    private typealias Key = TableDefinition.Key

    private static func definition(_ name: String) -> TableDefinition {
        func index(_ name: String) -> TableDefinition.Index {
            .init(
                name: name,
                key: Key(hash: .init(name: "\(name)PK", type: "S"), range: .init(name: "\(name)SK", type: "S")))
        }
        return TableDefinition(
            name: name, key: Key(hash: .init(name: "PK", type: "S"), range: .init(name: "SK", type: "S")),
            indexes: [index("GSI1"), index("GSI2")])
    }

    private static func with(
        _ change: (inout TableDefinition) -> Void = { _ in }, _ body: (RawClient, String) async throws -> Void
    ) async throws {
        let table = TestServer.randomTable()
        var definition = Self.definition(table)
        change(&definition)
        try await RawClient.with { client in
            _ = try await client.perform(.createTable(definition))
            do { try await body(client, table) } catch {
                _ = try? await client.perform(.deleteTable(table))
                throw error
            }
            _ = try? await client.perform(.deleteTable(table))
        }
    }

    private static func key(_ run: String, _ part: String = "") -> Item {
        ["PK": .string("RUN#\(run)"), "SK": .string("\(part)#\(run)")]
    }

    private static func run(_ number: Int, status: String = "RUNNING") -> Item {
        var item = Self.key("\(number)", "RUN")
        let created = "2026-01-01T00:00:\(number < 10 ? "0" : "")\(number)Z#\(number)"
        item.append("GSI1PK", .string("WORKFLOW#w"))
        item.append("GSI1SK", .string(created))
        item.append("GSI2PK", .string("STATUS#\(status)"))
        item.append("GSI2SK", .string(created))
        item.append("revision", .number(1))
        return item
    }

    private static func condition(_ text: String, _ values: Item = Item()) -> Expression {
        var expression = Expression()
        expression.condition = text
        expression.values = values
        return expression
    }

    @Test func describesTheTable() async throws {
        try await Self.with({ $0.isProtected = true }) { client, name in
            var table = try await client.perform(.describeTable(name))
            #expect(table.key.map(\.name) == ["PK", "SK"] && table.key.map(\.role) == ["HASH", "RANGE"])
            #expect(table.indexes == ["GSI1": "ACTIVE", "GSI2": "ACTIVE"] && table.replicas.isEmpty)
            #expect(table.billingMode == "PAY_PER_REQUEST" && table.isProtected)
            await #expect(throws: CallFailure.self) { _ = try await client.perform(.deleteTable(name)) }
            table = try await client.perform(.updateTable(name, .protection(false)))
            #expect(!table.isProtected)
        }
    }

    // A new index of a table that is there is not tried: DynamoDB Local takes it, never finishes it, and fails all writes until then.
    @Test func changesTheBilling() async throws {
        try await Self.with({ $0.indexes = [] }) { client, name in
            _ = try await client.perform(.updateTable(name, .billing(.init(reads: 5, writes: 6))))
            #expect(try await client.perform(.describeTable(name)).billingMode == "PROVISIONED")
            _ = try await client.perform(.updateTable(name, .billing(nil)))
        }
    }

    @Test func enablesExpiry() async throws {
        try await Self.with { client, name in
            #expect(try await client.perform(.describeTimeToLive(name)) == TimeToLive(status: "DISABLED"))
            try await client.perform(.updateTimeToLive(name, attribute: "ttl", isEnabled: true))
            #expect(
                try await client.perform(.describeTimeToLive(name)) == TimeToLive(status: "ENABLED", attribute: "ttl"))
        }
    }

    @Test func pagesThroughAnIndexBothWays() async throws {
        try await Self.with { client, name in
            let runs = (0..<25).map { Self.run($0, status: $0 % 5 == 0 ? "FAILED" : "RUNNING") }
            _ = try await client.perform(
                .batchWriteItem(table: name, writes: runs.map { .put($0) }, isRepeatable: true))
            func expression(_ key: String, _ value: String) -> Expression {
                var expression = Expression()
                expression.keyCondition = "\(key) = :k"
                expression.values.append(":k", .string(value))
                return expression
            }
            let numbers = (0..<25).map { "RUN#\($0)" }
            for (isAscending, expected) in [(true, numbers), (false, numbers.reversed())] {
                var (found, sizes, start): ([String], [Int], Item?) = ([], [], nil)
                repeat {
                    let page = try await client.perform(
                        .query(
                            table: name, index: "GSI1", expression("GSI1PK", "WORKFLOW#w"), after: start, limit: 10,
                            isAscending: isAscending))
                    #expect(page.count == page.items.count && page.scannedCount == page.items.count)
                    found += page.items.compactMap { $0["PK"]?.text }
                    sizes.append(page.items.count)
                    start = page.next
                } while start != nil && sizes.count < 10
                #expect(found == expected && sizes.prefix(3) == [10, 10, 5])
            }
            let failed = try await client.perform(
                .query(table: name, index: "GSI2", expression("GSI2PK", "STATUS#FAILED"), onlyCounts: true))
            #expect(failed.count == 5 && failed.items.isEmpty && failed.next == nil)
            var filtered = expression("GSI1PK", "WORKFLOW#w")
            filtered.filter = "GSI2PK = :s"
            filtered.values.append(":s", .string("STATUS#FAILED"))
            let page = try await client.perform(.query(table: name, index: "GSI1", filtered))
            #expect(page.count == 5 && page.scannedCount == 25)
        }
    }

    @Test func saysWhichActionOfATransactionWasInTheWay() async throws {
        try await Self.with { client, name in
            _ = try await client.perform(.putItem(table: name, item: Self.run(1), isRepeatable: true))
            let actions = [
                TransactionAction(
                    .update(key: Self.key("1", "RUN")), table: name,
                    {
                        var expression = Self.condition(
                            "revision = :r", [":r": .number(7), ":n": .number(8)])
                        expression.update = "SET revision = :n"
                        return expression
                    }()),
                TransactionAction(.put(Self.key("1", "STEP")), table: name),
                TransactionAction(
                    .check(key: Self.key("1", "RUN")), table: name,
                    Self.condition("GSI2PK = :s", [":s": .string("STATUS#RUNNING")])),
                TransactionAction(
                    .delete(key: Self.key("9", "RUN")), table: name, Self.condition("attribute_exists(PK)")),
            ]
            do throws(CallFailure) {
                try await client.perform(.transactWriteItems(actions, token: TestServer.randomTable()))
                Issue.record("a transaction whose conditions do not hold was carried out")
            } catch {
                #expect(error.fault?.name == "TransactionCanceledException" && !error.mayHaveHappened)
                let reasons = error.fault?.reasons ?? []
                #expect(
                    reasons.map(\.code) == ["ConditionalCheckFailed", "None", "None", "ConditionalCheckFailed"])
                #expect(reasons.first?.item?["revision"] == .number(1), "the item that was in the way comes along")
                #expect(reasons.first?.message?.isEmpty == false && reasons.last?.item == nil)
            }
            // None of it was done.
            #expect(
                try await client.perform(.getItem(table: name, key: Self.key("1", "STEP"), isConsistent: true)) == nil)
        }
    }

    @Test func carriesATransactionOutOncePerToken() async throws {
        try await Self.with { client, name in
            var count = Expression()
            count.update = "ADD revision :one"
            count.values.append(":one", .number(1))
            func add(_ token: String) async throws(CallFailure) {
                try await client.perform(
                    .transactWriteItems(
                        [TransactionAction(.update(key: Self.key("1", "RUN")), table: name, count)], token: token))
            }
            // Tokens are remembered for ten minutes, whatever the table.
            let (first, second) = (TestServer.randomTable(), TestServer.randomTable())
            for token in [first, first, first, second] { try await add(token) }
            let item = try await client.perform(.getItem(table: name, key: Self.key("1", "RUN"), isConsistent: true))
            #expect(item?["revision"] == .number(2))
            // The same token for something else is refused.
            count.values = [":one": .number(5)]
            do throws(CallFailure) {
                try await add(second)
                Issue.record("a token was taken twice for different things")
            } catch {
                #expect(error.fault?.name == "IdempotentParameterMismatchException" && error.attempts == 1)
            }
        }
    }

    @Test func updatesAndTellsTheValues() async throws {
        try await Self.with { client, name in
            _ = try await client.perform(.putItem(table: name, item: Self.run(1), isRepeatable: true))
            func update(_ text: String, _ values: Item, _ returning: StaticString, if condition: String? = nil)
                async throws(CallFailure) -> Item?
            {
                var expression = Expression()
                expression.update = text
                expression.condition = condition
                expression.values = values
                return try await client.perform(
                    .updateItem(
                        table: name, key: Self.key("1", "RUN"), expression, returning: returning, isRepeatable: false))
            }
            let fence: Item = [":f": .number(3), ":o": .string("worker")]
            #expect(try await update("SET fence = :f, lease = :o", fence, "NONE") == nil)
            let new = try await update("SET fence = fence + :f", [":f": .number(1)], "UPDATED_NEW")
            #expect(new == ["fence": .number(4)])
            let old = try await update("REMOVE lease ADD tags :t", [":t": .stringSet(["a"])], "ALL_OLD")
            #expect(old?["lease"] == .string("worker") && old?["tags"] == nil)
            do throws(CallFailure) {
                _ = try await update("SET fence = :f", fence, "ALL_NEW", if: "fence = :f AND :o = :o")
                Issue.record("an update whose condition does not hold was carried out")
            } catch {
                #expect(error.fault?.name == "ConditionalCheckFailedException")
                #expect(error.fault?.item?["fence"] == .number(4) && error.fault?.item?["tags"] == .stringSet(["a"]))
            }
        }
    }
}
