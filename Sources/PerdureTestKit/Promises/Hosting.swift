internal import Glibc

extension StatePromise {
    /// Promise 14: a task that prefers the store's executor goes on where it asked, and none is lost.
    static let hosting: [StatePromise] = [
        StatePromise(
            14, "lets a task on its executor go on where it asked",
            .hosting { trial, store in
                let id = trial.id()
                try await trial.write(trial.state(id, 1), if: .absent)
                let threads = try await withTaskExecutorPreference(store.taskExecutor) {
                    var threads = Set([currentThread()])
                    for version in UInt64(1)...10 {
                        try await trial.write(trial.state(id, version + 1), if: .version(version))
                        threads.insert(currentThread())
                        try await trial.expectStored(trial.state(id, version + 1))
                        threads.insert(currentThread())
                    }
                    return threads
                }
                try trial.expect(threads.count == 1, "one thread", found: "\(threads.count)")
            }),
        StatePromise(
            14, "serves tasks on its executor and elsewhere at the same time",
            .hosting { trial, store in
                let ids = (0..<8).map { trial.id("\($0)") }
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for (number, id) in ids.enumerated() {
                        group.addTask(executorPreference: number % 2 == 0 ? store.taskExecutor : nil) {
                            try await trial.write(trial.state(id, 1), if: .absent)
                            for version in UInt64(1)...10 {
                                try await trial.write(trial.state(id, version + 1), if: .version(version))
                            }
                        }
                    }
                    try await group.waitForAll()
                }
                for id in ids { try await trial.expectStored(trial.state(id, 11)) }
            }),
        StatePromise(
            14, "runs the tasks of its executor on after it was disconnected",
            .ownHosting { trial, store in
                let id = trial.id()
                try await withTaskExecutorPreference(store.taskExecutor) {
                    try await trial.write(trial.state(id, 1), if: .absent)
                    await trial.store.disconnect()
                    for _ in 0..<10 { await Task.yield() }
                    try await trial.store.connect()
                    try await trial.expectStored(trial.state(id, 1))
                }
            }),
    ]

    /// The system's name for the thread that runs this: unlike `pthread_self()` none that the compiler takes for constant.
    private static func currentThread() -> String {
        var name = [CChar](repeating: 0, count: 64)
        let count = readlink("/proc/thread-self", &name, name.count)
        return String(decoding: name.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
