/// How a keyspace spreads its copies.
public enum CQLReplication: Sendable, Hashable {
    /// So many copies, on the next nodes along the ring.
    case simple(Int)
    /// So many copies in each data centre, on as many racks as there are.
    case networkTopology([String: Int])
    /// A copy on every node.
    case everywhere
    /// Each node has its own; not routed.
    case local
    /// A strategy that this version does not know, by the name of its class; not routed.
    case unknown(String)

    /// Reads the map `replication` of `system_schema.keyspaces`.
    public init(options: [String: String]) {
        let name = options["class"] ?? ""
        switch name.split(separator: ".").last.map(String.init) ?? "" {
        case "SimpleStrategy": self = .simple(options["replication_factor"].flatMap(Self.factor) ?? 1)
        case "NetworkTopologyStrategy":
            var factors: [String: Int] = [:]
            for (dataCenter, text) in options where dataCenter != "class" {
                if let factor = Self.factor(text) { factors[dataCenter] = factor }
            }
            self = .networkTopology(factors)
        case "EverywhereStrategy": self = .everywhere
        case "LocalStrategy": self = .local
        default: self = .unknown(name)
        }
    }

    /// `3`, or `3/1` where one of the three is transient and cannot be asked.
    private static func factor(_ text: String) -> Int? {
        let parts = text.split(separator: "/", maxSplits: 1).map { Int($0) }
        guard let first = parts.first, let all = first, all >= 0 else { return nil }
        guard parts.count == 2 else { return all }
        guard let transient = parts[1], transient >= 0, transient <= all else { return nil }
        return all - transient
    }
}
