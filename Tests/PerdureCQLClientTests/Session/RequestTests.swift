import PerdureCQL
import PerdureCQLClient
import PerdureConcurrency
import Testing
import Waiting

@Suite("Requests", .timeLimit(.minutes(2)))
struct RequestTests {
    private func setUp(
        _ change: (inout CQLClientConfiguration) -> Void = { _ in }
    ) async throws -> (ScriptedNode, CQLClient, write: CQLStatement, read: CQLStatement) {
        let node = try ScriptedNode()
        let client = try client(of: node, change)
        try await client.connect()
        return (
            node, client, try await client.prepare(CQLClient.write), try await client.prepare(CQLClient.read)
        )
    }

    @Test("any number at once")
    func many() async throws {
        let (node, client, write, read) = try await self.setUp { $0.requestsPerConnection = 16 }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<500 {
                group.addTask {
                    let key = [UInt8(index >> 8), UInt8(index & 0xFF)]
                    try await client.write(write, key)
                    #expect(try await client.read(read, key) == 42)
                }
            }
            try await group.waitForAll()
        }
        #expect(node.writeCount == 500)
        await client.disconnect()
    }

    @Test("values of the wrong type, and too few, are refused before anything is sent")
    func values() async throws {
        let (node, client, write, _) = try await self.setUp()
        let before = node.requestCount
        let wrong = await failure { try await client.execute(write) { try $0.bind("text") } }
        #expect(wrong?.code == .invalidRequest && wrong?.outcome == .notApplied)
        #expect(wrong?.message.contains("text") == false || wrong?.message.contains("m0") == true)
        #expect(await failure { try await client.execute(write) { try $0.bind(Int64(1)) } }?.code == .invalidRequest)
        struct Mine: Error {}
        let mine = await failure { try await client.execute(write) { _ in throw Mine() } }
        #expect(mine?.underlying is Mine)
        #expect(node.requestCount == before)
        await client.disconnect()
    }

    @Test("a message over the limit is refused, and harms nobody")
    func tooLarge() async throws {
        let (node, client, write, _) = try await self.setUp { $0.maximumMessageByteCount = 4096 }
        let error = await failure { try await client.write(write, [UInt8](repeating: 1, count: 5000)) }
        #expect(error?.code == .invalidRequest && error?.outcome == .notApplied)
        try await client.write(write, [1])
        #expect(node.writeCount == 1)
        await client.disconnect()
    }

    @Test("no answer in time: unknown for a write; the late answer finds nobody")
    func late() async throws {
        let (node, client, write, read) = try await self.setUp()
        node.change { $0.reply = { $0.text.hasPrefix("UPDATE") ? .hold : nil } }
        let options = CQLExecutionOptions(timeout: .milliseconds(20))
        let error = try #require(await failure { try await client.write(write, [1], options: options) })
        #expect(error.code == .timeout && error.outcome == .unknown)
        #expect(error.message.contains("127.0.0.1:\(node.port)"))
        node.change { $0.reply = { $0.text.hasPrefix("SELECT") ? .hold : nil } }
        // A read has changed nothing.
        let unread = await failure { _ = try await client.read(read, [1], options: options) }
        #expect(unread?.code == .timeout && unread?.outcome == .notApplied)
        node.change { $0.reply = nil }
        node.release()
        for index in 0..<10 { try await client.write(write, [2, UInt8(index)]) }
        #expect(try await client.read(read, [1]) == 42)
        #expect(node.openSessions == 2)
        await client.disconnect()
    }

    @Test("a connection with too many unanswered requests is replaced")
    func orphans() async throws {
        let (node, client, write, _) = try await self.setUp { $0.requestsPerConnection = 128 }
        node.change { $0.reply = { _ in .hold } }
        let connections = node.connectionCount
        await withTaskGroup(of: Void.self) { group in
            for index in 0..<100 {
                group.addTask {
                    let options = CQLExecutionOptions(timeout: .milliseconds(20))
                    #expect(
                        await failure { try await client.write(write, [UInt8(index)], options: options) }?.code
                            == .timeout)
                }
            }
        }
        node.change { $0.reply = nil }
        #expect(await eventually { node.connectionCount == connections + 1 })
        try await client.write(write, [200])
        #expect(node.writes(of: [200]) == 1)
        await client.disconnect()
    }

    @Test("a statement that the node forgot is prepared again, once for all who need it")
    func forgotten() async throws {
        let (node, client, write, _) = try await self.setUp()
        let prepared = node.prepareCount
        node.forgetStatements()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<50 { group.addTask { try await client.write(write, [UInt8(index)]) } }
            try await group.waitForAll()
        }
        #expect(node.writeCount == 50)
        #expect(node.prepareCount == prepared + 1)
        await client.disconnect()
    }

    @Test("a node that forgets the statement each time is given up")
    func forgetful() async throws {
        let (node, client, write, _) = try await self.setUp()
        node.change { $0.reply = { _ in .error(.unprepared, details: [0, 34] + Array(CQLClient.write.utf8)) } }
        let error = await failure { try await client.write(write, [1]) }
        #expect(error?.serverError?.code == .unprepared && error?.outcome == .notApplied)
        await client.disconnect()
    }

    @Test("batches are one request, and prepared as needed")
    func batches() async throws {
        let (node, client, write, _) = try await self.setUp()
        node.forgetStatements()
        let other = try await client.prepare("UPDATE ks.t SET w = ? WHERE id = ?")
        let requests = node.requestCount
        try await client.batch(.unlogged) { batch in
            for statement in [write, other] {
                try batch.add(statement) { values in
                    try values.bind(Int64(1))
                    try values.bind([UInt8(8)])
                }
            }
        }
        #expect(node.requestCount == requests + 1)
        #expect(node.writes(of: [8]) == 1)
        let error = await failure {
            try await client.batch(.unlogged) { batch in try batch.add(write) { try $0.bind(Int64(1)) } }
        }
        #expect(error?.code == .invalidRequest)
        await client.disconnect()
    }

    @Test("what the server says is in the error, its words only in the part for ourselves")
    func serverErrors() async throws {
        let (node, client, write, _) = try await self.setUp()
        node.change { $0.reply = { _ in .error(.invalid) } }
        let error = try #require(await failure { try await client.write(write, [1]) })
        #expect(error.code == .server && error.outcome == .notApplied)
        #expect(error.serverError?.code == .invalid)
        #expect(error.node == node.endpoint)
        #expect(!error.description.contains("server's words:") && !error.message.contains("the server's words;"))
        #expect(String(reflecting: error).contains("the server's words"))
        node.change { $0.reply = { _ in .error(.casWriteUnknown, details: [0, 8, 0, 0, 0, 1, 0, 0, 0, 2]) } }
        #expect(await failure { try await client.write(write, [1]) }?.outcome == .unknown)
        #expect(await failure { _ = try await client.prepare("nonsense") }?.serverError?.code == .syntaxError)
        await client.disconnect()
    }

    @Test("a change of the schema waits until all nodes have it")
    func agreement() async throws {
        let nodes = try [ScriptedNode(.init(number: 1)), ScriptedNode(.init(number: 2))]
        nodes[0].know([nodes[1]])
        nodes[0].change { $0.agreesAfter = 2 }
        let client = try client(of: nodes[0])
        try await client.connect()
        try await client.query("CREATE TABLE ks.t (id blob PRIMARY KEY, v bigint)")
        #expect(nodes[0].queries(containing: "schema_version FROM system.peers") == 3)
        nodes[0].change { $0.agreesAfter = .max }
        await client.disconnect()
        let hasty = try PerdureCQLClientTests.client(of: nodes[0]) { $0.schemaAgreementTimeout = .milliseconds(50) }
        try await hasty.connect()
        let error = await failure { try await hasty.query("CREATE TABLE ks.u (id blob PRIMARY KEY)") }
        #expect(error?.code == .schemaDisagreement)
        await hasty.disconnect()
    }

    @Test("disconnecting lets what is under way finish")
    func drain() async throws {
        let (node, client, write, _) = try await self.setUp()
        node.change { $0.reply = { _ in .hold } }
        let errors = LockedState<[CQLClientError]>([])
        await withTaskGroup(of: Void.self) { group in
            for index in 0..<20 {
                group.addTask {
                    if let error = await failure({ try await client.write(write, [UInt8(index)]) }) {
                        errors.withLock { $0.append(error) }
                    }
                }
            }
            #expect(await eventually { node.heldCount == 20 })
            group.addTask { await client.disconnect() }
            // New ones are refused while the others go on.
            #expect(
                await eventually {
                    await failure { try await client.write(write, [99], options: .init(timeout: .milliseconds(1))) }?
                        .code == .closed
                })
            node.release()
            await group.waitForAll()
        }
        #expect(errors.withLock { $0.count } == 0)
        #expect(await eventually { node.openSessions == 0 })
    }

    @Test("a cancelled caller goes on waiting, unless it asked not to")
    func cancellation() async throws {
        let (node, client, write, _) = try await self.setUp()
        node.change { $0.reply = { _ in .hold } }
        let stubborn = Task { await failure { try await client.write(write, [1]) } }
        let willing = Task {
            await failure { try await client.write(write, [2], options: .init(endsOnCancellation: true)) }
        }
        #expect(await eventually { node.heldCount == 2 })
        stubborn.cancel()
        willing.cancel()
        let error = await willing.value
        #expect(error?.code == .cancelled && error?.outcome == .unknown)
        node.release()
        let patient = await stubborn.value
        #expect(patient?.code == nil)
        let before = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return await failure { try await client.write(write, [3]) }
        }
        let early = await before.value
        #expect(early?.code == .cancelled && early?.outcome == .notApplied)
        await client.disconnect()
    }

    @Test("a client that is let go of ends by itself")
    func dropped() async throws {
        let node = try ScriptedNode()
        do {
            let client = try client(of: node)
            try await client.connect()
        }
        #expect(await eventually { node.openSessions == 0 })
    }
}
