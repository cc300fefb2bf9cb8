internal import PerdureModel
internal import PerdureState

extension TableSession {
    /// Writes each state if its condition holds.
    ///
    /// Writes of one ID happen one after the other, others side by side.
    func write(_ writes: [StateWrite]) async -> [Result<Void, StoreError>] {
        var results: [Result<Void, StoreError>] = Array(repeating: .success(()), count: writes.count)
        var rest = Array(writes.indices)
        while !rest.isEmpty {
            var seen = Set<IDKey>()
            var round: [Int] = []
            var later: [Int] = []
            for index in rest {
                if seen.insert(IDKey(writes[index].state.persistenceID)).inserted {
                    round.append(index)
                } else {
                    later.append(index)
                }
            }
            for (index, result) in await self.write(round.map { ($0, writes[$0]) }) { results[index] = result }
            rest = later
        }
        return results
    }

    /// Writes of different IDs: unconditional small ones by the batch, the others one by one, several at a time.
    private func write(_ writes: [(Int, StateWrite)]) async -> [(Int, Result<Void, StoreError>)] {
        let areSimple = { (write: StateWrite) in
            write.condition == .always && write.state.payload.bytes.count <= StateItem.inlineLimit
        }
        let simple = writes.filter { areSimple($0.1) }
        var jobs = stride(from: 0, to: simple.count, by: 25).map { Array(simple[$0..<min($0 + 25, simple.count)]) }
        jobs += writes.filter { !areSimple($0.1) }.map { [$0] }
        var waiting = jobs.makeIterator()
        return await withTaskGroup(of: [(Int, Result<Void, StoreError>)].self) { group in
            func startNext() {
                guard let job = waiting.next() else { return }
                group.addTask { await self.writeTogether(job) }
            }
            for _ in 0..<16 { startNext() }
            var results: [(Int, Result<Void, StoreError>)] = []
            while let done = await group.next() {
                results += done
                startNext()
            }
            return results
        }
    }

    private func writeTogether(_ writes: [(Int, StateWrite)]) async -> [(Int, Result<Void, StoreError>)] {
        do throws(StoreError) {
            if writes.count == 1, let (_, write) = writes.first {
                try await self.write(write.state, if: write.condition)
            } else {
                let items = writes.map { _, write in
                    BatchWrite.put(
                        StateItem.item(
                            write.state, writeID: self.writeIDs.next(), chunks: nil, unit: self.configuration.storedUnit
                        ))
                }
                try await self.writeBatch(items, isRepeatable: false, deadline: self.deadline(.write))
            }
            return writes.map { ($0.0, .success(())) }
        } catch {
            return writes.map { index, write in
                (index, .failure(error.with(persistenceID: write.state.persistenceID)))
            }
        }
    }
}
