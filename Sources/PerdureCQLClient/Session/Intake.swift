internal import PerdureConcurrency
internal import PerdureIO

/// Where callers leave their requests for the loop to fetch: one lock, and a wake only when the loop has not been told yet.
///
/// What is left until the loop comes travels together, in one write per connection; nothing waits for more to come.
final class Intake: Sendable {
    /// What was left.
    struct Contents {
        var executions: [Execution] = []
        /// Those among them, or among earlier ones, whose callers do not wait any more.
        var cancelled: [Execution] = []

        mutating func removeAll() {
            self.executions.removeAll(keepingCapacity: self.executions.capacity <= 4096)
            self.cancelled.removeAll()
        }
    }

    private struct State {
        var contents = Contents()
        /// Whether the loop will come and look.
        var isAnnounced = false
        var isOpen = true
    }

    /// What became of a request that was to be left.
    enum Reception {
        case taken
        case closed
        /// It was cancelled before.
        case cancelled
    }

    private let state = LockedState(State())
    private let entry: LoneEntry
    /// What the loop does when there is something new.
    private let arrived: @Sendable (Intake) -> Void

    init(by entry: LoneEntry, arrived: @escaping @Sendable (Intake) -> Void) {
        self.entry = entry
        self.arrived = arrived
    }

    /// Leaves a request.
    func leave(_ execution: Execution) -> Reception {
        let (reception, mustTell): (Reception, Bool) = self.state.withLock { state in
            guard state.isOpen else { return (.closed, false) }
            if execution.presence == .cancelled { return (.cancelled, false) }
            execution.presence = .left
            state.contents.executions.append(execution)
            defer { state.isAnnounced = true }
            return (.taken, !state.isAnnounced)
        }
        if mustTell { self.entry.enter { self.arrived(self) } }
        return reception
    }

    /// The caller of a request does not wait any more, whether it was left already or not.
    func cancel(_ execution: Execution) {
        let mustTell: Bool = self.state.withLock { state in
            guard execution.presence == .left else {
                execution.presence = .cancelled
                return false
            }
            state.contents.cancelled.append(execution)
            defer { state.isAnnounced = true }
            return !state.isAnnounced
        }
        if mustTell { self.entry.enter { self.arrived(self) } }
    }

    /// Takes everything that was left, in exchange for empty contents with room.
    func fetch(into contents: inout Contents) {
        self.state.withLock { state in
            swap(&state.contents, &contents)
            state.isAnnounced = false
        }
    }

    /// Takes nothing in any more.
    func close() { self.state.withLock { $0.isOpen = false } }
}
