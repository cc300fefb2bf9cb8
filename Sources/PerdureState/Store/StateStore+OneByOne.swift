/// Batches for stores that gain nothing by doing several things at once: one after the other, each with its own result.
extension StateStore {
    /// The states of `ids`, read one after the other.
    package func latestStatesOneByOne(of ids: [String]) async -> [Result<DurableState?, StoreError>] {
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

    /// Writes one state after the other.
    package func writeOneByOne(_ writes: [StateWrite]) async -> [Result<Void, StoreError>] {
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
