import PerdureWorkflow
import Testing

@Suite("Retry policies")
struct RetryPolicyTests {
    @Test("linear pauses are the delay times the attempt")
    func linear() {
        let policy = RetryPolicy.linear(attempts: 9, delay: .milliseconds(1_500), maximumDelay: .seconds(60))
        #expect(Self.pauses(of: policy) == [1.5, 3, 4.5, 6, 7.5].map { .seconds($0) })
    }

    @Test("exponential pauses double")
    func exponential() {
        let policy = RetryPolicy.exponential(attempts: 9, delay: .milliseconds(250), maximumDelay: .seconds(3))
        #expect(Self.pauses(of: policy) == [0.25, 0.5, 1, 2, 3].map { .seconds($0) })
    }

    @Test("without back-off there is no pause, whatever the delay")
    func immediate() {
        #expect(Self.pauses(of: .immediate(attempts: 9)) == Array(repeating: .zero, count: 5))
        #expect(RetryPolicy.none.maximumAttempts == 1)
        #expect(RetryPolicy.none.pause(afterAttempt: 1, random: 0.5) == .zero)
    }

    @Test("the makers set what they say, and the rest by default")
    func makers() {
        let linear = RetryPolicy.linear(attempts: 4)
        #expect(linear.maximumAttempts == 4 && linear.backoff == .linear && linear.delay == .seconds(1))
        #expect(linear.maximumDelay == .seconds(60) && linear.jitter == 0.1 && linear.isRetryable == nil)
        let exponential = RetryPolicy.exponential(
            attempts: 7, delay: .seconds(2), maximumDelay: .seconds(9), jitter: 0.5,
            retrying: { $0 is CancellationError })
        #expect(exponential.maximumAttempts == 7 && exponential.backoff == .exponential)
        #expect(exponential.delay == .seconds(2) && exponential.maximumDelay == .seconds(9))
        #expect(exponential.jitter == 0.5 && exponential.isRetryable?(CancellationError()) == true)
    }

    @Test(
        "nothing overflows: the pause is the longest one", arguments: [34, 35, 36, 63, 64, 65, 1_000, 5_000, Int.max])
    func manyAttempts(attempt: Int) {
        let exponential = RetryPolicy.exponential(attempts: .max, maximumDelay: .seconds(3600))
        #expect(exponential.pause(afterAttempt: attempt, random: 0) == .seconds(3600))
        let linear = RetryPolicy.linear(attempts: .max, delay: .seconds(1_000), maximumDelay: .seconds(3600))
        #expect(linear.pause(afterAttempt: attempt, random: 0) == .seconds(3600))
    }

    @Test("attempt 35 is right where it is not capped")
    func attempt35() {
        let policy = RetryPolicy.exponential(
            attempts: .max, delay: .milliseconds(1), maximumDelay: .seconds(100 * 365 * 24 * 3600), jitter: 0)
        #expect(policy.pause(afterAttempt: 35, random: 0) == .milliseconds(1 << 34))
    }

    @Test("jitter takes off a share that chance says")
    func jitter() {
        let policy = RetryPolicy.linear(attempts: 3, delay: .seconds(10), jitter: 0.2)
        #expect(policy.pause(afterAttempt: 1, random: 0) == .seconds(10))
        #expect(policy.pause(afterAttempt: 1, random: 0.5) == .seconds(9))
        #expect(policy.pause(afterAttempt: 1, random: 1) == .seconds(8))
    }

    @Test("a pause is between nothing and the longest, whatever the numbers are")
    func bounds() {
        let durations: [Duration] = [
            .seconds(-5), .zero, .nanoseconds(1), .milliseconds(1), .seconds(60), .seconds(Int64.max),
            .seconds(Int64.min),
        ]
        let numbers: [Double] = [-.infinity, -1, 0, 0.5, 1, 2, .infinity, .nan]
        for backoff in [RetryPolicy.Backoff.none, .linear, .exponential] {
            for delay in durations {
                for longest in durations {
                    for jitter in numbers {
                        for random in numbers {
                            for attempt in [Int.min, 0, 1, 35, 1_000, Int.max] {
                                let policy = RetryPolicy(
                                    maximumAttempts: 3, backoff: backoff, delay: delay, maximumDelay: longest,
                                    jitter: jitter)
                                let pause = policy.pause(afterAttempt: attempt, random: random)
                                if pause < .zero || pause > max(longest, .zero) {
                                    Issue.record("\(pause) for \(policy), \(attempt), \(random)")
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    /// The first five pauses without jitter.
    private static func pauses(of policy: RetryPolicy) -> [Duration] {
        (1...5).map { policy.pause(afterAttempt: $0, random: 0) }
    }
}
