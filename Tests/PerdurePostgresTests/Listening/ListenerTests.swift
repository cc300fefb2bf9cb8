import PerdureState
import Testing

@testable import PerdurePostgres

@Suite(.enabled(if: TestServer.isThere, "needs a server: script/server postgres start"))
struct ListenerTests {
    private func notify(_ store: PostgresStore, _ channel: String, _ payloads: [String]) async throws {
        _ = try await store.transact(
            Transaction(
                operation: .write, repetition: .once, steps: payloads.map { .notify(channel, payload: $0) }, answer: 0
            ) { count, _, _ in count += 1 }, within: .seconds(30))
    }

    private func isListening(_ signal: PostgresListener.Signal?) -> Bool {
        if case .listening? = signal { true } else { false }
    }

    private func payload(_ signal: PostgresListener.Signal?, on channel: String) -> String? {
        if case .notification(channel, let payload)? = signal { payload } else { nil }
    }

    @Test(.timeLimit(.minutes(10))) func hearsWhatIsCommittedInOrder() async throws {
        try await TestServer.withStore { store in
            let channel = "Runs \"\(UInt64.random(in: 0...UInt64.max))\""
            let listener = try store.listen(to: [channel, "another"])
            var signals = listener.signals
            #expect(self.isListening(await signals.next()))
            try await self.notify(store, channel, ["one", "two"])
            try await self.notify(store, "somebody else's", ["never"])
            // A transaction that is undone notifies nobody.
            let undone = Transaction(
                operation: .write, repetition: .once,
                steps: [
                    .notify(channel, payload: "undone"),
                    .init(statement: Statement(name: "", sql: "SELECT 1 / 0"), parameters: ParameterBuffer()),
                ], answer: 0
            ) { _, _, _ in }
            let error = await failure { () async throws(StoreError) in
                _ = try await store.transact(undone, within: .seconds(30))
            }
            #expect(error?.code == .invalidRequest && error?.outcome == .notApplied)
            try await self.notify(store, channel, ["three", ""])
            for expected in ["one", "two", "three", ""] {
                #expect(self.payload(await signals.next(), on: channel) == expected)
            }
            listener.close()
            #expect(await signals.next() == nil)
        }
    }

    /// The connection is ended by the server; the listener says so, comes back by itself, and says that too.
    @Test(.timeLimit(.minutes(10))) func comesBackWhenItsConnectionIsEnded() async throws {
        try await TestServer.withSchema { configuration in
            var configuration = configuration
            configuration.applicationName = "listener-\(configuration.schema ?? "")"
            configuration.pool.minimumConnections = 0
            let channel = configuration.applicationName
            let store = try PostgresStore(configuration)
            let listener = try store.listen(to: [channel])
            var signals = listener.signals
            #expect(self.isListening(await signals.next()))
            for round in 0..<3 {
                // Only the listener's connection has this name: the store's pool has not been used.
                let ended = try await TestServer.run(
                    "SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity WHERE application_name = $1",
                    [channel], TestServer.configuration(schema: nil))
                #expect(ended == ["true"])
                guard case .interrupted(let error)? = await signals.next() else {
                    Issue.record("round \(round): nothing was said about the interruption")
                    return
                }
                #expect(error.code == .unavailable, "\(String(reflecting: error))")
                #expect(self.isListening(await signals.next()))
                try await TestServer.run(
                    "SELECT pg_notify($1, $2)::text", [channel, "round \(round)"],
                    TestServer.configuration(schema: nil))
                #expect(self.payload(await signals.next(), on: channel) == "round \(round)")
            }
            await store.disconnect()
            #expect(await signals.next() == nil)
        }
    }

    @Test(.timeLimit(.minutes(10))) func whatNobodyTakesIsDroppedAndTold() async throws {
        try await TestServer.withStore { store in
            let channel = "full-\(UInt64.random(in: 0...UInt64.max))"
            let listener = try store.listen(to: [channel], capacity: 4)
            let witness = try store.listen(to: [channel])
            var (signals, heard) = (listener.signals, witness.signals)
            #expect(self.isListening(await signals.next()))
            #expect(self.isListening(await heard.next()))
            try await self.notify(store, channel, (0..<10).map { "\($0)" })
            for number in 0..<10 { #expect(self.payload(await heard.next(), on: channel) == "\(number)") }
            // The witness heard all; the other's connection may be a moment behind, so a last one is waited for.
            try await self.notify(store, channel, ["last"])
            var lost = 0
            var last: String?
            while last != "last", let signal = await signals.next() {
                if case .overflowed(let count) = signal { lost += count }
                if case .notification(_, let payload) = signal { last = payload }
            }
            #expect(lost >= 1 && last == "last")
            witness.close()
            listener.close()
        }
    }

    @Test(arguments: ["", "with\u{0}NUL", String(repeating: "x", count: 64)])
    func namesThatNoChannelHasAreRefused(channel: String) async throws {
        let store = try PostgresStore(TestServer.configuration(schema: nil))
        let error = await failure { () async throws(StoreError) in _ = try store.listen(to: [channel]) }
        #expect(error?.code == .invalidRequest)
        await store.disconnect()
    }
}
