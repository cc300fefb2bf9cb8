/// How requests are sent again that failed.
public struct DynamoDBRetries: Sendable, Hashable {
    /// The most times that a request is sent, the first included; 10 unless set, at least 1.
    public var maximumAttempts = 10
    /// What the pause before the second attempt is at most; it doubles with each further one. 25 ms unless set.
    public var firstPause: Duration = .milliseconds(25)
    /// The same where the service asks to be called less often; 100 ms unless set.
    public var firstPauseWhenThrottled: Duration = .milliseconds(100)
    /// No pause is longer; 5 seconds unless set.
    public var longestPause: Duration = .seconds(5)
    /// How many repetitions may be in debt: each takes one, each request that succeeds at once gives back a fifth. 100 unless set.
    ///
    /// When a service is down for everybody, a client that repeats everything keeps it down.
    public var budget = 100

    /// The usual settings.
    public init() {}
}

/// What all requests of a client may spend on repetitions, in fifths of a repetition.
struct RetryBudget {
    private let capacity: Int
    private(set) var left: Int

    init(_ settings: DynamoDBRetries) {
        self.capacity = settings.budget * 5
        self.left = self.capacity
    }

    var isFull: Bool { self.left == self.capacity }

    /// Takes what a repetition costs; false when there is not enough.
    mutating func withdraw() -> Bool {
        guard self.left >= 5 else { return false }
        self.left -= 5
        return true
    }

    /// A request succeeded: gives back what it took, or a little.
    mutating func succeeded(afterRepeating: Bool) {
        self.left = min(self.capacity, self.left + (afterRepeating ? 5 : 1))
    }
}

/// The repetitions of one request: decides after each failure whether to go on, and after which pause.
struct RetryMachine {
    enum Action: Equatable {
        case giveUp
        /// Send again after a pause of a random length up to this.
        case pause(upTo: Duration)
        /// Send again at once.
        case again
    }

    let settings: DynamoDBRetries
    let deadline: Duration
    private(set) var attempts = 1
    private(set) var mayHaveHappened = false
    private var hasNewCredentials = false
    private var hasItsTime = false

    init(_ settings: DynamoDBRetries, deadline: Duration) {
        self.settings = settings
        self.deadline = deadline
    }

    /// Decides after a failure. `isRepeatable`: whether a request that may have been carried out may be sent again.
    mutating func failed(_ failure: CallFailure, isRepeatable: Bool, now: Duration, budget: inout RetryBudget) -> Action
    {
        if failure.mayHaveHappened { self.mayHaveHappened = true }
        guard self.attempts < self.settings.maximumAttempts, now < self.deadline else { return .giveUp }
        guard isRepeatable || !failure.mayHaveHappened else { return .giveUp }
        let isSlower: Bool
        switch failure.remedy {
        case .none: return .giveUp
        case .newCredentials:
            guard !self.hasNewCredentials else { return .giveUp }
            self.hasNewCredentials = true
            self.attempts += 1
            return .again
        case .itsTime:
            guard !self.hasItsTime else { return .giveUp }
            self.hasItsTime = true
            self.attempts += 1
            return .again
        case .again: isSlower = false
        case .againSlower: isSlower = true
        }
        guard budget.withdraw() else { return .giveUp }
        let first = isSlower ? self.settings.firstPauseWhenThrottled : self.settings.firstPause
        // Beyond twenty doublings every pause is longer than the longest.
        let pause = min(first * (1 << min(self.attempts - 1, 20)), self.settings.longestPause)
        self.attempts += 1
        // A pause that ends after the deadline helps nobody.
        return .pause(upTo: min(pause, self.deadline - now))
    }
}
