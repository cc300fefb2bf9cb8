internal import PerdureModel
internal import PerdureState

extension TableSession {
    /// Removes chunks that are older than `age` and that no state refers to; gives their number.
    func removeOrphanedChunks(olderThan age: Duration) async throws(StoreError) -> Int {
        let latest = self.client.settings.clock.unixMilliseconds - age.wholeMilliseconds
        var expression = Expression()
        expression.projection = "PersistenceID, ChunkOf, ChunkSet"
        expression.filter = "ItemKind = :k AND WrittenAt < :t"
        expression.values.append(":k", .string("chunk"))
        expression.values.append(":t", .number(latest))
        var removed = 0
        var start: Item?
        repeat {
            let page = try await self.perform(
                .scan(
                    table: self.table, expression, after: start, isConsistent: true,
                    reportsCapacity: self.reportsCapacity),
                .list, deadline: self.deadline(.list))
            removed += try await self.removeOrphans(among: page.items)
            start = page.next
        } while start != nil
        return removed
    }

    private func removeOrphans(among chunks: [Item]) async throws(StoreError) -> Int {
        var owners: [IDKey: [(key: String, set: String)]] = [:]
        for chunk in chunks {
            guard let key = chunk[StateItem.id]?.text, let owner = chunk[ChunkSet.owner]?.text,
                let set = chunk[ChunkSet.set]?.text
            else { continue }
            owners[IDKey(owner), default: []].append((key, set))
        }
        var removed = 0
        for (owner, chunks) in owners {
            let deadline = self.deadline(.delete)
            // A set is referred to by the write that made it or never: what is an orphan now stays one.
            let inUse = try await self.head(of: owner.id, deadline: deadline)?.chunks.flatMap { try? ChunkSet($0) }?
                .name
            let orphans = chunks.filter { $0.set != inUse }
            for first in stride(from: 0, to: orphans.count, by: 25) {
                let page = orphans[first..<min(first + 25, orphans.count)]
                try await self.writeBatch(
                    page.map { .delete(key: StateItem.key($0.key)) }, isRepeatable: true, deadline: deadline)
                removed += page.count
            }
        }
        return removed
    }
}
