internal import PerdureCQLClient
internal import PerdureModel
internal import PerdureState

extension StateSession {
    /// Writes the chunks of a payload, each under a name that no other write has.
    func writeChunks(_ row: NewRow, _ call: Call) async throws(StoreError) {
        guard let extra = self.statements.extra, let chunks = row.chunks else { return }
        var call = call
        call.consistency = self.configuration.chunkConsistency
        let bytes = row.state.payload.bytes
        let now = self.clock.unixMilliseconds
        for number in 0..<chunks.count {
            let start = number * ChunkSet.inlineLimit
            let end = min(start + ChunkSet.inlineLimit, bytes.count)
            _ = try await self.perform(extra.writeChunk, once: call) { values in
                try values.bind(chunks.name)
                try values.bind(Int32(number))
                try values.bind(Array(bytes[start..<end]))
                try values.bind(row.state.persistenceID)
                try values.bind(CQLTimestamp(unixMilliseconds: now))
            }
        }
    }

    /// Removes chunks that nothing refers to.
    ///
    /// What fails is left behind: it costs storage and nothing else, and is found by
    /// ``removeOrphanedChunks(olderThan:)``.
    func removeChunks(_ chunks: ChunkSet?) async {
        guard let chunks, let extra = self.statements.extra else { return }
        let call = Call(operation: .list, deadline: self.deadline(.read))
        _ = try? await self.perform(extra.deleteChunks, once: call) { try $0.bind(chunks.name) }
    }

    /// Removes chunks that are older than `age` and that no state refers to; gives the number of sets.
    func removeOrphanedChunks(olderThan age: Duration) async throws(StoreError) -> Int {
        guard let extra = self.statements.extra else { return 0 }
        let latest = self.clock.unixMilliseconds - age.components.seconds * 1_000
        var call = Call(operation: .list, deadline: self.deadline(.list))
        call.pageSize = 500
        var removed = 0
        repeat {
            call.deadline = self.deadline(.list)
            let page = try await self.perform(extra.listChunkSets, once: call) { _ in }
            for row in page {
                let (name, id, time) = try self.decoded(.list, nil) { () throws(CQLProtocolError) in
                    (
                        try row.decode(CQLUUID.self, at: 0), try row.decode(String?.self, at: 1),
                        try row.decode(CQLTimestamp?.self, at: 2)
                    )
                }
                guard let id, let time, time.unixMilliseconds < latest else { continue }
                // A set is referred to by the write that made it or never: what is an orphan now stays one.
                let reading = Call(operation: .delete, id: id, deadline: self.deadline(.delete))
                let head = try await self.aliveHead(of: id, reading)?.head
                if head?.writeID == name, head?.chunkCount != nil { continue }
                _ = try await self.perform(extra.deleteChunks, once: reading) { try $0.bind(name) }
                removed += 1
            }
            call.pagingState = page.pagingState
        } while call.pagingState != nil
        return removed
    }
}
