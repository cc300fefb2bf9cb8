internal import PerdureModel
internal import PerdureTestKit
internal import PerdureWorkflow

/// Copies the finished runs of a store to another until both hold the same.
///
/// A run that is not finished stays where it is: two stores with one run would have it driven twice.
struct RunCopy {
    /// How many runs are copied at the same time.
    private static let width = 16
    /// Marks a run that this tool has begun to copy: one that has messages takes several writes.
    private static let mark = "perdure store copy has not ended; start it again"

    let source: any RunStore
    let target: any RunStore
    let prefix: String
    let clock = SystemClock()

    func run() async throws -> CopyProgress.Result {
        try await CopyProgress(of: "finished runs").passes { try await self.pass($0) }
    }

    /// Goes through all finished runs once and writes those that the target lacks.
    private func pass(_ progress: CopyProgress) async throws {
        var filter = RunFilter()
        filter.statuses = [.completed, .failed, .cancelled]
        var pages = RunPages(of: self.source, where: filter, now: self.clock.unixMilliseconds)
        while let page = try await pages.next(limit: 500) {
            let ids = page.map(\.id).filter { $0.utf8.starts(with: self.prefix.utf8) }
            for start in stride(from: 0, to: ids.count, by: Self.width) {
                for verdict in try await self.copy(Array(ids[start..<min(start + Self.width, ids.count)])) {
                    switch verdict {
                    case .gone: continue
                    case .same: progress.count(found: 1)
                    case .written: progress.count(found: 1, written: 1)
                    case .refused(let id, let reason):
                        progress.count(found: 1)
                        progress.refuse("run \(id.debugDescription)", because: reason)
                    }
                }
                progress.show()
            }
        }
    }

    private enum Verdict: Sendable {
        /// It was deleted, or begun again, since it was listed.
        case gone
        case same
        case written
        case refused(id: String, reason: String)
    }

    private func copy(_ ids: [String]) async throws -> [Verdict] {
        try await withThrowingTaskGroup(of: Verdict.self) { group in
            for id in ids { group.addTask { try await self.copy(id) } }
            return try await group.reduce(into: [Verdict]()) { $0.append($1) }
        }
    }

    private func copy(_ id: String) async throws -> Verdict {
        guard let mine = try await self.source.snapshot(of: id), mine.run.status.isEnded else { return .gone }
        if let theirs = try await self.target.snapshot(of: id) {
            if theirs.run.progress.parkedReason == Self.mark {
                try await self.target.delete(
                    id, expectedRevision: theirs.run.progress.revision, expectedFence: theirs.run.progress.fence)
            } else {
                let differences = Self.comparable(theirs, like: mine).differences(from: mine)
                if differences.isEmpty { return .same }
                return .refused(id: id, reason: "the target has another: \(differences[0])")
            }
        }
        do throws(StoreError) {
            return try await self.create(mine)
        } catch {
            switch error.code {
            case .invalidRequest, .payloadTooLarge: return .refused(id: id, reason: error.message)
            default: throw error
            }
        }
    }

    /// The revision counts the writes of one store, and is another in each.
    private static func comparable(_ theirs: RunSnapshot, like mine: RunSnapshot) -> RunSnapshot {
        var theirs = theirs
        theirs.run.progress.revision = mine.run.progress.revision
        theirs.run.progress.fence = mine.run.progress.fence
        theirs.run.progress.inboxSeen = mine.run.progress.inboxSeen
        return theirs
    }

    private func create(_ mine: RunSnapshot) async throws(StoreError) -> Verdict {
        var progress = mine.run.progress
        progress.revision = 1
        progress.fence = 0
        progress.inboxSeen = 0
        var creation = RunCreation(request: mine.run.request, progress: progress, steps: mine.steps, state: mine.state)
        if !mine.messages.isEmpty {
            // Ended runs take no messages: they come before the end, while nobody can take the run up.
            creation.progress.status = .paused
            creation.progress.wake = .never
            creation.progress.expiresAt = nil
            creation.progress.parkedReason = Self.mark
        }
        guard case .created = try await self.target.create(creation) else { return .gone }
        if mine.messages.isEmpty { return .written }
        for message in mine.messages { _ = try await self.target.post(message, to: mine.run.id) }
        progress.revision = 2
        progress.inboxSeen = UInt64(mine.messages.count)
        var commit = RunCommit(runID: mine.run.id, expectedRevision: 1, expectedFence: 0, progress: progress)
        commit.consumed = mine.messages.compactMap { message in message.consumedBy.map { (message.id, $0) } }
        _ = try await self.target.commit(commit)
        return .written
    }
}
