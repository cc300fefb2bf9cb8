import Glibc
import PerdureConcurrency
import PerdureState
import Testing

@testable import PerdureCassandra

/// The clients of other languages, as `Tests/Interop/cassandra/prepare` finds or installs them.
enum Interop {
    static let python = Self.programs["PYTHON"].map { "'\($0)' '\(Self.folder)/exchange.py'" }
    static let go = Self.programs["GO"].map { "'\($0)'" }

    private static let folder = Shell.root + "/Tests/Interop/cassandra"

    private static let programs: [String: String] = {
        guard TestCluster.single != nil else { return [:] }
        var programs: [String: String] = [:]
        for line in Self.run("'\(Self.folder)/prepare' 2>/dev/null").output.split(separator: "\n") {
            let parts = line.split(separator: "=", maxSplits: 1)
            if parts.count == 2 { programs[String(parts[0])] = String(parts[1]) }
        }
        return programs
    }()

    /// Runs a command of the shell; blocks.
    static func run(_ command: String) -> (status: CInt, output: String) {
        guard let pipe = popen("\(command) 2>&1", "r") else { return (-1, "") }
        var output: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = fread(&chunk, 1, chunk.count, pipe)
            if count == 0 { break }
            output += chunk[..<count]
        }
        return (pclose(pipe), String(decoding: output, as: UTF8.self))
    }
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
            @Sendable func run(_ action: String) async throws -> (status: CInt, output: String) {
                let words = "\(action) 127.0.0.1 \(configuration.port) \(configuration.keyspace) \(configuration.table)"
                return try await BlockingThread.run(named: "interop") {
                    Interop.run("\(program) \(words)\(key == .shard ? " 0" : "")")
                }
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
