internal import PerdureIO
internal import PerdureState

/// The one place where faults of the server become errors of the store.
extension StoreError {
    /// A fault of the server, or of libpq.
    init(_ fault: ServerFault, operation: Operation, fileID: StaticString = #fileID, line: UInt = #line) {
        self.init(
            fault.code, operation: operation, message: fault.words, underlying: PostgresServerError(fault),
            fileID: fileID, line: line)
    }

    /// There was no connection.
    init(
        _ refusal: Pool<StoreConnection>.Refusal, operation: Operation, persistenceID: String? = nil,
        outcome: Outcome = .notApplied, fileID: StaticString = #fileID, line: UInt = #line
    ) {
        let fault = refusal.lastFailure
        let code: Code
        let message: String
        switch refusal.reason {
        case .deadline:
            code = fault?.code ?? .timeout
            message = fault.map { "the server cannot be reached: \($0.words)" } ?? "no connection became free in time"
        case .cannotOpen:
            code = fault?.code ?? .unavailable
            message = "the server does not let us in: \(fault?.words ?? "for no reason that it told")"
        case .overloaded:
            code = .throttled
            message = "too many requests wait for a connection already"
        case .closed:
            code = .closed
            message = "the store was disconnected; call connect() to use it again"
        }
        self.init(
            code, outcome: outcome, operation: operation, persistenceID: persistenceID, message: message,
            underlying: fault.map { PostgresServerError($0) }, fileID: fileID, line: line)
    }

    /// The tables are not as they must be.
    init(
        _ finding: TableLayout.Finding, operation: Operation, fileID: StaticString = #fileID, line: UInt = #line
    ) {
        let message =
            switch finding {
            case .missing:
                "there is no table states_store in the search path; create it with setup(), or name its schema"
            case .half(let schema):
                "the tables in the schema \(schema) are set up by half: states_store has a column write_id and there is"
                    + " no table states_tombstones, or the other way round; complete them with setup()"
            case .found: "the tables are there"
            }
        self.init(.misconfigured, operation: operation, message: message, fileID: fileID, line: line)
    }

    /// The same, told as what it was once the deadline was over.
    func late(after limit: Duration) -> StoreError {
        guard self.code == .unavailable || self.code == .timeout else { return self }
        return StoreError(
            .timeout, outcome: self.outcome, operation: self.operation, persistenceID: self.persistenceID,
            message: "no answer within \(limit); the last obstacle: \(self.message)", underlying: self.underlying)
    }
}
