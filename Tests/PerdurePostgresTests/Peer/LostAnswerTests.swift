import PerdureConcurrency
import PerdureState
import PerdureTestKit
import Testing

@testable import PerdurePostgres

/// A real server behind a network that loses things.
@Suite(.enabled(if: TestServer.isThere, "needs a server: script/server postgres start"))
struct LostAnswerTests {
    /// Runs `body` with a schema's configuration that leads through a proxy.
    private func withProxy<Result>(
        isSetUp: Bool = true, _ body: (FaultyProxy, PostgresConfiguration) async throws -> Result
    ) async throws -> Result {
        try await TestServer.withSchema(named: "proxy", isSetUp: isSetUp) { configuration in
            let proxy = try FaultyProxy(to: configuration.hosts[0].port ?? 5432)
            defer { proxy.stop() }
            var configuration = configuration
            configuration.hosts = [.init("127.0.0.1", port: proxy.port)]
            configuration.tls = .disable
            return try await body(proxy, configuration)
        }
    }

    /// Apart from the attribute: a closure in it crashes this compiler.
    static let promises = StatePromise.all.filter { $0.number == 5 }

    @Test("keeps its promise:", arguments: Self.promises)
    func keeps(_ promise: StatePromise) async throws {
        try await self.withProxy { proxy, configuration in
            let fixture = StateStoreFixture(
                "postgres", makeStore: { try PostgresStore(configuration) },
                loseNextAnswer: { _, id in proxy.lose(.answer, of: id) },
                loseNextRequest: { _, id in proxy.lose(.request, of: id) })
            let verdict = try await promise.verify(on: fixture)
            #expect(verdict == .kept)
        }
    }

    private func state(_ id: String, _ version: UInt64) -> DurableState {
        DurableState(
            persistenceID: id, version: version,
            payload: StatePayload(manifest: "test", bytes: Array("\(id) \(version)".utf8)),
            timestamp: 1_700_000_000_000)
    }

    /// Conditional changes are resolved, not just admitted: success, although the answer was lost.
    @Test func resolvesLostAnswersOfConditionalChanges() async throws {
        try await self.withProxy { proxy, configuration in
            let store = try PostgresStore(configuration)
            for loss in [FaultyProxy.Loss.answer, .request] {
                let id = "lost-\(loss)"
                proxy.lose(loss, of: id)
                try await store.write(self.state(id, 1), if: .absent)
                proxy.lose(loss, of: id)
                try await store.write(self.state(id, 2), if: .version(1))
                #expect(try await store.latestState(of: id) == self.state(id, 2))
                proxy.lose(loss, of: id)
                try await store.delete(id, if: .version(2))
                #expect(try await store.latestState(of: id) == nil)
                // The tombstone counts on from the one deletion that happened.
                let conflict = await failure { () async throws(StoreError) in
                    try await store.write(self.state(id, 3), if: .absent)
                }
                #expect(conflict?.storedVersion == 3)
            }
            #expect(proxy.cuts == 6)
            await store.disconnect()
        }
    }

