public import PerdureCQL

/// How one request is to be done; what is nil comes from the client's configuration.
public struct CQLExecutionOptions: Sendable, Hashable {
    /// How many replicas must agree.
    public var consistency: CQLConsistency?
    /// For conditional writes: ``CQLConsistency/serial`` or ``CQLConsistency/localSerial``.
    public var serialConsistency: CQLConsistency?
    /// How long it may take, waiting and trying again included.
    public var timeout: Duration?
    /// Whether doing it twice is as good as once, so that it may be tried again after it may have happened; nil: where it reads.
    public var isIdempotent: Bool?
    /// How many rows a page should have; nil for all rows at once.
    public var pageSize: Int32?
    /// Where to go on: ``CQLResult/pagingState`` of the page before.
    public var pagingState: [UInt8]?
    /// The timestamp of what is written, in microseconds since 1970, not negative; nil for the server's own.
    public var timestamp: Int64?
    /// Whether cancelling the caller's task ends the wait. What was sent goes on: of a write the outcome is then unknown.
    public var endsOnCancellation: Bool
    /// Whether it is refused when the caller's task is cancelled already; false for what must be seen to its end.
    public var heedsCancellation = true
    /// Asks the server to trace the request; see ``CQLResult/tracingID``.
    public var isTraced: Bool

    /// Makes options.
    public init(
        consistency: CQLConsistency? = nil, serialConsistency: CQLConsistency? = nil, timeout: Duration? = nil,
        isIdempotent: Bool? = nil, pageSize: Int32? = nil, pagingState: [UInt8]? = nil, timestamp: Int64? = nil,
        endsOnCancellation: Bool = false, isTraced: Bool = false
    ) {
        self.consistency = consistency
        self.serialConsistency = serialConsistency
        self.timeout = timeout
        self.isIdempotent = isIdempotent
        self.pageSize = pageSize
        self.pagingState = pagingState
        self.timestamp = timestamp
        self.endsOnCancellation = endsOnCancellation
        self.isTraced = isTraced
    }
}

extension CQLExecutionOptions {
    /// With the client's own settings where nothing is said.
    func resolved(_ configuration: CQLClientConfiguration) -> CQLQueryOptions {
        CQLQueryOptions(
            consistency: self.consistency ?? configuration.consistency,
            serialConsistency: self.serialConsistency ?? configuration.serialConsistency, pageSize: self.pageSize,
            pagingState: self.pagingState, timestamp: self.timestamp, isTraced: self.isTraced)
    }
}
