import PerdureCQL
import PerdureCQLClient
import PerdureIO
import Testing
import Waiting

/// What becomes of a write when the connection breaks, at every byte.
@Suite("Connections that break", .timeLimit(.minutes(4)))
struct LossTests {
    /// A client with one try per request, so that outcomes are seen as they are.
    private func setUp(_ version: CQLVersion, _ change: (inout CQLClientConfiguration) -> Void = { _ in }) async throws
        -> (
            ScriptedNode, CQLClient, CQLStatement
        )
    {
        let node = try ScriptedNode()
        node.change { $0.versions = [version] }
        let client = try client(of: node) {
            $0.retry = CQLRetryPolicy(attempts: 1)
            change(&$0)
        }
        try await client.connect()
        let write = try await client.prepare(CQLClient.write)
        try await client.write(write, [0])
        return (node, client, write)
    }

    private func expectTruth(_ error: CQLClientError?, _ key: [UInt8], _ node: ScriptedNode, _ place: String) {
        let writes = node.writes(of: key)
        switch error?.outcome {
        case nil: #expect(writes == 1, "acknowledged; \(place)")
        case .notApplied?: #expect(writes == 0, "said not to have happened; \(place)")
        case .unknown?: #expect(writes <= 1, "unknown; \(place)")
        }
    }

    @Test("cut at every byte of a request", arguments: [CQLVersion.v4, .v5])
    func requests(version: CQLVersion) async throws {
        let (node, client, write) = try await self.setUp(version)
        var count = 0
        var answered = 0
        while true {
            let key = [UInt8(count >> 8), UInt8(count & 0xFF), 1]
            let cuts = node.cuts
            node.cut(afterRequestBytes: count)
            let error = await failure { try await client.write(write, key) }
            self.expectTruth(error, key, node, "after \(count) bytes of the request")
            if node.cuts == cuts { break }
            if error == nil {
                answered += 1
            } else if count > 0 {
                #expect(error?.outcome == .unknown, "after \(count) bytes of the request")
            }
            count += 1
        }
        #expect(count > 30)
        // Where all of the request came before the cut; and before the first byte, if the client noticed in time.
        #expect(answered <= 2)
        node.relent()
        try await client.write(write, [9])
        await client.disconnect()
    }

    @Test("cut at every byte of an answer", arguments: [CQLVersion.v4, .v5])
    func answers(version: CQLVersion) async throws {
        let (node, client, write) = try await self.setUp(version)
        var count = 0
        while true {
            let key = [UInt8(count), 2]
            let cuts = node.cuts
            node.cut(afterAnswerBytes: count)
            let error = await failure { try await client.write(write, key) }
            self.expectTruth(error, key, node, "after \(count) bytes of the answer")
            if node.cuts == cuts { break }
            count += 1
        }
        // The last cut came right behind the whole answer.
        #expect(count == (version == .v4 ? 14 : 24))
        await client.disconnect()
    }

    @Test("an idempotent write goes on at a new connection until it is done")
    func again() async throws {
        let (node, client, write) = try await self.setUp(.v5) { $0.retry = CQLRetryPolicy(attempts: 3) }
        let other = try ScriptedNode(.init(number: 2))
        other.know([node])
        node.know([other])
        node.tell(.topologyChange, "NEW_NODE", other.endpoint)
        #expect(await eventually { other.openSessions > 0 && client.nodes.count { $0.connectionCount > 0 } == 2 })
        for index in 0..<20 {
            node.cut(afterAnswerBytes: 3)
            let key = [UInt8(index), 3]
            try await client.write(write, key, options: CQLExecutionOptions(isIdempotent: true))
            #expect(node.writes(of: key) + other.writes(of: key) >= 1)
        }
        await client.disconnect()
    }

    @Test("answers in any pieces", arguments: [1, 2, 3, 4] as [UInt64])
    func pieces(seed: UInt64) async throws {
        let (node, client, write) = try await self.setUp(seed % 2 == 0 ? .v4 : .v5)
        node.chop(seed: seed)
        let read = try await client.prepare(CQLClient.read)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<50 {
                group.addTask {
                    try await client.write(write, [UInt8(index), 4])
                    #expect(try await client.read(read, [UInt8(index)]) == 42, "seed \(seed)")
                }
            }
            try await group.waitForAll()
        }
        #expect(node.writeCount == 51)
        await client.disconnect()
    }

    @Test("noise ends the connection, not the client", arguments: [11, 12, 13, 14, 15, 16] as [UInt64])
    func noise(seed: UInt64) async throws {
        var random = SplitMix(seed: seed)
        let (node, client, write) = try await self.setUp(seed % 2 == 0 ? .v4 : .v5) {
            // Noise may look like the beginning of a long message: then only time tells.
            $0.requestTimeout = .milliseconds(200)
        }
        for index in 0..<30 {
            let bytes = (0..<Int.random(in: 1...64, using: &random)).map { _ in UInt8(truncatingIfNeeded: random.next())
            }
            node.change { $0.reply = { _ in .noise(bytes) } }
            let key = [UInt8(index), 5]
            self.expectTruth(await failure { try await client.write(write, key) }, key, node, "seed \(seed)")
            node.change { $0.reply = nil }
            node.hangUp()
            #expect(
                await eventually { await failure { try await client.write(write, [6]) }?.code == nil }, "seed \(seed)")
        }
        await client.disconnect()
    }

    @Test(
        "many requests under way when the connection breaks all get their truth", arguments: [21, 22, 23] as [UInt64])
    func manyUnderWay(seed: UInt64) async throws {
        var random = SplitMix(seed: seed)
        let (node, client, write) = try await self.setUp(.v5)
        for round in 0..<15 {
            node.cut(afterRequestBytes: Int.random(in: 1...4000, using: &random))
            await withTaskGroup(of: (CQLClientError?, [UInt8]).self) { group in
                for index in 0..<64 {
                    let key = [UInt8(round), UInt8(index), 7]
                    group.addTask { (await failure { try await client.write(write, key) }, key) }
                }
                for await (error, key) in group { self.expectTruth(error, key, node, "seed \(seed), round \(round)") }
            }
            node.relent()
        }
        await client.disconnect()
    }
}
