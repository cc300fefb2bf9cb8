internal import PerdureModel
internal import PerdureState

extension TableSession {
    func latestState(of id: String) async throws(StoreError) -> DurableState? {
        let deadline = self.deadline(.read)
        let item = try await self.perform(self.headRequest(id), .read, of: id, deadline: deadline)
        guard let item else { return nil }
        return try await self.state(in: item, id, deadline: deadline)
    }

    private func headRequest(_ id: String) -> Operation<Item?> {
        .getItem(table: self.table, key: StateItem.key(id), isConsistent: true, reportsCapacity: self.reportsCapacity)
    }

    /// The state in an item, its chunks included; nil when it was deleted meanwhile.
    func state(in item: Item, _ id: String, deadline: Duration) async throws(StoreError) -> DurableState? {
        var item = item
        // A writer that replaces a chunked state removes the old chunks afterwards; then the item says where the new ones are.
        for _ in 0..<16 {
            let stored: StoredState
            do throws(AnswerFlaw) { stored = try StoredState(item, id: id) } catch {
                throw self.unreadable(item, id, error.description)
            }
            guard let chunks = stored.chunks else { return stored.state }
            if let bytes = try await self.payload(in: chunks, of: id, deadline: deadline) {
                var state = stored.state
                state.payload.bytes = bytes
                return state
            }
            guard let next = try await self.perform(self.headRequest(id), .read, of: id, deadline: deadline) else {
                return nil
            }
            if next[StateItem.chunks] == item[StateItem.chunks] {
                throw self.unreadable(item, id, "chunks of its payload are missing")
            }
            item = next
        }
        throw StoreError(
            .unavailable, operation: .read, persistenceID: id,
            message: "the state was replaced again and again while its chunks were read; try again")
    }

    private func unreadable(_ item: Item, _ id: String, _ words: String) -> StoreError {
        let manifest = item[StateItem.manifest]?.text ?? "none"
        return StoreError(
            .corrupted, operation: .read, persistenceID: id,
            message: "the item cannot be read: \(words) (its manifest: \(manifest.debugDescription));"
                + " repair it, or replace it with an unconditional write")
    }

    /// The bytes in the chunks of a set; nil when some are missing.
    private func payload(
        in chunks: ChunkSet, of id: String, deadline: Duration
    ) async throws(StoreError) -> [UInt8]? {
        let keys = (0..<chunks.count).map { chunks.key($0) }
        var parts: [IDKey: [UInt8]] = [:]
        // Four chunks of 400 KB are well within the 16 MB of an answer, and within memory that is used once.
        var start = 0
        while start < keys.count {
            let page = keys[start..<min(start + 25, keys.count)].map { StateItem.key($0) }
            for item in try await self.items(page, .read, of: id, deadline: deadline) {
                guard let key = item[StateItem.id]?.text, let bytes = item[StateItem.payload]?.bytes else { continue }
                parts[IDKey(key)] = bytes
            }
            start += 25
        }
        var bytes: [UInt8] = []
        // What is there counts, not what the item claims.
        bytes.reserveCapacity(parts.values.reduce(0) { $0 + $1.count })
        for key in keys {
            guard let part = parts[IDKey(key)] else { return nil }
            bytes += part
        }
        return bytes.count == chunks.byteCount ? bytes : nil
    }

    /// The items under up to 100 keys, as many as there are, in any order.
    ///
    /// What the service does not get to is asked for again.
    func items(
        _ keys: [Item], _ operation: StoreError.Operation, of id: String? = nil, deadline: Duration
    ) async throws(StoreError) -> [Item] {
        var items: [Item] = []
        var rest = keys
        var round = 0
        while !rest.isEmpty {
            let answer = try await self.perform(
                .batchGetItem(
                    table: self.table, keys: rest, isConsistent: true, reportsCapacity: self.reportsCapacity),
                operation,
                of: id, deadline: deadline)
            items += answer.items
            // A page that was cut off by its size goes on at once; one that found nothing was throttled.
            let isThrottled = answer.items.isEmpty && !answer.unprocessed.isEmpty
            rest = answer.unprocessed
            if isThrottled {
                round += 1
                try await self.pause(round, operation, of: id, deadline: deadline)
            }
        }
        return items
    }

    /// Waits before what a batch left undone is asked for again.
    func pause(
        _ round: Int, _ operation: StoreError.Operation, of id: String? = nil, deadline: Duration
    ) async throws(StoreError) {
        guard await self.client.pause(round, deadline: deadline) else {
            throw StoreError(
                .throttled, operation: operation, persistenceID: id,
                message: "the table is used more than its capacity allows; raise it, or ask less often")
        }
    }

    // MARK: Several at once

    func latestStates(of ids: [String]) async -> [Result<DurableState?, StoreError>] {
        let deadline = self.deadline(.read)
        var found: [IDKey: Item] = [:]
        var failures: [IDKey: StoreError] = [:]
        let unique = Array(Set(ids.map { IDKey($0) })).sorted()
        var start = 0
        while start < unique.count {
            let page = unique[start..<min(start + 100, unique.count)].map(\.id)
            do throws(StoreError) {
                for item in try await self.items(page.map { StateItem.key($0) }, .read, deadline: deadline) {
                    if let id = item[StateItem.id]?.text { found[IDKey(id)] = item }
                }
            } catch {
                for id in page { failures[IDKey(id)] = error.with(persistenceID: id) }
            }
            start += 100
        }
        var results: [Result<DurableState?, StoreError>] = []
        for id in ids {
            if let failure = failures[IDKey(id)] {
                results.append(.failure(failure))
            } else if let item = found[IDKey(id)] {
                do throws(StoreError) {
                    results.append(.success(try await self.state(in: item, id, deadline: deadline)))
                } catch {
                    results.append(.failure(error))
                }
            } else {
                results.append(.success(nil))
            }
        }
        return results
    }
}
