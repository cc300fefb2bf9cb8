internal import Glibc

/// The time that an engine goes by: it can be replaced in tests, so that nothing has to wait.
///
/// `PerdureTestKit` has a clock whose hands a test moves.
public protocol PerdureClock: Sendable {
    /// Monotonic time since an origin of the clock's own; never goes backwards.
    var now: Duration { get }

    /// Wall-clock time in milliseconds since 1970, UTC; may jump.
    var unixMilliseconds: Int64 { get }

    /// Suspends until ``now`` has reached `deadline`, or the task is cancelled.
    ///
    /// - Throws: `CancellationError` when the task was cancelled before.
    func sleep(until deadline: Duration) async throws
}

extension PerdureClock {
    /// Suspends for `duration`, or until the task is cancelled.
    ///
    /// - Throws: `CancellationError` when the task was cancelled before.
    public func sleep(for duration: Duration) async throws {
        try await self.sleep(until: self.now + duration)
    }
}

/// The machine's own clock: `CLOCK_MONOTONIC`, and `CLOCK_REALTIME` as of the kernel's last tick (1 to 10 ms).
public struct SystemClock: PerdureClock {
    /// Makes the machine's clock.
    public init() {}

    public var now: Duration { Self.read(CLOCK_MONOTONIC) }

    public var unixMilliseconds: Int64 {
        var time = timespec()
        // The kernel's last tick, at most some milliseconds ago: a fifth of the price, and nothing depends on the difference.
        clock_gettime(CLOCK_REALTIME_COARSE, &time)
        return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
    }

    public func sleep(until deadline: Duration) async throws {
        let wait = deadline - self.now
        if wait > .zero { try await Task.sleep(for: wait) } else { try Task.checkCancellation() }
    }

    private static func read(_ clock: clockid_t) -> Duration {
        var time = timespec()
        clock_gettime(clock, &time)
        return Duration(
            secondsComponent: Int64(time.tv_sec), attosecondsComponent: Int64(time.tv_nsec) * 1_000_000_000)
    }
}
