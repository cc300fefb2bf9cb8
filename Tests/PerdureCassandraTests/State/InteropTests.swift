import PerdureState
import Processes
import Testing

@testable import PerdureCassandra

/// The clients of other languages, as `Tests/Interop/cassandra/prepare` finds or installs them.
enum Interop {
    static let python = Self.programs["PYTHON"].map { "'\($0)' '\(Self.folder)/exchange.py'" }
    static let go = Self.programs["GO"].map { "'\($0)'" }

    private static let folder = Shell.root + "/Tests/Interop/cassandra"

    private static let programs =
        TestCluster.single == nil ? [:] : Shell.programs(preparedBy: "cassandra/prepare 2>/dev/null")
}

@Suite("Other languages", .enabled(if: TestCluster.single != nil, "needs a node"))
struct InteropTests {
    private static func state(_ id: String, shard: UInt64) -> DurableState {
        DurableState(
            persistenceID: id, version: 9,
            payload: StatePayload(manifest: "google.protobuf.Any", bytes: ForeignRowTests.anyPayload),
            timestamp: 1_700_000_000_123, shard: shard)
    }

    private static func exchange(
        _ program: String, _ key: CassandraSetup.Key, _ check: (CassandraStore, UInt64) async throws -> Void
    ) async throws {
        var setup = CassandraSetup()
        setup.key = key
        // One shard for everything, as other programs have it that do not shard.
        try await #require(TestCluster.single).withStore(setup, { $0.shards = 1 }) { store in
            let configuration = store.configuration
            func run(_ action: String) async throws -> Shell.Outcome {
                let words = "\(action) 127.0.0.1 \(configuration.port) \(configuration.keyspace) \(configuration.table)"
                return try await Shell.run("\(program) \(words)\(key == .shard ? " 0" : "") 2>&1")
            }
            let write = try await run("write")
            #expect(write.status == 0, "\(write.output)")
            try await check(store, key == .shard ? 0 : 3)
            try await store.write(Self.state("swift-42", shard: 5), if: .absent)
            #expect(try await store.latestState(of: "swift-42") == Self.state("swift-42", shard: 5))
            try await store.write(Self.state("swift-gone", shard: 5), if: .absent)
            try await store.delete("swift-gone", if: .version(9))
            let read = try await run("check")
            #expect(read.status == 0, "\(read.output)")
        }
    }

    @Test(
        "Python's cassandra-driver and the store read each other",
        .enabled(if: Interop.python != nil, "needs Python with cassandra-driver"), arguments: PromiseTests.layouts)
    func python(_ key: CassandraSetup.Key) async throws {
        try await Self.exchange(Interop.python ?? "", key) { store, shard in
            var state = try #require(try await store.latestState(of: "python-42"))
            #expect(state.version == 7 && state.shard == shard && state.timestamp == 1_700_000_000_123)
            #expect(state.payload.bytes == ForeignRowTests.anyPayload)
            let wrapped = try #require(try await store.latestState(of: "python-wrapped"))
            #expect(wrapped.version == .max && wrapped.payload.bytes.isEmpty)
            #expect(wrapped.timestamp == 1_700_000_000_000)
            state.version = 8
            try await store.write(state, if: .version(7))
            #expect(try await store.latestState(of: "python-42") == state)
        }
    }

    @Test(
        "gocql and the store read each other", .enabled(if: Interop.go != nil, "needs Go"),
        arguments: PromiseTests.layouts)
    func go(_ key: CassandraSetup.Key) async throws {
        try await Self.exchange(Interop.go ?? "", key) { store, shard in
            let state = try #require(try await store.latestState(of: "go-42"))
            #expect(state.version == 7 && state.timestamp == 0 && state.shard == shard)
            #expect(state.payload.bytes == ForeignRowTests.anyPayload)
        }
    }
}
