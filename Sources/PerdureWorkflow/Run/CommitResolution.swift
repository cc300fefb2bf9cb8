internal import PerdureModel

/// What to do until it is known what became of a commit, as a value.
///
/// A change that failed may have happened, or may still: only the run itself tells. As long as the worker owns the run nobody else
/// changes it under the same fence, so a revision after the expected one under our fence is our own change.
struct CommitResolution {
    /// What to do next.
    enum Action: Equatable {
        /// Send it, again after a pause that grows with the number of failures.
        case send(failures: Int)
        /// Read the run.
        case read(failures: Int)
        /// It is stored; so many messages were posted by then, as far as is known.
        case stored(inboxCount: UInt64)
        /// Somebody else has the run.
        case fencedOff
        /// The store does not take it, and never will.
        case rejected
    }

    let revision: UInt64
    let fence: UInt64
    private var failures = 0
    /// Whether an earlier sending may have happened, or may still.
    private var isUncertain = false
    private(set) var lastError: StoreError?

    init(_ commit: RunCommit) {
        self.revision = commit.progress.revision
        self.fence = commit.progress.fence
    }

    mutating func failed(_ error: StoreError) -> Action {
        self.lastError = error
        switch error.code {
        case .conflict:
            // With a change of ours on the way it may be that one that was found there.
            return self.isUncertain ? .read(failures: self.failures) : .fencedOff
        case .payloadTooLarge, .invalidRequest, .undecodable:
            return error.outcome == .notApplied ? .rejected : self.unknown()
        default:
            return error.outcome == .notApplied ? self.again() : self.unknown()
        }
    }

    /// The run as it is; nil when it is gone.
    mutating func found(_ record: RunRecord?) -> Action {
        guard let record, record.progress.fence == self.fence else { return .fencedOff }
        if record.progress.revision == self.revision { return .stored(inboxCount: record.inboxCount) }
        if record.progress.revision == self.revision - 1 { return .send(failures: self.failures) }
        return .fencedOff
    }

    mutating func readingFailed(_ error: StoreError) -> Action {
        self.lastError = error
        self.failures += 1
        return .read(failures: self.failures)
    }

    private mutating func again() -> Action {
        self.failures += 1
        return .send(failures: self.failures)
    }

    private mutating func unknown() -> Action {
        self.isUncertain = true
        self.failures += 1
        return .read(failures: self.failures)
    }

    /// How long to wait after so many failures in a row.
    static func pause(after failures: Int) -> Duration {
        failures == 0 ? .zero : .milliseconds(min(10 << min(failures - 1, 8), 2_000))
    }
}
