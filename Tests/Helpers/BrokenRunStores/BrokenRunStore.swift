package import PerdureModel
package import PerdureTestKit

/// A run store that does one thing wrong, around one that works: what is set is done instead.
package struct BrokenRunStore: RunStoreWrapper, RunNotifications {
    private let memory = InMemoryRunStore()
    package var onCreate: (@Sendable (any RunStore, RunCreation) async throws(StoreError) -> CreateVerdict)?
    package var onCommit: (@Sendable (any RunStore, RunCommit) async throws(StoreError) -> CommitReceipt)?
    package var onRun: (@Sendable (any RunStore, String) async throws(StoreError) -> RunRecord?)?
    package var onSnapshot: (@Sendable (RunSnapshot) -> RunSnapshot)?
    package var onPost: (@Sendable (any RunStore, RunMessage, String) async throws(StoreError) -> PostVerdict)?
    package var onDelete: (@Sendable (any RunStore, String, UInt64, UInt64) async throws(StoreError) -> Void)?
    package var onClaim: (@Sendable (ClaimedRuns) -> ClaimedRuns)?
    package var onAdopt: (@Sendable ([RunSnapshot]) -> [RunSnapshot])?
    package var onMail: (@Sendable ([RunMail]) -> [RunMail])?
    package var onRegister: (@Sendable (any RunStore, WorkerRecord) async throws(StoreError) -> Void)?
    package var onBury: (@Sendable (any RunStore, String, UInt64) async throws(StoreError) -> Bool)?
    package var onRetire: (@Sendable (any RunStore, String) async throws(StoreError) -> Void)?
    package var onPage: (@Sendable (RunPage) -> RunPage)?
    package var onCount: (@Sendable (Int) -> Int)?
    package var onPurge: (@Sendable (any RunStore, Int64, Int) async throws(StoreError) -> Int)?
    package var onID: (@Sendable (String) -> String)?

    /// A store with which nothing is wrong yet.
    package init() {}

    package var base: any RunStore { self.memory }

    package func notices(_ receive: @escaping @Sendable (RunNotice) -> Void) async throws(StoreError) {
        try await self.memory.notices(receive)
    }

    private func id(_ id: String) -> String { self.onID?(id) ?? id }

    package func create(_ creation: RunCreation) async throws(StoreError) -> CreateVerdict {
        if let onCreate { return try await onCreate(self.base, creation) }
        var creation = creation
        creation.request.id = self.id(creation.request.id)
        return try await self.base.create(creation)
    }

    package func commit(_ commit: RunCommit) async throws(StoreError) -> CommitReceipt {
        if let onCommit { return try await onCommit(self.base, commit) }
        var commit = commit
        commit.runID = self.id(commit.runID)
        return try await self.base.commit(commit)
    }

    package func run(_ runID: String) async throws(StoreError) -> RunRecord? {
        if let onRun { return try await onRun(self.base, runID) }
        return try await self.base.run(self.id(runID))
    }

    package func snapshot(of runID: String) async throws(StoreError) -> RunSnapshot? {
        let snapshot = try await self.base.snapshot(of: self.id(runID))
        guard let onSnapshot else { return snapshot }
        return snapshot.map(onSnapshot)
    }

    package func post(_ message: RunMessage, to runID: String) async throws(StoreError) -> PostVerdict {
        if let onPost { return try await onPost(self.base, message, runID) }
        return try await self.base.post(message, to: self.id(runID))
    }

    package func delete(_ runID: String, expectedRevision: UInt64, expectedFence: UInt64) async throws(StoreError) {
        if let onDelete { return try await onDelete(self.base, runID, expectedRevision, expectedFence) }
        try await self.base.delete(
            self.id(runID), expectedRevision: expectedRevision, expectedFence: expectedFence)
    }

    package func claim(_ claim: RunClaim) async throws(StoreError) -> ClaimedRuns {
        let claimed = try await self.base.claim(claim)
        return self.onClaim?(claimed) ?? claimed
    }

    package func adopt(_ claim: RunClaim) async throws(StoreError) -> [RunSnapshot] {
        let adopted = try await self.base.adopt(claim)
        return self.onAdopt?(adopted) ?? adopted
    }

    package func mail(for worker: String) async throws(StoreError) -> [RunMail] {
        let mail = try await self.base.mail(for: worker)
        return self.onMail?(mail) ?? mail
    }

    package func register(_ worker: WorkerRecord) async throws(StoreError) {
        if let onRegister { return try await onRegister(self.base, worker) }
        try await self.base.register(worker)
    }

    package func bury(_ workerID: String, beat: UInt64) async throws(StoreError) -> Bool {
        if let onBury { return try await onBury(self.base, workerID, beat) }
        return try await self.base.bury(workerID, beat: beat)
    }

    package func retire(_ workerID: String, at time: Int64) async throws(StoreError) {
        if let onRetire { return try await onRetire(self.base, workerID) }
        try await self.base.retire(workerID, at: time)
    }

    package func runs(
        where filter: RunFilter, after cursor: RunPage.Cursor?, limit: Int, now: Int64
    ) async throws(StoreError) -> RunPage {
        let page = try await self.base.runs(where: filter, after: cursor, limit: limit, now: now)
        return self.onPage?(page) ?? page
    }

    package func countRuns(where filter: RunFilter, now: Int64) async throws(StoreError) -> Int {
        let count = try await self.base.countRuns(where: filter, now: now)
        return self.onCount?(count) ?? count
    }

    package func purgeRuns(expiredAt now: Int64, limit: Int) async throws(StoreError) -> Int {
        if let onPurge { return try await onPurge(self.base, now, limit) }
        return try await self.base.purgeRuns(expiredAt: now, limit: limit)
    }
}
