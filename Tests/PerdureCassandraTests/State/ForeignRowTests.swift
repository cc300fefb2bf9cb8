import PerdureCQLClient
import PerdureState
import Testing

@testable import PerdureCassandra

/// Rows and tables that other programs made, in both layouts.
@Suite("Rows of others", .enabled(if: TestCluster.single != nil, "needs a node"))
struct ForeignRowTests {
    static let anyPayload: [UInt8] = {
        let text =
            "0a24747970652e676f6f676c65617069732e636f6d2f73616d706c6570622e4163636f756e7412150a0a6163636f756e742d343211000000000068b040"
        let digits = text.utf8.map { Character(UnicodeScalar($0)).hexDigitValue ?? 0 }
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] * 16 + digits[$0 + 1]) }
    }()

    private static func state(_ id: String, _ version: UInt64, shard: UInt64 = 3) -> DurableState {
        DurableState(
            persistenceID: id, version: version,
            payload: StatePayload(manifest: "google.protobuf.Any", bytes: Self.anyPayload),
            timestamp: 1_700_000_000_123, shard: shard)
    }

    /// The table as eGo's instructions make it, and nothing of ours.
    private static func makeTable(_ configuration: CassandraConfiguration, key: String) async throws {
        let cluster = try #require(TestCluster.single)
        let store = try CassandraStore(configuration)
        // Makes the keyspace.
        var elsewhere = configuration
        elsewhere.table = "elsewhere"
        try await CassandraStore(elsewhere).setup()
        try await cluster.run(
            "CREATE TABLE \(configuration.names.quoted()) (version_number bigint, persistence_id text, state_payload blob,"
                + " state_manifest text, timestamp bigint, shard_number bigint, PRIMARY KEY (\(key)))")
        await store.disconnect()
    }

    private static func insert(
        _ id: String, _ version: Int64, shard: Int64, _ configuration: CassandraConfiguration
    ) async throws {
        try await #require(TestCluster.single).run(
            "INSERT INTO \(configuration.names.quoted()) (persistence_id, version_number, state_payload, state_manifest,"
                + " timestamp, shard_number) VALUES (?, ?, ?, ?, ?, ?)"
        ) {
            try $0.bind(id)
            try $0.bind(version)
            try $0.bind(Self.anyPayload)
            try $0.bind("google.protobuf.Any")
            try $0.bind(Int64(1_700_000_000_123_456_789))
            try $0.bind(shard)
        }
    }

    @Test func aTableOfEgoWorksAsItIs() async throws {
        try await #require(TestCluster.single).withTable(nil) { configuration in
            try await Self.makeTable(configuration, key: "persistence_id")
            let store = try CassandraStore(configuration)
            try await Self.insert("account-42", 7, shard: 3, configuration)
            #expect(try await store.latestState(of: "account-42") == Self.state("account-42", 7))
            try await store.write(Self.state("account-42", 8), if: .version(7))
            #expect(
                await failure { () async throws(StoreError) in
                    try await store.write(Self.state("account-42", 8), if: .version(7))
                }?.storedVersion == 8)
            try await store.write(Self.state("new", 1), if: .absent)
            #expect(
                await failure { () async throws(StoreError) in
                    try await store.write(Self.state("new", 2), if: .absent)
                }?.code == .conflict)
            try await store.write(Self.state("new", 2), if: .always)
            #expect(try await store.latestState(of: "new") == Self.state("new", 2))
            #expect(
                try await store.persistenceIDs(withPrefix: "", after: nil, limit: 10).ids.sorted() == [
                    "account-42", "new",
                ])
            // There is no place for a tombstone, and none for chunks.
            let deletion = await failure { () async throws(StoreError) in
                try await store.delete("new", if: .version(2))
            }
            #expect(deletion?.code == .misconfigured && deletion?.message.contains("setup()") == true)
            var large = Self.state("large", 1)
            large.payload.bytes = Array(repeating: 7, count: (1 << 20) + 1)
            #expect(
                await failure { [large] () async throws(StoreError) in
                    try await store.write(large, if: .absent)
                }?.code == .payloadTooLarge)

            // Set up, the same store does both, and the rows are still there.
            try await store.setup()
            try await store.delete("new", if: .version(2))
            try await store.write(large, if: .absent)
            #expect(try await store.latestState(of: "large") == large)
            #expect(try await store.latestState(of: "account-42") == Self.state("account-42", 8))
            // eGo writes its six columns over a row of ours, and leaves the others.
            try await Self.insert("large", 2, shard: 3, configuration)
            #expect(try await store.latestState(of: "large") == Self.state("large", 2))
            try await store.write(Self.state("large", 3), if: .version(2))
            #expect(try await store.latestState(of: "large") == Self.state("large", 3))
            #expect(try await store.removeOrphanedChunks(olderThan: .seconds(-60)) <= 1)
            #expect(try await store.latestState(of: "large") == Self.state("large", 3))
            await store.disconnect()
        }
    }

    @Test func rowsUnderAnotherShardAreFoundAndStayThere() async throws {
        var setup = CassandraSetup()
        setup.key = .shard
        try await #require(TestCluster.single).withStore(setup) { store in
            let configuration = store.configuration
            for id in ["a", "b", "c"] { try await Self.insert(id, 5, shard: 100_000, configuration) }
            #expect(try await store.latestState(of: "a") == Self.state("a", 5, shard: 100_000))
            #expect(
                await failure { () async throws(StoreError) in
                    try await store.write(Self.state("a", 9), if: .absent)
                }?.storedVersion == 5)
            // The shard that is written need not be that of the key.
            try await store.write(Self.state("a", 6, shard: 77), if: .version(5))
            try await store.write(Self.state("b", 1, shard: 78), if: .always)
            try await store.delete("c", if: .version(5))
            #expect(try await store.latestState(of: "a") == Self.state("a", 6, shard: 77))
            #expect(try await store.latestState(of: "b") == Self.state("b", 1, shard: 78))
            #expect(try await store.latestState(of: "c") == nil)
            // What comes back is where it belongs, and counts on.
            #expect(
                await failure { () async throws(StoreError) in
                    try await store.write(Self.state("c", 6), if: .absent)
                }?.storedVersion == 6)
            try await store.write(Self.state("c", 7), if: .absent)
            let rows = try await #require(TestCluster.single).run(
                "SELECT shard_number, persistence_id FROM \(configuration.names.quoted())")
            var places: [String: Int64] = [:]
            for row in rows { places[try row.decode(at: 1)] = try row.decode(at: 0) }
            #expect(
                places == [
                    "a": 100_000, "b": 100_000, "c": Int64(PersistenceID.shard(of: "c", among: 1_024)),
                ])
        }
    }

    /// Without our columns the key's shard is the only one there is.
    @Test func aTableOfThePluginWorksAsItIs() async throws {
        try await #require(TestCluster.single).withTable(nil) { configuration in
            try await Self.makeTable(configuration, key: "shard_number, persistence_id")
            let store = try CassandraStore(configuration)
            let missing = await failure { () async throws(StoreError) in try await store.connect() }
            #expect(missing?.code == .misconfigured && missing?.message.contains("other_shards=ignored") == true)
            var one = configuration
            one.shards = 1
            one.otherShards = .ignored
            let fixed = try CassandraStore(one)
            try await Self.insert("account-42", 7, shard: 0, configuration)
            #expect(try await fixed.latestState(of: "account-42") == Self.state("account-42", 7, shard: 0))
            try await fixed.write(Self.state("account-42", 8, shard: 0), if: .version(7))
            let refusal = await failure { () async throws(StoreError) in
                try await fixed.write(Self.state("account-42", 9, shard: 4), if: .version(8))
            }
            #expect(refusal?.code == .invalidRequest && refusal?.outcome == .notApplied)
            #expect(try await fixed.latestState(of: "account-42") == Self.state("account-42", 8, shard: 0))
            await fixed.disconnect()
        }
    }

    @Test func versionsBeyondOurRangeAreReadAsTheyWereWritten() async throws {
        try await #require(TestCluster.single).withStore { store in
            try await Self.insert("wrapped", -1, shard: -2, store.configuration)
            let state = try #require(try await store.latestState(of: "wrapped"))
            #expect(state.version == UInt64.max)
            #expect(state.shard == UInt64.max - 1)
        }
    }
}
