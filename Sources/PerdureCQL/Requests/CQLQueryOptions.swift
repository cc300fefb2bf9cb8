/// What goes with a query besides its text and values.
public struct CQLQueryOptions: Sendable, Hashable {
    /// How many replicas must agree.
    public var consistency: CQLConsistency
    /// For conditional writes: ``CQLConsistency/serial`` (the server's default) or ``CQLConsistency/localSerial``.
    public var serialConsistency: CQLConsistency?
    /// How many rows a page should have; nil for all rows at once.
    public var pageSize: Int32?
    /// Where to go on: ``CQLRows/pagingState`` of the page before, of the same query and protocol version.
    public var pagingState: [UInt8]?
    /// The timestamp of what is written, in microseconds since 1970, not negative; nil for the server's own.
    public var timestamp: Int64?
    /// The keyspace of table names that do not say theirs; needs version 5.
    public var keyspace: String?
    /// The time that expiry goes by, in seconds since 1970, for tests; needs version 5.
    public var nowInSeconds: Int32?
    /// Leaves the description of the columns out of the response: they must be known, from preparing the statement.
    public var skipsMetadata: Bool
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
    }
}
