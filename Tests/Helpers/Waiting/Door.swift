internal import PerdureConcurrency

/// A door that a test opens.
package final class Door: Sendable {
    private struct State {
        var isOpen = false
        var arrivals = 0
        var waiting: [AsyncStream<Never>.Continuation] = []
    }

    private let state = LockedState(State())

    package init() {}

    /// How many have come to it.
    package var arrivals: Int { self.state.withLock { $0.arrivals } }

    /// Lets all go on, those who come later too.
    package func open() {
        let waiting = self.state.withLock { state in
            state.isOpen = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.finish() }
    }

    /// Waits until it is open, cancelled or not.
    package func pass() async { await Task { await self.passOrGiveUp() }.value }

    /// Waits until it is open, or the task is cancelled.
    package func passOrGiveUp() async {
        let (stream, continuation) = AsyncStream.makeStream(of: Never.self)
        let isOpen = self.state.withLock { state in
            state.arrivals += 1
            if !state.isOpen { state.waiting.append(continuation) }
            return state.isOpen
        }
        if isOpen { return }
        for await _ in stream {}
    }
}
