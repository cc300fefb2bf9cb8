internal import PerdureConcurrency
internal import PerdureIO

/// Where callers leave what they want, for the loop to fetch: one lock, and a wake only when the loop has not been told yet.
final class Intake: Sendable {
    struct Contents {
        var writes: [PendingWrite] = []
        var reads: [PendingRead] = []
        var transactions: [PendingTransaction] = []
        /// What other parts of the store want done on the loop.
        var errands: [@Sendable () -> Void] = []
        /// Whether the loop will come and look.
        fileprivate var isAnnounced = false
        fileprivate var isOpen = true
    }

    private let contents = LockedState(Contents())
    private let entry: LoneEntry
    /// What the loop does when there is something new.
    private let arrived: @Sendable (Intake) -> Void

    init(by entry: LoneEntry, arrived: @escaping @Sendable (Intake) -> Void) {
        self.entry = entry
        self.arrived = arrived
    }

    /// Leaves something; false when nothing is taken in any more.
    func leave(_ change: (inout Contents) -> Void) -> Bool {
        let (isOpen, mustTell): (Bool, Bool) = self.contents.withLock { contents in
            guard contents.isOpen else { return (false, false) }
            change(&contents)
            defer { contents.isAnnounced = true }
            return (true, !contents.isAnnounced)
        }
        if mustTell { self.entry.enter { self.arrived(self) } }
        return isOpen
    }

    /// Takes everything that was left.
    func fetch() -> Contents {
        self.contents.withLock { contents in
            var taken = Contents()
            swap(&taken, &contents)
            contents.isOpen = taken.isOpen
            return taken
        }
    }

    /// Takes nothing in any more.
    func close() { self.contents.withLock { $0.isOpen = false } }
}
