import PerdureState

#if canImport(Synchronization)
    import Synchronization
#endif

/// A clock on which sleeping for a while means letting others run a few times, and sleeping for seconds means until cancelled.
final class HastyClock: PerdureClock {
    private let microseconds = Atomic<Int64>(0)

    var now: Duration { .microseconds(self.microseconds.load(ordering: .relaxed)) }
    var unixMilliseconds: Int64 { 1_700_000_000_000 }

    func sleep(until deadline: Duration) async throws {
        let wait = deadline - self.now
        if wait >= .seconds(1) { return try await Task.sleep(for: .seconds(3_600)) }
        let steps = min(40, max(0, wait / .microseconds(1)))
        for _ in 0..<Int(steps) {
            try Task.checkCancellation()
            await Task.yield()
        }
        self.microseconds.add(1, ordering: .relaxed)
    }
}
