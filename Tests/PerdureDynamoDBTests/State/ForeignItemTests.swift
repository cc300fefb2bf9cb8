import PerdureModel
import Testing

@testable import PerdureDynamoDB

/// Items as eGo and the first plugin write them, and what they find of ours.
@Suite("Items of others", .enabled(if: TestServer.url != nil, "needs PERDURE_TEST_DYNAMODB"))
struct ForeignItemTests {
    /// The golden vector of `samplepb.Account`, as `google.protobuf.Any`.
    static let anyPayload: [UInt8] = [
        0x0a, 0x24, 0x74, 0x79, 0x70, 0x65, 0x2e, 0x67, 0x6f, 0x6f, 0x67, 0x6c, 0x65, 0x61, 0x70, 0x69, 0x73, 0x2e,
        0x63,
        0x6f, 0x6d, 0x2f, 0x73, 0x61, 0x6d, 0x70, 0x6c, 0x65, 0x70, 0x62, 0x2e, 0x41, 0x63, 0x63, 0x6f, 0x75, 0x6e,
        0x74,
        0x12, 0x15, 0x0a, 0x0a, 0x61, 0x63, 0x63, 0x6f, 0x75, 0x6e, 0x74, 0x2d, 0x34, 0x32, 0x11, 0x00, 0x00, 0x00,
        0x00,
        0x00, 0x68, 0xb0, 0x40,
    ]

    private static func put(_ item: Item, in store: DynamoDBStore) async throws {
        try await RawClient.with {
            try await $0.perform(.putItem(table: store.configuration.table, item: item, isRepeatable: true))
        }
    }

    private static func raw(_ key: String, in store: DynamoDBStore) async throws -> Item? {
        try await RawClient.with {
            try await $0.perform(
                .getItem(table: store.configuration.table, key: StateItem.key(key), isConsistent: true))
        }
    }

