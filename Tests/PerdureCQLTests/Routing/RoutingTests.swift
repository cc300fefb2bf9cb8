import Testing

@testable import PerdureCQL

@Suite struct RoutingTests {
    static let tokenKeys = Vector.all.map(\.key).filter { $0.hasPrefix("token.") }

    @Test("tokens are those that another implementation computes") func tokens() throws {
        #expect(Self.tokenKeys.count == 40)
        for key in Self.tokenKeys {
            let token = CQLToken(partitionKey: [UInt8](hex: String(key.dropFirst("token.".count))))
            #expect("\(token.value)" == (try? Vector.text(key)), "\(key)")
        }
        #expect(CQLToken(partitionKey: [UInt8]()).value == .min)
    }

    @Test("a partition key of several columns has their lengths in it") func compositeKey() throws {
        var key = CQLPartitionKey()
        try key.append(Int64(7))
        #expect(try key.encoded().hex == "0000000000000007")
        try key.append("ab")
        #expect(try key.encoded().hex == "0008" + "0000000000000007" + "00" + "0002" + "6162" + "00")
        #expect(throws: CQLProtocolError.self) { try key.append(String?.none) }
        #expect(throws: CQLProtocolError.self) { try key.append("x", as: .int) }
        key.append([UInt8](repeating: 0, count: 65536))
        #expect(throws: CQLProtocolError.self) { try key.encoded() }
    }

    @Test("replicas are those that another implementation finds", arguments: ["one", "two"])
    func replicas(cluster: String) throws {
        let places = try Vector.text("ring.\(cluster).hosts").split(separator: " ").map {
            $0.split(separator: "/").map(String.init)
        }
        var members = places.map { CQLTokenRing.Member(dataCenter: $0[0], rack: $0[1], tokens: []) }
        let tokens = try Vector.text("ring.\(cluster).tokens").split(separator: " ").map {
            $0.split(separator: ":")
        }
        for pair in tokens {
            let owner = try #require(Int(pair[1]))
            members[owner].tokens.append(try #require(CQLToken(String(pair[0]))))
        }
        let ring = CQLTokenRing(members)
        #expect(ring.tokens.map { "\($0.value)" } == tokens.map { String($0[0]) })
        var checked = 0
        for (key, value) in Vector.all where key.hasPrefix("ring.\(cluster).replicas.") {
            let name = key.dropFirst("ring.\(cluster).replicas.".count)
            var replication = CQLReplication.networkTopology([:])
            if name.hasPrefix("simple") {
                replication = .simple(try #require(Int(name.dropFirst("simple".count))))
            } else {
                var factors: [String: Int] = [:]
                for part in name.split(separator: ",") {
                    let pair = part.split(separator: ".")
                    factors[String(pair[0])] = Int(pair[1])
                }
                replication = .networkTopology(factors)
            }
            let map = ring.replicas(replication)
            // `?` is a range that the other implementation gets wrong.
            for (place, expected) in value.split(separator: " ").enumerated() where expected != "?" {
                let hosts = expected.split(separator: ",").compactMap { Int($0) }
                let token = ring.tokens[place]
                let found = map.replicas(of: token).map(Int.init)
                if case .simple = replication {
                    #expect(found == hosts, "\(key) \(place)")
                } else {
                    // Where racks repeat the order within a data centre is not the same in all versions of Cassandra; who is
                    // first is.
                    #expect(Set(found) == Set(hosts), "\(key) \(place)")
                    #expect(found.count == hosts.count)
                    for center in Set(members.map(\.dataCenter)) {
                        let first = found.first { members[$0].dataCenter == center }
                        #expect(first == hosts.first { members[$0].dataCenter == center })
                    }
                }
                // A range ends with its token, and begins after the one before.
                let before = place == 0 ? CQLToken(.min) : CQLToken(ring.tokens[place - 1].value + 1)
                #expect(map.replicas(of: before).map(Int.init) == found)
                checked += 1
            }
            let last = try #require(ring.tokens.last)
            #expect(map.replicas(of: CQLToken(last.value + 1)) == map.replicas(of: ring.tokens[0]))
        }
        #expect(checked > 100)
    }

    @Test("the strategy is read from the schema") func strategies() {
        let package = "org.apache.cassandra.locator."
        #expect(
            CQLReplication(options: ["class": package + "SimpleStrategy", "replication_factor": "3"]) == .simple(3))
        #expect(
            CQLReplication(options: ["class": package + "NetworkTopologyStrategy", "dc1": "3", "dc2": "3/1", "x": "?"])
                == .networkTopology(["dc1": 3, "dc2": 2]))
        #expect(CQLReplication(options: ["class": package + "LocalStrategy"]) == .local)
        #expect(CQLReplication(options: ["class": package + "EverywhereStrategy"]) == .everywhere)
        #expect(CQLReplication(options: ["class": "com.example.Own"]) == .unknown("com.example.Own"))
        let ring = CQLTokenRing([CQLTokenRing.Member(dataCenter: "a", rack: "b", tokens: [CQLToken(1)])])
        #expect(ring.replicas(.local).replicas(of: CQLToken(0)) == [])
        #expect(ring.replicas(.everywhere).replicas(of: CQLToken(0)) == [0])
        #expect(CQLTokenRing([]).replicas(.simple(3)).replicas(of: CQLToken(0)) == [])
        #expect(CQLTokenRing([]).place(of: CQLToken(0)) == nil)
    }
}
