internal import PerdureConcurrency
package import PerdureWorkflow
internal import Waiting

/// Has an engine work in the background; returns once it is registered.
///
/// As whoever supervises services does it, an engine that cannot register is started again: its store may be out of reach for a
/// while, as when another worker is stopped that has the only lock. Cancelling what is returned stops it.
package func beginWorking(_ engine: WorkflowEngine) async throws -> Task<Void, any Error> {
    let hasFailed = LockedState(false)
    let running = Task {
        do {
            while true {
                do {
                    return try await engine.run()
                } catch StoreError.Code.unavailable where !Task.isCancelled { continue }
            }
        } catch {
            hasFailed.withLock { $0 = true }
            throw error
        }
    }
    if try await poll(while: { !hasFailed.withLock { $0 } }, { engine.isWorker }) { return running }
    try await running.value
    return running
}
