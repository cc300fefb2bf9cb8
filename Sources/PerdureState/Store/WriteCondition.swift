/// What must be true of the store for a write or a delete to happen.
public enum WriteCondition: Sendable, Hashable {
    /// Nothing: the latest write wins, whatever was there. For copying, and for programs that keep order by other means.
    ///
    /// It stores the version it is given. Mixed with conditional writes of the same ID it can make versions go backwards. A conditional
    /// write whose answer was lost and that was sent again may then happen twice: its condition has come true once more.
    case always
    /// No state is stored under the ID. Where one was deleted, the new version must be greater than the tombstone's.
    case absent
    /// The stored version is exactly this one. The new version must be greater.
    case version(UInt64)
}
