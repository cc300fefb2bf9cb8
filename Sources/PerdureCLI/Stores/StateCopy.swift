internal import PerdureState

/// Copies the states of a store to another until both hold the same.
struct StateCopy {
    /// How many IDs are read and written together.
    private static let batchSize = 256

    private let source: any StateStore
    private let target: any StateStore
    private let prefix: String

    init(from source: any StateStore, to target: any StateStore, prefix: String) throws(Misuse) {
        _ = try StatePages(of: source, prefix: prefix)
        self.source = source
        self.target = target
        self.prefix = prefix
    }

    func run() async throws -> CopyProgress.Result {
        try await CopyProgress(of: "states").passes { try await self.pass($0) }
    }

    /// Goes through all states once and writes those that the target lacks.
    private func pass(_ progress: CopyProgress) async throws {
        var pages = try StatePages(of: self.source, prefix: self.prefix)
        while let page = try await pages.next() {
            let batches = stride(from: 0, to: page.count, by: Self.batchSize).map {
                Array(page[$0..<min($0 + Self.batchSize, page.count)])
            }
            for verdict in try await self.copy(batches) {
                progress.count(found: verdict.states, written: verdict.written)
                for (id, reason) in verdict.refusals { progress.refuse(id.debugDescription, because: reason) }
            }
            progress.show()
        }
    }

    /// What became of a batch.
    private struct Verdict: Sendable {
        var states = 0
        var written = 0
        var refusals: [(id: String, reason: String)] = []
    }

    /// Copies batches, all at once: while one is read another is written.
    private func copy(_ batches: [[String]]) async throws -> [Verdict] {
        let (source, target) = (self.source, self.target)
        return try await withThrowingTaskGroup(of: (Int, Verdict).self) { group in
            for (place, ids) in batches.enumerated() {
                group.addTask { (place, try await Self.copy(ids, from: source, to: target)) }
            }
            return try await group.reduce(into: [(Int, Verdict)]()) { $0.append($1) }.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    private static func copy(
        _ ids: [String], from source: any StateStore, to target: any StateStore
    ) async throws -> Verdict {
        async let mine = source.states(of: ids)
        async let theirs = target.states(of: ids)
        var verdict = Verdict()
        var writes: [StateWrite] = []
        for (mine, theirs) in zip(await mine, await theirs) {
            // Deleted since it was listed: nothing to copy.
            guard let mine = try mine.get() else { continue }
            verdict.states += 1
            guard let theirs = try theirs.get() else {
                writes.append(StateWrite(mine, if: .absent))
                continue
            }
            if theirs == mine { continue }
            if theirs.version < mine.version {
                writes.append(StateWrite(mine, if: .version(theirs.version)))
            } else {
                verdict.refusals.append(
                    (
                        mine.persistenceID,
                        "the target has version \(theirs.version), "
                            + (theirs.version == mine.version ? "with other contents" : "newer than \(mine.version)")
                    ))
            }
        }
        if writes.isEmpty { return verdict }
        for (write, result) in zip(writes, await target.store(writes)) {
            switch result {
            case .success: verdict.written += 1
            case .failure(let error):
                // What is no matter of this state ends the copy.
                switch error.code {
                case .conflict, .invalidRequest, .payloadTooLarge: break
                default: throw error
                }
                verdict.refusals.append((write.state.persistenceID, error.message))
            }
        }
        return verdict
    }
}
