/// How many replicas must agree before an operation counts as done.
public struct CQLConsistency: RawRepresentable, Sendable, Hashable {
    /// The number on the wire.
    public let rawValue: UInt16

    /// Makes a level from the number on the wire, known or not.
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// A hint suffices; for writes only.
    public static let any = CQLConsistency(rawValue: 0)
    /// One replica.
    public static let one = CQLConsistency(rawValue: 1)
    /// Two replicas.
    public static let two = CQLConsistency(rawValue: 2)
    /// Three replicas.
    public static let three = CQLConsistency(rawValue: 3)
    /// More than half of all replicas.
    public static let quorum = CQLConsistency(rawValue: 4)
    /// Every replica.
    public static let all = CQLConsistency(rawValue: 5)
    /// More than half of the replicas in the coordinator's data centre.
    public static let localQuorum = CQLConsistency(rawValue: 6)
    /// More than half of the replicas in each data centre.
    public static let eachQuorum = CQLConsistency(rawValue: 7)
    /// Linearizable, across data centres: for conditional writes and the reads that go with them.
    public static let serial = CQLConsistency(rawValue: 8)
    /// Linearizable within the coordinator's data centre.
    public static let localSerial = CQLConsistency(rawValue: 9)
    /// One replica in the coordinator's data centre.
    public static let localOne = CQLConsistency(rawValue: 10)

    /// Whether this is ``serial`` or ``localSerial``: the two that may be a serial consistency.
    public var isSerial: Bool { self == .serial || self == .localSerial }

    private static let names = [
        "any", "one", "two", "three", "quorum", "all", "local_quorum", "each_quorum", "serial", "local_serial",
        "local_one",
    ]

    /// Finds a level by its name, in any case: `local_quorum`, `LOCAL_QUORUM`.
    public init?(name: String) {
        guard let index = Self.names.firstIndex(of: name.lowercased()) else { return nil }
        self.init(rawValue: UInt16(index))
    }
}

extension CQLConsistency: CustomStringConvertible {
    /// The level's name in lower case, as in `local_quorum`.
    public var description: String {
        Int(self.rawValue) < Self.names.count ? Self.names[Int(self.rawValue)] : "consistency \(self.rawValue)"
    }
}
