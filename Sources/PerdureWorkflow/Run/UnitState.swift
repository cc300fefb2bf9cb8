/// Where a unit of a run stands: what is recorded of it, and what only the machine knows.
struct UnitState: Sendable {
    var phase = Phase.blocked
    /// How many inputs are not there yet.
    var missing = 0

    // What is recorded.
    var status = StepStatus.pending
    var attempt = 0
    var startedAt: Int64?
    var completedAt: Int64?
    var wakesAt: Int64?
    var input: RunValue?
    var output: RunValue?
    var failure: RunFailure?

    /// Whether the record changed since the last commit.
    var isDirty = false
    /// Whether the coming attempt is recorded, or in the coming commit, already.
    var isAnnounced = false
    /// Whether its condition was asked and holds.
    var isAdmitted = false
    /// Until when a run stays in memory for it, by the steady clock.
    var heldUntil: Duration?

    enum Phase: UInt8, Sendable {
        /// An input is missing.
        case blocked
        /// It can begin, or can once a commit is stored.
        case ready
        /// Something is being done for it.
        case executing
        /// It sleeps, or waits for a signal, a child, or the next attempt.
        case waiting
        /// Its result is there and not yet part of a commit.
        case ending
        /// Its result is settled: whoever takes it can go on, once what is under way is stored.
        case settled
        /// It will never end by itself: it failed, or the run ended before.
        case dead
    }
}

/// A loop that has been opened, or of which elements are recorded.
struct LoopState: Sendable {
    /// Empty until it is opened.
    var elements: [RunValue] = []
    var items: [UnitState] = []
    var isOpen = false
    /// The first item that was not begun since the loop was opened.
    var next = 0
    /// How many items are under way.
    var underWay = 0
    var settledCount = 0
}