    /// They are not sent again; but their traces are found.
    @Test func unconditionalChangesAreFoundByTheirTraces() async throws {
        try await self.withProxy { proxy, configuration in
            let store = try PostgresStore(configuration)
            try await store.connect()
            for version: UInt64 in 1...3 {
                proxy.lose(.answer, of: "always")
                try await store.write(self.state("always", version), if: .always)
                #expect(try await store.latestState(of: "always") == self.state("always", version))
            }
            proxy.lose(.answer, of: "always")
            try await store.delete("always", if: .always)
            #expect(try await store.latestState(of: "always") == nil)
            #expect(proxy.cuts == 4)
            // A whole batch of them, some old and some new.
            proxy.lose(.answer, of: "batch-7")
            let results = await store.write((0..<20).map { StateWrite(self.state("batch-\($0)", 5), if: .always) })
            for result in results { #expect(throws: Never.self) { try result.get() } }
            await store.disconnect()
        }
    }

    /// Without a trace nobody knows: it may be on its way still, or have been written over.
    @Test func unconditionalChangesWithoutATraceStayUnknown() async throws {
        try await self.withProxy { proxy, configuration in
            let store = try PostgresStore(configuration)
            try await store.write(self.state("always", 4), if: .absent)
            proxy.lose(.request, of: "always")
            let writing = await failure { () async throws(StoreError) in
                try await store.write(self.state("always", 9), if: .always)
            }
            #expect(writing?.outcome == .unknown && writing?.storedVersion == 4, "\(String(reflecting: writing))")
            proxy.lose(.request, of: "always")
            let deleting = await failure { () async throws(StoreError) in try await store.delete("always", if: .always)
            }
            #expect(deleting?.outcome == .unknown && deleting?.code == .unavailable)
            // Neither was sent a second time.
            #expect(try await store.latestState(of: "always") == self.state("always", 4))
            #expect(proxy.cuts == 2)
            await store.disconnect()
        }
    }

    /// Somebody else writes between the lost answer and the second attempt.
    @Test func admitsWhatOthersHaveCovered() async throws {
        try await self.withProxy { proxy, configuration in
            let other = try PostgresStore(TestServer.configuration(schema: configuration.schema))
            let store = try PostgresStore(configuration)
            try await store.write(self.state("covered", 1), if: .absent)
            proxy.lose(.answer, of: "covered")
            proxy.lose(.request, of: "covered")
            // The second attempt is lost too; it is only made once the other has written.
            async let outcome = failure { () async throws(StoreError) in
                try await store.write(self.state("covered", 2), if: .version(1))
            }
            var attempts = 0
            while try await other.latestState(of: "covered")?.version == 1, attempts < 10_000 { attempts += 1 }
            try? await other.write(self.state("covered", 3), if: .version(2))
            // Without an error it was found in time.
            if let error = await outcome {
                #expect(error.outcome == .unknown)
                #expect(error.code != .conflict)
                #expect(error.storedVersion == 3)
            }
            #expect(try await store.latestState(of: "covered") == self.state("covered", 3))
            await store.disconnect()
            await other.disconnect()
        }
    }

    /// eGo's own table has nothing to know a write by.
    @Test func outcomesStayUnknownOnATableWithoutWriteIDs() async throws {
        try await self.withProxy(isSetUp: false) { proxy, configuration in
            let direct = try TestServer.configuration(schema: configuration.schema)
            try await TestServer.makeEgoTable(direct)
            let store = try PostgresStore(configuration)
            try await store.write(self.state("plain", 1), if: .absent)
            proxy.lose(.answer, of: "plain")
            let error = await failure { () async throws(StoreError) in
                try await store.write(self.state("plain", 2), if: .version(1))
            }
            #expect(error?.outcome == .unknown)
            #expect(try await store.latestState(of: "plain")?.version == 2)
            await store.disconnect()
        }
    }

    /// A whole conversation: connecting, creating, replacing, deleting, reading back. Other positions with each run;
    /// `ScriptedPeerTests` cuts an exchange at every byte.
    @Test(arguments: [true, false]) func survivesACutAnywhere(ofRequests: Bool) async throws {
        try await self.withProxy { proxy, configuration in
            var configuration = configuration
            configuration.pool.maximumConnections = 1
            configuration.pool.minimumConnections = 0
            let step = 37
            var position = Int.random(in: 1...step)
            print("first position \(position)")
            var positions = 0
            while true {
                let store = try PostgresStore(configuration)
                let id = "cut-\(position)"
                let cuts = proxy.cuts
                if ofRequests { proxy.cut(afterRequestBytes: position) } else { proxy.cut(afterAnswerBytes: position) }
                // Each is resolved within the deadline, whatever was cut.
                try await store.write(self.state(id, 1), if: .absent)
                try await store.write(self.state(id, 2), if: .version(1))
                #expect(try await store.latestState(of: id) == self.state(id, 2), "position \(position)")
                try await store.delete(id, if: .version(2))
                #expect(try await store.latestState(of: id) == nil, "position \(position)")
                proxy.relent()
                await store.disconnect()
                positions += 1
                if proxy.cuts == cuts { break }
                position += step
                try #require(position < 20_000)
            }
            #expect(positions > 20)
        }
    }

    @Test(arguments: [1, 2, 3, 7, 64]) func readsAnswersInAnyPieces(size: Int) async throws {
        try await self.withProxy { proxy, configuration in
            proxy.chop(size)
            let store = try PostgresStore(configuration)
            var state = self.state("pieces", 1)
            state.payload.bytes = (0..<3_000).map { UInt8(truncatingIfNeeded: $0) }
            try await store.write(state, if: .absent)
            #expect(try await store.latestState(of: "pieces") == state)
            let error = await failure { () async throws(StoreError) in try await store.write(state, if: .absent) }
            #expect(error?.code == .conflict)
            await store.disconnect()
        }
    }

    /// The network goes away for a while under load; nothing acknowledged is lost and nothing happens twice.
    @Test func connectionsThatBreakUnderLoadLoseNothing() async throws {
        try await self.withProxy { proxy, configuration in
            let store = try PostgresStore(configuration)
            let done = LockedState(false)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for _ in 0..<20 {
                        for _ in 0..<2_000 { await Task.yield() }
                        proxy.cutAll()
                    }
                    done.withLock { $0 = true }
                }
                for writer in 0..<32 {
                    group.addTask {
                        let id = "load-\(writer)"
                        var version: UInt64 = 0
                        repeat {
                            try await store.write(
                                self.state(id, version + 1), if: version == 0 ? .absent : .version(version))
                            version += 1
                        } while !done.withLock { $0 } && version < 5_000
                        let found = try await store.latestState(of: id)
                        #expect(found == self.state(id, version))
                    }
                }
                try await group.waitForAll()
            }
            await store.disconnect()
        }
    }
}
