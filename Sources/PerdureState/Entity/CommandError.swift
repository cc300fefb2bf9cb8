/// Why a command was not carried out.
///
/// Unless ``outcome`` is unknown, nothing changed, in memory or on disk.
public enum CommandError<Rejection: Error>: Error {
    /// The behavior refused it, for a reason of its own.
    case rejected(Rejection)
    /// The store failed; its error says whether the change may have happened. If so, the entity reads again before its next command.
    case store(StoreError)
    /// Other processes kept writing the same state first; given up after so many attempts.
    case contended(attempts: Int, last: StoreError)
    /// Too much is waiting already; the text says for what. Try again later, or send less.
    case overloaded(String)
    /// No answer came in time. With ``StoreError/Outcome/notApplied`` the command will not be carried out any more; otherwise
    /// its write was under way, and whether it happened will show with the next command.
    case deadlineExceeded(StoreError.Outcome)
    /// The caller's task was cancelled before anything was written.
    case cancelled
    /// The engine is stopping or has stopped.
    case stopped
    /// Whether the change may have happened nevertheless.
    public var outcome: StoreError.Outcome {
        switch self {
        case .store(let error): error.outcome
        case .deadlineExceeded(let outcome): outcome
        case .rejected, .contended, .overloaded, .cancelled, .stopped: .notApplied
        }
    }
}

extension CommandError: CustomStringConvertible, CustomDebugStringConvertible {
    /// What went wrong, fit for strangers: no IDs, nothing of the state.
    public var description: String {
        switch self {
        case .rejected: "the command was rejected"
        case .store(let error): "the store failed: \(error)"
        case .contended(let attempts, _): "others wrote first \(attempts) times in a row; try again"
        case .overloaded: "too many commands are waiting; try again later"
        case .deadlineExceeded(.notApplied): "no answer in time; nothing was changed"
        case .deadlineExceeded(.unknown): "no answer in time; the change may have happened"
        case .cancelled: "the caller was cancelled; nothing was changed"
        case .stopped: "the engine has stopped"
        }
    }

    /// Everything that is known, for people who run the service.
    public var debugDescription: String {
        switch self {
        case .rejected(let rejection): "rejected: \(String(reflecting: rejection))"
        case .store(let error): "the store failed: \(String(reflecting: error))"
        case .contended(let attempts, let last):
            "others wrote first \(attempts) times in a row; the last time: \(String(reflecting: last))"
        case .overloaded(let reason): "overloaded: \(reason)"
        default: self.description
        }
    }
}
