internal import PerdureConcurrency
public import PerdureState

/// A store whose operations go wrong as planned, around one that works.
///
/// It can list IDs and take batches when the wrapped store can; each state of a batch meets its own faults. What really
/// happened is in ``trace``, for a test that compares it with what callers were told.
///
/// The same plan gives the same faults for the same operations of an ID. With ``Fault/disconnect(operations:)`` and rules that
/// count the operations of the whole store, IDs that are used at the same time are not independent.
public final class FaultyStateStore<Wrapped: StateStore>: StateStore {
    /// The store that does the work; what is done to it directly meets no faults.
    public let wrapped: Wrapped

    private struct Late {
        var call: FaultPlan.Call
        var fault: Fault
        /// Arrives before the operation of this number on its ID.
        var due: Int
    }

    private struct State {
        var plan: FaultPlan
        var uses: [Int] = []
        var lastNumber = 0
        var numbersOfIDs: [IDKey: [StoreError.Operation: Int]] = [:]
        var disconnected = 0
        var late: [Late] = []
        var trace: [FaultTrace] = []
    }

    private let state: LockedState<State>
    private let clock: any PerdureClock
    private let gate = Gate()

    /// Wraps a store; ``Fault/delay(_:)`` goes by `clock`.
    public init(_ wrapped: Wrapped, plan: FaultPlan, clock: any PerdureClock = SystemClock()) {
        self.wrapped = wrapped
        self.state = LockedState(State(plan: plan))
        self.clock = clock
    }

    // MARK: For the test

    /// What goes wrong from now on; setting it begins a new script, counts of operations go on.
    public var plan: FaultPlan {
        get { self.state.withLock { $0.plan } }
        set {
            self.state.withLock { state in
                state.plan = newValue
                state.uses = []
                state.disconnected = 0
            }
        }
    }

    /// What really happened, in the order in which it ended; for operations of an ID that do not overlap, the order of happening.
    public var trace: [FaultTrace] { self.state.withLock { $0.trace } }

    /// How many operations wait in ``Fault/hold``.
    public var heldCount: Int { self.gate.count }

    /// Suspends until so many operations wait in ``Fault/hold``.
    ///
    /// - Throws: `CancellationError` when the caller is cancelled before.
    public func waitForHeld(_ count: Int = 1) async throws { try await self.gate.wait(forCount: count) }

    /// Lets every operation that waits in ``Fault/hold`` go on.
    public func releaseHeld() { self.gate.open() }

    /// How many writes and deletes have not arrived yet.
    public var lateCount: Int { self.state.withLock { $0.late.count } }

    /// Lets every write arrive that ``Fault/applyLate(afterOperations:)`` holds back, in the order of the calls.
    public func landLateWrites() async {
        let late = self.state.withLock { state in
            defer { state.late = [] }
            return state.late
        }
        await self.land(late)
    }

    // MARK: The store

    public var maximumPayloadByteCount: Int { self.wrapped.maximumPayloadByteCount }

    public func connect() async throws(StoreError) { try await self.wrapped.connect() }

    public func disconnect() async { await self.wrapped.disconnect() }

    public func ping() async throws(StoreError) {
        let isDisconnected = self.state.withLock { $0.disconnected > 0 }
        if isDisconnected { throw Self.failure(.unavailable, .notApplied, .ping, nil) }
        try await self.wrapped.ping()
    }

    public func latestState(of id: String) async throws(StoreError) -> DurableState? {
        try await self.perform(.read, id, nil, nil)
    }

    public func write(_ state: DurableState, if condition: WriteCondition) async throws(StoreError) {
        _ = try await self.perform(.write, state.persistenceID, state, condition)
    }

    public func delete(_ id: String, if condition: WriteCondition) async throws(StoreError) {
        _ = try await self.perform(.delete, id, nil, condition)
    }

    // MARK: Details

    private func perform(
        _ operation: StoreError.Operation, _ id: String, _ written: DurableState?, _ condition: WriteCondition?
    ) async throws(StoreError) -> DurableState? {
        let (call, fault, late) = self.state.withLock { state in
            self.begin(operation, id, written, condition, &state)
        }
        await self.land(late)
        switch fault {
        case nil:
            return try await self.send(call, nil)
        case .refuse(let code)?:
            throw self.fail(call, fault, Self.failure(code, .notApplied, operation, id), .notApplied)
        case .disconnect?:
            throw self.fail(call, fault, Self.failure(.unavailable, .notApplied, operation, id), .notApplied)
        case .loseRequest?:
            throw self.fail(call, fault, Self.lost(operation, id), .notApplied)
        case .applyLate(let operations)?:
            if operation == .read { throw self.fail(call, fault, Self.lost(operation, id), .notApplied) }
            self.state.withLock { state in
                state.late.append(
                    Late(
                        call: call, fault: .applyLate(afterOperations: operations),
                        due: call.numberOfID + max(1, operations)))
            }
            throw self.fail(call, fault, Self.lost(operation, id), .pending)
        case .loseAnswer?:
            // The caller may be cancelled; what was sent is done all the same.
            let (effect, _) = await self.applied(call)
            throw self.fail(call, fault, Self.lost(operation, id), effect)
        case .foreignWrite?:
            await self.writeForeign(call)
            return try await self.send(call, fault)
        case .delay(let duration)?:
            do {
                try await self.clock.sleep(for: duration)
            } catch {
                throw self.fail(call, fault, Self.failure(.cancelled, .notApplied, operation, id), .notApplied)
            }
            return try await self.send(call, fault)
        case .hold?:
            do {
                try await self.gate.wait()
            } catch {
                throw self.fail(call, fault, Self.failure(.cancelled, .notApplied, operation, id), .notApplied)
            }
            return try await self.send(call, fault)
        }
    }

