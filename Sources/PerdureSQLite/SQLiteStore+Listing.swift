public import PerdureState

extension SQLiteStore {
    /// A page of the IDs that begin with `prefix` and come after `cursor`, in byte order.
    ///
    /// - Parameters:
    ///   - prefix: compared by bytes; empty for all.
    ///   - cursor: the `next` of the page before; nil for the first.
    ///   - limit: the most IDs in a page, 1 to 10,000.
    /// - Returns: the page, and where the next begins.
    /// - Throws: ``StoreError`` when the page cannot be read, ``StoreError/Code/invalidRequest`` for a limit out of range.
    public func persistenceIDs(
        withPrefix prefix: String, after cursor: StateIDPage.Cursor?, limit: Int
    ) async throws(StoreError) -> StateIDPage {
        try self.checkLimit(limit)
        try StoreError.checkNotCancelled(.list)
        let request = ReadJob.ListRequest(prefix: prefix, cursor: cursor?.text, limit: limit)
        return try await self.read(.list) { ReadJob(request: .ids(request, $0)) }.get()
    }
}
