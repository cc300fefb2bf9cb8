import PerdureWorkflow
import Synchronization

/// Counts what an engine tells, and lets one task wait until there was enough of it.
final class RunCounter: EventObserver {
    private struct State {
        var ended = 0
        var awaited: (count: Int, waiter: CheckedContinuation<Void, Never>)?
    }

    private let state = Mutex(State())

    func observe(_ event: PerdureEvent) {
        guard case .runEnded = event else { return }
        let waiter = self.state.withLock { state -> CheckedContinuation<Void, Never>? in
            state.ended += 1
            guard let awaited = state.awaited, state.ended >= awaited.count else { return nil }
            state.awaited = nil
            return awaited.waiter
        }
        waiter?.resume()
    }

    /// Waits until so many runs have ended.
    func ended(_ count: Int) async {
        await withCheckedContinuation { waiter in
            let isEnough = self.state.withLock { state in
                if state.ended < count { state.awaited = (count, waiter) }
                return state.ended >= count
            }
            if isEnough { waiter.resume() }
        }
    }
}