    @Test func readsWhatEgoWrites() async throws {
        try await TestServer.withTable { store in
            try await Self.put(
                [
                    "PersistenceID": .string("account-42"), "VersionNumber": .number("7"),
                    "StatePayload": .binary(Self.anyPayload), "StateManifest": .string("google.protobuf.Any"),
                    "Timestamp": .number("1700000000123456789"), "ShardNumber": .number("3"),
                ], in: store)
            let state = try #require(try await store.latestState(of: "account-42"))
            #expect(
                state
                    == DurableState(
                        persistenceID: "account-42", version: 7,
                        payload: StatePayload(manifest: "google.protobuf.Any", bytes: Self.anyPayload),
                        timestamp: 1_700_000_000_123, shard: 3))
            // Ours goes on from it, and eGo finds all six attributes with the types that it needs.
            var next = state
            next.version = 8
            try await store.write(next, if: .version(7))
            let item = try #require(try await Self.raw("account-42", in: store))
            #expect(item["VersionNumber"] == .number("8") && item["StatePayload"] == .binary(Self.anyPayload))
            #expect(item["StateManifest"] == .string("google.protobuf.Any") && item["ShardNumber"] == .number("3"))
            #expect(item["Timestamp"] == .number("1700000000123"))
        }
    }

    @Test func readsGosZeroTimeAndVersionZero() async throws {
        try await TestServer.withTable { store in
            for (id, time) in [("ns", "-6795364578871345152"), ("s", "-62135596800")] {
                try await Self.put(
                    [
                        "PersistenceID": .string(id), "VersionNumber": .number("0"), "StatePayload": .binary([]),
                        "StateManifest": .string(""), "Timestamp": .number(time), "ShardNumber": .number("0"),
                    ], in: store)
                let state = try #require(try await store.latestState(of: id))
                #expect(state.timestamp == 0 && state.version == 0 && state.payload.bytes.isEmpty)
                try await store.write(
                    DurableState(persistenceID: id, version: 1, payload: state.payload), if: .version(0))
                #expect(try await store.latestState(of: id)?.version == 1)
            }
        }
    }

    @Test func readsWhatTheFirstPluginWrites() async throws {
        try await TestServer.withTable { store in
            try await Self.put(
                [
                    "PersistenceID": .string("old"), "StatePayload": .binary([1, 2]), "StateManifest": .string("a.B"),
                    "Timestamp": .string("1700000000"),
                ], in: store)
            let state = try #require(try await store.latestState(of: "old"))
            #expect(state.version == 0 && state.shard == 0 && state.timestamp == 1_700_000_000_000)
            #expect(try await store.latestStates(of: ["old"]).map { try $0.get() } == [state])
            await #expect(throws: StoreError.self) {
                try await store.write(
                    DurableState(persistenceID: "old", version: 6, payload: state.payload), if: .version(5))
            }
            try await store.write(
                DurableState(persistenceID: "old", version: 1, payload: state.payload), if: .version(0))
            try await store.delete("old", if: .version(1))
            #expect(try await store.latestState(of: "old") == nil)
        }
    }

    @Test func aLostAnswerAfterEgoErasedTheWriteIDIsNoConflictWithOneself() async throws {
        try await TestServer.withTable { store in
            // Without our attribute the item is anybody's: a plain conflict, with its version.
            try await Self.put(
                [
                    "PersistenceID": .string("x"), "VersionNumber": .number("4"), "StatePayload": .binary([1]),
                    "StateManifest": .string("m"), "Timestamp": .number("0"), "ShardNumber": .number("0"),
                ], in: store)
            do throws(StoreError) {
                try await store.write(
                    DurableState(persistenceID: "x", version: 3, payload: StatePayload(manifest: "m", bytes: [])),
                    if: .version(2))
                Issue.record("a stale write succeeded")
            } catch {
                #expect(error.code == .conflict && error.storedVersion == 4)
            }
        }
    }

    @Test func aDeletedStateLeavesNoItemUnderItsID() async throws {
        try await TestServer.withTable { store in
            let state = DurableState(
                persistenceID: "gone", version: 1, payload: StatePayload(manifest: "m", bytes: [1]))
            try await store.write(state, if: .absent)
            try await store.delete("gone", if: .version(1))
            #expect(try await Self.raw("gone", in: store) == nil)
            let key = TechnicalKey.tombstone(of: "gone")
            #expect(PersistenceID.violation(in: key) != nil)
            let tombstone = try #require(try await Self.raw(key, in: store))
            #expect(tombstone["VersionNumber"] == .number("2") && tombstone["ExpiresAt"] == nil)
            #expect(try await store.persistenceIDs(withPrefix: "", after: nil, limit: 100).ids == [])
        }
    }

    @Test func tombstonesExpireWhereThatIsWanted() async throws {
        try await TestServer.withTable {
            $0.tombstoneLifetime = .seconds(3_600)
        } _: { store in
            let state = DurableState(
                persistenceID: "gone", version: 1, payload: StatePayload(manifest: "m", bytes: [1]))
            try await store.write(state, if: .absent)
            try await store.delete("gone", if: .always)
            let tombstone = try #require(try await Self.raw(TechnicalKey.tombstone(of: "gone"), in: store))
            let expiry = try #require(tombstone["ExpiresAt"]?.digits.flatMap { Int64($0) })
            let now = SystemClock().unixMilliseconds / 1_000
            #expect((now + 3_000...now + 3_700).contains(expiry))
            let table = store.configuration.table
            let ttl = try await RawClient.with { try await $0.perform(.describeTimeToLive(table)) }
            #expect(ttl.attribute == "ExpiresAt")
        }
    }

    @Test func technicalKeysDiffer() {
        var keys = Set<[UInt8]>()
        let ids = [
            "a", "a.", "a..", "a!tombstone:1", ".", String(repeating: ".", count: 254),
            String(repeating: ".", count: 255), "🦆",
        ]
        for id in ids {
            let key = Array(TechnicalKey.tombstone(of: id).utf8)
            #expect(key.count == TechnicalKey.byteCount && keys.insert(key).inserted)
        }
        for number in [0, 1, 10, 9_999] {
            let key = Array(TechnicalKey.chunk(WriteID(high: .max, low: 7).text, number).utf8)
            #expect(key.count == TechnicalKey.byteCount && keys.insert(key).inserted)
        }
    }
}

