import PerdureState
import Testing

@testable import PerdureCassandra

/// Writes of which the latest wins.
@Suite("The latest write wins", .enabled(if: TestCluster.single != nil, "needs a node"))
struct LatestWinsTests {
    private static func state(_ id: String, _ version: UInt64) -> DurableState {
        DurableState(
            persistenceID: id, version: version, payload: StatePayload(manifest: "m", bytes: [UInt8(version)]),
            timestamp: 1_700_000_000_123, shard: 3)
    }

    @Test(arguments: PromiseTests.layouts)
    func writesReadsAndDeletes(_ key: CassandraSetup.Key) async throws {
        var setup = CassandraSetup()
        setup.key = key
        try await #require(TestCluster.single).withStore(setup, { $0.writes = .latest }) { store in
            for version in [UInt64(5), 2, 9] {
                try await store.write(Self.state("a", version), if: .always)
                #expect(try await store.latestState(of: "a") == Self.state("a", version))
            }
            try await store.delete("a", if: .always)
            #expect(try await store.latestState(of: "a") == nil)
            try await store.delete("a", if: .always)
            try await store.write(Self.state("a", 1), if: .always)
            #expect(try await store.latestState(of: "a") == Self.state("a", 1))
            let writes = (0..<100).map { StateWrite(Self.state("batch-\($0)", 1), if: .always) }
            #expect(await store.write(writes).allSatisfy { if case .success = $0 { true } else { false } })
            #expect(try await store.persistenceIDs(withPrefix: "batch", after: nil, limit: 1_000).ids.count == 100)

            for condition in [WriteCondition.absent, .version(1)] {
                let write = await failure { () async throws(StoreError) in
                    try await store.write(Self.state("a", 7), if: condition)
                }
                #expect(write?.code == .invalidRequest && write?.outcome == .notApplied)
                let delete = await failure { () async throws(StoreError) in
                    try await store.delete("a", if: condition)
                }
                #expect(delete?.code == .invalidRequest)
            }
            #expect(try await store.latestState(of: "a") == Self.state("a", 1))

            // A store that writes with conditions must not use the same table.
            var other = store.configuration
            other.writes = .conditional
            let refused = try CassandraStore(other)
            #expect(
                await failure { () async throws(StoreError) in try await refused.connect() }?.code == .misconfigured)
        }
    }
}
