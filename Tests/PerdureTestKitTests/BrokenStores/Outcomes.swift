import PerdureConcurrency
import PerdureTestKit

/// Says of a conflict that the write may have happened.
struct IsUnsureOfConflicts: BrokenStore {
    let base = memory()
    func write(_ state: DurableState, if condition: WriteCondition) async throws(StoreError) {
        do throws(StoreError) {
            try await self.base.write(state, if: condition)
        } catch {
            throw error.code == .conflict ? error.changed(outcome: .unknown) : error
        }
    }
}

/// Goes on working after it was disconnected.
struct StaysOpen: BrokenStore {
    let base = memory()
    func disconnect() async {}
}

/// Does not come back after it was disconnected.
struct StaysClosed: BrokenStore {
    let base = memory()
    func ping() async throws(StoreError) {
        _ = try await self.base.latestState(of: "ping")
    }
}

/// Cuts the connection when told to, and deals with it as `manner` says.
final class LosesAnswers: BrokenStore {
    enum Manner: Sendable {
        /// Says that the outcome is unknown, as a store may.
        case admit
        /// Sends the write again, and takes its own first write for somebody else's.
        case sendAgain
        /// Says that nothing was applied.
        case deny
        /// Says that all is well.
        case pretend
    }

    enum Loss: Sendable { case answer, request }

    let base = memory()
    private let manner: Manner
    private let losses = LockedState<[String: Loss]>([:])

    init(_ manner: Manner) { self.manner = manner }

    static func fixture(_ manner: Manner) -> StateStoreFixture {
        StateStoreFixture(
            "\(manner)", makeStore: { LosesAnswers(manner) },
            loseNextAnswer: { store, id in (store as? LosesAnswers)?.lose(.answer, id) },
            loseNextRequest: { store, id in (store as? LosesAnswers)?.lose(.request, id) })
    }

    private func lose(_ loss: Loss, _ id: String) { self.losses.withLock { $0[id] = loss } }

    func write(_ state: DurableState, if condition: WriteCondition) async throws(StoreError) {
        try await self.send(.write, state.persistenceID) { () async throws(StoreError) in
            try await self.base.write(state, if: condition)
        }
    }

    func delete(_ id: String, if condition: WriteCondition) async throws(StoreError) {
        try await self.send(.delete, id) { () async throws(StoreError) in
            try await self.base.delete(id, if: condition)
        }
    }

    private func send(
        _ operation: StoreError.Operation, _ id: String, _ change: () async throws(StoreError) -> Void
    ) async throws(StoreError) {
        guard let loss = self.losses.withLock({ $0.removeValue(forKey: id) }) else { return try await change() }
        if loss == .answer { try await change() }
        switch self.manner {
        case .admit:
            throw StoreError(.timeout, outcome: .unknown, operation: operation, persistenceID: id, message: "no answer")
        case .sendAgain: try await change()
        case .deny: throw StoreError(.timeout, operation: operation, persistenceID: id, message: "no answer")
        case .pretend: return
        }
    }
}

// MARK: Cancellation

/// Tells a cancelled caller that nothing was done, and does it all the same.
struct AppliesAfterCancellation: BrokenStore {
    let base = memory()
    func write(_ state: DurableState, if condition: WriteCondition) async throws(StoreError) {
        guard Task.isCancelled else { return try await self.base.write(state, if: condition) }
        try await uncancelled { () async throws(StoreError) in try await self.base.write(state, if: condition) }
        throw StoreError(
            .cancelled, operation: .write, persistenceID: state.persistenceID, message: "the caller was cancelled")
    }
}

/// Takes a cancelled caller's silence for success.
struct AcknowledgesCancelledWrites: BrokenStore {
    let base = memory()
    func write(_ state: DurableState, if condition: WriteCondition) async throws(StoreError) {
        do throws(StoreError) {
            try await self.base.write(state, if: condition)
        } catch {
            if error.code != .cancelled { throw error }
        }
    }
}

/// Answers a cancelled reader that there is nothing.
struct FindsNothingWhenCancelled: BrokenStore {
    let base = memory()
    func latestState(of id: String) async throws(StoreError) -> DurableState? {
        Task.isCancelled ? nil : try await self.base.latestState(of: id)
    }
}

