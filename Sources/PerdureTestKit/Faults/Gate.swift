internal import PerdureConcurrency

/// Where operations wait until a test lets them go on.
final class Gate: Sendable {
    private typealias Continuation = CheckedContinuation<Void, any Error>

    private struct State {
        var lastNumber: UInt64 = 0
        var held: [(number: UInt64, continuation: Continuation)] = []
        var watchers: [(number: UInt64, count: Int, continuation: Continuation)] = []
        var cancelled: Set<UInt64> = []
    }

    private let state = LockedState(State())

    var count: Int { self.state.withLock { $0.held.count } }

    /// Waits until the gate is opened; throws `CancellationError` when cancelled before.
    func wait() async throws {
        try await self.enter { state, number, continuation in
            state.held.append((number, continuation))
            let content = state.watchers.filter { $0.count <= state.held.count }.map(\.continuation)
            state.watchers.removeAll { $0.count <= state.held.count }
            return content
        }
    }

    /// Waits until so many are held; throws `CancellationError` when cancelled before.
    func wait(forCount count: Int) async throws {
        try await self.enter { state, number, continuation in
            if state.held.count >= count { return [continuation] }
            state.watchers.append((number, count, continuation))
            return []
        }
    }

    /// Lets all go on that are held; the next ones wait again.
    func open() {
        let held = self.state.withLock { state in
            defer { state.held = [] }
            return state.held.map(\.continuation)
        }
        for continuation in held { continuation.resume() }
    }

    /// Waits in the place where `register` puts the continuation; it returns those that go on at once.
    private func enter(_ register: (inout State, UInt64, Continuation) -> [Continuation]) async throws {
        let number = self.state.withLock { state -> UInt64 in
            state.lastNumber += 1
            return state.lastNumber
        }
        // The handler may have come after everything else.
        defer { self.state.withLock { _ = $0.cancelled.remove(number) } }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: Continuation) in
                let (isCancelled, content) = self.state.withLock { state -> (Bool, [Continuation]) in
                    if state.cancelled.contains(number) || Task.isCancelled { return (true, []) }
                    return (false, register(&state, number, continuation))
                }
                if isCancelled { continuation.resume(throwing: CancellationError()) }
                for continuation in content { continuation.resume() }
            }
        } onCancel: {
            let continuation = self.state.withLock { state -> Continuation? in
                if let place = state.held.firstIndex(where: { $0.number == number }) {
                    return state.held.remove(at: place).continuation
                }
                if let place = state.watchers.firstIndex(where: { $0.number == number }) {
                    return state.watchers.remove(at: place).continuation
                }
                state.cancelled.insert(number)
                return nil
            }
            continuation?.resume(throwing: CancellationError())
        }
    }
}
