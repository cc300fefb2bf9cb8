/// How long to wait before connecting again: longer after each failure, with chance, up to a limit.
///
/// ```swift
/// var backoff = CQLBackoff()
/// while true {
///     do {
///         try await connect()
///         backoff.reset()
///         await serve()                       // until the connection is lost
///     } catch {
///         try await clock.sleep(for: backoff.next())
///     }
/// }
/// ```
public struct CQLBackoff: Sendable, Hashable {
    /// The wait after the first failure, before chance.
    public let base: Duration
    /// The longest wait.
    public let limit: Duration
    /// How many failures there were in a row.
    public private(set) var failures = 0

    /// Makes a schedule.
    ///
    /// - Parameters:
    ///   - base: The wait after the first failure; 100 ms by default, at least 1 ms.
    ///   - limit: The longest wait; 30 s by default.
    public init(base: Duration = .milliseconds(100), limit: Duration = .seconds(30)) {
        self.base = max(base, .milliseconds(1))
        self.limit = max(limit, self.base)
    }

    /// Counts a failure.
    ///
    /// - Parameter generator: Where chance comes from.
    /// - Returns: How long to wait: doubled each time up to the limit, of which between a half and all.
    public mutating func next(using generator: inout some RandomNumberGenerator) -> Duration {
        var wait = self.base
        // Doubling a base of 1 ms forty times passes any limit that makes sense.
        for _ in 0..<min(self.failures, 40) where wait < self.limit { wait *= 2 }
        self.failures += 1
        return min(wait, self.limit) * Double.random(in: 0.5...1, using: &generator)
    }

    /// Counts a failure, with the system's chance.
    ///
    /// - Returns: How long to wait.
    public mutating func next() -> Duration {
        var generator = SystemRandomNumberGenerator()
        return self.next(using: &generator)
    }

    /// Forgets the failures: it worked.
    public mutating func reset() { self.failures = 0 }
}
