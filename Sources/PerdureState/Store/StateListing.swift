/// A store that can list its persistence IDs.
public protocol StateListing: StateStore {
    /// A page of the IDs that begin with `prefix` and come after `cursor` in byte order.
    ///
    /// Every state that exists during the whole listing is listed exactly once; one that is made or deleted meanwhile may be
    /// listed or not. The order of pages is the store's own but always the same; SQL stores and memory list by bytes.
    ///
    /// - Parameters:
    ///   - prefix: compared by bytes; empty for all.
    ///   - cursor: ``StateIDPage/next`` of the page before; nil for the first.
    ///   - limit: the most IDs in a page, 1 to 10,000. A page may have fewer and still not be the last.
    /// - Returns: the page, and where the next begins.
    /// - Throws: ``StoreError`` when the page cannot be read, ``StoreError/Code/invalidRequest`` for a limit out of range.
    func persistenceIDs(
        withPrefix prefix: String, after cursor: StateIDPage.Cursor?, limit: Int
    ) async throws(StoreError) -> StateIDPage
}

/// Some of the IDs of a store, and where to go on.
public struct StateIDPage: Sendable, Hashable {
    /// The IDs of this page.
    public var ids: [String]
    /// Where the next page begins; nil when this is the last.
    public var next: Cursor?

    /// Makes a page.
    public init(ids: [String], next: Cursor?) {
        self.ids = ids
        self.next = next
    }

    /// A place in a listing, in the store's own words; can be kept as text.
    public struct Cursor: Sendable, Hashable {
        /// The place as text.
        public let text: String
        /// The place that was kept as `text`.
        public init(_ text: String) { self.text = text }
    }
}

extension StateListing {
    /// Checks a limit against the rule of the contract.
    package func checkLimit(_ limit: Int) throws(StoreError) {
        guard (1...10_000).contains(limit) else {
            throw StoreError(
                .invalidRequest, operation: .list, message: "a page has 1 to 10,000 IDs; asked for \(limit)")
        }
    }
}
