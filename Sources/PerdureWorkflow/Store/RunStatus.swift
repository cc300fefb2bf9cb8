/// Where a run stands.
///
/// The raw values are those of Gorkflow; ``paused`` and ``parked`` are ours.
public enum RunStatus: String, Sendable, Hashable, CaseIterable, Codable {
    /// Not begun: it waits for its time, for a worker, or for a limit.
    case pending = "PENDING"
    /// Begun and not ended; also while it sleeps or waits for a signal.
    case running = "RUNNING"
    /// Held back by a person until resumed.
    case paused = "PAUSED"
    /// Held back by the engine because a person must decide; ``RunProgress/parkedReason`` says what.
    case parked = "PARKED"
    /// Ended with an output.
    case completed = "COMPLETED"
    /// Ended with an error.
    case failed = "FAILED"
    /// Ended because somebody asked for it.
    case cancelled = "CANCELLED"

    /// Whether nothing happens any more unless a person starts it again.
    public var isEnded: Bool {
        switch self {
        case .completed, .failed, .cancelled: true
        case .pending, .running, .paused, .parked: false
        }
    }
}

/// Where a step of a run stands.
///
/// The raw values are those of Gorkflow; ``cancelled`` and ``waiting`` are ours.
public enum StepStatus: String, Sendable, Hashable, CaseIterable, Codable {
    /// Not begun. Recorded only where its input was edited.
    case pending = "PENDING"
    /// Begun; recorded beforehand only for steps that must run at most once.
    case running = "RUNNING"
    /// Asleep, or waiting for a signal or a child.
    case waiting = "WAITING"
    /// An attempt failed; another follows at ``StepRecord/wakesAt``.
    case retrying = "RETRYING"
    /// Ended with an output.
    case completed = "COMPLETED"
    /// Ended with an error; with `continueOnError` the run went on.
    case failed = "FAILED"
    /// Its condition did not hold and there was no default: its input was passed on.
    case skipped = "SKIPPED"
    /// The run was cancelled before it ended.
    case cancelled = "CANCELLED"

    /// Whether the step has a result that never changes again.
    public var isEnded: Bool {
        switch self {
        case .completed, .failed, .skipped, .cancelled: true
        case .pending, .running, .waiting, .retrying: false
        }
    }
}
