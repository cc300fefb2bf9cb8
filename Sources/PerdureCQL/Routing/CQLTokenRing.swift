/// Which node owns which tokens.
///
/// Nodes are known by their places in the array that the ring was made from.
public struct CQLTokenRing: Sendable, Hashable {
    /// What the ring needs to know of a node.
    public struct Member: Sendable, Hashable {
        /// Its data centre.
        public var dataCenter: String
        /// Its rack.
        public var rack: String
        /// Its tokens, in any order.
        public var tokens: [CQLToken]

        /// Makes a member.
        public init(dataCenter: String, rack: String, tokens: [CQLToken]) {
            self.dataCenter = dataCenter
            self.rack = rack
            self.tokens = tokens
        }
    }

    /// All tokens in order.
    public let tokens: [CQLToken]
    /// The owner of each token.
    public let owners: [Int]
    private let members: [Member]

    /// Makes a ring; of a token that two members claim, the later one is the owner.
    public init(_ members: [Member]) {
        var owners: [CQLToken: Int] = [:]
        for (index, member) in members.enumerated() {
            for token in member.tokens { owners[token] = index }
        }
        let sorted = owners.sorted { $0.key < $1.key }
        self.tokens = sorted.map(\.key)
        self.owners = sorted.map(\.value)
        self.members = members
    }

    /// The place in ``tokens`` whose owner has `token`: the first that is not before it, and the first of all after the last.
    ///
    /// - Returns: The place; nil where the ring is empty.
    public func place(of token: CQLToken) -> Int? {
        guard !self.tokens.isEmpty else { return nil }
        var low = 0
        var high = self.tokens.count
        while low < high {
            let middle = (low + high) / 2
            if self.tokens[middle] < token { low = middle + 1 } else { high = middle }
        }
        return low == self.tokens.count ? 0 : low
    }

    /// Works out the copies of every range under a strategy.
    ///
    /// - Returns: A table to look them up in; it is empty for strategies that are not routed.
    public func replicas(_ replication: CQLReplication) -> CQLReplicaMap {
        var map = CQLReplicaMap(ring: self)
        switch replication {
        case .local, .unknown: break
        case .everywhere:
            let count = Set(self.owners).count
            for place in self.tokens.indices { map.append(self.next(count, from: place)) }
        case .simple(let factor):
            for place in self.tokens.indices { map.append(self.next(factor, from: place)) }
        case .networkTopology(let factors):
            let centers = factors.sorted { $0.key < $1.key }.compactMap { name, factor in
                Center(name, factor, self.members, owners: Set(self.owners))
            }
            for place in self.tokens.indices {
                var replicas: [Int] = []
                for center in centers { self.add(center, from: place, to: &replicas) }
                map.append(replicas)
            }
        }
        return map
    }

    /// The next so many different owners along the ring.
    private func next(_ count: Int, from place: Int) -> [Int] {
        var replicas: [Int] = []
        for step in self.tokens.indices where replicas.count < count {
            let owner = self.owners[(place + step) % self.owners.count]
            if !replicas.contains(owner) { replicas.append(owner) }
        }
        return replicas
    }

    private struct Center {
        let name: String
        let factor: Int
        let rackCount: Int

        init?(_ name: String, _ factor: Int, _ members: [Member], owners: Set<Int>) {
            let nodes = owners.filter { members[$0].dataCenter == name }
            self.name = name
            self.factor = min(factor, nodes.count)
            self.rackCount = Set(nodes.map { members[$0].rack }).count
            if self.factor == 0 { return nil }
        }
    }

    /// Adds the copies in one data centre: along the ring, each on a rack of its own, and a rack again only as often as
    /// there are more copies than racks.
    private func add(_ center: Center, from place: Int, to replicas: inout [Int]) {
        var missing = center.factor
        var repeats = center.factor - center.rackCount
        var racks: Set<String> = []
        for step in self.tokens.indices where missing > 0 {
            let owner = self.owners[(place + step) % self.owners.count]
            let member = self.members[owner]
            guard member.dataCenter == center.name, !replicas.contains(owner) else { continue }
            if !racks.insert(member.rack).inserted {
                if repeats <= 0 { continue }
                repeats -= 1
            }
            replicas.append(owner)
            missing -= 1
        }
    }
}

/// The copies of every range of a ring, under one strategy: made once, looked up for each request without allocating.
public struct CQLReplicaMap: Sendable, Hashable {
    /// The ring that it is about.
    public let ring: CQLTokenRing
    private var nodes: [Int32] = []
    private var ends: [Int32] = []

    fileprivate init(ring: CQLTokenRing) { self.ring = ring }

    fileprivate mutating func append(_ replicas: [Int]) {
        for replica in replicas { self.nodes.append(Int32(truncatingIfNeeded: replica)) }
        self.ends.append(Int32(truncatingIfNeeded: self.nodes.count))
    }

    /// The nodes that hold the copies of a token's range; the first is its owner, or with data centres its first holder
    /// in each. Empty where the strategy is not routed.
    public func replicas(of token: CQLToken) -> ArraySlice<Int32> {
        guard let place = self.ring.place(of: token), place < self.ends.count else { return [] }
        return self.nodes[(place == 0 ? 0 : Int(self.ends[place - 1]))..<Int(self.ends[place])]
    }
}
