/// When a failed attempt of a step is followed by another.
///
/// The pause after attempt *n* is, by Gorkflow's formulas: linear `delay × n`, exponential `delay × 2^(n−1)`; never more than
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

    /// How many attempts may fail, the first included; at least 1. One that a crash cut off has not failed.
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

    /// One attempt and no other.
    public static let none = RetryPolicy(maximumAttempts: 1, backoff: .none)

    /// So many attempts, one after the other without a pause.
    public static func immediate(
        attempts: Int, retrying isRetryable: (@Sendable (any Error) -> Bool)? = nil
    ) -> RetryPolicy {
        RetryPolicy(maximumAttempts: attempts, backoff: .none, isRetryable: isRetryable)
    }

    /// So many attempts, with pauses of once, twice, three times the delay.
    public static func linear(
        attempts: Int, delay: Duration = .seconds(1), maximumDelay: Duration = .seconds(60), jitter: Double = 0.1,
        retrying isRetryable: (@Sendable (any Error) -> Bool)? = nil
    ) -> RetryPolicy {
        RetryPolicy(
            maximumAttempts: attempts, backoff: .linear, delay: delay, maximumDelay: maximumDelay, jitter: jitter,
            isRetryable: isRetryable)
    }

    /// So many attempts, with pauses of the delay, twice, four times, eight times as long.
    public static func exponential(
        attempts: Int, delay: Duration = .seconds(1), maximumDelay: Duration = .seconds(60), jitter: Double = 0.1,
        retrying isRetryable: (@Sendable (any Error) -> Bool)? = nil
    ) -> RetryPolicy {
        RetryPolicy(
            maximumAttempts: attempts, backoff: .exponential, delay: delay, maximumDelay: maximumDelay, jitter: jitter,
            isRetryable: isRetryable)
    }

    /// How long to wait after an attempt has failed, before the next one.
    ///
    /// Never negative and never more than ``maximumDelay``, whatever the numbers are: nothing overflows.
    ///
    /// - Parameters:
    ///   - attempt: the number of the attempt that failed, from 1.
    ///   - random: a number from 0 up to 1 that chance gave: the share of the jitter that is taken off.
    /// - Returns: the pause.
    public func pause(afterAttempt attempt: Int, random: Double) -> Duration {
        let attempt = max(attempt, 1)
        let factor: Double
        switch self.backoff {
        case .none: return .zero
        case .linear: factor = Double(attempt)
        // 2^1023 is the largest power that a Double has; the cap is far below it.
        case .exponential: factor = Double(sign: .plus, exponent: min(attempt - 1, 1_023), significand: 1)
        }
        let longest = max(self.maximumDelay.nanoseconds, 0)
        let whole = min(max(self.delay.nanoseconds, 0) * factor, longest)
        let share = Self.share(self.jitter) * Self.share(random)
        return .nanoseconds(Int64(min(whole * (1 - share), Self.mostNanoseconds)))
    }

    /// Some 292 years, and still an `Int64`.
    private static let mostNanoseconds = 9_223_372_036_000_000_000.0

    /// A number brought between 0 and 1; 0 where it is none.
    private static func share(_ number: Double) -> Double { number.isNaN ? 0 : min(max(number, 0), 1) }
}

extension Duration {
    /// Exact up to 104 days.
    fileprivate var nanoseconds: Double {
        Double(self.components.seconds) * 1e9 + Double(self.components.attoseconds) / 1e9
    }
}
