/// Something that is told to a run from outside: a signal, or a wish that whoever drives it must carry out.
public struct RunMessage: Sendable {
    /// Tells messages of one run apart: a second one of the same ID is not taken. At most 255 bytes.
    public var id: String
    /// What it is.
    public var kind: Kind
    /// What it brings along.
    public var payload: RunValue?
    /// When it was posted, in Unix milliseconds.
    public var postedAt: Int64
    /// Counts the messages of a run from 1; given by the store.
    public var number: UInt64
    /// The ID of the step that took it; nil while nobody has.
    public var consumedBy: String?

    /// Makes a message.
    public init(id: String, kind: Kind, payload: RunValue? = nil, postedAt: Int64) {
        self.id = id
        self.kind = kind
        self.payload = payload
        self.postedAt = postedAt
        self.number = 0
        self.consumedBy = nil
    }

    /// What a message is.
    public enum Kind: Sendable, Hashable {
        /// A signal of that name, for a step that waits for it or will.
        case signal(String)
        /// A run that this one waits for has ended; the payload is its output.
        case childEnded(runID: String, RunStatus, RunFailure?)
        /// End the run.
        case cancel(reason: String)
        /// Hold the run back.
        case pause
    }
}

/// What became of a message.
public enum PostVerdict: Sendable, Hashable {
    /// It is stored, and the run will take notice.
    case posted
    /// One of the same ID is there already.
    case duplicate
    /// The run has ended in this way; nothing was stored.
    case ended(RunStatus)
    /// There is no such run.
    case notFound
}
