internal import Glibc

/// How a connection waits for a lock that another process holds.
///
/// SQLite's own handler sleeps up to 100 ms between two looks, which starves a process beside one that commits batch after
/// batch: the lock is free only for moments. Short, uneven naps find such a moment soon, and no two processes stay in step.
///
/// Lives on its connection's thread.
final class LockPatience {
    private let limit: Int64
    private var start: Int64 = 0
    private var noise: UInt64

    /// Waits for at most `limit` nanoseconds at a time.
    init(limit: Int64) {
        self.limit = limit
        self.noise = UInt64(truncatingIfNeeded: Self.now) | 1
    }

    /// Takes a nap; false when the patience has run out. `count` is how often it was asked for the same lock.
    func wait(_ count: Int32) -> Bool {
        if count == 0 { self.start = Self.now }
        guard Self.now - self.start < self.limit else { return false }
        self.noise = self.noise &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        // 0.1 ms at first, 2 ms at last, plus up to as much again.
        let nap = min(100_000 * (Int64(count) / 4 + 1), 2_000_000)
        var time = timespec(tv_sec: 0, tv_nsec: Int(nap + Int64(self.noise >> 33) % nap))
        nanosleep(&time, nil)
        return true
    }

    private static var now: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