/// States that are larger than an item.
@Suite("Chunks", .enabled(if: TestServer.url != nil, "needs PERDURE_TEST_DYNAMODB"))
struct ChunkTests {
    private static func state(_ version: UInt64, _ count: Int) -> DurableState {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ Int(version)) }
        return DurableState(
            persistenceID: "large", version: version, payload: StatePayload(manifest: "m", bytes: bytes))
    }

    private static func items(in store: DynamoDBStore) async throws -> [Item] {
        let table = store.configuration.table
        return try await RawClient.with { try await $0.perform(.scan(table: table, isConsistent: true)).items }
    }

    @Test func leaveNothingBehind() async throws {
        try await TestServer.withTable { store in
            let limit = StateItem.inlineLimit
            var version: UInt64 = 0
            for count in [limit, limit + 1, 1_000_000, 10, 900_000, limit] {
                let state = Self.state(version + 1, count)
                try await store.write(
                    state, if: version == 0 ? .absent : version % 2 == 1 ? .version(version) : .always)
                version += 1
                #expect(try await store.latestState(of: "large") == state)
                let chunks = count <= limit ? 0 : (count + limit - 1) / limit
                #expect(try await Self.items(in: store).count == 1 + chunks, "\(count) bytes")
            }
            try await store.write(Self.state(7, 900_000), if: .version(6))
            let ids = try await store.persistenceIDs(withPrefix: "", after: nil, limit: 10).ids
            #expect(ids == ["large"])
            try await store.delete("large", if: .version(7))
            // Only the tombstone.
            #expect(try await Self.items(in: store).count == 1)
        }
    }

    @Test func areRemovedWhenTheWriteIsRefused() async throws {
        try await TestServer.withTable { store in
            try await store.write(Self.state(1, 10), if: .absent)
            await #expect(throws: StoreError.self) { try await store.write(Self.state(9, 900_000), if: .version(8)) }
            #expect(try await Self.items(in: store).count == 1)
        }
    }

    @Test func thatNobodyRefersToAreFound() async throws {
        try await TestServer.withTable { store in
            try await store.write(Self.state(1, 900_000), if: .absent)
            // Another program replaces the item, and knows nothing of chunks.
            let item = StateItem.item(
                Self.state(2, 3), writeID: WriteID(high: 0, low: 0), chunks: nil, unit: .milliseconds)
            let table = store.configuration.table
            try await RawClient.with { try await $0.perform(.putItem(table: table, item: item, isRepeatable: true)) }
            var other = Self.state(1, 900_000)
            other.persistenceID = "other"
            try await store.write(other, if: .absent)
            #expect(try await store.removeOrphanedChunks() == 0)
            #expect(try await store.removeOrphanedChunks(olderThan: .seconds(-60)) == 3)
            #expect(try await Self.items(in: store).count == 2 + 3)
            #expect(try await store.latestState(of: "other") == other)
        }
    }

    @Test func thatAreMissingAreAnError() async throws {
        try await TestServer.withTable { store in
            try await store.write(Self.state(1, 900_000), if: .absent)
            let table = store.configuration.table
            for item in try await Self.items(in: store) where item["ItemKind"] == .string("chunk") {
                try await RawClient.with {
                    try await $0.perform(
                        .deleteItem(
                            table: table, key: StateItem.key(item["PersistenceID"]?.text ?? ""), isRepeatable: true))
                }
                break
            }
            do throws(StoreError) {
                _ = try await store.latestState(of: "large")
                Issue.record("half a state was read")
            } catch {
                #expect(error.code == .corrupted && error.persistenceID == "large")
            }
        }
    }
}
