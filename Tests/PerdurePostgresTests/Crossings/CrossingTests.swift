import Dispatch
import PerdureConcurrency
import PerdureIO
import PerdureState
import Testing

@testable import PerdurePostgres

/// How often an operation crosses from one thread to another: once into the loop, once out of it, and never in between.
@Suite(.enabled(if: TestServer.isThere, "needs a server: script/server postgres start"))
struct CrossingTests {
    /// Runs tasks on a queue of its own and counts how often one is given to it: each time a task was resumed from elsewhere.
    private final class CountingExecutor: TaskExecutor {
        private let queue = DispatchQueue(label: "counting")
        private let enqueued = LockedState(0)

        var count: Int { self.enqueued.withLock { $0 } }

        func enqueue(_ job: consuming ExecutorJob) {
            let job = UnownedJob(job)
            self.enqueued.withLock { $0 += 1 }
            self.queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
        }
    }

    private func state(_ id: String, _ version: UInt64) -> DurableState {
        DurableState(persistenceID: id, version: version, payload: StatePayload(manifest: "test", bytes: [1, 2, 3]))
    }

    /// What crossed while `body` ran in a task of its own.
    private func crossings(
        _ store: PostgresStore, _ body: @escaping @Sendable () async throws -> Void
    ) async throws -> (into: EventLoop.Traffic, out: Int) {
        let loop = try store.works(for: .read).loop
        let executor = CountingExecutor()
        let (before, after) = try await Task(executorPreference: executor) {
            // Begun: what is counted from here on are resumptions.
            let before = (loop.traffic, executor.count)
            try await body()
            return (before, (loop.traffic, executor.count))
        }.value
        var into = after.0
        into.jobs -= before.0.jobs
        into.calls -= before.0.calls
        into.wakes -= before.0.wakes
        return (into, after.1 - before.1)
    }

    @Test(arguments: ["write", "read", "delete"]) func aLoneOperationCrossesOnceEachWay(operation: String) async throws
    {
        try await TestServer.withStore { store in
            for number in 0..<100 { try await store.write(self.state("id-\(number)", 1), if: .absent) }
            let crossings = try await self.crossings(store) {
                for number in 0..<100 {
                    let id = "id-\(number)"
                    switch operation {
                    case "write": try await store.write(self.state(id, 2), if: .version(1))
                    case "read": _ = try await store.latestState(of: id)
                    default: try await store.delete(id, if: .version(1))
                    }
                }
            }
            // In: a caller that finds the loop asleep acts in its place, which is no crossing; any other makes one call, for which the
            // loop is woken at most once. Nothing runs on the loop as a task's job.
            #expect(crossings.into.calls <= 100 && crossings.into.jobs == 0)
            #expect(crossings.into.wakes <= crossings.into.calls)
            // Out: one resumption each, and none where the answer was there before the task had suspended.
            #expect(crossings.out <= 100)
        }
    }

    /// A loop that goes on looking is woken by nobody: each operation is one call for it, and one resumption.
    @Test func aThreadThatLooksNeedsNoWaking() async throws {
        try await TestServer.withSchema { configuration in
            var configuration = configuration
            configuration.busyPolling = .seconds(1)
            let store = try PostgresStore(configuration)
            try await store.write(self.state("id", 1), if: .absent)
            let crossings = try await self.crossings(store) {
                for version: UInt64 in 2...101 {
                    try await store.write(self.state("id", version), if: .version(version - 1))
                }
            }
            await store.disconnect()
            #expect(crossings.into.wakes <= 5, "only where a write took a second")
            #expect(crossings.into.calls <= 100 && crossings.out <= 100)
        }
    }

    /// Operations that come together share the way in: the loop is told once for all that wait.
    @Test func operationsTogetherCrossNoMoreOften() async throws {
        try await TestServer.withStore { store in
            for number in 0..<64 { try await store.write(self.state("id-\(number)", 1), if: .absent) }
            let crossings = try await self.crossings(store) {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for number in 0..<64 {
                        group.addTask {
                            for version: UInt64 in 2...21 {
                                try await store.write(self.state("id-\(number)", version), if: .version(version - 1))
                            }
                        }
                    }
                    try await group.waitForAll()
                }
            }
            #expect(crossings.into.jobs == 0 && crossings.into.calls <= 64 * 20)
            #expect(crossings.into.wakes <= crossings.into.calls)
            // Each task is begun once, resumed once for each operation, and its end is told to the group's task at most once.
            let most = 64 * 20 + 2 * 64 + 1
            #expect(crossings.out <= most, "\(crossings)")
            print("64 tasks, 1280 writes: \(crossings.into.calls) calls to the loop, \(crossings.into.wakes) wake-ups")
        }
    }

    /// A batch of a caller's own crosses once each way, whatever its size.
    @Test func aBatchCrossesOnceEachWay() async throws {
        try await TestServer.withStore { store in
            let crossings = try await self.crossings(store) {
                let writes = (0..<200).map { StateWrite(self.state("id-\($0)", 1), if: .absent) }
                for result in await store.write(writes) { try result.get() }
            }
            #expect(crossings.into.calls == 1 && crossings.into.jobs == 0 && crossings.out == 1)
        }
    }
}
