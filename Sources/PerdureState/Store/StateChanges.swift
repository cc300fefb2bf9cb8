/// A store that can tell what changed, so that other programs may follow it.
///
/// The feed has the latest state of each ID, not every version in between: an ID that changed twice since the cursor stands in
/// it once. No change is skipped, whenever its write began and ended.
public protocol StateChanges: StateStore {
    /// A page of the states that changed after `cursor`, in the order of their latest change.
    ///
    /// - Parameters:
    ///   - cursor: ``StateChangePage/next`` of the page before; nil to begin with the first state that there is.
    ///   - limit: the most changes in a page, 1 to 10,000.
    /// - Returns: the page, and where the next begins.
    /// - Throws: ``StoreError`` when the page cannot be read.
    func changes(
        after cursor: StateChangePage.Cursor?, limit: Int
    ) async throws(StoreError) -> StateChangePage
}

/// Some of the changes of a store, and where to go on.
public struct StateChangePage: Sendable, Hashable {
    /// The changes of this page.
    public var changes: [StateChange]
    /// Where the next page begins. Always there: more may change later.
    public var next: Cursor

    /// Makes a page.
    public init(changes: [StateChange], next: Cursor) {
        self.changes = changes
        self.next = next
    }

    /// A place in the feed, in the store's own words; can be kept as text.
    public struct Cursor: Sendable, Hashable {
        /// The place as text.
        public let text: String
        /// The place that was kept as `text`.
        public init(_ text: String) { self.text = text }
    }
}
