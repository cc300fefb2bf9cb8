internal import PerdureConcurrency

/// Gathers the verdicts of writes that were asked for together, and resumes their caller with the last of them.
final class WriteCollector: Sendable {
    private struct State: Sendable {
        var verdicts: [WriteVerdict]
        var missing: Int
    }

    private let state: LockedState<State>
    private let continuation: UnsafeContinuation<[WriteVerdict]?, Never>

    /// Waits for `count` verdicts, of which there must be at least one.
    init(count: Int, continuation: UnsafeContinuation<[WriteVerdict]?, Never>) {
        self.state = LockedState(State(verdicts: Array(repeating: .done, count: count), missing: count))
        self.continuation = continuation
    }

    func finish(_ index: Int, _ verdict: WriteVerdict) {
        let all: [WriteVerdict]? = self.state.withLock { state in
            state.verdicts[index] = verdict
            state.missing -= 1
            return state.missing == 0 ? state.verdicts : nil
        }
        if let all { self.continuation.resume(returning: all) }
    }
}
