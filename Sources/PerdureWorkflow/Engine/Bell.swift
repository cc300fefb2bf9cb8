internal import PerdureConcurrency

/// Lets one task wait until somebody rings, or a time has come.
///
/// A ring while nobody waits is kept for the next to wait.
final class Bell: Alarmed {
    private enum State {
        case silent
        case rung
        case awaited(CheckedContinuation<Void, Never>)
    }

    private let state = LockedState(State.silent)

    func ring() {
        let waiter = self.state.withLock { state -> CheckedContinuation<Void, Never>? in
            switch state {
            case .silent:
                state = .rung
                return nil
            case .rung: return nil
            case .awaited(let waiter):
                state = .silent
                return waiter
            }
        }
        waiter?.resume()
    }

    func alarm() { self.ring() }

    /// Whether somebody rang and nobody has waited since.
    var isRung: Bool {
        self.state.withLock { state in
            if case .rung = state { true } else { false }
        }
    }

    /// Waits for a ring, or until the task is cancelled. One task at a time.
    func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let goesOn = self.state.withLock { state -> Bool in
                    if case .rung = state {
                        state = .silent
                        return true
                    }
                    if Task.isCancelled { return true }
                    state = .awaited(continuation)
                    return false
                }
                if goesOn { continuation.resume() }
            }
        } onCancel: {
            self.ring()
        }
    }
}

/// Rings a bell when a time has come, as long as somebody keeps it.
final class BellAlarm: Alarmed {
    private let bell: Bell

    init(_ bell: Bell) { self.bell = bell }

    func alarm() { self.bell.ring() }
}
