public import PerdureState

extension SQLiteStore {
    /// The states of `ids`, each at the place of its ID; nil where there is none.
    ///
    /// All of them are as they were at one moment.
    public func latestStates(of ids: [String]) async -> [Result<DurableState?, StoreError>] {
        guard !ids.isEmpty else { return [] }
        var results = ids.map { id -> Result<DurableState?, StoreError> in
            do throws(StoreError) { try self.checkID(id, for: .read) } catch { return .failure(error) }
            return .success(nil)
        }
        let valid = ids.indices.filter { if case .success = results[$0] { true } else { false } }
        do throws(StoreError) {
            try self.checkNotCancelled(.read, nil)
            let answers = try await self.read(.read) { ReadJob(request: .states(valid.map { ids[$0] }, $0)) }
            for (index, answer) in zip(valid, answers) { results[index] = answer }
        } catch {
            for index in valid { results[index] = .failure(error.with(persistenceID: ids[index])) }
        }
        return results
    }

    /// Writes each state if its condition holds; the results stand at the places of the writes.
    ///
    /// They wait in line side by side and nearly always share a transaction; still each succeeds or fails by itself.
    public func write(_ writes: [StateWrite]) async -> [Result<Void, StoreError>] {
        var results = writes.map { write -> Result<Void, StoreError> in
            do throws(StoreError) { try self.checkWrite(write.state, if: write.condition) } catch {
                return .failure(error)
            }
            return .success(())
        }
        let valid = writes.indices.filter { if case .success = results[$0] { true } else { false } }
        guard !valid.isEmpty else { return results }
        do throws(StoreError) {
            let verdicts = try await self.submit(valid.map { writes[$0] })
            for (index, verdict) in zip(valid, verdicts) {
                let write = writes[index]
                do throws(StoreError) {
                    try verdict.check(.write, write.state.persistenceID, write.condition)
                } catch {
                    results[index] = .failure(error)
                }
            }
        } catch {
            for index in valid {
                results[index] = .failure(error.with(persistenceID: writes[index].state.persistenceID))
            }
        }
        return results
    }

    private func submit(_ writes: [StateWrite]) async throws(StoreError) -> [WriteVerdict] {
        try self.checkNotCancelled(.write, nil)
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
