internal import PerdureState

/// Goes through the IDs of a store, a page at a time.
struct StatePages {
    private let store: any StateListing
    private let prefix: String
    private var cursor: StateIDPage.Cursor?
    private var isOver = false

    /// - Throws: ``Misuse`` when the store cannot list.
    init(of store: any StateStore, prefix: String) throws(Misuse) {
        guard let store = store as? any StateListing else { throw Misuse("this store cannot list its IDs") }
        self.store = store
        self.prefix = prefix
    }

    /// The next IDs; nil after the last.
    mutating func next() async throws -> [String]? {
        if self.isOver { return nil }
        try Task.checkCancellation()
        let page = try await self.store.persistenceIDs(withPrefix: self.prefix, after: self.cursor, limit: 1_000)
        self.cursor = page.next
        self.isOver = page.next == nil
        return page.ids
    }
}

extension StateStore {
    /// The states of many IDs, in one go where the store can.
    func states(of ids: [String]) async -> [Result<DurableState?, StoreError>] {
        if let store = self as? any StateBatching { return await store.latestStates(of: ids) }
        var results: [Result<DurableState?, StoreError>] = []
        for id in ids {
            do throws(StoreError) {
                results.append(.success(try await self.latestState(of: id)))
            } catch {
                results.append(.failure(error))
            }
        }
        return results
    }

    /// Stores many states, in one go where the store can.
    func store(_ writes: [StateWrite]) async -> [Result<Void, StoreError>] {
        if let store = self as? any StateBatching { return await store.write(writes) }
        var results: [Result<Void, StoreError>] = []
        for write in writes {
            do throws(StoreError) {
                results.append(.success(try await self.write(write.state, if: write.condition)))
            } catch {
                results.append(.failure(error))
            }
        }
        return results
    }
}
