/// What happened to the state under one ID.
public enum StateChange: Sendable, Hashable {
    /// It is this now.
    case written(DurableState)
    /// It was deleted; `version` is the deletion's own.
    case deleted(persistenceID: String, version: UInt64)

    /// The ID that it is about.
    public var persistenceID: String {
        switch self {
        case .written(let state): state.persistenceID
        case .deleted(let id, _): id
        }
    }

    /// The version that the change made.
    public var version: UInt64 {
        switch self {
        case .written(let state): state.version
        case .deleted(_, let version): version
        }
    }
}
