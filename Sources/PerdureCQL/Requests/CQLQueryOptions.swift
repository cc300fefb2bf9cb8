/// What goes with a query besides its text and values.
public struct CQLQueryOptions: Sendable, Hashable {
    /// How many replicas must agree.
    public var consistency: CQLConsistency
    /// For conditional writes: ``CQLConsistency/serial`` (the server's default) or ``CQLConsistency/localSerial``.
    public var serialConsistency: CQLConsistency? {
        didSet { self.flags.set(.serial, self.serialConsistency != nil) }
    }
    /// How many rows a page should have; nil for all rows at once.
    public var pageSize: Int32? {
        didSet { self.flags.set(.pageSize, self.pageSize != nil) }
    }
    /// Where to go on: ``CQLRows/pagingState`` of the page before, of the same query and protocol version.
    public var pagingState: [UInt8]? {
        didSet { self.flags.set(.pagingState, self.pagingState != nil) }
    }
    /// The timestamp of what is written, in microseconds since 1970, not negative; nil for the server's own.
    public var timestamp: Int64? {
        didSet { self.flags.set(.timestamp, self.timestamp != nil) }
    }
    /// The keyspace of table names that do not say theirs; needs version 5.
    public var keyspace: String? {
        didSet { self.flags.set(.keyspace, self.keyspace != nil) }
    }
    /// The time that expiry goes by, in seconds since 1970, for tests; needs version 5.
    public var nowInSeconds: Int32? {
        didSet { self.flags.set(.nowInSeconds, self.nowInSeconds != nil) }
    }
    /// Leaves the description of the columns out of the response: they must be known, from preparing the statement.
    public var skipsMetadata: Bool {
        didSet { self.flags.set(.skipsMetadata, self.skipsMetadata) }
    }
    /// Asks the server to trace the request.
    public var isTraced: Bool

    /// Makes options.
    public init(
        consistency: CQLConsistency = .localOne, serialConsistency: CQLConsistency? = nil, pageSize: Int32? = nil,
        pagingState: [UInt8]? = nil, timestamp: Int64? = nil, keyspace: String? = nil, nowInSeconds: Int32? = nil,
        skipsMetadata: Bool = false, isTraced: Bool = false
    ) {
        self.consistency = consistency
        self.serialConsistency = serialConsistency
        self.pageSize = pageSize
        self.pagingState = pagingState
        self.timestamp = timestamp
        self.keyspace = keyspace
        self.nowInSeconds = nowInSeconds
        self.skipsMetadata = skipsMetadata
        self.isTraced = isTraced
        self.flags.set(.serial, serialConsistency != nil)
        self.flags.set(.pageSize, pageSize != nil)
        self.flags.set(.pagingState, pagingState != nil)
        self.flags.set(.timestamp, timestamp != nil)
        self.flags.set(.keyspace, keyspace != nil)
        self.flags.set(.nowInSeconds, nowInSeconds != nil)
        self.flags.set(.skipsMetadata, skipsMetadata)
    }

    /// Which options are set, as on the wire: kept with each change, so that writing a request looks at those only.
    private(set) var flags = Flags()

    struct Flags: OptionSet, Sendable, Hashable {
        var rawValue: UInt32 = 0
        static let values = Flags(rawValue: 0x01)
        static let skipsMetadata = Flags(rawValue: 0x02)
        static let pageSize = Flags(rawValue: 0x04)
        static let pagingState = Flags(rawValue: 0x08)
        static let serial = Flags(rawValue: 0x10)
        static let timestamp = Flags(rawValue: 0x20)
        static let names = Flags(rawValue: 0x40)
        static let keyspace = Flags(rawValue: 0x80)
        static let nowInSeconds = Flags(rawValue: 0x100)
        /// What a batch can have.
        static let ofBatch: Flags = [.serial, .timestamp, .keyspace, .nowInSeconds]
        /// What version 4 knows.
        static let ofV4 = Flags(rawValue: 0x7F)

        mutating func set(_ flag: Flags, _ isSet: Bool) {
            if isSet { self.insert(flag) } else { self.remove(flag) }
        }
    }
}
