/// When a failed attempt of a step is followed by another.
///
/// The pause before attempt *n* + 1 is, by Gorkflow's formulas: linear `delay × n`, exponential `delay × 2^(n−1)`; never more than
/// ``maximumDelay``, and jittered: a random share of up to ``jitter`` is taken off.
public struct RetryPolicy: Sendable {
    /// How pauses grow.
    public enum Backoff: String, Sendable, Hashable {
        /// No pause.
        case none
        /// The delay times the number of the attempt.
        case linear
        /// The delay, doubled with each attempt.
        case exponential
    }

    /// How many attempts there are at most, the first included; at least 1.
    public var maximumAttempts: Int
    /// How pauses grow.
    public var backoff: Backoff
    /// The first pause.
    public var delay: Duration
    /// The longest pause.
    public var maximumDelay: Duration
    /// The share of a pause that is left to chance, 0 to 1.
    public var jitter: Double
    /// Whether an error is worth another attempt; nil for all. Validation and cancellation are never tried again.
    public var isRetryable: (@Sendable (any Error) -> Bool)?

    /// Makes a policy.
    public init(
        maximumAttempts: Int, backoff: Backoff, delay: Duration = .seconds(1), maximumDelay: Duration = .seconds(60),
        jitter: Double = 0.1, isRetryable: (@Sendable (any Error) -> Bool)? = nil
    ) {
        self.maximumAttempts = maximumAttempts
        self.backoff = backoff
        self.delay = delay
        self.maximumDelay = maximumDelay
        self.jitter = jitter
        self.isRetryable = isRetryable
    }
}
