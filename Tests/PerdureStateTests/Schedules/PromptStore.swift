import PerdureConcurrency

@testable import PerdureState
@testable import PerdureTestKit

/// A store with faults that takes some changes at once, past all faults, as the in-memory store does; its seed picks which.
final class PromptStore: ImmediateStateStore {
    let faulty: FaultyStateStore<InMemoryStateStore>
    /// A lie, of every other seed: who says so must not lose anything by waiting after all.
    let neverWaits: Bool
    private let state: LockedState<(random: SeededGenerator, trace: [FaultTrace])>

    init(_ faulty: FaultyStateStore<InMemoryStateStore>, seed: UInt64) {
        self.faulty = faulty
        self.neverWaits = seed % 2 == 0
        self.state = LockedState((SeededGenerator(seed: seed), []))
    }

    /// What really happened, in no particular order.
    var trace: [FaultTrace] { self.faulty.trace + self.state.withLock { $0.trace } }

    /// How many changes were made at once.
    var countAtOnce: Int { self.state.withLock { $0.trace.count } }

    func writeAtOnce(_ state: consuming DurableState, if condition: WriteCondition) -> Bool {
        let written = state
        return self.attempt(.write, written.persistenceID, written, condition) {
            self.faulty.wrapped.writeAtOnce(written, if: condition)
        }
    }

    func deleteAtOnce(_ id: String, if condition: WriteCondition) -> Bool {
        self.attempt(.delete, id, nil, condition) { self.faulty.wrapped.deleteAtOnce(id, if: condition) }
    }

    private func attempt(
        _ operation: StoreError.Operation, _ id: String, _ written: DurableState?, _ condition: WriteCondition,
        _ change: () -> Bool
    ) -> Bool {
        self.state.withLock { state in
            guard state.random.next() % 10 < 7, change() else { return false }
            state.trace.append(
                FaultTrace(
                    number: 0, operation: operation, persistenceID: id, state: written, condition: condition,
                    fault: nil, effect: .applied, error: nil, isForeign: false, isLate: false))
            return true
        }
    }

    // MARK: The rest, with faults

    var maximumPayloadByteCount: Int { self.faulty.maximumPayloadByteCount }
    func connect() async throws(StoreError) { try await self.faulty.connect() }
    func disconnect() async { await self.faulty.disconnect() }
    func ping() async throws(StoreError) { try await self.faulty.ping() }
    func write(_ state: DurableState, if condition: WriteCondition) async throws(StoreError) {
        try await self.faulty.write(state, if: condition)
    }
    func latestState(of id: String) async throws(StoreError) -> DurableState? {
        try await self.faulty.latestState(of: id)
    }
    func delete(_ id: String, if condition: WriteCondition) async throws(StoreError) {
        try await self.faulty.delete(id, if: condition)
    }
}
