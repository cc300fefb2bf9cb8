/// What is known of a cluster: its nodes, whether they are up, and which of them hold a partition.
///
/// Fed by whoever holds the control connection: with the rows of ``CQLNode/localQuery`` and ``CQLNode/peersQuery`` by
/// ``refresh(local:peers:)``, those of ``CQLNode/keyspacesQuery`` by ``setReplication(_:of:)``, and with events by
/// ``apply(_:)``. Nodes are known by their places in ``nodes``, which may change with every refresh; across
/// refreshes use their IDs.
public struct CQLClusterMap: Sendable {
    /// The nodes, ordered by ID.
    public private(set) var nodes: [CQLNode] = []
    /// Whether each is up, as far as the cluster or a connection said.
    public private(set) var isUp: [Bool] = []
    private var replication: [String: CQLReplication] = [:]
    private var ring = CQLTokenRing([])
    private var maps: [String: CQLReplicaMap] = [:]

    /// Makes an empty map.
    public init() {}

    /// What a refresh changed.
    public enum Change: Sendable, Hashable {
        /// A node that was not there: connect to it.
        case added(CQLNode)
        /// A node that is no more: close what leads to it.
        case removed(CQLNode)
        /// A node that moved to another address: connect anew.
        case readdressed(from: CQLNode, to: CQLNode)
    }

    /// Takes in all nodes, as one node sees them.
    ///
    /// Nodes that were known keep their state; new ones count as up until told otherwise. The node `local` is up: it
    /// answered.
    ///
    /// - Returns: What is different now, in the order of the IDs.
    public mutating func refresh(local: CQLNode, peers: [CQLNode]) -> [Change] {
        var new: [CQLUUID: CQLNode] = [:]
        for peer in peers { new[peer.hostID] = peer }
        new[local.hostID] = local
        var old: [CQLUUID: (node: CQLNode, isUp: Bool)] = [:]
        for (index, node) in self.nodes.enumerated() { old[node.hostID] = (node, self.isUp[index]) }

        var changes: [(id: CQLUUID, change: Change)] = []
        for (id, node) in new {
            if let before = old[id]?.node {
                if before.endpoint != node.endpoint { changes.append((id, .readdressed(from: before, to: node))) }
            } else {
                changes.append((id, .added(node)))
            }
        }
        for (id, entry) in old where new[id] == nil { changes.append((id, .removed(entry.node))) }

        let before = self.nodes
        self.nodes = new.values.sorted { $0.hostID < $1.hostID }
        self.isUp = self.nodes.map { $0.hostID == local.hostID || old[$0.hostID]?.isUp ?? true }
        if self.nodes != before {
            self.ring = CQLTokenRing(
                self.nodes.map {
                    CQLTokenRing.Member(dataCenter: $0.dataCenter, rack: $0.rack, tokens: $0.tokens)
                })
            self.maps = self.replication.mapValues { self.ring.replicas($0) }
        }
        return changes.sorted { $0.id < $1.id }.map(\.change)
    }

    /// Takes in how a keyspace spreads its copies; nil where it is no more.
    public mutating func setReplication(_ replication: CQLReplication?, of keyspace: String) {
        guard self.replication[keyspace] != replication else { return }
        self.replication[keyspace] = replication
        self.maps[keyspace] = replication.map { self.ring.replicas($0) }
    }

    /// The places in ``nodes`` of those that hold a partition; empty where the keyspace is not known or not routed.
    public func replicas(of token: CQLToken, in keyspace: String) -> ArraySlice<Int32> {
        self.maps[keyspace]?.replicas(of: token) ?? []
    }

    /// Where in ``nodes`` the node with an ID is.
    public func place(of hostID: CQLUUID) -> Int? { self.nodes.firstIndex { $0.hostID == hostID } }

    /// What an event asks for.
    public enum Reaction: Sendable, Hashable {
        /// Nothing.
        case none
        /// Read the nodes again, after a second: the event comes before the node answers.
        case refreshNodes
        /// Read the replication of a keyspace again, or of all.
        case refreshKeyspace(String?)
        /// A node is up again: connect to it now rather than at the next try.
        case reconnect(CQLNode)
        /// A node is said to be down. Connections that work go on: the cluster may be wrong about it.
        case down(CQLNode)
    }

    /// Takes in an event.
    ///
    /// - Returns: What to do now.
    public mutating func apply(_ event: CQLEvent) -> Reaction {
        switch event {
        case .nodeAdded, .nodeRemoved, .nodeMoved: return .refreshNodes
        case .nodeUp(let endpoint):
            guard let index = self.nodes.firstIndex(where: { $0.endpoint == endpoint }) else { return .refreshNodes }
            self.isUp[index] = true
            return .reconnect(self.nodes[index])
        case .nodeDown(let endpoint):
            guard let index = self.nodes.firstIndex(where: { $0.endpoint == endpoint }) else { return .none }
            self.isUp[index] = false
            return .down(self.nodes[index])
        case .schemaChange(let change):
            switch change.target {
            case .keyspace(let name): return .refreshKeyspace(name)
            case .unknown: return .refreshKeyspace(nil)
            case .table, .type, .function, .aggregate: return .none
            }
        case .unknown: return .none
        }
    }

    /// Takes in what a connection showed: that a node answers, or that it cannot be reached.
    public mutating func setUp(_ isUp: Bool, _ hostID: CQLUUID) {
        if let index = self.place(of: hostID) { self.isUp[index] = isUp }
    }

    /// Whether all nodes that are up have the same version of the schema.
    public var schemaAgrees: Bool {
        var versions: Set<CQLUUID?> = []
        for (node, isUp) in zip(self.nodes, self.isUp) where isUp { versions.insert(node.schemaVersion) }
        return versions.count <= 1
    }
}
