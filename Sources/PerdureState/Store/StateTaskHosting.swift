/// A store that has a thread of its own, which can run its callers' tasks.
///
/// An answer comes to a store's thread and then wakes the thread that the caller's task runs on. On a machine with nothing to do that
/// takes longer than much else about a request. A task that prefers the store's executor is spared it:
///
/// ```swift
/// try await withTaskExecutorPreference(store.taskExecutor) {
///     try await account.send(.credit(100))
/// }
/// ```
///
/// A store promises that such a task goes on where it asked, that tasks elsewhere are served meanwhile, and that no task is lost
/// when the store disconnects.
public protocol StateTaskHosting: StateStore {
    /// Runs tasks on the thread on which the store's answers arrive, or that makes them.
    ///
    /// Tasks there must neither block nor compute for long: every other request of the store waits meanwhile. Before the store is
    /// connected, and after it was disconnected, they run where they would without a preference. Keep the store while they run.
    var taskExecutor: any TaskExecutor { get }
}
