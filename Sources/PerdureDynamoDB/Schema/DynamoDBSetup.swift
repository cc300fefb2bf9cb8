/// What ``DynamoDBStore/setup(_:)`` makes of a table.
public struct DynamoDBSetup: Sendable, Hashable {
    /// Reads and writes a second that are paid for whether used or not; nil, paying for what is used, unless set. For new tables.
    public var provisionedCapacity: Capacity?
    /// Tags of the table; those that it has under other keys stay.
    public var tags: [String: String] = [:]
    /// Whether the table is protected from being deleted; left as it is unless set.
    public var isProtected: Bool?
    /// Whether the table can be restored to any moment of the last 35 days; left as it is unless set.
    public var hasPointInTimeRecovery: Bool?
    /// Whether DynamoDB removes items whose time is over; true unless set. What it has removed nobody gets back.
    public var expiresItems = true

    /// The usual: pay for what is used, no tags.
    public init() {}

    var sortedTags: [(key: String, value: String)] {
        self.tags.sorted { $0.key < $1.key }.map { (key: $0.key, value: $0.value) }
    }

    /// How many units of capacity a second.
    public struct Capacity: Sendable, Hashable {
        /// Of 4 KB read consistently.
        public var reads: Int
        /// Of 1 KB written.
        public var writes: Int

        /// Makes a capacity of its parts.
        public init(reads: Int, writes: Int) {
            self.reads = reads
            self.writes = writes
        }
    }
}
