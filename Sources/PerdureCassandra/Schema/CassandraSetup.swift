/// What ``CassandraStore/setup(_:)`` makes.
public struct CassandraSetup: Sendable, Hashable {
    /// How a new keyspace is copied; a keyspace that is there stays as it is.
    public var replication = Replication.automatic
    /// The key of a new table.
    public var key = Key.persistenceID

    /// The usual: eGo's key, three copies or as many as there are nodes.
    public init() {}

    /// How many copies there are of everything, and where.
    public enum Replication: Sendable, Hashable {
        /// Three in each data centre, or as many as the one with the fewest nodes has.
        case automatic
        /// So many in each data centre.
        case copies(Int)
        /// So many in the data centres that are named.
        case dataCenters([String: Int])
    }

    /// The key of a table of states.
    public enum Key: Sendable, Hashable {
        /// `PRIMARY KEY (persistence_id)`, which eGo reads.
        case persistenceID
        /// `PRIMARY KEY (shard_number, persistence_id)`, for programs that go through states by shard.
        case shard
    }

    /// The setting that breaks a rule, in words, or nil.
    var violation: String? {
        let counts: [Int] =
            switch self.replication {
            case .automatic: [1]
            case .copies(let count): [count]
            case .dataCenters(let counts): Array(counts.values)
            }
        if counts.isEmpty || counts.contains(where: { !(1...100).contains($0) }) {
            return "there must be 1 to 100 copies in at least one data centre"
        }
        if case .dataCenters(let counts) = self.replication, counts.keys.contains(where: { $0.utf8.contains(0) }) {
            return "the name of a data centre contains NUL (U+0000)"
        }
        return nil
    }
}
