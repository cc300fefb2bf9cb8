/// Why a request got no answer that can be used.
public enum CQLFailure: Sendable, Hashable {
    /// The server said so.
    case server(CQLServerError)
    /// The connection broke before the answer came; `wasSent` is false if not a byte of the request had left.
    case connectionLost(wasSent: Bool)
    /// No answer came in time; the request may be at work still.
    case timeout
    /// The answer could not be read.
    case unreadable(CQLProtocolError)
}

/// Whether a write that failed may have happened, or may still.
public enum CQLOutcome: Sendable, Hashable {
    /// Nothing was written and nothing will be.
    case notApplied
    /// It may have happened, or may still, on some replicas or all.
    case unknown
}

extension CQLFailure {
    /// Whether a write that failed so may have happened.
    ///
    /// In doubt it may: only where the server refuses before it begins, or where nothing was sent, it has not. A conditional
    /// write can find too few replicas twice: before it is decided, and after, when the decision is to be spread. The first
    /// names the serial consistency, the second the other one.
    ///
    /// - Parameter isConditional: Whether it is a conditional write.
    /// - Returns: Whether it may have happened.
    public func outcome(isConditional: Bool) -> CQLOutcome {
        switch self {
        case .connectionLost(let wasSent): return wasSent ? .unknown : .notApplied
        case .timeout, .unreadable: return .unknown
        case .server(let error):
            switch error.code {
            case .unavailable:
                guard isConditional else { return .notApplied }
                if case .unavailable(let consistency, _, _) = error.details, consistency.isSerial { return .notApplied }
                return .unknown
            case .isBootstrapping, .syntaxError, .unauthorized, .invalid, .configError, .alreadyExists, .unprepared,
                .badCredentials, .protocolError:
                return .notApplied
            default: return .unknown
            }
        }
    }
}
