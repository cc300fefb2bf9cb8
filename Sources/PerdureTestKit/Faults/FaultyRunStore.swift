internal import PerdureConcurrency
public import PerdureModel

/// A run store whose calls go wrong as planned, around one that works.
///
/// ```swift
/// let store = FaultyRunStore(InMemoryRunStore()) { call, number in
///     call.kind == .commit && number == 3 ? .loseAnswer : nil
/// }
/// ```
public final class FaultyRunStore: RunStoreWrapper {
    /// What goes wrong with a call.
    public enum Fault: Sendable, Hashable {
        /// Refused before anything is sent: fails with this code, and was not applied.
        case refuse(StoreError.Code)
        /// Done, but the answer does not arrive: fails with `timeout`, outcome unknown.
        case loseAnswer
        /// Does not arrive: fails with `timeout`, outcome unknown, and was not applied.
        case loseRequest
        /// Waits until ``FaultyRunStore/releaseHeld()`` before anything is sent, then goes on.
        case hold
        /// Waits for so long by the store's clock before anything is sent, then goes on.
        case delay(Duration)
        /// The connection is lost: this call and the next ones, so many altogether, fail with `unavailable`, not applied.
        case disconnect(calls: Int)
        /// This call is done, its answer does not arrive, and every later call fails: the process has crashed, as far as the store
        /// can tell. ``FaultyRunStore/restart()`` ends it.
        case crashAfter
        /// As ``crashAfter``, but this call is not done either.
        case crashBefore
    }

    /// Decides what goes wrong with a call; `number` counts the calls that change something, from 1. Calls that only look have
    /// the number of the last that did not.
    public typealias Plan = @Sendable (_ call: RunStoreCall, _ number: Int) -> Fault?

    public let base: any RunStore

    private struct State {
        var plan: Plan
        var number = 0
        var isCrashed = false
        /// How many more calls fail because the connection is lost.
        var disconnected = 0
        var faultCount = 0
    }

    private let state: LockedState<State>
    private let gate = Gate()
    private let clock: any PerdureClock

    /// Wraps a store; nothing goes wrong but what `plan` says. ``Fault/delay(_:)`` goes by `clock`.
    public init(
        _ base: any RunStore, clock: any PerdureClock = SystemClock(), plan: @escaping Plan = { _, _ in nil }
    ) {
        self.base = base
        self.clock = clock
        self.state = LockedState(State(plan: plan))
    }

    /// A plan in which each call that changes something loses its answer or its request, each with `probability`; the same seed gives
    /// the same faults for the same numbers.
    public static func losses(seed: UInt64, probability: Double) -> Plan {
        { call, number in
            guard call.isWrite else { return nil }
            var generator = SeededGenerator(seed: seed, stream: UInt64(number))
            let roll = Double(generator.next() >> 11) * 0x1p-53
            if roll < probability { return .loseAnswer }
            return roll < 2 * probability ? .loseRequest : nil
        }
    }

    /// A plan in which the process crashes at the write of this number, from 1, after it or before.
    public static func crash(atWrite number: Int, after: Bool) -> Plan {
        { call, current in
            guard call.isWrite, current == number else { return nil }
            return after ? .crashAfter : .crashBefore
        }
    }

    // MARK: For the test

    /// How many calls may have changed something.
    public var writeCount: Int { self.state.withLock { $0.number } }

    /// How many calls have gone wrong; of a crash, the first only.
    public var faultCount: Int { self.state.withLock { $0.faultCount } }

    /// Whether a planned crash has happened.
    public var isCrashed: Bool { self.state.withLock { $0.isCrashed } }

    /// Ends a crash, with another plan from now on; the count of writes goes on.
    public func restart(plan: @escaping Plan = { _, _ in nil }) {
        self.state.withLock { state in
            state.isCrashed = false
            state.plan = plan
        }
    }

    /// How many calls wait in ``Fault/hold``.
    public var heldCount: Int { self.gate.count }

    /// Suspends until so many calls wait in ``Fault/hold``.
    ///
    /// - Throws: `CancellationError` when the caller is cancelled before.
    public func waitForHeld(_ count: Int = 1) async throws { try await self.gate.wait(forCount: count) }

    /// Lets every call that waits in ``Fault/hold`` go on.
    public func releaseHeld() { self.gate.open() }

    // MARK: The store

    public func pass<Answer: Sendable>(
        _ call: RunStoreCall, _ body: () async throws(StoreError) -> Answer
    ) async throws(StoreError) -> Answer {
        let (fault, wasCrashed) = self.state.withLock { state -> (Fault?, Bool) in
            if state.isCrashed { return (nil, true) }
            if call.isWrite { state.number += 1 }
            if state.disconnected > 0 {
                state.disconnected -= 1
                state.faultCount += 1
                return (.refuse(.unavailable), false)
            }
            let fault = state.plan(call, state.number)
            if fault != nil { state.faultCount += 1 }
            if case .disconnect(let calls)? = fault { state.disconnected = max(0, calls - 1) }
            state.isCrashed = fault == .crashAfter || fault == .crashBefore
            return (fault, false)
        }
        if wasCrashed { throw Self.failure(.unavailable, .notApplied, call) }
        switch fault {
        case nil:
            return try await body()
        case .refuse(let code)?:
            throw Self.failure(code, .notApplied, call)
        case .disconnect?:
            throw Self.failure(.unavailable, .notApplied, call)
        case .delay(let duration)?:
            do {
                try await self.clock.sleep(for: duration)
            } catch {
                throw Self.failure(.cancelled, .notApplied, call)
            }
            return try await body()
        case .loseRequest?, .crashBefore?:
            throw Self.failure(.timeout, .unknown, call)
        case .loseAnswer?, .crashAfter?:
            do throws(StoreError) { _ = try await body() } catch {}
            throw Self.failure(.timeout, .unknown, call)
        case .hold?:
            do {
                try await self.gate.wait()
            } catch {
                throw Self.failure(.cancelled, .notApplied, call)
            }
            return try await body()
        }
    }

    private static func failure(
        _ code: StoreError.Code, _ outcome: StoreError.Outcome, _ call: RunStoreCall
    ) -> StoreError {
        StoreError(
            code, outcome: call.isWrite ? outcome : .notApplied, operation: call.operation,
            persistenceID: call.id.isEmpty ? nil : call.id, message: "a planned fault of \(call.kind.rawValue)")
    }
}
