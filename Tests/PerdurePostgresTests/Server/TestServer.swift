import Glibc
import PerdureConcurrency
import PerdureIO
import PerdureState

@testable import PerdurePostgres

/// The real server that tests run against: its URL is in `PERDURE_TEST_POSTGRES`, see `script/server`.
enum TestServer {
    static let url: String? = getenv("PERDURE_TEST_POSTGRES").map { String(cString: $0) }.flatMap {
        $0.isEmpty ? nil : $0
    }
    static let isThere = Self.url != nil

    struct Missing: Error {}

    /// Tests begin all at once; a server has room for so many connections only.
    private static let room = Room(for: 6)

    static func configuration(schema: String?) throws -> PostgresConfiguration {
        guard let url = Self.url else { throw Missing() }
        var configuration = try PostgresConfiguration(url: url)
        // A machine under load must not make a test fail.
        configuration.connectTimeout = .seconds(60)
        (configuration.writeTimeout, configuration.readTimeout) = (.seconds(60), .seconds(60))
        configuration.schema = schema
        return configuration
    }

    /// Runs `body` with the configuration of a schema of its own, which is made if `isSetUp` and dropped afterwards.
    static func withSchema<Result>(
        named prefix: String = "test", isSetUp: Bool = true, _ body: (PostgresConfiguration) async throws -> Result
    ) async throws -> Result {
        await Self.room.enter()
        defer { Self.room.leave() }
        let schema = "\(prefix)_\(String(UInt64.random(in: 0...UInt64.max), radix: 36))"
        let configuration = try Self.configuration(schema: schema)
        if isSetUp {
            let store = try PostgresStore(configuration)
            try await store.setup()
            await store.disconnect()
        }
        do {
            let result = try await body(configuration)
            try await Self.run("DROP SCHEMA IF EXISTS \(SessionSettings.quoted(schema)) CASCADE", [], configuration)
            return result
        } catch {
            _ = try? await Self.run(
                "DROP SCHEMA IF EXISTS \(SessionSettings.quoted(schema)) CASCADE", [], configuration)
            throw error
        }
    }

    static func withStore<Result>(_ body: (PostgresStore) async throws -> Result) async throws -> Result {
        try await self.withSchema { configuration in
            let store = try PostgresStore(configuration)
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

    /// Runs one statement as somebody else would, in the configuration's schema; returns the first column, which must be text.
    @discardableResult
    static func run(
        _ sql: String, _ parameters: [String] = [], _ configuration: PostgresConfiguration
    ) async throws -> [String] {
        let loop = try EventLoop.start(named: "test-sql")
        defer { loop.shutDown() }
        let session = PostgresSession(configuration, on: loop)
        do {
            try await session.open()
            let rows = try await session.run([.init(sql: sql, parameters: parameters)], within: .seconds(30))
            await session.close()
            return rows[0]
        } catch {
            await session.close()
            // Swift Testing shows `description`, which is for strangers.
            throw Trouble(description: "\(String(reflecting: error))")
        }
    }

    struct Trouble: Error, CustomStringConvertible { let description: String }
}

/// Lets so many in at a time.
private final class Room: Sendable {
    private struct State {
        var free: Int
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state: LockedState<State>

    init(for count: Int) { self.state = LockedState(State(free: count)) }

    func enter() async {
        await withCheckedContinuation { continuation in
            let isIn = self.state.withLock { state in
                if state.free > 0 {
                    state.free -= 1
                    return true
                }
                state.waiting.append(continuation)
                return false
            }
            if isIn { continuation.resume() }
        }
    }

    func leave() {
        let next: CheckedContinuation<Void, Never>? = self.state.withLock { state in
            if !state.waiting.isEmpty { return state.waiting.removeFirst() }
            state.free += 1
            return nil
        }
        next?.resume()
    }
}

extension TestServer {
    /// The table as eGo's instructions make it, in the configuration's schema, and nothing of ours.
    static func makeEgoTable(_ configuration: PostgresConfiguration) async throws {
        try await Self.run(
            "CREATE SCHEMA \(SessionSettings.quoted(configuration.schema ?? "public"))", [], configuration)
        try await Self.run(
            """
            CREATE TABLE states_store (persistence_id VARCHAR(255) PRIMARY KEY, version_number BIGINT NOT NULL,
                state_payload BYTEA NOT NULL, state_manifest VARCHAR(255) NOT NULL, timestamp BIGINT NOT NULL,
                shard_number BIGINT NOT NULL)
            """, [], configuration)
        try await Self.run(
            "CREATE INDEX idx_states_store_version_number ON states_store (version_number)", [], configuration)
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
