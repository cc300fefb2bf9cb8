import BrokenRunStores
import PerdureConcurrency
import PerdureTestKit
import Testing

/// A run store that breaks something, and the number of the promise that must be found broken.
struct RunSuspect: Sendable, CustomTestStringConvertible {
    let number: Int
    let name: String
    let makeStore: @Sendable () -> any RunStore

    init(_ number: Int, _ name: String, _ change: @escaping @Sendable (inout BrokenRunStore) -> Void) {
        self.number = number
        self.name = name
        self.makeStore = {
            var store = BrokenRunStore()
            change(&store)
            return store
        }
    }

    var testDescription: String { self.name }

    static let all: [RunSuspect] = [
        RunSuspect(1, "forgets the context") { store in
            store.onCreate = { base, creation throws(StoreError) in
                var creation = creation
                creation.request.context = nil
                return try await base.create(creation)
            }
        },
        RunSuspect(1, "lists steps by name") { store in
            store.onSnapshot = { snapshot in
                var snapshot = snapshot
                snapshot.steps.sort { $0.id < $1.id }
                return snapshot
            }
        },
        RunSuspect(1, "does not remove steps") { store in
            store.onCommit = { base, commit throws(StoreError) in
                var commit = commit
                commit.removedSteps = []
                return try await base.commit(commit)
            }
        },
        RunSuspect(2, "reads what it read before") { store in
            let cache = LockedState<[String: RunRecord]>([:])
            store.onRun = { base, id throws(StoreError) in
                if let record = cache.withLock({ $0[id] }) { return record }
                let record = try await base.run(id)
                cache.withLock { $0[id] = record }
                return record
            }
        },
        RunSuspect(3, "writes a creation over a run that is there") { store in
            store.onCreate = { base, creation throws(StoreError) in
                let verdict = try await base.create(creation)
                guard case .exists(let record) = verdict else { return verdict }
                try await base.delete(
                    record.id, expectedRevision: record.progress.revision, expectedFence: record.progress.fence)
                return try await base.create(creation)
            }
        },
        RunSuspect(4, "does not look at the fence") { store in
            store.onCommit = { base, commit throws(StoreError) in
                var commit = commit
                if let stored = try await base.run(commit.runID) {
                    commit.expectedFence = stored.progress.fence
                    commit.progress.fence = max(commit.progress.fence, stored.progress.fence)
                }
                return try await base.commit(commit)
            }
        },
        RunSuspect(5, "posts before it knows whether the change is made") { store in
            store.onCommit = { base, commit throws(StoreError) in
                for (runID, message) in commit.posts { _ = try await base.post(message, to: runID) }
                return try await base.commit(commit)
            }
        },
        RunSuspect(6, "is unsure of conflicts") { store in
            store.onCommit = { base, commit throws(StoreError) in
                do throws(StoreError) {
                    return try await base.commit(commit)
                } catch {
                    throw StoreError(
                        error.code, outcome: .unknown, operation: error.operation,
                        persistenceID: error.persistenceID, message: error.message,
                        storedVersion: error.storedVersion)
                }
            }
        },
        RunSuspect(7, "gives the oldest last") { store in
            store.onClaim = { ClaimedRuns(runs: $0.runs.reversed(), nextWake: $0.nextWake) }
        },
        RunSuspect(7, "does not say when the next run is due") { store in
            store.onClaim = { ClaimedRuns(runs: $0.runs, nextWake: nil) }
        },
        RunSuspect(7, "knows no limits of resources") { store in
            store.onCreate = { base, creation throws(StoreError) in
                var creation = creation
                creation.request.resourceLimit = creation.request.resourceLimit.map { max($0, 1_000) }
                return try await base.create(creation)
            }
        },
        RunSuspect(8, "buries the living") { store in
            store.onBury = { base, id, _ throws(StoreError) in
                guard let worker = try await base.workers().first(where: { $0.id == id }) else { return false }
                return try await base.bury(id, beat: worker.beat)
            }
        },
        RunSuspect(8, "lets two workers have one name") { store in
            store.onRegister = { base, worker throws(StoreError) in
                var worker = worker
                worker.name = worker.id
                try await base.register(worker)
            }
        },
        RunSuspect(8, "keeps the runs of those that retire") { store in
            store.onRetire = { base, id throws(StoreError) in
                guard let worker = try await base.workers().first(where: { $0.id == id }) else { return }
                _ = try await base.bury(id, beat: worker.beat)
            }
        },
        RunSuspect(9, "takes a message again and again") { store in
            let number = LockedState(0)
            store.onPost = { base, message, id throws(StoreError) in
                var message = message
                let count = number.withLock { number -> Int in
                    number += 1
                    return number
                }
                if PersistenceID.violation(in: message.id) == nil { message.id += "-\(count)" }
                return try await base.post(message, to: id)
            }
        },
        RunSuspect(9, "lets runs sleep through messages that came before they lay down") { store in
            store.onCommit = { base, commit throws(StoreError) in
                var commit = commit
                if commit.progress.owner == nil, let stored = try await base.run(commit.runID) {
                    commit.progress.inboxSeen = stored.inboxCount
                }
                return try await base.commit(commit)
            }
        },
        RunSuspect(9, "keeps mail to itself") { store in store.onMail = { _ in [] } },
        RunSuspect(10, "skips a run at page borders") { store in
            store.onPage = { RunPage(runs: $0.next == nil ? $0.runs : $0.runs.dropLast(), next: $0.next) }
        },
        RunSuspect(10, "counts one too many") { store in store.onCount = { $0 + 1 } },
        RunSuspect(11, "deletes whatever is there") { store in
            store.onDelete = { base, id, revision, fence throws(StoreError) in
                let stored = try await base.run(id)?.progress
                try await base.delete(
                    id, expectedRevision: stored?.revision ?? revision, expectedFence: stored?.fence ?? fence)
            }
        },
        RunSuspect(11, "purges more than it is told to") { store in
            store.onPurge = { base, now, limit throws(StoreError) in
                try await base.purgeRuns(expiredAt: now, limit: limit + 1)
            }
        },
        RunSuspect(12, "makes no changes of cancelled callers") { store in
            store.onCommit = { base, commit throws(StoreError) in
                if Task.isCancelled { throw StoreError(.cancelled, operation: .write, message: "cancelled") }
                return try await base.commit(commit)
            }
        },
        RunSuspect(13, "ignores the case of IDs") { store in store.onID = { $0.lowercased() } },
        RunSuspect(13, "ends IDs at NUL") { store in
            store.onID = { String(decoding: $0.utf8.prefix { $0 != 0 }, as: UTF8.self) }
        },
    ]
}

