internal import PerdureCQLClient
internal import PerdureModel
internal import PerdureState

extension StateSession {
    func latestState(of id: String) async throws(StoreError) -> DurableState? {
        let call = Call(
            operation: .read, id: id, deadline: self.deadline(.read), consistency: self.configuration.readConsistency)
        // A row that is replaced while its chunks are read, or that turns out to be a deletion's, is read again.
        var place = self.place(of: id)
        var isSearched = self.statements.find == nil
        for _ in 0..<64 {
            let result = try await self.perform(self.statements.read, once: call) { try place.bind(to: &$0) }
            guard let row = result.first else {
                if isSearched { return nil }
                isSearched = true
                guard let other = try await self.otherPlace(than: place, call) else { return nil }
                place = other
                continue
            }
            let stored: StoredState
            do throws(RowFlaw) { stored = try StoredState(row, id: id, self.layout, shard: place.shard) } catch {
                throw Self.unreadable(id, error.words, manifest: error.manifest)
            }
            if stored.head.isNewborn, self.configuration.writes == .conditional {
                switch try await self.verdict(on: stored.head, at: place, call) {
                case .alive: break
                case .dead: return nil
                case .changed: continue
                }
            }
            guard let chunks = stored.chunks else { return stored.state }
            if let bytes = try await self.payload(in: chunks, call) {
                var state = stored.state
                state.payload.bytes = bytes
                return state
            }
            if try await self.head(at: place, call) == stored.head {
                throw Self.unreadable(id, "chunks of its payload are missing", manifest: stored.state.payload.manifest)
            }
        }
        throw StoreError(
            .unavailable, operation: .read, persistenceID: id,
            message: "the state was replaced again and again while it was read; try again")
    }

    static func unreadable(_ id: String, _ words: String, manifest: String?) -> StoreError {
        StoreError(
            .corrupted, operation: .read, persistenceID: id,
            message: "the row cannot be read: \(words) (its manifest: \(manifest?.debugDescription ?? "none"));"
                + " repair it, or replace it with an unconditional write")
    }

    // MARK: Newborn rows

    enum Verdict {
        /// The row began after the deletions that there were.
        case alive
        /// It came late, after a deletion, and was taken away: it never was.
        case dead
        /// It is another row by now.
        case changed
    }

    /// Says whether a newborn row is alive, and takes it away where it is not.
    ///
    /// Its version is above the last deletion's, or it is not: neither changes as long as the row is newborn, for nobody deletes
    /// what is not confirmed.
    func verdict(on head: StoredHead, at place: Place, _ call: Call) async throws(StoreError) -> Verdict {
        guard let extra = self.statements.extra, let version = head.newborn else { return .alive }
        let tombstone = try await self.tombstone(of: place.id, call)
        guard let tombstone, tombstone.version >= version else { return .alive }
        let result = try await self.change(extra.discard, at: place, call) {
            try $0.bind(head.writeID)
            try $0.bind(Int64(bitPattern: version))
        }
        return result.wasApplied == true ? .dead : .changed
    }

    /// A change of the row that only tidies up: it says what it expects, so that it can be repeated.
    func change(
        _ statement: CQLStatement, at place: Place, _ call: Call, _ bind: (inout CQLBoundValues) throws -> Void
    ) async throws(StoreError) -> CQLResult {
        var call = call
        call.consistency = nil
        call.isRepeatable = true
        return try await self.perform(statement, once: call) {
            try place.bind(to: &$0)
            try bind(&$0)
        }
    }

    // MARK: Chunks

    /// The bytes in the chunks of a set; nil when some are missing.
    func payload(in chunks: ChunkSet, _ call: Call) async throws(StoreError) -> [UInt8]? {
        guard let extra = self.statements.extra else { return nil }
        var call = call
        call.consistency = self.configuration.chunkConsistency
        // So many of a mebibyte are well within a message, and within memory that is used once.
        call.pageSize = 4
        var bytes: [UInt8] = []
        bytes.reserveCapacity(chunks.count * ChunkSet.inlineLimit)
        var next: Int32 = 0
        repeat {
            let page = try await self.perform(extra.readChunks, once: call) { try $0.bind(chunks.name) }
            for row in page {
                let (number, part) = try self.decoded(call.operation, call.id) { () throws(CQLProtocolError) in
                    (try row.decode(Int32.self, at: 0), try row.decode([UInt8].self, at: 1))
                }
                guard number == next else { return nil }
                next += 1
                bytes += part
            }
            call.pagingState = page.pagingState
        } while call.pagingState != nil
        return Int(next) == chunks.count ? bytes : nil
    }

    // MARK: Several at once

    /// Reads are requests of their own, many under way at once.
    func latestStates(of ids: [String]) async -> [Result<DurableState?, StoreError>] {
        await self.together(ids.count) { index in
            do throws(StoreError) { return .success(try await self.latestState(of: ids[index])) } catch {
                return .failure(error)
            }
        }
    }

    /// Does something for each index, 64 at a time; the results stand at their places.
    func together<Value: Sendable>(
        _ count: Int, _ body: @escaping @Sendable (Int) async -> Result<Value, StoreError>
    ) async -> [Result<Value, StoreError>] {
        await withTaskGroup(of: (Int, Result<Value, StoreError>).self) { group in
            var next = 0
            func startNext() {
                guard next < count else { return }
                let index = next
                next += 1
                group.addTask { (index, await body(index)) }
            }
            for _ in 0..<64 { startNext() }
            var results: [Result<Value, StoreError>?] = Array(repeating: nil, count: count)
            while let (index, result) = await group.next() {
                results[index] = result
                startNext()
            }
            return results.map {
                $0 ?? .failure(StoreError(.internalError, operation: .read, message: "a result is missing"))
            }
        }
    }
}
