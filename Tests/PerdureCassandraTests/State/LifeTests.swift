import PerdureCQLClient
import PerdureState
import Testing

@testable import PerdureCassandra

/// What others left half done: rows that came late after a deletion, rows that nobody confirmed, deletions that were claimed only.
@Suite("Lives", .enabled(if: TestCluster.single != nil, "needs a node"))
struct LifeTests {
    private static func state(_ id: String, _ version: UInt64) -> DurableState {
        DurableState(
            persistenceID: id, version: version, payload: StatePayload(manifest: "m", bytes: [UInt8(version)]),
            timestamp: 1_700_000_000_123, shard: 3)
    }

    private static let stranger = CQLUUID(high: 7, low: 7)

    /// A row as a creation makes it that then was killed.
    private static func insertNewborn(
        _ id: String, _ version: Int64, _ store: CassandraStore, _ key: CassandraSetup.Key
    ) async throws {
        let shard = key == .shard ? PersistenceID.shard(of: id, among: 1_024) : 3
        try await #require(TestCluster.single).run(
            "INSERT INTO \(store.configuration.names.quoted()) (persistence_id, shard_number, version_number, state_payload,"
                + " state_manifest, timestamp, state_shard, write_id, newborn) VALUES (?, ?, ?, ?, 'm', 1700000000123, 3, ?, ?)"
                + " IF NOT EXISTS"
        ) {
            try $0.bind(id)
            try $0.bind(Int64(bitPattern: shard))
            try $0.bind(version)
            try $0.bind([UInt8(version)])
            try $0.bind(Self.stranger)
            try $0.bind(version)
        }
    }

    /// A deletion as somebody claimed it who then was killed; `writeID` made the row.
    private static func claim(
        _ id: String, _ version: Int64, madeBy writeID: CQLUUID, _ store: CassandraStore
    ) async throws {
        try await #require(TestCluster.single).run(
            "INSERT INTO \(store.configuration.names.quoted("_tombstones")) (persistence_id, version_number, write_id,"
                + " target_version, target_write_id) VALUES (?, ?, ?, ?, ?) IF NOT EXISTS"
        ) {
            try $0.bind(id)
            try $0.bind(version + 1)
            try $0.bind(CQLUUID(high: 9, low: 9))
            try $0.bind(version)
            try $0.bind(writeID)
        }
    }

    private static func rowCount(_ id: String, _ store: CassandraStore) async throws -> Int {
        let rows = try await #require(TestCluster.single).run(
            "SELECT persistence_id FROM \(store.configuration.names.quoted())")
        return rows.filter { (try? $0.decode(String.self, at: 0)) == id }.count
    }

    private static func withStore(
        _ key: CassandraSetup.Key, _ body: (CassandraStore) async throws -> Void
    ) async throws {
        var setup = CassandraSetup()
        setup.key = key
        try await #require(TestCluster.single).withStore(setup) { store in try await body(store) }
    }

    @Test(arguments: PromiseTests.layouts)
    func aRowThatCameAfterADeletionNeverWas(_ key: CassandraSetup.Key) async throws {
        try await Self.withStore(key) { store in
            for id in ["read", "listed", "replaced", "deleted", "created", "put", "batch"] {
                try await store.write(Self.state(id, 1), if: .absent)
                try await store.delete(id, if: .version(1))
                try await Self.insertNewborn(id, 1, store, key)
                #expect(try await Self.rowCount(id, store) == 1)
            }
            #expect(try await store.latestState(of: "read") == nil)
            #expect(try await Self.rowCount("read", store) == 0)
            #expect(try await store.persistenceIDs(withPrefix: "", after: nil, limit: 100).ids == [])
            // The listing has taken them all away; here they are again.
            for id in ["replaced", "deleted", "created", "put"] { try await Self.insertNewborn(id, 1, store, key) }
            for attempt in [
                await failure { () async throws(StoreError) in
                    try await store.write(Self.state("replaced", 2), if: .version(1))
                },
                await failure { () async throws(StoreError) in try await store.delete("deleted", if: .version(1)) },
                await failure { () async throws(StoreError) in
                    try await store.write(Self.state("created", 2), if: .absent)
                },
            ] { #expect(attempt?.code == .conflict && attempt?.storedVersion == 2, "\(String(reflecting: attempt))") }
            for id in ["replaced", "deleted"] { #expect(try await Self.rowCount(id, store) == 0) }
            try await Self.insertNewborn("created", 1, store, key)
            try await store.write(Self.state("created", 3), if: .absent)
            #expect(try await store.latestState(of: "created") == Self.state("created", 3))
            try await store.write(Self.state("put", 1), if: .always)
            #expect(try await store.latestState(of: "put") == Self.state("put", 1))
        }
    }

    @Test(arguments: PromiseTests.layouts)
    func aRowThatNobodyConfirmedIsAlive(_ key: CassandraSetup.Key) async throws {
        try await Self.withStore(key) { store in
            for id in ["read", "replaced", "deleted", "created"] { try await Self.insertNewborn(id, 5, store, key) }
            #expect(try await store.latestState(of: "read") == Self.state("read", 5))
            #expect(
                try await store.persistenceIDs(withPrefix: "r", after: nil, limit: 9).ids.sorted() == [
                    "read", "replaced",
                ])
            try await store.write(Self.state("replaced", 6), if: .version(5))
            #expect(try await store.latestState(of: "replaced") == Self.state("replaced", 6))
            try await store.delete("deleted", if: .version(5))
            #expect(try await store.latestState(of: "deleted") == nil)
            let second = await failure { () async throws(StoreError) in
                try await store.write(Self.state("created", 9), if: .absent)
            }
            #expect(second?.storedVersion == 5)
        }
    }

    /// Whoever claimed it may be dead, or about to carry it out: the row is there until somebody does, and one deletion has it.
    @Test(arguments: PromiseTests.layouts)
    func aDeletionThatWasOnlyClaimedDidNotHappenYet(_ key: CassandraSetup.Key) async throws {
        try await Self.withStore(key) { store in
            for id in ["read", "replaced", "deleted", "anyway"] {
                try await Self.insertNewborn(id, 5, store, key)
                try await store.write(Self.state(id, 6), if: .version(5))
                let rows = try await #require(TestCluster.single).run(
                    "SELECT persistence_id, write_id FROM \(store.configuration.names.quoted())")
                let row = try #require(rows.first { (try? $0.decode(String.self, at: 0)) == id })
                try await Self.claim(id, 6, madeBy: try row.decode(at: 1), store)
            }
            #expect(try await store.latestState(of: "read") == Self.state("read", 6))
            let absent = await failure { () async throws(StoreError) in
                try await store.write(Self.state("read", 7), if: .absent)
            }
            #expect(absent?.storedVersion == 6)
            try await store.write(Self.state("replaced", 7), if: .version(6))
            try await store.delete("replaced", if: .version(7))
            let after = await failure { () async throws(StoreError) in
                try await store.write(Self.state("replaced", 8), if: .absent)
            }
            #expect(after?.storedVersion == 8)
            // It is the other's deletion that happens here.
            let second = await failure { () async throws(StoreError) in
                try await store.delete("deleted", if: .version(6))
            }
            #expect(second?.code == .conflict && second?.storedVersion == 7, "\(String(reflecting: second))")
            #expect(try await store.latestState(of: "deleted") == nil)
            try await store.delete("anyway", if: .always)
            #expect(try await store.latestState(of: "anyway") == nil)
        }
    }
}
