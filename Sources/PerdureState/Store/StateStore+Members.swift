/// Batches of which some members are refused before anything is sent: the others go on together, and the answers stand at the
/// places of what was asked.
extension StateStore {
    /// Reads those of `ids` that are valid by `read`, which returns an answer for each; what it throws befalls them all.
    package func latestStates(
        ofValid ids: [String],
        by read: ([String]) async throws(StoreError) -> [Result<DurableState?, StoreError>]
    ) async -> [Result<DurableState?, StoreError>] {
        await answers(
            for: ids, id: { $0 }, check: { (id) throws(StoreError) in try self.checkID(id, for: .read) }, by: read)
    }

    /// Writes those of `writes` that are valid by `write`, which returns an answer for each; what it throws befalls them all.
    package func writeValid(
        _ writes: [StateWrite], by write: ([StateWrite]) async throws(StoreError) -> [Result<Void, StoreError>]
    ) async -> [Result<Void, StoreError>] {
        await answers(
            for: writes, id: { $0.state.persistenceID },
            check: { (write) throws(StoreError) in try self.checkWrite(write.state, if: write.condition) }, by: write)
    }
}

private func answers<Member, Answer>(
    for members: [Member], id: (Member) -> String, check: (Member) throws(StoreError) -> Void,
    by submit: ([Member]) async throws(StoreError) -> [Result<Answer, StoreError>]
) async -> [Result<Answer, StoreError>] {
    var refusals: [Int: StoreError] = [:]
    var valid: [Member] = []
    for (index, member) in members.enumerated() {
        do throws(StoreError) {
            try check(member)
            valid.append(member)
        } catch {
            refusals[index] = error
        }
    }
    var answers: [Result<Answer, StoreError>] = []
    if !valid.isEmpty {
        do throws(StoreError) {
            answers = try await submit(valid)
        } catch {
            answers = valid.map { .failure(error.with(persistenceID: id($0))) }
        }
    }
    if refusals.isEmpty { return answers }
    var rest = answers[...]
    return members.indices.compactMap { index in refusals[index].map { .failure($0) } ?? rest.popFirst() }
}
