/// How far a run has come: the part of a run that changes, and always as a whole.
public struct RunProgress: Sendable {
    /// Where it stands.
    public var status: RunStatus
    /// The share of its steps that have ended, 0 to 1.
    public var progress: Double
    /// The structure of the definition that it was last driven by.
    public var definitionHash: UInt64
    /// What it gave, once completed.
    public var output: RunValue?
    /// Why it failed or was cancelled.
    public var failure: RunFailure?
    /// What a person must decide, while ``RunStatus/parked``.
    public var parkedReason: String?
    /// When it was first begun, in Unix milliseconds.
    public var startedAt: Int64?
    /// When it ended, in Unix milliseconds.
    public var completedAt: Int64?
    /// When it last changed, in Unix milliseconds.
    public var updatedAt: Int64
    /// From when on it may be removed, in Unix milliseconds; only ended runs have it.
    public var expiresAt: Int64?

    /// When a worker should take it up. Counts only while nobody owns it and it is pending or running.
    public var wake: RunWake
    /// The worker that drives it; nil while it waits.
    public var owner: String?
    /// Goes up each time that somebody takes it over. A write by who was fenced off is refused.
    public var fence: UInt64
    /// Counts changes from 1.
    public var revision: UInt64
    /// How often it was adopted from dead workers since a step was last recorded.
    public var adoptions: Int
    /// The number of the last message that its owner has taken notice of.
    public var inboxSeen: UInt64

    /// The progress of a run that was just asked for, by nobody driven.
    public init(status: RunStatus = .pending, definitionHash: UInt64, wake: RunWake = .now, at time: Int64) {
        self.status = status
        self.progress = 0
        self.definitionHash = definitionHash
        self.output = nil
        self.failure = nil
        self.parkedReason = nil
        self.startedAt = nil
        self.completedAt = nil
        self.updatedAt = time
        self.expiresAt = nil
        self.wake = wake
        self.owner = nil
        self.fence = 0
        self.revision = 1
        self.adoptions = 0
        self.inboxSeen = 0
    }
}

/// When a worker should take up a run that nobody drives.
public enum RunWake: Sendable, Hashable {
    /// As soon as a worker is free.
    case now
    /// Not before a time, in Unix milliseconds.
    case at(Int64)
    /// Not before something happens to it: a message, or a person's decision.
    case never
}

/// A run as it is stored.
public struct RunRecord: Sendable {
    /// What was asked for.
    public var request: RunRequest
    /// How far it has come.
    public var progress: RunProgress
    /// The number of the last message that was posted to it; 0 before the first.
    public var inboxCount: UInt64

    /// Makes a record.
    public init(request: RunRequest, progress: RunProgress, inboxCount: UInt64 = 0) {
        self.request = request
        self.progress = progress
        self.inboxCount = inboxCount
    }

    /// The run's ID.
    public var id: String { self.request.id }
    /// Where it stands.
    public var status: RunStatus { self.progress.status }
}
