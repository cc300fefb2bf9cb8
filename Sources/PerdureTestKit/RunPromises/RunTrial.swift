internal import PerdureConcurrency

/// One verification of one promise of run stores: the store, IDs that nobody else has, and the usual questions.
struct RunTrial: PromiseTrial {
    let promise: RunPromise
    let store: any RunStore
    let fixture: RunStoreFixture
    let settings: PromiseSettings
    /// What every ID and worker of this trial begins with; 22 bytes that no other trial has.
    let prefix: String
    /// What every workflow of this trial begins with; no other trial has it at the same time.
    let workflowPrefix: String
    private let owned = LockedState(Owned())

    private struct Owned {
        var runs: Set<IDKey> = []
        var workers: Set<IDKey> = []
        var stores: [any RunStore] = []
    }

    /// The time at which everything of a trial happens, unless it says so.
    static let start: Int64 = 1_700_000_000_000

    init(
        of promise: RunPromise, on store: any RunStore, fixture: RunStoreFixture, settings: PromiseSettings,
        workflowPrefix: String?
    ) {
        self.promise = promise
        self.store = store
        self.fixture = fixture
        self.settings = settings
        self.prefix = Self.freshPrefix()
        self.workflowPrefix = workflowPrefix ?? self.prefix
    }

    var number: Int { self.promise.number }
    var name: String { self.promise.name }

    // MARK: Material

    /// A run's ID of this trial; the run is deleted when the trial is over.
    func id(_ suffix: String = "") -> String {
        let id = self.prefix + suffix
        self.owned.withLock { _ = $0.runs.insert(IDKey(id)) }
        return id
    }

    /// A workflow's name of this trial.
    func workflow(_ suffix: String = "") -> String { "\(self.workflowPrefix)-flow\(suffix)" }

    /// A worker's ID of this trial; the worker is retired when the trial is over.
    func worker(_ suffix: String = "") -> String {
        let id = "\(self.prefix)-worker\(suffix)"
        self.owned.withLock { _ = $0.workers.insert(IDKey(id)) }
        return id
    }

    /// A value of so many bytes, each of which follows from its place.
    func value(_ text: String) -> RunValue { RunValue(bytes: Array("\"\(text)\"".utf8)) }

    func request(_ suffix: String = "", workflow: String? = nil, createdAt: Int64 = start) -> RunRequest {
        RunRequest(
            id: self.id(suffix), workflow: workflow ?? self.workflow(), version: "1", input: self.value("input"),
            createdAt: createdAt)
    }

    func progress(_ status: RunStatus = .pending, wake: RunWake = .now, owner: String? = nil) -> RunProgress {
        var progress = RunProgress(status: status, definitionHash: 7, wake: wake, at: Self.start)
        progress.owner = owner
        return progress
    }

    func step(_ id: String, _ position: Int = 0, output: String = "output") -> StepRecord {
        var step = StepRecord(id: id, position: position, definitionHash: 3, status: .completed)
        step.output = self.value(output)
        return step
    }

    func signal(_ id: String, _ name: String = "go") -> RunMessage {
        RunMessage(id: id, kind: .signal(name), payload: self.value("payload of \(id)"), postedAt: Self.start)
    }

    /// A change of a run as it is, to what `change` makes of its progress.
    func change(_ record: RunRecord, _ change: (inout RunProgress) -> Void = { _ in }) -> RunCommit {
        var progress = record.progress
        progress.revision += 1
        change(&progress)
        return RunCommit(
            runID: record.id, expectedRevision: record.progress.revision, expectedFence: record.progress.fence,
            progress: progress)
    }

    func claim(_ worker: String, limit: Int = 100, now: Int64 = start, workflows: [String]? = nil) -> RunClaim {
        RunClaim(worker: worker, workflows: workflows ?? [self.workflow()], limit: limit, now: now)
    }

    /// A worker that says nothing more. Engines that use the same tables take nobody for dead within a day.
    func record(of worker: String, name: String? = nil) -> WorkerRecord {
        WorkerRecord(
            id: worker, name: name ?? worker, process: "p", beat: 1, leaseMilliseconds: 86_400_000,
            registeredAt: Self.start, renewedAt: Self.start)
    }

