import Glibc
import PerdureCQL
import PerdureCQLClient

/// The real servers that tests run against, see `script/server`: where they are is in environment variables.
enum TestServer {
    /// One node or several, without passwords: `PERDURE_TEST_CASSANDRA`, as `host:port[,host:port...]`, or as a store's URL.
    static let plain = Self.configuration(in: "PERDURE_TEST_CASSANDRA")
    /// One with passwords and TLS, as a store's URL: `PERDURE_TEST_CASSANDRA_SECURE`.
    static let secure = Self.configuration(in: "PERDURE_TEST_CASSANDRA_SECURE")

    private static func configuration(in variable: String) -> CQLClientConfiguration? {
        guard let value = getenv(variable).map({ String(cString: $0) }), !value.isEmpty else { return nil }
        var rest = value[...]
        if let scheme = rest.firstRange(of: "://") { rest = rest[scheme.upperBound...] }
        let parts = rest.split(separator: "?", maxSplits: 1)
        var hosts = parts[0].split(separator: "/", omittingEmptySubsequences: false)[0]
        var configuration = CQLClientConfiguration(contactPoints: [])
        if let at = hosts.lastIndex(of: "@") {
            let user = hosts[..<at].split(separator: ":", maxSplits: 1).map(String.init)
            configuration.credentials = CQLPlainCredentials(username: user[0], password: user.count > 1 ? user[1] : "")
            hosts = hosts[hosts.index(after: at)...]
        }
        for host in hosts.split(separator: ",") {
            let pair = host.split(separator: ":")
            configuration.contactPoints.append(String(pair[0]))
            if pair.count > 1, let port = Int(pair[1]) { configuration.port = port }
        }
        for option in parts.dropFirst().flatMap({ $0.split(separator: "&") }) where option.hasPrefix("ca_file=") {
            configuration.tls = CQLTLSConfiguration(authoritiesFile: String(option.dropFirst("ca_file=".count)))
        }
        // Machines with few cores and much to do take their time.
        configuration.requestTimeout = .seconds(30)
        configuration.connectTimeout = .seconds(30)
        configuration.schemaAgreementTimeout = .seconds(60)
        return configuration
    }

    /// Runs `body` with a connected client and the name of a keyspace of its own, which is gone afterwards.
    static func withKeyspace(
        _ configuration: CQLClientConfiguration, _ body: (CQLClient, String) async throws -> Void
    ) async throws {
        let client = try CQLClient(configuration)
        let keyspace = "perdure_test_\(UInt64.random(in: .min ... .max))"
        do {
            try await client.connect()
            try await client.query(
                "CREATE KEYSPACE \(keyspace) WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
            try await body(client, keyspace)
        } catch {
            _ = try? await client.query("DROP KEYSPACE \(keyspace)")
            await client.disconnect()
            // Swift Testing shows `description`, which is for strangers.
            throw Trouble(description: String(reflecting: error))
        }
        try await client.query("DROP KEYSPACE \(keyspace)")
        await client.disconnect()
    }

    struct Trouble: Error, CustomStringConvertible { let description: String }
}