/// The suite is held to stores of which we know what is wrong with them.
@Suite(.timeLimit(.minutes(20))) struct BrokenRunStoreTests {
    let settings = PromiseSettings(largestPayload: 1 << 16, writers: 4, rounds: 1, timeLimit: .seconds(600))

    @Test(arguments: RunSuspect.all) func isFound(_ suspect: RunSuspect) async {
        let promises = RunPromise.all.filter { $0.number == suspect.number }
        let report = await RunPromises.verify(
            RunStoreFixture(suspect.name, makeStore: suspect.makeStore), promises: promises, settings: self.settings)
        #expect(!report.broken.isEmpty, "\(report)")
        #expect(report.broken.allSatisfy { $0.number == suspect.number })
    }

    @Test func everyNumberHasABrokenStore() {
        #expect(Set(RunSuspect.all.map(\.number)) == Set(1...13))
    }

    /// One store for all promises: what goes on in others makes no difference, and nothing is left.
    @Test func aWrapperWithoutFaultsKeepsThemAll() async throws {
        let store = BrokenRunStore()
        let counting = CountingRunStore(FaultyRunStore(store))
        let report = await RunPromises.verify(
            RunStoreFixture("wrapped", makeStore: { counting }), promises: RunPromise.all.filter { !$0.needsOwnStore },
            settings: self.settings)
        #expect(report.isKept, "\(report)")
        #expect(report.description.contains("One of several creations makes the run"))
        #expect(counting.writeCount > 1_000)
        try await store.connect()
        let left = try await store.countRuns(where: RunFilter(), now: .min)
        #expect(left == 0)
        #expect(try await store.workers().isEmpty)
    }

    /// A store may go through all workflows that it ever had: trials take turns with the names of a few.
    @Test func needsFewWorkflows() async {
        struct Noting: RunStoreWrapper {
            let base: any RunStore
            let workflows = LockedState<Set<String>>([])
            func create(_ creation: RunCreation) async throws(StoreError) -> CreateVerdict {
                self.workflows.withLock { _ = $0.insert(creation.request.workflow) }
                return try await self.base.create(creation)
            }
        }
        let store = Noting(base: InMemoryRunStore())
        let report = await RunPromises.verify(
            RunStoreFixture("noted", makeStore: { store }), promises: RunPromise.all.filter { !$0.needsOwnStore },
            settings: self.settings)
        #expect(report.isKept, "\(report)")
        #expect((1...80).contains(store.workflows.withLock { $0.count }))
    }

    @Test func losesAndCrashesAsPlanned() async throws {
        let memory = InMemoryRunStore()
        let store = FaultyRunStore(memory, plan: FaultyRunStore.crash(atWrite: 2, after: true))
        func create(_ id: String) async throws(StoreError) {
            let request = RunRequest(id: id, workflow: "w", version: "1", input: RunValue(1), createdAt: 0)
            _ = try await store.create(
                RunCreation(request: request, progress: RunProgress(definitionHash: 0, at: 0)))
        }
        try await create("a")
        await #expect(throws: StoreError.self) { try await create("b") }
        #expect(store.isCrashed)
        await #expect(throws: StoreError.self) { try await create("c") }
        await #expect(throws: StoreError.self) { try await store.run("a") }
        #expect(try await memory.run("b") != nil)
        #expect(try await memory.run("c") == nil)
        store.restart { call, _ in call.id == "d" ? .loseRequest : nil }
        await #expect(throws: StoreError.self) { try await create("d") }
        #expect(try await store.run("a") != nil)
        #expect(try await memory.run("d") == nil)
        #expect(store.writeCount == 3)
    }
}