    /// Another store over the same data.
    func secondStore() async throws -> any RunStore {
        guard let make = self.fixture.makeSecondStore else { throw self.untested("no second store") }
        let store = try await make(self.store)
        self.owned.withLock { $0.stores.append(store) }
        return store
    }

    // MARK: Asking the store

    /// Stores a new run.
    @discardableResult
    func create(
        _ request: RunRequest, _ progress: RunProgress, steps: [StepRecord] = [], state: [StateRecord] = [],
        fileID: StaticString = #fileID, line: UInt = #line
    ) async throws -> RunRecord {
        let verdict = try await self.store.create(
            RunCreation(request: request, progress: progress, steps: steps, state: state))
        guard case .created = verdict else {
            throw self.broken(expected: "the run to be created", found: "there is one", fileID: fileID, line: line)
        }
        return RunRecord(request: request, progress: progress)
    }

    /// A pending run that is ready.
    @discardableResult
    func ready(_ suffix: String = "", _ change: (inout RunRequest) -> Void = { _ in }) async throws -> RunRecord {
        var request = self.request(suffix)
        change(&request)
        return try await self.create(request, self.progress())
    }

    /// A run that a worker drives.
    @discardableResult
    func driven(_ suffix: String = "", by worker: String, workflow: String? = nil) async throws -> RunRecord {
        try await self.create(self.request(suffix, workflow: workflow), self.progress(.running, owner: worker))
    }

    func run(_ id: String, fileID: StaticString = #fileID, line: UInt = #line) async throws -> RunRecord {
        guard let record = try await self.store.run(id) else {
            throw self.broken(expected: "a run", found: "none", fileID: fileID, line: line)
        }
        return record
    }

    func snapshot(_ id: String, fileID: StaticString = #fileID, line: UInt = #line) async throws -> RunSnapshot {
        guard let snapshot = try await self.store.snapshot(of: id) else {
            throw self.broken(expected: "a run", found: "none", fileID: fileID, line: line)
        }
        return snapshot
    }

    /// Reads a run, and compares everything with what it should be.
    func expect(
        _ id: String, is expected: RunSnapshot, fileID: StaticString = #fileID, line: UInt = #line
    ) async throws {
        let found = try await self.snapshot(id, fileID: fileID, line: line)
        let differences = found.differences(from: expected)
        try self.expect(
            differences.isEmpty, "what was stored", found: differences.joined(separator: ", "), fileID: fileID,
            line: line)
    }

    /// Claims, and compares the IDs with what they should be, by what they end in.
    @discardableResult
    func expectClaim(
        _ claim: RunClaim, gives suffixes: [String], fileID: StaticString = #fileID, line: UInt = #line
    ) async throws -> ClaimedRuns {
        let claimed = try await self.store.claim(claim)
        let found = claimed.runs.map { String($0.run.id.dropFirst(self.prefix.count)) }
        try self.expect(found == suffixes, "runs \(suffixes)", found: "\(found)", fileID: fileID, line: line)
        return claimed
    }

    func expectConflict(
        with stored: UInt64, _ commit: RunCommit, fileID: StaticString = #fileID, line: UInt = #line
    ) async throws {
        try await self.expectConflict(with: stored, of: "the change", fileID: fileID, line: line) {
            () async throws(StoreError) in _ = try await self.store.commit(commit)
        }
    }

    // MARK: Afterwards

    /// Removes what the trial wrote.
    func removeEverything() async {
        let owned = self.owned.withLock { $0 }
        for store in owned.stores { await store.disconnect() }
        try? await self.store.connect()
        for worker in owned.workers { try? await self.store.retire(worker.id, at: Self.start) }
        for id in owned.runs.sorted() where PersistenceID.violation(in: id.id) == nil {
            for _ in 0..<3 {
                guard let run = try? await self.store.run(id.id) else { break }
                try? await self.store.delete(
                    id.id, expectedRevision: run.progress.revision, expectedFence: run.progress.fence)
            }
        }
    }
}