// MARK: Limits

/// Takes whatever it is given, and keeps as much as it can.
struct CutsWhatIsTooLarge: BrokenStore {
    let base = memory()
    func write(_ state: DurableState, if condition: WriteCondition) async throws(StoreError) {
        var state = state
        state.payload.bytes = Array(state.payload.bytes.prefix(self.base.maximumPayloadByteCount))
        try await self.base.write(state, if: condition)
    }
}

/// Says that a payload is too large, but not how large it may be.
struct HidesItsLimit: BrokenStore {
    let base = memory()
    func write(_ state: DurableState, if condition: WriteCondition) async throws(StoreError) {
        do throws(StoreError) {
            try await self.base.write(state, if: condition)
        } catch {
            guard error.code == .payloadTooLarge else { throw error }
            throw StoreError(.payloadTooLarge, operation: .write, message: "the payload is too large")
        }
    }
}

/// Writes large payloads in two pieces that readers see one by one.
struct WritesInPieces: BrokenStore {
    let base = memory()
    func write(_ state: DurableState, if condition: WriteCondition) async throws(StoreError) {
        guard (200...100_000).contains(state.payload.bytes.count) else {
            return try await self.base.write(state, if: condition)
        }
        var half = state
        half.payload.bytes.removeLast(100)
        try await self.base.write(half, if: condition)
        try await uncancelled { () async throws(StoreError) in
            await pause()
            try await self.base.write(state, if: .always)
        }
    }
}

// MARK: Unreadable rows

/// Has rows that cannot be read, and reads them as `manner` says.
final class Corruptible: BrokenStore, StateBatching {
    enum Manner: Sendable {
        /// Throws, as a store must.
        case report
        /// Returns a state without content.
        case readAsEmpty
        /// Says that there is nothing.
        case readAsAbsent
        /// Throws without saying which.
        case reportWithoutID
        /// Throws an error that invites to try again.
        case reportAsUnavailable
        /// Throws for every state of a batch.
        case failNeighbours
    }

    let base = memory()
    private let manner: Manner
    private let corrupted = LockedState<Set<String>>([])

    init(_ manner: Manner) { self.manner = manner }

    static func fixture(_ manner: Manner) -> StateStoreFixture {
        StateStoreFixture(
            "\(manner)", makeStore: { Corruptible(manner) },
            corruptRow: { store, id in _ = (store as? Corruptible)?.corrupted.withLock { $0.insert(id) } })
    }

    func latestState(of id: String) async throws(StoreError) -> DurableState? {
        guard self.corrupted.withLock({ $0.contains(id) }) else { return try await self.base.latestState(of: id) }
        switch self.manner {
        case .report, .failNeighbours: throw self.failure(.corrupted, id)
        case .readAsAbsent: return nil
        case .reportWithoutID: throw self.failure(.corrupted, nil)
        case .reportAsUnavailable: throw self.failure(.unavailable, id)
        case .readAsEmpty:
            var state = try await self.base.latestState(of: id)
            state?.payload.bytes = []
            return state
        }
    }

    private func failure(_ code: StoreError.Code, _ id: String?) -> StoreError {
        StoreError(code, operation: .read, persistenceID: id, message: "the row cannot be read")
    }

    func write(_ state: DurableState, if condition: WriteCondition) async throws(StoreError) {
        try await self.base.write(state, if: condition)
        self.corrupted.withLock { _ = $0.remove(state.persistenceID) }
    }

    func latestStates(of ids: [String]) async -> [Result<DurableState?, StoreError>] {
        var results: [Result<DurableState?, StoreError>] = []
        for id in ids {
            do throws(StoreError) {
                results.append(.success(try await self.latestState(of: id)))
            } catch {
                results.append(.failure(error))
            }
        }
        if self.manner == .failNeighbours,
            let failure = results.first(where: {
                if case .failure(let error) = $0 { error.code == .corrupted } else { false }
            })
        {
            return results.map { _ in failure }
        }
        return results
    }

    func write(_ writes: [StateWrite]) async -> [Result<Void, StoreError>] { await self.base.write(writes) }
}
