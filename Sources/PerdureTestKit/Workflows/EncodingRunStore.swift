public import PerdureModel
public import PerdureWorkflow

/// A run store that keeps nothing but bytes: every value makes the way through JSON, as with a database.
///
/// So a type that does not come back as it was is found out in a test. Otherwise it does what the store does that it wraps.
public final class EncodingRunStore<Base: RunStore>: RunStore {
    /// The wrapped store.
    public let base: Base

    /// Wraps a store.
    public init(_ base: Base) { self.base = base }

    public var keepsLiveValues: Bool { false }

    public func connect() async throws(StoreError) { try await self.base.connect() }
    public func disconnect() async { await self.base.disconnect() }
    public func ping() async throws(StoreError) { try await self.base.ping() }

    public func create(_ creation: RunCreation) async throws(StoreError) -> CreateVerdict {
        var creation = creation
        creation.request.input = try Self.bytes(of: creation.request.input, creation.request.id)
        creation.request.context = try Self.bytes(of: creation.request.context, creation.request.id)
        try Self.encode(&creation.progress, &creation.steps, &creation.state, creation.request.id)
        return try await self.base.create(creation)
    }

    public func commit(_ commit: RunCommit) async throws(StoreError) -> CommitReceipt {
        var commit = commit
        try Self.encode(&commit.progress, &commit.steps, &commit.state, commit.runID)
        for index in commit.posts.indices {
            commit.posts[index].message.payload = try Self.bytes(
                of: commit.posts[index].message.payload, commit.runID)
        }
        return try await self.base.commit(commit)
    }

    public func snapshot(of runID: String) async throws(StoreError) -> RunSnapshot? {
        try await self.base.snapshot(of: runID)
    }

    public func run(_ runID: String) async throws(StoreError) -> RunRecord? { try await self.base.run(runID) }

    public func post(_ message: RunMessage, to runID: String) async throws(StoreError) -> PostVerdict {
        var message = message
        message.payload = try Self.bytes(of: message.payload, runID)
        return try await self.base.post(message, to: runID)
    }

    public func delete(_ runID: String, expectedRevision: UInt64, expectedFence: UInt64) async throws(StoreError) {
        try await self.base.delete(runID, expectedRevision: expectedRevision, expectedFence: expectedFence)
    }

    public func claim(_ claim: RunClaim) async throws(StoreError) -> ClaimedRuns { try await self.base.claim(claim) }
    public func adopt(_ claim: RunClaim) async throws(StoreError) -> [RunSnapshot] { try await self.base.adopt(claim) }
    public func mail(for worker: String) async throws(StoreError) -> [RunMail] { try await self.base.mail(for: worker) }
    public func register(_ worker: WorkerRecord) async throws(StoreError) { try await self.base.register(worker) }

    public func renew(_ workerID: String, at time: Int64) async throws(StoreError) -> Bool {
        try await self.base.renew(workerID, at: time)
    }

    public func bury(_ workerID: String, beat: UInt64) async throws(StoreError) -> Bool {
        try await self.base.bury(workerID, beat: beat)
    }

    public func retire(_ workerID: String, at time: Int64) async throws(StoreError) {
        try await self.base.retire(workerID, at: time)
    }

    public func workers() async throws(StoreError) -> [WorkerRecord] { try await self.base.workers() }

    public func runs(
        where filter: RunFilter, after cursor: RunPage.Cursor?, limit: Int, now: Int64
    ) async throws(StoreError) -> RunPage {
        try await self.base.runs(where: filter, after: cursor, limit: limit, now: now)
    }

    public func countRuns(where filter: RunFilter, now: Int64) async throws(StoreError) -> Int {
        try await self.base.countRuns(where: filter, now: now)
    }

    public func purgeRuns(expiredAt now: Int64, limit: Int) async throws(StoreError) -> Int {
        try await self.base.purgeRuns(expiredAt: now, limit: limit)
    }

    // MARK: Details

    private static func bytes(of value: RunValue, _ runID: String) throws(StoreError) -> RunValue {
        do {
            return RunValue(bytes: try value.bytes)
        } catch {
            throw StoreError(
                .undecodable, operation: .write, persistenceID: runID, message: error.message, underlying: error)
        }
    }

    private static func bytes(of value: RunValue?, _ runID: String) throws(StoreError) -> RunValue? {
        guard let value else { return nil }
        let bytes: RunValue = try self.bytes(of: value, runID)
        return bytes
    }

    private static func encode(
        _ progress: inout RunProgress, _ steps: inout [StepRecord], _ state: inout [StateRecord], _ runID: String
    ) throws(StoreError) {
        progress.output = try self.bytes(of: progress.output, runID)
        for index in steps.indices {
            steps[index].input = try self.bytes(of: steps[index].input, runID)
            steps[index].output = try self.bytes(of: steps[index].output, runID)
        }
        for index in state.indices { state[index].value = try self.bytes(of: state[index].value, runID) }
    }
}

extension EncodingRunStore: RunNotifications where Base: RunNotifications {
    /// What the wrapped store tells.
    public func notices(_ receive: @escaping @Sendable (RunNotice) -> Void) async throws(StoreError) {
        try await self.base.notices(receive)
    }
}
