internal import PerdureConcurrency

/// Waits until something holds, for as long as a test may take at most; it looks again and again and never sleeps long.
///
/// For engines in real time; where a test moves the clock, it waits for the clock's sleepers instead.
package func eventually(_ what: String, _ holds: () async throws -> Bool) async throws {
    var looks = 0
    let came = try await poll(
        while: {
            looks += 1
            return looks <= 20_000
        }, holds)
    if !came { throw NeverHeld(what: what) }
}

/// Looks again and again until something holds, as long as `mayGoOn`; returns whether it does.
///
/// Ends with an error when it is cancelled. The one place where tests of engines in real time let time pass: between two looks, so that those they wait for get the processor.
package func poll(while mayGoOn: () -> Bool, _ holds: () async throws -> Bool) async throws -> Bool {
    while mayGoOn() {
        if try await holds() { return true }
        try await Task.sleep(for: .milliseconds(1))
    }
    return false
}

/// Something that should have come to hold did not.
package struct NeverHeld: Error, CustomStringConvertible {
    let what: String

    package var description: String { "never: \(self.what)" }
}

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
