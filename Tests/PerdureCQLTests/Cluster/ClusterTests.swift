import Testing

@testable import PerdureCQL

@Suite struct ClusterTests {
    static func node(_ id: UInt64, _ dataCenter: String = "dc1", port: UInt16 = 9042) -> CQLNode {
        CQLNode(
            hostID: CQLUUID(high: 0, low: id),
            endpoint: CQLEndpoint(address: .v4(0x0A00_0000 + UInt32(id)), port: port), dataCenter: dataCenter,
            rack: "r",
            tokens: [CQLToken(Int64(id) * 100)], schemaVersion: CQLUUID(high: 1, low: 1))
    }

    /// Three nodes at 100, 200, 300 in dc1, two in dc2 at 400 and 500.
    static func map() -> CQLClusterMap {
        var map = CQLClusterMap()
        _ = map.refresh(
            local: Self.node(1), peers: [Self.node(2), Self.node(3), Self.node(4, "dc2"), Self.node(5, "dc2")])
        map.setReplication(.networkTopology(["dc1": 2, "dc2": 1]), of: "shop")
        return map
    }

    // MARK: The map

    @Test("a refresh says what is different") func refresh() {
        var map = CQLClusterMap()
        #expect(
            map.refresh(local: Self.node(2), peers: [Self.node(1)]) == [.added(Self.node(1)), .added(Self.node(2))])
        #expect(map.nodes.map(\.hostID.low) == [1, 2])
        #expect(map.refresh(local: Self.node(2), peers: [Self.node(1)]) == [])
        let moved = Self.node(1, port: 9999)
        #expect(
            map.refresh(local: moved, peers: [Self.node(3)])
                == [.readdressed(from: Self.node(1), to: moved), .removed(Self.node(2)), .added(Self.node(3))])
        #expect(map.place(of: Self.node(3).hostID) == 1)
        #expect(map.place(of: Self.node(2).hostID) == nil)
    }

    @Test("events say what to do") func events() {
        var map = Self.map()
        let two = Self.node(2)
        #expect(map.apply(.nodeDown(two.endpoint)) == .down(two))
        #expect(map.isUp == [true, false, true, true, true])
        // A refresh keeps what is known of a node; the one that answers is up.
        _ = map.refresh(local: Self.node(1), peers: [two, Self.node(3)])
        #expect(map.isUp == [true, false, true])
        _ = map.refresh(local: two, peers: [Self.node(1), Self.node(3)])
        #expect(map.isUp == [true, true, true])
        map.setUp(false, two.hostID)
        #expect(map.apply(.nodeUp(two.endpoint)) == .reconnect(two))
        #expect(map.isUp == [true, true, true])
        let stranger = CQLEndpoint(address: .v4(1), port: 1)
        #expect(map.apply(.nodeUp(stranger)) == .refreshNodes)
        #expect(map.apply(.nodeDown(stranger)) == .none)
        #expect(map.apply(.nodeAdded(stranger)) == .refreshNodes)
        #expect(map.apply(.nodeRemoved(two.endpoint)) == .refreshNodes)
        #expect(
            map.apply(.schemaChange(CQLSchemaChange(change: "UPDATED", target: .keyspace("shop"))))
                == .refreshKeyspace("shop"))
        #expect(
            map.apply(.schemaChange(CQLSchemaChange(change: "UPDATED", target: .table(keyspace: "a", name: "b"))))
                == .none)
        #expect(map.apply(.unknown(kind: "A", change: "B")) == .none)
    }

    @Test("replicas follow the nodes and the keyspaces") func replicas() {
        var map = Self.map()
        #expect(map.replicas(of: CQLToken(150), in: "shop") == [1, 2, 3])
        #expect(map.replicas(of: CQLToken(450), in: "shop") == [0, 1, 4])
        #expect(map.replicas(of: CQLToken(150), in: "other") == [])
        _ = map.refresh(local: Self.node(1), peers: [Self.node(3), Self.node(4, "dc2")])
        #expect(map.replicas(of: CQLToken(150), in: "shop") == [1, 0, 2])
        map.setReplication(nil, of: "shop")
        #expect(map.replicas(of: CQLToken(150), in: "shop") == [])
    }

    @Test("nodes agree on the schema, those that are down left out") func schema() {
        var map = CQLClusterMap()
        var other = Self.node(2)
        other.schemaVersion = CQLUUID(high: 2, low: 2)
        _ = map.refresh(local: Self.node(1), peers: [other])
        #expect(!map.schemaAgrees)
        map.setUp(false, other.hostID)
        #expect(map.schemaAgrees)
    }

    /// A row of texts, addresses and the like.
    static func row(_ columns: [(String, CQLType, CQLValue)]) throws -> CQLRow {
        var encoder = CQLFrameEncoder(version: .v5, role: .server)
        try encoder.message(.result, stream: 0) { buffer throws(CQLProtocolError) in
            buffer.append(Int32(2))
            buffer.append(Int32(4))
            buffer.append(Int32(columns.count))
            buffer.append(Int32(1))
            for column in columns { try buffer.append(value: column.2, as: column.1) }
        }
        guard case .rows(let rows) = try CQLResponse(try ResponseVectorTests.frame(encoder.takeBytes())).message else {
            throw CQLProtocolError(.malformed, "no rows")
        }
        return try #require(try rows.described(by: columns.map { CQLColumn(name: $0.0, type: $0.1) }).first)
    }

    @Test("nodes are read from the system's tables, of old servers too") func rows() throws {
        let id = CQLUUID(high: 0, low: 7)
        let base: [(String, CQLType, CQLValue)] = [
            ("host_id", .uuid, .uuid(id)), ("data_center", .text, .text("dc1")), ("rack", .text, .text("r1")),
            ("tokens", .set(.text), .set([.text("20"), .text("-5"), .text("not a number")])),
            ("release_version", .text, .text("5.0.6")), ("schema_version", .uuid, .uuid(id)),
        ]
        let contact = CQLEndpoint(address: .v4(0x7F00_0001), port: 9142)
        func node(_ address: CQLEndpoint) -> CQLNode {
            CQLNode(
                hostID: id, endpoint: address, dataCenter: "dc1", rack: "r1", tokens: [CQLToken(-5), CQLToken(20)],
                releaseVersion: "5.0.6", schemaVersion: id)
        }
        let address = ("rpc_address", CQLType.inet, CQLValue.inet(.v4(0x0A00_0001)))
        let wildcard = ("rpc_address", CQLType.inet, CQLValue.inet(.v4(0)))
        let peer = ("peer", CQLType.inet, CQLValue.inet(.v4(0x0A00_0009)))
        #expect(
            try CQLNode(local: Self.row(base + [address, ("rpc_port", .int, .int(9043))]), contact: contact)
                == node(CQLEndpoint(address: .v4(0x0A00_0001), port: 9043)))
        #expect(
            try CQLNode(local: Self.row(base + [address]), contact: contact)
                == node(CQLEndpoint(address: .v4(0x0A00_0001), port: 9142)))
        #expect(try CQLNode(local: Self.row(base + [wildcard]), contact: contact) == node(contact))
        let native = ("native_address", CQLType.inet, CQLValue.inet(.v4(0x0A00_0003)))
        #expect(
            try CQLNode(peer: Self.row(base + [peer, native, ("native_port", .int, .int(9044))]), port: 1)
                == node(CQLEndpoint(address: .v4(0x0A00_0003), port: 9044)))
        #expect(
            try CQLNode(peer: Self.row(base + [peer, wildcard]), port: 9042)
                == node(CQLEndpoint(address: .v4(0x0A00_0009), port: 9042)))
        // Left-overs of nodes that are no more.
        #expect(throws: CQLProtocolError.self) {
            try CQLNode(peer: Self.row([("host_id", .uuid, .null)] + base.dropFirst() + [peer]), port: 9042)
        }
        #expect(throws: CQLProtocolError.self) { try CQLNode(peer: Self.row(base), port: 9042) }
    }

    // MARK: Plans

    static let balancing = CQLLoadBalancing(localDataCenter: "dc1")
    static let request = CQLLoadBalancing.Request(keyspace: "shop", token: CQLToken(150))

    @Test("replicas first, idle before busy, equals in turns") func plan() {
        let map = Self.map()
        func plan(_ loads: [Int?], rotation: UInt = 0, _ request: CQLLoadBalancing.Request = Self.request) -> [Int] {
            let plan = Self.balancing.plan(for: request, in: map, rotation: rotation) { loads[$0] }
            let first = Self.balancing.first(for: request, in: map, rotation: rotation) { loads[$0] }
            #expect(first == plan.first)
            return plan
        }
        // The replicas of 150 in dc1 are 1 and 2.
        #expect(plan([0, 0, 0, 0, 0]) == [1, 2, 0])
        #expect(plan([0, 0, 0, 0, 0], rotation: 1) == [2, 1, 0])
        #expect(plan([0, 5, 3, 0, 0]) == [2, 1, 0])
        #expect(plan([0, nil, 3, 0, 0]) == [2, 0])
        #expect(plan([4, nil, nil, 0, 0]) == [0])
        #expect(plan([nil, nil, nil, 0, 0]) == [])
        // Conditional writes go to the first replica whatever it has to do.
        let conditional = CQLLoadBalancing.Request(keyspace: "shop", token: CQLToken(150), isConditional: true)
        for rotation in UInt(0)..<3 {
            #expect(plan([0, 9, 3, 0, 0], rotation: rotation, conditional) == [1, 2, 0])
            #expect(plan([0, nil, 3, 0, 0], rotation: rotation, conditional) == [2, 0])
        }
        // Without a token every node is as good.
        let any = CQLLoadBalancing.Request()
        #expect(plan([0, 0, 0, 0, 0], rotation: 1, any) == [1, 2, 0])
        #expect(plan([2, 1, 2, 0, 0], rotation: 0, any) == [1, 0, 2])
        #expect(plan([0, 0, 0, 0, 0], CQLLoadBalancing.Request(keyspace: "other", token: CQLToken(1))) == [0, 1, 2])
    }

    @Test("other data centres only where they are allowed, and last") func remote() {
        let map = Self.map()
        let some = CQLLoadBalancing(localDataCenter: "dc1", remoteNodes: 1)
        #expect(some.plan(for: Self.request, in: map, rotation: 0) { _ in 0 } == [1, 2, 0, 3])
        #expect(some.plan(for: Self.request, in: map, rotation: 1) { $0 < 3 ? nil : 0 } == [4])
        #expect(some.first(for: Self.request, in: map, rotation: 1) { $0 < 3 ? nil : 0 } == 4)
        let all = CQLLoadBalancing()
        #expect(all.plan(for: Self.request, in: map, rotation: 0) { _ in 0 } == [1, 2, 3, 0, 4])
        #expect(CQLLoadBalancing(localDataCenter: "dc9").plan(for: Self.request, in: map, rotation: 0) { _ in 0 } == [])
    }

    @Test("equal nodes get equal shares") func fairness() {
        let map = Self.map()
        var counts = [Int](repeating: 0, count: 5)
        for rotation in UInt(0)..<3000 {
            if let node = Self.balancing.first(
                for: CQLLoadBalancing.Request(), in: map, rotation: rotation, load: { _ in 0 })
            {
                counts[node] += 1
            }
        }
        #expect(counts == [1000, 1000, 1000, 0, 0])
        // Also where one of them cannot be used: its share does not fall to its neighbour alone.
        counts = [0, 0, 0, 0, 0]
        for rotation in UInt(0)..<3000 {
            let node = Self.balancing.first(for: CQLLoadBalancing.Request(), in: map, rotation: rotation) {
                $0 == 1 ? nil : 0
            }
            if let node { counts[node] += 1 }
        }
        #expect(counts == [1500, 0, 1500, 0, 0])
    }
}
