import PerdureConcurrency
import PerdureTestKit

/// Lists wrongly.
struct ListsWrongly: BrokenStore, StateListing {
    enum Manner: Sendable {
        case skipAtBorders, repeatAtBorders, takeWildcards, compareAsStrings, ignoreCase, listDeleted, takeAnyLimit
        case shuffle, overfill
    }

    let base = memory()
    let manner: Manner
    init(_ manner: Manner) { self.manner = manner }

    func delete(_ id: String, if condition: WriteCondition) async throws(StoreError) {
        try await self.base.delete(id, if: condition)
        if self.manner == .listDeleted, id.contains("check-") {
            // A row that stays, which only the listing sees.
            try? await self.base.write(
                DurableState(
                    persistenceID: "deleted:" + id.suffix(240), version: 1, payload: .init(manifest: "", bytes: [])),
                if: .always)
        }
    }

    func persistenceIDs(
        withPrefix prefix: String, after cursor: StateIDPage.Cursor?, limit: Int
    ) async throws(StoreError) -> StateIDPage {
        if self.manner == .takeAnyLimit, !(1...10_000).contains(limit) { return StateIDPage(ids: [], next: nil) }
        let all = try await self.base.persistenceIDs(withPrefix: "", after: nil, limit: 10_000).ids
        var matching = all.filter { self.matches($0, prefix) }
        if self.manner == .listDeleted {
            matching += all.filter { $0.hasPrefix("deleted:" + prefix) }.map { String($0.dropFirst(8)) }
        }
        if self.manner == .shuffle, limit == 2 { matching.reverse() }
        let start = cursor.flatMap { Int($0.text) } ?? 0
        _ = try await self.base.persistenceIDs(withPrefix: prefix, after: nil, limit: limit)
        let end = start + limit + (self.manner == .overfill ? 1 : 0)
        let page = Array(matching.dropFirst(start).prefix(end - start))
        let next =
            switch self.manner {
            case .skipAtBorders: end + 1
            case .repeatAtBorders: limit > 1 ? end - 1 : end
            default: end
            }
        return StateIDPage(ids: page, next: end < matching.count ? .init(String(next)) : nil)
    }

    private func matches(_ id: String, _ prefix: String) -> Bool {
        switch self.manner {
        case .takeWildcards:
            guard let last = prefix.last, last == "%" || last == "_" else { return id.utf8.starts(with: prefix.utf8) }
            return id.utf8.starts(with: prefix.utf8.dropLast()) && (last == "%" || id.utf8.count >= prefix.utf8.count)
        case .compareAsStrings: return id.hasPrefix(prefix)
        case .ignoreCase: return id.lowercased().utf8.starts(with: prefix.lowercased().utf8)
        default: return id.utf8.starts(with: prefix.utf8)
        }
    }
}

/// Batches wrongly.
struct BatchesWrongly: BrokenStore, StateBatching {
    enum Manner: Sendable { case reverseReads, reverseWrites, failTogether, dropAbsent, writeBackwards, stopAtFailure }

    let base = memory()
    let manner: Manner
    init(_ manner: Manner) { self.manner = manner }

    func latestStates(of ids: [String]) async -> [Result<DurableState?, StoreError>] {
        let results = await self.base.latestStates(of: ids)
        switch self.manner {
        case .reverseReads: return results.reversed()
        case .dropAbsent: return results.filter { if case .success(nil) = $0 { false } else { true } }
        default: return results
        }
    }

    func write(_ writes: [StateWrite]) async -> [Result<Void, StoreError>] {
        switch self.manner {
        case .reverseWrites: return await self.base.write(writes).reversed()
        case .writeBackwards: return await self.base.write(writes.reversed()).reversed()
        case .failTogether:
            let results = await self.base.write(writes)
            let failure = results.first { if case .failure = $0 { true } else { false } }
            return results.map { failure ?? $0 }
        case .stopAtFailure:
            var results: [Result<Void, StoreError>] = []
            for write in writes {
                results += await self.base.write([write])
                if case .failure? = results.last { break }
            }
            return results
        default: return await self.base.write(writes)
        }
    }
}

/// Tells changes wrongly.
struct TellsChangesWrongly: BrokenStore, StateChanges {
    enum Manner: Sendable { case skipAtBorders, forgetDeletions, repeatTheLast, reverse }

    let base = memory()
    let manner: Manner
    init(_ manner: Manner) { self.manner = manner }

    func changes(after cursor: StateChangePage.Cursor?, limit: Int) async throws(StoreError) -> StateChangePage {
        var page = try await self.base.changes(after: cursor, limit: limit)
        switch self.manner {
        case .skipAtBorders:
            if page.changes.count == limit, let next = UInt64(page.next.text) { page.next = .init(String(next + 1)) }
        case .forgetDeletions:
            page.changes.removeAll { if case .deleted = $0 { true } else { false } }
        case .repeatTheLast:
            let again = UInt64(cursor?.text ?? "0").flatMap { $0 > 0 ? StateChangePage.Cursor(String($0 - 1)) : nil }
            let isAtEnd = page.changes.isEmpty
            if let again, !isAtEnd { page.changes = try await self.base.changes(after: again, limit: limit).changes }
        case .reverse: page.changes.reverse()
        }
        return page
    }
}

/// Runs the jobs of a task on two threads in turn.
struct SendsTasksToAndFro: BrokenStore, StateTaskHosting {
    let base = memory()
    let executor = Ends()
    var taskExecutor: any TaskExecutor { self.executor }

    func write(_ state: DurableState, if condition: WriteCondition) async throws(StoreError) {
        await pause()
        try await self.base.write(state, if: condition)
    }

    final class Ends: TaskExecutor {
        private let queues = [BatchQueue<Int>(), BatchQueue<Int>()]
        private let count = LockedState(0)

        init() {
            for queue in self.queues {
                queue.open()
                // Without a thread tasks wait for ever, and the promise is broken just as well.
                try? BlockingThread.start(named: "test-end") {
                    var nothing: [Int] = []
                    while queue.nextBatch(into: &nothing, maximumCount: 1) {}
                }
            }
        }

        deinit { for queue in self.queues { queue.close() } }

        func enqueue(_ job: consuming ExecutorJob) {
            let turn = self.count.withLock { count in
                count += 1
                return count
            }
            _ = self.queues[turn % 2].run(UnownedJob(job), for: self.asUnownedTaskExecutor())
        }
    }
}
