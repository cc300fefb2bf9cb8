public import PerdureState

extension SQLiteStore {
    /// The states of `ids`, each at the place of its ID; nil where there is none.
    ///
    /// All of them are as they were at one moment.
    public func latestStates(of ids: [String]) async -> [Result<DurableState?, StoreError>] {
        await self.latestStates(ofValid: ids) { (ids) throws(StoreError) in
            try StoreError.checkNotCancelled(.read, nil)
            return try await self.read(.read) { ReadJob(request: .states(ids, $0)) }
        }
    }

    /// Writes each state if its condition holds; the results stand at the places of the writes.
    ///
    /// They wait in line side by side and nearly always share a transaction; still each succeeds or fails by itself.
    public func write(_ writes: [StateWrite]) async -> [Result<Void, StoreError>] {
        await self.writeValid(writes) { (writes) throws(StoreError) in
            zip(writes, try await self.submit(writes)).map { write, verdict in
                do throws(StoreError) {
                    return .success(try verdict.check(.write, write.state.persistenceID, write.condition))
                } catch {
                    return .failure(error)
                }
            }
        }
    }

    private func submit(_ writes: [StateWrite]) async throws(StoreError) -> [WriteVerdict] {
        try StoreError.checkNotCancelled(.write, nil)
        let database = self.database
        while true {
            let verdicts: [WriteVerdict]? = await withUnsafeContinuation { continuation in
                let collector = WriteCollector(count: writes.count, continuation: continuation)
                let now = database.watch.now
                let jobs = writes.enumerated().map { index, write in
                    WriteJob(
                        work: .write(write.state, write.condition), arrival: now, answer: .member(collector, index))
                }
                if !database.writes.submit(contentsOf: jobs, weight: \.weight) { continuation.resume(returning: nil) }
            }
            if let verdicts { return verdicts }
            try await database.open(reopening: false, for: .write)
        }
    }
}
