import PerdureIO
import PerdureState
import Testing

@testable import PerdurePostgres

/// The store against a server made of a script, without a real one: every byte, any pieces, noise.
@Suite struct ScriptedPeerTests {
    private func withServer<Result>(
        writeTimeout: Duration = .seconds(60), _ body: (ScriptedServer, PostgresStore) async throws -> Result
    ) async throws -> Result {
        let server = try ScriptedServer()
        defer { server.stop() }
        var configuration = PostgresConfiguration(
            host: "127.0.0.1", port: server.port, database: "x", user: "x", password: "x", tls: .disable)
        configuration.pool.maximumConnections = 1
        configuration.writeTimeout = writeTimeout
        let store = try PostgresStore(configuration)
        do {
            let result = try await body(server, store)
            await store.disconnect()
            return result
        } catch {
            await store.disconnect()
            throw error
        }
    }

    private func state(_ version: UInt64) -> DurableState {
        DurableState(
            persistenceID: "a", version: version, payload: StatePayload(manifest: "test", bytes: [1, 2, 3]))
    }

    /// One exchange, cut at every byte of the request, and at every byte of the answer: each write is made exactly once.
    @Test(.timeLimit(.minutes(5)), arguments: [true, false]) func aCutAtEveryByteIsResolved(ofRequest: Bool)
        async throws
    {
        try await self.withServer { server, store in
            try await store.write(self.state(1), if: .absent)
            var version: UInt64 = 1
            var position = 1
            while true {
                let cuts = server.cuts
                if ofRequest { server.cut(afterRequestBytes: position) } else { server.cut(afterAnswerBytes: position) }
                try await store.write(self.state(version + 1), if: .version(version))
                version += 1
                #expect(server.row("a")?.version == Int64(version), "position \(position)")
                server.relent()
                if server.cuts == cuts { break }
                position += 1
                try #require(position < 5_000)
            }
            // The whole of an exchange, not just its beginning.
            #expect(position > (ofRequest ? 150 : 30), "\(position)")
            #expect(server.wereAppliedOnce)
        }
    }

    @Test func answersComeInAnyPieces() async throws {
        for seed in 0..<20 as Range<UInt64> {
            try await self.withServer { server, store in
                server.chop(seed: seed)
                try await store.write(self.state(1), if: .absent)
                for version: UInt64 in 2...10 { try await store.write(self.state(version), if: .version(version - 1)) }
                let error = await failure { () async throws(StoreError) in
                    try await store.write(self.state(5), if: .version(4))
                }
                #expect(error?.code == .conflict && error?.storedVersion == 10, "seed \(seed)")
            }
        }
    }

    /// Whatever comes instead of an answer: no crash, and the outcome is right.
    @Test(.timeLimit(.minutes(5))) func noiseIsSurvived() async throws {
        // What looks like the beginning of a long message is waited for until the deadline.
        try await self.withServer(writeTimeout: .milliseconds(300)) { server, store in
            try await store.connect()
            try await store.write(self.state(1), if: .absent)
            var version: UInt64 = 1
            let first = UInt64.random(in: 0...1_000_000)
            print("first seed \(first)")
            for seed in first..<(first + 20) {
                var random = SplitMix(seed: seed)
                var noise = (0..<Int.random(in: 1...60, using: &random)).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                }
                // Half of it looks like messages: a kind that there is, and a length that may be right.
                if seed % 2 == 0 {
                    let kind = "12CDEINSTZtnsRKA".randomElement(using: &random) ?? "Z"
                    noise = ScriptedServer.message(kind, noise)
                }
                server.answerOnce(with: noise)
                let error = await failure { () async throws(StoreError) in
                    try await store.write(self.state(version + 1), if: .version(version))
                }
                if error == nil {
                    version += 1
                } else if let row = server.row("a"), row.version > Int64(version) {
                    #expect(error?.outcome == .unknown, "seed \(seed): \(String(reflecting: error))")
                    version = UInt64(row.version)
                }
                #expect(error?.code != .conflict, "seed \(seed)")
                #expect(server.row("a")?.version == Int64(version), "seed \(seed)")
            }
            #expect(server.wereAppliedOnce)
        }
    }
}
