internal import PerdureConcurrency

/// Makes requests of a store about one persistence ID and keeps their ``StateHistory``.
public final class HistoryRecorder: Sendable {
    private struct State {
        var time: UInt64 = 0
        var operations: [StateHistory.Operation] = []
    }

    /// The persistence ID that it is about.
    public let persistenceID: String
    private let store: any StateStore
    private let clock: (@Sendable () -> UInt64)?
    private let state = LockedState(State())

    /// Records what is asked of `store` about an ID through this recorder.
    ///
    /// `clock` is read at beginnings and ends; it never goes backwards, and is the same in all processes whose histories are put
    /// together, such as the system's monotonic clock in nanoseconds. Without one the recorder counts.
    public init(
        _ store: any StateStore, of persistenceID: String, clock: (@Sendable () -> UInt64)? = nil
    ) {
        self.store = store
        self.persistenceID = persistenceID
        self.clock = clock
    }

    /// What was recorded so far: the requests that have an answer.
    public var history: StateHistory { StateHistory(self.state.withLock { $0.operations }) }

    /// Reads the state; nil also when reading fails.
    public func read() async -> DurableState? {
        let answer = await self.record(.read) { () async throws(StoreError) in
            .found(try await self.store.latestState(of: self.persistenceID))
        }
        if case .found(let state) = answer { return state }
        return nil
    }

    /// Writes a state of the recorder's ID, and returns what became of it.
    @discardableResult
    public func write(_ state: DurableState, if condition: WriteCondition) async -> StateHistory.Answer {
        precondition(
            state.persistenceID.utf8.elementsEqual(self.persistenceID.utf8), "this recorder is about another ID")
        return await self.record(.write(state, if: condition)) { () async throws(StoreError) in
            try await self.store.write(state, if: condition)
            return .done
        }
    }

    /// Deletes the state, and returns what became of it.
    @discardableResult
    public func delete(if condition: WriteCondition) async -> StateHistory.Answer {
        await self.record(.delete(if: condition)) { () async throws(StoreError) in
            try await self.store.delete(self.persistenceID, if: condition)
            return .done
        }
    }

    private func record(
        _ request: StateHistory.Request, _ attempt: () async throws(StoreError) -> StateHistory.Answer
    ) async -> StateHistory.Answer {
        let began = self.tick()
        let answer: StateHistory.Answer
        do throws(StoreError) {
            answer = try await attempt()
        } catch {
            answer =
                switch (error.code, error.outcome) {
                case (.conflict, .notApplied): .conflict(stored: error.storedVersion ?? 0)
                case (_, .notApplied): .notApplied
                case (_, .unknown): .unknown
                }
        }
        let ended = self.tick()
        self.state.withLock { $0.operations.append(.init(request, answer, began: began, ended: ended)) }
        return answer
    }

    private func tick() -> UInt64 {
        if let clock = self.clock { return clock() }
        return self.state.withLock { state in
            state.time += 1
            return state.time
        }
    }
}
