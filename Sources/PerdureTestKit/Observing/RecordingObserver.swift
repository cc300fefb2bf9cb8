internal import PerdureConcurrency

/// Keeps every event, for tests to look at.
public final class RecordingObserver: EventObserver {
    private struct Watcher {
        var number: UInt64
        var name: String
        var count: Int
        var continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var events: [PerdureEvent] = []
        var lastNumber: UInt64 = 0
        var watchers: [Watcher] = []
        var cancelled: Set<UInt64> = []
    }

    private let state = LockedState(State())

    /// Has seen nothing yet.
    public init() {}

    /// Keeps the event.
    public func observe(_ event: PerdureEvent) {
        let content = self.state.withLock { state -> [CheckedContinuation<Void, any Error>] in
            state.events.append(event)
            guard !state.watchers.isEmpty else { return [] }
            let name = event.name
            let count = state.events.count { $0.name == name }
            let content = state.watchers.filter { $0.name == name && $0.count <= count }
            state.watchers.removeAll { $0.name == name && $0.count <= count }
            return content.map(\.continuation)
        }
        for continuation in content { continuation.resume() }
    }

    /// What was seen, in the order in which it came.
    public var events: [PerdureEvent] { self.state.withLock { $0.events } }

    /// The names of what was seen, such as `entity.activated`, in the order in which it came.
    public var names: [String] { self.events.map(\.name) }

    /// What was seen under a name, such as `entity.activated`.
    public func events(named name: String) -> [PerdureEvent] { self.events.filter { $0.name == name } }

    /// Forgets what was seen.
    public func removeAll() { self.state.withLock { $0.events = [] } }

    /// Suspends until at least `count` events of a name were seen, those before the call included.
    ///
    /// - Throws: `CancellationError` when the caller is cancelled before.
    public func waitForEvents(named name: String, count: Int = 1) async throws {
        let number = self.state.withLock { state -> UInt64 in
            state.lastNumber += 1
            return state.lastNumber
        }
        // The handler may have come after everything else.
        defer { self.state.withLock { _ = $0.cancelled.remove(number) } }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let result = self.state.withLock { state -> Result<Void, any Error>? in
                    if state.cancelled.remove(number) != nil || Task.isCancelled {
                        return .failure(CancellationError())
                    }
                    if state.events.count(where: { $0.name == name }) >= count { return .success(()) }
                    state.watchers.append(
                        Watcher(number: number, name: name, count: count, continuation: continuation))
                    return nil
                }
                if let result { continuation.resume(with: result) }
            }
        } onCancel: {
            let continuation = self.state.withLock { state -> CheckedContinuation<Void, any Error>? in
                guard let place = state.watchers.firstIndex(where: { $0.number == number }) else {
                    state.cancelled.insert(number)
                    return nil
                }
                return state.watchers.remove(at: place).continuation
            }
            continuation?.resume(throwing: CancellationError())
        }
    }
}
