internal import PerdureCQLClient
internal import PerdureModel

/// The one place where the driver's errors become errors of the contract.
extension CQLClientError {
    /// The error of the contract: its code, its outcome, and a sentence about what to do.
    func storeError(
        _ operation: StoreError.Operation, of id: String? = nil, mayHaveHappened: Bool = false,
        fileID: StaticString = #fileID, line: UInt = #line
    ) -> StoreError {
        let (code, advice) = self.verdict
        let isChange = operation == .write || operation == .delete
        // What setup sends holds names and no values, so the server's words about it may be said.
        let words = operation == .setup ? self.serverError.map { "; the server says: \($0.message)" } ?? "" : ""
        return StoreError(
            code, outcome: isChange && (self.outcome == .unknown || mayHaveHappened) ? .unknown : .notApplied,
            operation: operation, persistenceID: id, message: "\(advice) [\(self.message)]\(words)",
            underlying: self,
            fileID: fileID, line: line)
    }

    /// Whether the same request may succeed a moment later.
    var isTransient: Bool {
        switch self.code {
        case .unreachable, .timeout, .connectionLost, .overloaded, .unreadable: true
        case .server:
            switch self.serverError?.code {
            case .unavailable?, .overloaded?, .isBootstrapping?, .serverError?, .truncateError?, .writeTimeout?,
                .readTimeout?, .readFailure?, .writeFailure?, .casWriteUnknown?, .unprepared?:
                true
            default: false
            }
        default: false
        }
    }

    /// Whether a node says that it knows no such table, or keyspace.
    var isAboutUnknownTable: Bool { self.serverError?.isAboutUnknownTable ?? false }

    private var verdict: (StoreError.Code, String) {
        switch self.code {
        case .misconfigured: (.misconfigured, "the settings of the store cannot be used")
        case .unreachable:
            (.unavailable, "no node of the cluster can be reached; see that contact points, port and TLS are right")
        case .forbidden:
            (.forbidden, "the cluster does not let us in; see that user, password and certificates are right")
        case .timeout: (.timeout, "no answer from the cluster in time; try again, or allow more time")
        case .connectionLost: (.unavailable, "the connection was lost; try again")
        case .overloaded: (.throttled, "too many requests wait already; ask less often")
        case .closed: (.closed, "the store was disconnected; call connect() to use it again")
        case .cancelled: (.cancelled, "the caller's task was cancelled")
        case .schemaDisagreement: (.unavailable, "the nodes do not agree about the schema; try again when all are up")
        case .unreadable: (.unavailable, "an answer of the cluster cannot be read; try again")
        case .server: self.serverError?.verdict ?? (.internalError, "the cluster failed")
        default: (.internalError, "the request cannot be made, which it should; please report it")
        }
    }
}

extension CQLServerError {
    fileprivate var isAboutUnknownTable: Bool {
        guard self.code == .invalid || self.code == .configError else { return false }
        return ["unconfigured table", "does not exist", "doesn't exist", "unknown keyspace"].contains {
            self.message.lowercased().contains($0)
        }
    }

    fileprivate var verdict: (StoreError.Code, String) {
        switch self.code {
        case .unavailable:
            (.unavailable, "too few replicas are up for the consistency that is asked for; try again when more are")
        case .isBootstrapping: (.unavailable, "the node is just joining; try again")
        case .overloaded: (.throttled, "the cluster has too much to do; ask less often")
        case .writeTimeout, .readTimeout, .casWriteUnknown:
            (.timeout, "too few replicas answered in time; try again")
        case .readFailure, .writeFailure, .serverError, .truncateError, .functionFailure, .cdcWriteFailure, .unprepared:
            (.unavailable, "the cluster failed; try again, and see the nodes' logs")
        case .unauthorized: (.forbidden, "the role has no right to do this; grant it SELECT and MODIFY on the tables")
        case .badCredentials: (.forbidden, "user or password are wrong")
        case .invalid where self.isAboutUnknownTable, .configError where self.isAboutUnknownTable:
            (.misconfigured, "the keyspace or a table is missing; name another, or call setup()")
        case .invalid where self.message.contains("Mutation of"):
            (.payloadTooLarge, "the row is larger than the cluster takes; make the state smaller")
        case .invalid, .configError:
            (.misconfigured, "the cluster does not accept the request; see that the tables and consistencies fit it")
        default: (.internalError, "the cluster refused the request in a way that is not known here; please report it")
        }
    }
}
