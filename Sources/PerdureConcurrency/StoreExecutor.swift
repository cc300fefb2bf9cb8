/// A thread that runs tasks beside its own work.
package protocol TaskThread: AnyObject, Sendable {
    /// Runs `job` on the thread, as `executor`'s; false, and nothing, when the thread takes no more.
    func run(_ job: UnownedJob, for executor: UnownedTaskExecutor) -> Bool
}

/// Runs tasks on the thread of a store, where their answers arrive; without one, where tasks run anyway.
///
/// No job is ever lost: tasks that prefer the executor of a closed store just run elsewhere.
package final class StoreExecutor: TaskExecutor {
    private let thread = LockedState<(any TaskThread)?>(nil)

    package init() {}

    /// From now on tasks run on `thread`.
    package func lend(_ thread: any TaskThread) { self.thread.withLock { $0 = thread } }

    /// From now on tasks run where they would without a preference.
    package func withdraw() { self.thread.withLock { $0 = nil } }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if let thread = self.thread.withLock({ $0 }), thread.run(job, for: self.asUnownedTaskExecutor()) { return }
        globalConcurrentExecutor.enqueue(ExecutorJob(job))
    }
}