    /// Numbers a call, and decides what goes wrong with it and what arrives before it.
    private func begin(
        _ operation: StoreError.Operation, _ id: String, _ written: DurableState?, _ condition: WriteCondition?,
        _ state: inout State
    ) -> (FaultPlan.Call, Fault?, [Late]) {
        state.lastNumber += 1
        let key = IDKey(id)
        state.numbersOfIDs[key, default: [:]][operation, default: 0] += 1
        let numbers = state.numbersOfIDs[key] ?? [:]
        let call = FaultPlan.Call(
            number: state.lastNumber, numberOfID: numbers.values.reduce(0, +), numberOfKind: numbers[operation] ?? 0,
            operation: operation, persistenceID: id, state: written, condition: condition)
        func isDue(_ late: Late) -> Bool { IDKey(late.call.persistenceID) == key && late.due <= call.numberOfID }
        let due = state.late.filter(isDue)
        state.late.removeAll(where: isDue)
        if state.disconnected > 0 {
            state.disconnected -= 1
            return (call, .disconnect(operations: state.disconnected + 1), due)
        }
        let fault = state.plan.fault(for: call, uses: &state.uses)
        if case .disconnect(let operations)? = fault { state.disconnected = max(0, operations - 1) }
        return (call, fault, due)
    }

    /// Hands a call on to the wrapped store, and its answer back.
    private func send(_ call: FaultPlan.Call, _ fault: Fault?) async throws(StoreError) -> DurableState? {
        do throws(StoreError) {
            let found = try await self.execute(call)
            self.record(call, fault, call.operation == .read ? .read(found) : .applied, nil)
            return found
        } catch {
            throw self.fail(call, fault, error, error.outcome == .unknown ? .unknown : .notApplied)
        }
    }

    private func execute(_ call: FaultPlan.Call) async throws(StoreError) -> DurableState? {
        switch call.operation {
        case .write:
            if let state = call.state { try await self.wrapped.write(state, if: call.condition ?? .always) }
            return nil
        case .delete:
            try await self.wrapped.delete(call.persistenceID, if: call.condition ?? .always)
            return nil
        default:
            return try await self.wrapped.latestState(of: call.persistenceID)
        }
    }

    /// Executes a call of which the caller does not hear, in a task that nobody cancels.
    private func applied(_ call: FaultPlan.Call) async -> (FaultTrace.Effect, StoreError?) {
        await Task {
            do throws(StoreError) {
                let found = try await self.execute(call)
                return (call.operation == .read ? .read(found) : .applied, nil)
            } catch {
                return (error.outcome == .unknown ? .unknown : .notApplied, error)
            }
        }.value
    }

    private func land(_ late: [Late]) async {
        for late in late {
            let (effect, error) = await self.applied(late.call)
            self.record(late.call, late.fault, effect, error, isLate: true)
        }
    }

    private func writeForeign(_ call: FaultPlan.Call) async {
        let makeState = self.state.withLock { $0.plan.foreignState }
        await Task {
            guard let stored = try? await self.wrapped.latestState(of: call.persistenceID) as DurableState??,
                let foreign = makeState(stored, call.state)
            else { return }
            let condition: WriteCondition = stored.map { .version($0.version) } ?? .absent
            let foreignCall = FaultPlan.Call(
                number: call.number, numberOfID: call.numberOfID, numberOfKind: call.numberOfKind, operation: .write,
                persistenceID: foreign.persistenceID, state: foreign, condition: condition)
            let (effect, error) = await self.applied(foreignCall)
            self.record(foreignCall, .foreignWrite, effect, error, isForeign: true)
        }.value
    }

    private func fail(
        _ call: FaultPlan.Call, _ fault: Fault?, _ error: StoreError, _ effect: FaultTrace.Effect
    ) -> StoreError {
        self.record(call, fault, effect, error)
        return error
    }

    private func record(
        _ call: FaultPlan.Call, _ fault: Fault?, _ effect: FaultTrace.Effect, _ error: StoreError?,
        isForeign: Bool = false, isLate: Bool = false
    ) {
        let entry = FaultTrace(
            number: call.number, operation: call.operation, persistenceID: call.persistenceID, state: call.state,
            condition: call.condition, fault: fault, effect: effect, error: error, isForeign: isForeign, isLate: isLate)
        self.state.withLock { $0.trace.append(entry) }
    }

    private static func failure(
        _ code: StoreError.Code, _ outcome: StoreError.Outcome, _ operation: StoreError.Operation, _ id: String?
    ) -> StoreError {
        StoreError(
            code, outcome: outcome, operation: operation, persistenceID: id,
            message: "a fault that the test planned")
    }

    private static func lost(_ operation: StoreError.Operation, _ id: String) -> StoreError {
        self.failure(.timeout, operation == .read ? .notApplied : .unknown, operation, id)
    }
}

extension FaultyStateStore: StateListing where Wrapped: StateListing {
    /// Lists the IDs of the wrapped store; meets no faults.
    public func persistenceIDs(
        withPrefix prefix: String, after cursor: StateIDPage.Cursor?, limit: Int
    ) async throws(StoreError) -> StateIDPage {
        try await self.wrapped.persistenceIDs(withPrefix: prefix, after: cursor, limit: limit)
    }
}

extension FaultyStateStore: StateBatching where Wrapped: StateBatching {
    /// Reads one state after the other, each with its own faults.
    public func latestStates(of ids: [String]) async -> [Result<DurableState?, StoreError>] {
        await self.latestStatesOneByOne(of: ids)
    }

    /// Writes one state after the other, each with its own faults.
    public func write(_ writes: [StateWrite]) async -> [Result<Void, StoreError>] {
        await self.writeOneByOne(writes)
    }
}
