import PerdureModel
import Testing

@testable import PerdureDynamoDB

@Suite("Over TLS", .enabled(if: TLSServer.program != nil, "needs Go"))
struct TLSTests {
    private static func with(
        trusting authority: Bool = true, _ body: (HTTPTransport, TLSServer) async throws -> Void
    ) async throws {
        let server = try await TLSServer()
        defer { server.stop() }
        var settings = TransportSettings()
        settings.authoritiesFile = authority ? server.authority : nil
        let transport = try HTTPTransport.start(named: "test", settings)
        defer { transport.shutDown() }
        try await body(transport, server)
    }

    /// A member of the server's answer.
    private static func member(_ name: StaticString, of answer: HTTPTransportTests.Answer) throws -> String {
        try parse(bytes(answer.body)) { json throws(AnswerFlaw) in
            json[name]?.text ?? json[name]?.double.map { "\(Int($0))" } ?? "none"
        }
    }

    @Test func negotiatesHTTP2AndKeepsItsConnection() async throws {
        try await Self.with { transport, server in
            for count in 1...20 {
                let body = String(repeating: "x", count: count * 5_000)
                let answer = try await HTTPTransportTests.send(transport, server.url("good"), body).get()
                #expect(try Self.member("protocol", of: answer) == "HTTP/2.0")
                #expect(try Self.member("connection", of: answer) == "1")
                #expect(try Self.member("received", of: answer) == "\(body.utf8.count)")
            }
        }
    }

    /// Once it is known that the server speaks it, requests at the same time share its connection.
    @Test func sharesAnHTTP2Connection() async throws {
        try await Self.with { transport, server in
            _ = try await HTTPTransportTests.send(transport, server.url("good")).get()
            let connections = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<200 {
                    group.addTask {
                        let answer = try await HTTPTransportTests.send(transport, server.url("good")).get()
                        return try Self.member("connection", of: answer)
                    }
                }
                return try await group.reduce(into: Set<String>()) { $0.insert($1) }
            }
            #expect(connections == ["1"])
        }
    }

    @Test func speaksHTTP1WhereTheServerDoes() async throws {
        try await Self.with { transport, server in
            for host in ["127.0.0.1", "localhost"] {
                let answer = try await HTTPTransportTests.send(transport, server.url("plain", host: host)).get()
                #expect(try Self.member("protocol", of: answer) == "HTTP/1.1")
            }
        }
    }

    /// Nothing is ever sent to a server that cannot prove who it is.
    @Test(arguments: ["other", "expired", "future", "strange"])
    func refusesACertificate(_ certificate: String) async throws {
        try await Self.with { transport, server in
            guard case .failure(let failure) = await HTTPTransportTests.send(transport, server.url(certificate)) else {
                Issue.record("the certificate \(certificate) was believed")
                return
            }
            #expect(failure.reason == .notConnected && !failure.mayHaveArrived, "\(failure)")
            #expect(failure.description.lowercased().contains("certificate"), "\(failure)")
            // The transport is none the worse for it.
            let answer = try await HTTPTransportTests.send(transport, server.url("good")).get()
            #expect(answer.status == 200)
        }
    }

    @Test func trustsNobodyUnknownOfItself() async throws {
        try await Self.with(trusting: false) { transport, server in
            guard case .failure(let failure) = await HTTPTransportTests.send(transport, server.url("good")) else {
                Issue.record("a certificate was believed whose authority nobody knows")
                return
            }
            #expect(failure.reason == .notConnected && !failure.mayHaveArrived)
        }
    }

    @Test func theStoreSaysThatACertificateIsInTheWay() async throws {
        try await Self.with { _, server in
            for (certificate, isGood) in [("good", true), ("expired", false)] {
                var configuration = DynamoDBConfiguration(table: "table", region: "eu-central-1")
                configuration.endpoint = server.url(certificate)
                configuration.authoritiesFile = server.authority
                configuration.credentials = .fixed(AWSCredentials(accessKeyID: "a", secretAccessKey: "b"))
                configuration.retries.maximumAttempts = 1
                configuration.attemptTimeout = .seconds(50)
                configuration.writeTimeout = .seconds(60)
                let store = try DynamoDBStore(configuration)
                let state = DurableState(
                    persistenceID: "x", version: 2, payload: StatePayload(manifest: "m", bytes: []))
                let failure = await ScriptedFaultTests.failure { () async throws(StoreError) in
                    try await store.write(state, if: .version(1))
                }
                #expect(isGood == (failure == nil))
                if let failure {
                    #expect(failure.code == .unavailable && failure.outcome == .notApplied, "\(failure.message)")
                    #expect(failure.message.lowercased().contains("certificate"), "\(failure.message)")
                }
                await store.disconnect()
            }
        }
    }
}
