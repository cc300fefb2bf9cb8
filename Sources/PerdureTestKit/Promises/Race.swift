internal import PerdureConcurrency

/// What `body` returns, or nil when it takes longer than `limit`: then it is cancelled and left to itself.
func finish<Value: Sendable>(
    within limit: Duration, _ body: @escaping @Sendable () async -> Value
) async -> Value? {
    let race = Race<Value>()
    return await withTaskCancellationHandler {
        await withCheckedContinuation { continuation in
            race.begin(continuation)
            race.follow(Task { race.end(await body()) })
            race.follow(
                Task {
                    guard (try? await Task.sleep(for: limit)) != nil else { return }
                    race.end(nil)
                })
        }
    } onCancel: {
        race.cancel()
    }
}

/// The first of two tasks to end gives the answer, and cancels the other.
private final class Race<Value: Sendable>: Sendable {
    private struct State {
        var continuation: CheckedContinuation<Value?, Never>?
        var tasks: [Task<Void, Never>] = []
        var isOver = false
    }
    private let state = LockedState(State())

    func begin(_ continuation: CheckedContinuation<Value?, Never>) {
        self.state.withLock { $0.continuation = continuation }
    }

    func follow(_ task: Task<Void, Never>) {
        let isOver = self.state.withLock { state in
            state.tasks.append(task)
            return state.isOver
        }
        if isOver { task.cancel() }
    }

    func end(_ value: Value?) {
        let (continuation, tasks) = self.state.withLock { state in
            defer { state.continuation = nil }
            state.isOver = true
            return (state.continuation, state.tasks)
        }
        for task in tasks { task.cancel() }
        continuation?.resume(returning: value)
    }

    /// Cancels both tasks; the body still ends by itself and gives the answer.
    func cancel() {
        let tasks = self.state.withLock { state in
            state.isOver = true
            return state.tasks
        }
        for task in tasks { task.cancel() }
    }
}
