import PerdureCQL
import PerdureCQLClient
import PerdureConcurrency
import Testing
import Waiting

@Suite("Several nodes", .timeLimit(.minutes(2)))
struct ClusterTests {
    /// Nodes that know each other; each has one token.
    private func cluster(_ tokens: [Int64]) throws -> [ScriptedNode] {
        let nodes = try tokens.enumerated().map { index, token in
            try ScriptedNode(.init(tokens: [token], number: UInt64(index + 1)))
        }
        for node in nodes { node.know(nodes.filter { $0 !== node }) }
        return nodes
    }

    private func connected(
        _ nodes: [ScriptedNode], _ change: (inout CQLClientConfiguration) -> Void = { _ in }
    ) async throws -> (CQLClient, write: CQLStatement, read: CQLStatement) {
        let client = try client(of: nodes[0], change)
        try await client.connect()
        #expect(client.nodes.count { $0.connectionCount > 0 } == nodes.count)
        return (client, try await client.prepare(CQLClient.write), try await client.prepare(CQLClient.read))
    }

    @Test("a request goes to the node that holds its partition")
    func routing() async throws {
        let nodes = try self.cluster([-3_000_000_000_000_000_000, 0, 3_000_000_000_000_000_000])
        let (client, write, _) = try await self.connected(nodes)
        for index in 0..<100 {
            let key = [UInt8(index), 1, 2, 3]
            try await client.write(write, key)
            let token = CQLToken(partitionKey: key).value
            let owner =
                token <= -3_000_000_000_000_000_000
                ? 0 : token <= 0 ? 1 : token <= 3_000_000_000_000_000_000 ? 2 : 0
            #expect(nodes.map { $0.writes(of: key) } == (0..<3).map { $0 == owner ? 1 : 0 })
        }
        await client.disconnect()
    }

    @Test("nodes of other data centres are left alone")
    func dataCenters() async throws {
        let nodes = try self.cluster([0, 1])
        nodes[1].change { $0.dataCenter = "dc2" }
        nodes[0].know([nodes[1]])
        let client = try client(of: nodes[0]) { $0.localDataCenter = "dc1" }
        try await client.connect()
        let write = try await client.prepare(CQLClient.write)
        for index in 0..<20 { try await client.write(write, [UInt8(index)]) }
        #expect(nodes[0].writeCount == 20)
        #expect(nodes[1].connectionCount == 0)
        await client.disconnect()
    }

    @Test("a node goes down and comes up again")
    func downAndUp() async throws {
        let nodes = try self.cluster([0, .max])
        let (client, write, _) = try await self.connected(nodes)
        let port = nodes[1].port
        nodes[1].stop()
        #expect(await eventually { client.nodes.count { $0.connectionCount > 0 } == 1 })
        for index in 0..<50 { try await client.write(write, [UInt8(index)]) }
        #expect(nodes[0].writeCount == 50)
        let back = try await Self.listening(on: port)
        back.change {
            $0.number = 2
            $0.tokens = [.max]
        }
        nodes[0].tell(.statusChange, "UP", back.endpoint)
        #expect(await eventually { client.nodes.count { $0.connectionCount > 0 } == 2 })
        for index in 50..<100 { try await client.write(write, [UInt8(index)]) }
        #expect(nodes[0].writeCount < 100)
        #expect(nodes[0].writeCount + back.writeCount == 100)
        await client.disconnect()
    }

    /// The port may be taken until the last connection of the one before is closed.
    private static func listening(on port: UInt16) async throws -> ScriptedNode {
        for _ in 0..<10_000 {
            if let node = try? ScriptedNode(port: port) { return node }
            await Task.yield()
        }
        return try ScriptedNode(port: port)
    }

    @Test("the control connection moves to another node, and goes on watching")
    func controlMoves() async throws {
        let nodes = try self.cluster([0, .max])
        let (client, write, _) = try await self.connected(nodes)
        nodes[0].stop()
        #expect(await eventually { nodes[1].queries(containing: "FROM system.local") > 0 })
        let looks = nodes[1].queries(containing: "system_schema.keyspaces")
        #expect(
            await eventually {
                nodes[1].tellKeyspaceChange("ks")
                return nodes[1].queries(containing: "system_schema.keyspaces") > looks
            })
        try await client.write(write, [1])
        await client.disconnect()
    }

    @Test("a new node is found, and one that left is let go of")
    func topology() async throws {
        let nodes = try self.cluster([0, .max])
        nodes[0].know([])
        let (client, write, _) = try await self.connected([nodes[0]])
        nodes[0].know([nodes[1]])
        nodes[0].tell(.topologyChange, "NEW_NODE", nodes[1].endpoint)
        #expect(await eventually { client.nodes.count { $0.connectionCount > 0 } == 2 })
        for index in 0..<50 { try await client.write(write, [UInt8(index)]) }
        #expect(nodes[1].writeCount > 0)
        nodes[0].know([])
        nodes[0].tell(.topologyChange, "REMOVED_NODE", nodes[1].endpoint)
        #expect(await eventually { client.nodes.count == 1 && nodes[1].openSessions == 0 })
        try await client.write(write, [99])
        await client.disconnect()
    }

    @Test("a second node is asked when the first takes its time, for what may be done twice only")
    func speculation() async throws {
        let nodes = try self.cluster([0, .max])
        let (client, write, read) = try await self.connected(nodes) {
            $0.speculation = CQLSpeculation(delay: .milliseconds(5))
        }
        // Both nodes learn the statements first: that takes longer than the delay.
        for index in 200..<220 {
            try await client.write(write, [UInt8(index)])
            _ = try await client.read(read, [UInt8(index)])
        }
        nodes[0].change { $0.reply = { _ in .hold } }
        for index in 0..<20 { #expect(try await client.read(read, [UInt8(index)]) == 42) }
        // A write that is not said to be idempotent stays where it is, however long that takes.
        let key = try #require((0..<200 as Range<UInt8>).first { CQLToken(partitionKey: [$0]).value <= 0 })
        let held = nodes[0].heldCount
        let stubborn = Task { await failure { try await client.write(write, [key]) } }
        #expect(await eventually { nodes[0].heldCount > held })
        for index in 0..<20 { #expect(try await client.read(read, [UInt8(index)]) == 42) }
        #expect(nodes[1].writes(of: [key]) == 0)
        nodes[0].change { $0.reply = nil }
        nodes[0].release()
        #expect(await stubborn.value?.code == nil)
        #expect(nodes.map { $0.writes(of: [key]) } == [1, 0])
        await client.disconnect()
    }
}
