internal import PerdureConcurrency
public import PerdureModel

/// A clock whose hands a test moves: nothing that goes by it has to wait.
///
/// ```swift
/// let clock = ManualClock()
/// var configuration = StateEngine.Configuration()
/// configuration.clock = clock
/// let engine = StateEngine(store: store, configuration: configuration) { BankAccount() }
/// let running = Task { try await engine.run() }
/// try await clock.waitForSleepers()        // the engine sleeps until the idle time is over
/// clock.advance(by: .seconds(60))
/// ```
///
/// Sleepers are resumed in the order of their deadlines, those of one deadline in the order in which they came. What they do
/// next runs as the scheduler pleases.
public final class ManualClock: PerdureClock {
    private struct Sleeper {
        var number: UInt64
        var deadline: Duration
        var continuation: CheckedContinuation<Void, any Error>
    }

    private struct Watcher {
        var number: UInt64
        var count: Int
        var continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var now: Duration
        var unixMilliseconds: Int64
        var lastNumber: UInt64 = 0
        /// In the order in which they are to be resumed.
        var sleepers: [Sleeper] = []
        var watchers: [Watcher] = []
        /// Whoever was cancelled before being registered.
        var cancelled: Set<UInt64> = []
    }

    /// What to resume once the lock is free.
    private typealias Wakes = [CheckedContinuation<Void, any Error>]

    private let state: LockedState<State>

    /// A clock that stands still at `now`, and whose wall clock shows `unixMilliseconds`.
    public init(now: Duration = .zero, unixMilliseconds: Int64 = 1_700_000_000_000) {
        self.state = LockedState(State(now: now, unixMilliseconds: unixMilliseconds))
    }

    // MARK: Reading it

    public var now: Duration { self.state.withLock { $0.now } }

    public var unixMilliseconds: Int64 {
        self.state.withLock { $0.unixMilliseconds + Self.milliseconds($0.now) }
    }

    public func sleep(until deadline: Duration) async throws {
        let number = self.nextNumber()
        // The handler may have come after everything else.
        defer { self.state.withLock { _ = $0.cancelled.remove(number) } }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let (result, wakes) = self.state.withLock { state -> (Result<Void, any Error>?, Wakes) in
                    if state.cancelled.remove(number) != nil || Task.isCancelled {
                        return (.failure(CancellationError()), [])
                    }
                    if deadline <= state.now { return (.success(()), []) }
                    let place = state.sleepers.firstIndex { $0.deadline > deadline } ?? state.sleepers.count
                    state.sleepers.insert(
                        Sleeper(number: number, deadline: deadline, continuation: continuation), at: place)
                    return (nil, Self.contentWatchers(&state))
                }
                if let result { continuation.resume(with: result) }
                for wake in wakes { wake.resume() }
            }
        } onCancel: {
            self.cancel(number)
        }
    }

    // MARK: Moving the hands

    /// Moves the hands on by `duration`, which is not negative, and resumes everybody whose deadline has come.
    public func advance(by duration: Duration) {
        precondition(duration >= .zero, "a monotonic clock does not go back; asked for \(duration)")
        self.move { state in state.now + duration }
    }

    /// Moves the hands on to `time`, and resumes everybody whose deadline has come; does nothing when it is later already.
    public func advance(to time: Duration) {
        self.move { state in max(state.now, time) }
    }

    /// Moves the hands on to the earliest deadline and resumes whoever sleeps until then.
    ///
    /// Returns the time that it is then; nil, and nothing happens, when nobody sleeps.
    @discardableResult
    public func advanceToNextSleeper() -> Duration? {
        var deadline: Duration?
        self.move { state in
            deadline = state.sleepers.first?.deadline
            return deadline ?? state.now
        }
        return deadline
    }

    /// Sets the wall clock, which may jump either way; the monotonic time stays.
    public func setWallClock(to unixMilliseconds: Int64) {
        self.state.withLock { $0.unixMilliseconds = unixMilliseconds - Self.milliseconds($0.now) }
    }

    // MARK: Knowing who sleeps

    /// How many tasks sleep by this clock.
    public var sleeperCount: Int { self.state.withLock { $0.sleepers.count } }

    /// When the next sleeper wants to be resumed; nil when nobody sleeps.
    public var nextDeadline: Duration? { self.state.withLock { $0.sleepers.first?.deadline } }

    /// Suspends until at least `count` tasks sleep by this clock: then moving the hands misses none of them.
    ///
    /// - Throws: `CancellationError` when the caller is cancelled before.
    public func waitForSleepers(_ count: Int = 1) async throws {
        let number = self.nextNumber()
        // The handler may have come after everything else.
        defer { self.state.withLock { _ = $0.cancelled.remove(number) } }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let result = self.state.withLock { state -> Result<Void, any Error>? in
                    if state.cancelled.remove(number) != nil || Task.isCancelled {
                        return .failure(CancellationError())
                    }
                    if state.sleepers.count >= count { return .success(()) }
                    state.watchers.append(Watcher(number: number, count: count, continuation: continuation))
                    return nil
                }
                if let result { continuation.resume(with: result) }
            }
        } onCancel: {
            self.cancel(number)
        }
    }

    // MARK: Details

    private func nextNumber() -> UInt64 {
        self.state.withLock { state in
            state.lastNumber += 1
            return state.lastNumber
        }
    }

    private func move(to time: (borrowing State) -> Duration) {
        let wakes = self.state.withLock { state -> Wakes in
            state.now = time(state)
            let due = state.sleepers.prefix { $0.deadline <= state.now }
            state.sleepers.removeFirst(due.count)
            return due.map(\.continuation)
        }
        for wake in wakes { wake.resume() }
    }

    /// Takes out the watchers that waited for as many sleepers as there are now.
    private static func contentWatchers(_ state: inout State) -> Wakes {
        let count = state.sleepers.count
        let content = state.watchers.filter { $0.count <= count }
        state.watchers.removeAll { $0.count <= count }
        return content.map(\.continuation)
    }

    /// Runs on the canceller's thread, perhaps before the number is registered.
    private func cancel(_ number: UInt64) {
        let continuation = self.state.withLock { state -> CheckedContinuation<Void, any Error>? in
            if let place = state.sleepers.firstIndex(where: { $0.number == number }) {
                return state.sleepers.remove(at: place).continuation
            }
            if let place = state.watchers.firstIndex(where: { $0.number == number }) {
                return state.watchers.remove(at: place).continuation
            }
            state.cancelled.insert(number)
            return nil
        }
        continuation?.resume(throwing: CancellationError())
    }

    private static func milliseconds(_ duration: Duration) -> Int64 {
        duration.components.seconds * 1_000 + duration.components.attoseconds / 1_000_000_000_000_000
    }
}
