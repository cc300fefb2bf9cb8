import Peers
import PerdureCQL
import PerdureCQLClient
import Testing

@Suite("Connecting", .timeLimit(.minutes(2)))
struct ConnectingTests {
    @Test("finds the nodes, and asks them", arguments: [CQLVersion.v4, .v5])
    func finds(version: CQLVersion) async throws {
        let node = try ScriptedNode()
        node.change { $0.versions = [version] }
        let client = try client(of: node)
        try await client.connect()
        try await client.connect()
        #expect(client.nodes.map(\.node.endpoint) == [node.endpoint])
        #expect(client.nodes.first?.connectionCount == 1)
        let write = try await client.prepare(CQLClient.write)
        let read = try await client.prepare(CQLClient.read)
        try await client.write(write, [1])
        #expect(try await client.read(read, [1]) == 42)
        #expect(node.writes(of: [1]) == 1)
        // Preparing the same again asks nobody.
        #expect(try await client.prepare(CQLClient.write) === write)
        #expect(node.prepareCount == 2)
        await client.disconnect()
        await client.disconnect()
        #expect(client.nodes.isEmpty)
        #expect(await failure { try await client.write(write, [2]) }?.code == .closed)
        // It may be used again, with the statements it has.
        try await client.connect()
        try await client.write(write, [3])
        #expect(node.writes(of: [3]) == 1)
        await client.disconnect()
    }

    @Test("a request before connect() finds the nodes by itself")
    func byItself() async throws {
        let node = try ScriptedNode()
        let client = try client(of: node)
        let write = try await client.prepare(CQLClient.write)
        try await client.write(write, [1])
        #expect(node.writes(of: [1]) == 1)
        await client.disconnect()
    }

    @Test("asks servers before 4.0 for the table that they have")
    func oldTable() async throws {
        let nodes = try [ScriptedNode(.init(number: 1)), ScriptedNode(.init(number: 2))]
        nodes[0].change {
            $0.hasNewPeersTable = false
            $0.versions = [.v4]
        }
        nodes[0].know([nodes[1]])
        let client = try client(of: nodes[0])
        try await client.connect()
        #expect(client.nodes.count == 2)
        await client.disconnect()
    }

    @Test("a wrong password, or none, is refused in words, at once")
    func credentials() async throws {
        let node = try ScriptedNode()
        node.change { $0.credentials = CQLPlainCredentials(username: "ada", password: "right") }
        for credentials in [nil, CQLPlainCredentials(username: "ada", password: "wrong-secret")] {
            let client = try client(of: node) { $0.credentials = credentials }
            let error = try #require(await failure { try await client.connect() })
            #expect(error.code == .forbidden)
            #expect(error.message.contains("127.0.0.1:\(node.port)"))
            #expect(!String(reflecting: error).contains("secret"))
            // Who waits for a node is told, too, long before the time is over.
            #expect(await failure { _ = try await client.prepare(CQLClient.write) }?.code == .forbidden)
            await client.disconnect()
        }
        let client = try client(of: node) {
            $0.credentials = CQLPlainCredentials(username: "ada", password: "right")
        }
        try await client.connect()
        await client.disconnect()
    }

    @Test("where nobody listens, the error names each contact point")
    func nobody() async throws {
        let node = try ClosedPort()
        defer { withExtendedLifetime(node) {} }
        let client = try client(of: ScriptedNode()) {
            $0.port = node.port
            $0.contactPoints = ["127.0.0.1", "127.0.0.3"]
            $0.requestTimeout = .milliseconds(30)
        }
        let error = try #require(await failure { try await client.connect() })
        #expect(error.code == .unreachable)
        #expect(error.outcome == .notApplied)
        #expect(error.message.contains("127.0.0.1:\(node.port)") && error.message.contains("127.0.0.3:\(node.port)"))
        #expect(error.message.contains("refused"))
        let late = try #require(await failure { _ = try await client.prepare(CQLClient.write) })
        #expect(late.code == .unreachable)
        #expect(late.outcome == .notApplied)
        await client.disconnect()
    }

    @Test("contact points may be names; the second is tried when the first cannot be used")
    func names() async throws {
        let node = try ScriptedNode()
        let client = try client(of: node) { $0.contactPoints = ["no-such-host.invalid", "127.0.0.9", "localhost"] }
        try await client.connect()
        #expect(client.nodes.count == 1)
        await client.disconnect()
    }

    @Test("a data centre without nodes is said to be a mistake")
    func dataCenter() async throws {
        let node = try ScriptedNode()
        let client = try client(of: node) { $0.localDataCenter = "elsewhere" }
        let error = try #require(await failure { try await client.connect() })
        #expect(error.code == .misconfigured)
        #expect(error.message.contains("elsewhere") && error.message.contains("dc1"))
        await client.disconnect()
    }

    @Test("settings out of their range are refused with the rule")
    func settings() {
        let changes: [(inout CQLClientConfiguration) -> Void] = [
            { $0.contactPoints = [] }, { $0.contactPoints = [""] }, { $0.port = 0 }, { $0.connectionsPerNode = 0 },
            { $0.requestsPerConnection = 40000 }, { $0.requestTimeout = .zero }, { $0.serialConsistency = .quorum },
            { $0.remoteNodes = 1 }, { $0.tls = CQLTLSConfiguration(certificateFile: "only.crt") },
        ]
        for change in changes {
            var configuration = CQLClientConfiguration(contactPoints: ["127.0.0.1"])
            change(&configuration)
            #expect(throws: CQLClientError.self) { try CQLClient(configuration) }
        }
    }

    @Test("a file for TLS that is not there is named")
    func tlsFile() async throws {
        let node = try ScriptedNode()
        let client = try client(of: node) { $0.tls = CQLTLSConfiguration(authoritiesFile: "nowhere.pem") }
        let error = try #require(await failure { try await client.connect() })
        #expect(error.code == .misconfigured)
        #expect(error.message.contains("nowhere.pem"))
    }
}
