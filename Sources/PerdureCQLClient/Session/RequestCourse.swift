internal import PerdureCQL

/// What becomes of one request over its tries: where to try next, when to give up, and whether it may have happened.
///
/// A plain value: told of what happened, it says what to do. Several tries may be under way at once (speculation); the first
/// answer that can be used ends them all.
struct RequestCourse: Sendable {
    /// What to do now.
    enum Action: Sendable, Hashable {
        /// Try again at the same node.
        case retrySameNode
        /// Try at a node that was not tried yet; tell ``RequestCourse/noNodeLeft()`` if there is none.
        case retryNextNode
        /// Another try is under way: wait for it.
        case wait
        /// Give up, with this failure.
        case fail(CQLFailure)
    }

    let policy: CQLRetryPolicy
    let isIdempotent: Bool
    let isConditional: Bool
    /// Requests that only read have changed nothing, whatever happened.
    let isRead: Bool
    /// How many tries there were.
    private(set) var tries = 0
    /// How many of them are unanswered.
    private(set) var underWay = 0
    /// Whether a try that failed may have happened all the same. Once it may, no later refusal changes that.
    private(set) var mayHaveHappened = false
    private var preparations = 0
    private var lastFailure: CQLFailure?

    /// A node that forgets what it was just told does so for ever.
    private static var maximumPreparations: Int { 3 }

    init(policy: CQLRetryPolicy, isIdempotent: Bool, isConditional: Bool, isRead: Bool) {
        self.policy = policy
        self.isIdempotent = isIdempotent
        self.isConditional = isConditional
        self.isRead = isRead
    }

    /// Whether a second node may be asked while the first has not answered.
    var maySpeculate: Bool { self.isIdempotent && !self.isConditional }

    /// A try begins.
    mutating func began() {
        self.tries += 1
        self.underWay += 1
    }

    /// A try was called off before anything of it left: it does not count.
    mutating func calledOff() {
        self.tries -= 1
        self.underWay -= 1
    }

    /// A node does not know the statement.
    ///
    /// - Returns: Whether to prepare it there, and try again; if not, tell ``failed(_:)``.
    mutating func forgotten() -> Bool {
        self.preparations += 1
        return self.preparations <= Self.maximumPreparations
    }

    /// A try failed.
    mutating func failed(_ failure: CQLFailure) -> Action {
        self.underWay -= 1
        if failure.outcome(isConditional: self.isConditional) == .unknown { self.mayHaveHappened = true }
        self.lastFailure = failure
        let request = CQLRetryPolicy.Request(isIdempotent: self.isIdempotent, isConditional: self.isConditional)
        switch self.policy.decision(failure, request, attempt: self.tries) {
        case .retrySameNode: return .retrySameNode
        case .retryNextNode: return self.underWay > 0 ? .wait : .retryNextNode
        // Nodes were given their chance to learn it.
        case .prepareAndRetry, .fail: return self.underWay > 0 && !self.isFinal(failure) ? .wait : .fail(failure)
        }
    }

    /// Whether no try has been at work anywhere, so that the request is as if it had just come.
    var hasNothingSent: Bool {
        guard self.underWay == 0, case .connectionLost(wasSent: false)? = self.lastFailure else { return false }
        return !self.mayHaveHappened
    }

    /// There is no node for the try that was asked for.
    mutating func noNodeLeft() -> Action {
        self.underWay > 0 ? .wait : .fail(self.lastFailure ?? .connectionLost(wasSent: false))
    }

    /// The time is over, or nobody waits any more: tries under way may have happened, or may still.
    ///
    /// - Parameter anySent: Whether anything of them has left.
    mutating func ended(anySent: Bool) {
        if anySent { self.mayHaveHappened = true }
    }

    /// Whether the request may have changed something.
    var outcome: CQLOutcome { self.mayHaveHappened && !self.isRead ? .unknown : .notApplied }

    /// Whether every node would say the same.
    private func isFinal(_ failure: CQLFailure) -> Bool {
        guard case .server(let error) = failure else { return false }
        switch error.code {
        case .syntaxError, .invalid, .unauthorized, .configError, .alreadyExists, .badCredentials: return true
        default: return false
        }
    }
}
