/// How many connections a pool keeps, and for how long.
package struct PoolConfiguration: Sendable, Hashable {
    /// The pool keeps at least as many connections open, as long as the server lets it.
    package var minimum = 1
    /// There are never more connections than this, those that are being opened included.
    package var maximum = 4
    /// A connection is replaced at this age, less a random tenth, once nobody uses it; nil for never.
    package var lifetime: Duration? = .seconds(3_600)
    /// A connection beyond the minimum is closed after it was unused for this time; nil for never.
    package var idleTime: Duration? = .seconds(600)
    /// A connection that was unused for this time is asked whether it still works; nil for never.
    package var checkInterval: Duration? = .seconds(30)
    /// How long opening, or checking, a connection may take.
    package var openTimeout: Duration = .seconds(10)
    /// How long the pool waits after a connection could not be opened; doubles with each failure, less a random half.
    package var firstBackOff: Duration = .milliseconds(50)
    /// The longest wait between attempts to open a connection.
    package var maximumBackOff: Duration = .seconds(5)
    /// How many may wait for a connection; those who come on top are refused.
    package var maximumWaiters = 10_000

    package init() {}
}
