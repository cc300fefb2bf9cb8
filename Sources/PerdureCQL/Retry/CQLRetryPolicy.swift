/// Decides whether a request that failed is tried again, by the kind of failure and by what a second try can do.
///
/// A request is tried again where the first try did nothing, or where doing it twice is as good as doing it once (the
/// caller says so: ``Request/isIdempotent``). A conditional write that may have happened is never tried again here: what
/// became of it can only be told by whoever knows its condition.
public struct CQLRetryPolicy: Sendable, Hashable {
    /// How often a request is tried, the first time included; at least 1.
    public var attempts: Int

    /// Makes a policy; by default a request is tried three times at most.
    public init(attempts: Int = 3) { self.attempts = max(1, attempts) }

    /// What the policy needs to know of a request.
    public struct Request: Sendable, Hashable {
        /// Whether doing it twice is as good as once: reads, and writes with fixed values and timestamps.
        public var isIdempotent: Bool
        /// Whether it is a conditional write.
        public var isConditional: Bool

        /// Makes a description of a request.
        public init(isIdempotent: Bool, isConditional: Bool = false) {
            self.isIdempotent = isIdempotent
            self.isConditional = isConditional
        }
    }

    /// What to do about a failure.
    public enum Decision: Sendable, Hashable {
        /// Try again at the same node.
        case retrySameNode
        /// Try again at the next node of the plan.
        case retryNextNode
        /// Prepare the statement again at this node, then try again; does not count as a try.
        case prepareAndRetry
        /// Give up.
        case fail
    }

    /// Decides.
    ///
    /// - Parameters:
    ///   - failure: What happened.
    ///   - request: What it happened to.
    ///   - attempt: How many tries there were, this one included.
    /// - Returns: What to do.
    public func decision(_ failure: CQLFailure, _ request: Request, attempt: Int) -> Decision {
        if case .server(let error) = failure, error.code == .unprepared { return .prepareAndRetry }
        guard attempt < self.attempts else { return .fail }
        // What did nothing can be done again whatever it is.
        let mayRepeat = request.isIdempotent && !request.isConditional
        switch failure {
        case .connectionLost(wasSent: false): return .retryNextNode
        case .connectionLost: return mayRepeat ? .retryNextNode : .fail
        case .timeout, .unreadable: return .fail
        case .server(let error):
            let didNothing = failure.outcome(isConditional: request.isConditional) == .notApplied
            return self.decision(error, mayRepeat: mayRepeat, didNothing: didNothing, attempt: attempt)
        }
    }

    private func decision(
        _ error: CQLServerError, mayRepeat: Bool, didNothing: Bool, attempt: Int
    ) -> Decision {
        switch error.code {
        case .isBootstrapping: return .retryNextNode
        case .unavailable:
            // Once: another coordinator may see more replicas; a third would hardly.
            return attempt == 1 && didNothing ? .retryNextNode : .fail
        case .readTimeout:
            // Enough replicas answered, and only the one with the data did not: the coordinator now asks another.
            if case .readTimeout(_, let received, let required, dataPresent: false) = error.details,
                received >= required
            {
                return mayRepeat && attempt == 1 ? .retrySameNode : .fail
            }
            return .fail
        case .writeTimeout:
            guard mayRepeat, attempt == 1, case .writeTimeout(_, _, _, let type, _) = error.details else {
                return .fail
            }
            switch type {
            case .batchLog, .simple, .unloggedBatch: return .retrySameNode
            default: return .fail
            }
        case .overloaded, .serverError, .truncateError: return mayRepeat ? .retryNextNode : .fail
        default: return .fail
        }
    }
}
