internal import PerdureModel
internal import PerdureState

extension StateSession {
    /// Writes each state if its condition holds: requests of their own, 64 at a time, those of one ID one after the other.
    func write(_ writes: [StateWrite]) async -> [Result<Void, StoreError>] {
        var indices: [IDKey: [Int]] = [:]
        var order: [IDKey] = []
        for (index, write) in writes.enumerated() {
            let id = IDKey(write.state.persistenceID)
            if indices[id] == nil { order.append(id) }
            indices[id, default: []].append(index)
        }
        let chains = order.map { indices[$0] ?? [] }
        let answers = await self.together(chains.count) { chain -> Result<[Result<Void, StoreError>], StoreError> in
            var results: [Result<Void, StoreError>] = []
            for index in chains[chain] {
                do throws(StoreError) {
                    try await self.write(writes[index].state, if: writes[index].condition)
                    results.append(.success(()))
                } catch {
                    results.append(.failure(error))
                }
            }
            return .success(results)
        }
        var results: [Result<Void, StoreError>] = Array(repeating: .success(()), count: writes.count)
        for (chain, answer) in zip(chains, answers) {
            for (place, index) in chain.enumerated() {
                switch answer {
                case .success(let parts): results[index] = parts[place]
                case .failure(let error): results[index] = .failure(error)
                }
            }
        }
        return results
    }
}
