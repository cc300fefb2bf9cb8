/// Chooses the nodes that a request goes to: those that hold the partition first, near before far, idle before busy.
///
/// Pure: the caller says what it knows of the connections (`load`) and gives a number that goes up with each request
/// (`rotation`), so that nodes that are equal take turns.
public struct CQLLoadBalancing: Sendable, Hashable {
    /// The data centre whose nodes are used; nil treats all as one.
    public var localDataCenter: String?
    /// How many nodes of each other data centre may follow when none of the local one is left; 0 by default.
    public var remoteNodes: Int

    /// Makes a policy.
    public init(localDataCenter: String? = nil, remoteNodes: Int = 0) {
        self.localDataCenter = localDataCenter
        self.remoteNodes = max(0, remoteNodes)
    }

    /// What a request is about.
    public struct Request: Sendable, Hashable {
        /// The keyspace.
        public var keyspace: String?
        /// The token of the partition; nil where it is not known or there are several.
        public var token: CQLToken?
        /// Whether it is a conditional write: those for one partition then go to the same node, so that they do not get in
        /// each other's way.
        public var isConditional: Bool

        /// Makes a description of a request.
        public init(keyspace: String? = nil, token: CQLToken? = nil, isConditional: Bool = false) {
            self.keyspace = keyspace
            self.token = token
            self.isConditional = isConditional
        }
    }

    /// The node to try first; like the first of ``plan(for:in:rotation:load:)``, without allocating.
    ///
    /// - Returns: Its place in the map; nil where no node can be used.
    public func first(
        for request: Request, in map: CQLClusterMap, rotation: UInt, load: (Int) -> Int?
    ) -> Int? {
        if let keyspace = request.keyspace, let token = request.token {
            let replicas = map.replicas(of: token, in: keyspace)
            let chosen = self.least(
                replicas.count, rotation: rotation, ignoringLoad: request.isConditional
            ) { step in
                let node = Int(replicas[replicas.startIndex + step])
                return self.isLocal(node, in: map) ? load(node).map { (node, $0) } : nil
            }
            if let chosen { return chosen }
        }
        let chosen = self.least(map.nodes.count, rotation: rotation, ignoringLoad: false) { node in
            self.isLocal(node, in: map) ? load(node).map { (node, $0) } : nil
        }
        return chosen ?? self.plan(for: request, in: map, rotation: rotation, load: load).first
    }

    /// All nodes to try, in this order.
    ///
    /// - Parameters:
    ///   - request: What it is about.
    ///   - map: The cluster.
    ///   - rotation: A number that goes up with each request.
    ///   - load: How many requests a node has in flight; nil where it cannot be used now.
    /// - Returns: Places in the map: replicas of the local data centre, its other nodes, then the allowed ones of others.
    public func plan(
        for request: Request, in map: CQLClusterMap, rotation: UInt, load: (Int) -> Int?
    ) -> [Int] {
        var plan: [Int] = []
        var candidates: [(node: Int, load: Int)] = []
        func take(limit: Int = .max, ordered: Bool) {
            if !ordered {
                let sorted = candidates.enumerated().sorted {
                    ($0.element.load, $0.offset) < ($1.element.load, $1.offset)
                }.map(\.element)
                candidates.removeAll(keepingCapacity: true)
                // The least busy first; equals take turns.
                var start = 0
                while start < sorted.count {
                    var end = start
                    while end < sorted.count, sorted[end].load == sorted[start].load { end += 1 }
                    let turn = start + Int(rotation % UInt(end - start))
                    candidates += sorted[turn..<end] + sorted[start..<turn]
                    start = end
                }
            }
            plan += candidates.prefix(limit).map(\.node)
            candidates.removeAll(keepingCapacity: true)
        }
        if let keyspace = request.keyspace, let token = request.token {
            for replica in map.replicas(of: token, in: keyspace) where self.isLocal(Int(replica), in: map) {
                if let load = load(Int(replica)) { candidates.append((Int(replica), load)) }
            }
            take(ordered: request.isConditional)
        }
        for node in map.nodes.indices where self.isLocal(node, in: map) && !plan.contains(node) {
            if let load = load(node) { candidates.append((node, load)) }
        }
        take(ordered: false)
        if self.remoteNodes > 0, self.localDataCenter != nil {
            let others = Set(map.nodes.map(\.dataCenter)).subtracting([self.localDataCenter ?? ""])
            for name in others.sorted() {
                for (node, description) in map.nodes.enumerated() where description.dataCenter == name {
                    if let load = load(node) { candidates.append((node, load)) }
                }
                take(limit: self.remoteNodes, ordered: false)
            }
        }
        return plan
    }

    private func isLocal(_ node: Int, in map: CQLClusterMap) -> Bool {
        self.localDataCenter == nil || map.nodes[node].dataCenter == self.localDataCenter
    }

    /// The least busy of `count` candidates; equals take turns. Those that cannot be used have no turn, so that theirs does
    /// not fall to a neighbour.
    private func least(
        _ count: Int, rotation: UInt, ignoringLoad: Bool, _ candidate: (Int) -> (node: Int, load: Int)?
    ) -> Int? {
        var best: (node: Int, load: Int)?
        var equals: UInt = 0
        for index in 0..<count {
            guard let next = candidate(index) else { continue }
            if ignoringLoad { return next.node }
            if let current = best, next.load >= current.load {
                if next.load == current.load { equals += 1 }
            } else {
                best = next
                equals = 1
            }
        }
        guard let best, equals > 1 else { return best?.node }
        var turn = rotation % equals
        for index in 0..<count {
            guard let next = candidate(index), next.load == best.load else { continue }
            if turn == 0 { return next.node }
            turn -= 1
        }
        // The load changed in between.
        return best.node
    }
}
