import Glibc
import PerdureCQLClient
import PerdureConcurrency
import PerdureState

@testable import PerdureCassandra

/// The real servers that tests run against, as `script/server` prints their URLs: one node in `PERDURE_TEST_CASSANDRA`, one with
/// passwords and TLS in `PERDURE_TEST_CASSANDRA_SECURE`, a cluster of three in `PERDURE_TEST_CASSANDRA_CLUSTER`.
struct TestCluster: Sendable {
    let url: String

    static let single = Self("PERDURE_TEST_CASSANDRA")
    static let secure = Self("PERDURE_TEST_CASSANDRA_SECURE")
    static let cluster = Self("PERDURE_TEST_CASSANDRA_CLUSTER")

    private init?(_ variable: String) {
        guard let url = getenv(variable).map({ String(cString: $0) }), !url.isEmpty else { return nil }
        self.url = url
    }

    struct Missing: Error {}

    /// The URL with another keyspace, for other processes.
    func url(keyspace: String) -> String {
        let end = self.url.lastIndex(of: "/").map { self.url.index(after: $0) } ?? self.url.endIndex
        return self.url[..<end] + keyspace
    }

    static let keyspace = "perdure_test"

    /// Several schema changes at a time only wait for each other.
    static let schemaTurn = OneAtATime()

    func configuration(table: String = "states_store") throws -> CassandraConfiguration {
        var configuration = try CassandraConfiguration(url: self.url)
        configuration.keyspace = Self.keyspace
        configuration.table = table
        // The nodes share two cores with everything else that runs here.
        configuration.connectTimeout = .seconds(60)
        configuration.attemptTimeout = .seconds(15)
        configuration.writeTimeout = .seconds(60)
        configuration.readTimeout = .seconds(60)
        return configuration
    }

    static func randomTable() -> String { "t_\(String(UInt64.random(in: 0 ... .max), radix: 36))" }

    /// Makes tables for `body` and takes them away afterwards.
    func withTable<Result>(
        _ setup: CassandraSetup? = CassandraSetup(), _ change: (inout CassandraConfiguration) -> Void = { _ in },
        _ body: (CassandraConfiguration) async throws -> Result
    ) async throws -> Result {
        var configuration = try self.configuration(table: Self.randomTable())
        change(&configuration)
        if let setup {
            let store = try CassandraStore(configuration)
            do {
                try await Self.schemaTurn.run { try await store.setup(setup) }
            } catch {
                throw Trouble(description: String(reflecting: error))
            }
            await store.disconnect()
        }
        do {
            let result = try await body(configuration)
            await self.drop(configuration)
            return result
        } catch {
            await self.drop(configuration)
            // Swift Testing shows `description`, which is for strangers.
            throw Trouble(description: String(reflecting: error))
        }
    }

    struct Trouble: Error, CustomStringConvertible { let description: String }

    func withStore<Result>(
        _ setup: CassandraSetup = CassandraSetup(), _ change: (inout CassandraConfiguration) -> Void = { _ in },
        _ body: (CassandraStore) async throws -> Result
    ) async throws -> Result {
        try await self.withTable(setup, change) { configuration in
            let store = try CassandraStore(configuration)
            do {
                let result = try await body(store)
                await store.disconnect()
                return result
            } catch {
                await store.disconnect()
                throw error
            }
        }
    }

    private func drop(_ configuration: CassandraConfiguration) async {
        for suffix in ["", "_tombstones", "_chunks"] {
            try? await Self.schemaTurn.run {
                _ = try await self.run("DROP TABLE IF EXISTS \(configuration.names.quoted(suffix))")
            }
        }
    }

    /// Runs a statement as somebody else would; gives the rows.
    @discardableResult
    func run(
        _ text: String, as configuration: CassandraConfiguration? = nil,
        _ bind: (inout CQLBoundValues) throws -> Void = { _ in }
    ) async throws -> CQLResult {
        let client = try CQLClient((configuration ?? self.configuration()).client)
        do {
            try await client.connect()
            let options = CQLExecutionOptions(consistency: .quorum, serialConsistency: .serial, timeout: .seconds(60))
            let result = try await client.query(text, options: options, bind)
            await client.disconnect()
            return result
        } catch {
            await client.disconnect()
            throw Trouble(description: String(reflecting: error))
        }
    }
}

/// Lets one in at a time.
actor OneAtATime {
    private var isTaken = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    nonisolated func run<Result>(_ body: () async throws -> Result) async throws -> Result {
        await self.enter()
        do {
            let result = try await body()
            await self.leave()
            return result
        } catch {
            await self.leave()
            throw error
        }
    }

    private func enter() async {
        if self.isTaken { await withCheckedContinuation { self.waiting.append($0) } }
        self.isTaken = true
    }

    private func leave() {
        self.isTaken = false
        if !self.waiting.isEmpty {
            self.isTaken = true
            self.waiting.removeFirst().resume()
        }
    }
}

/// The error that `body` throws; nil when it succeeds.
func failure(_ body: () async throws(StoreError) -> Void) async -> StoreError? {
    do throws(StoreError) {
        try await body()
        return nil
    } catch {
        return error
    }
}
