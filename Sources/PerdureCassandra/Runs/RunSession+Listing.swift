internal import PerdureCQLClient
internal import PerdureModel
internal import PerdureWorkflow

extension RunSession {
    func runs(
        where filter: RunFilter, after cursor: RunPlace?, limit: Int, now: Int64
    ) async throws(StoreError) -> RunPage {
        let call = self.call(.list, nil)
        var found: [RunRecord] = []
        var last: RunPlace?
        var readers = try await self.readers(for: filter, after: cursor, limit: limit + 1, call)
        while true {
            let wanted = max(8, limit + 1 - found.count)
            let ids = try await self.places(&readers, filter, count: wanted, call)
            guard !ids.isEmpty else { return RunPage(runs: found, next: nil) }
            let records = await self.session.together(ids.count) { index -> Result<RunRecord?, StoreError> in
                do throws(StoreError) {
                    return .success(try await self.record(of: ids[index], for: filter, now: now))
                } catch {
                    return .failure(error)
                }
            }
            for record in records {
                guard let record = try record.get() else { continue }
                // One more than fits says that there is a next page.
                if found.count == limit { return RunPage(runs: found, next: last?.cursor) }
                found.append(record)
                last = RunPlace(record.request)
            }
        }
    }

    func countRuns(where filter: RunFilter, now: Int64) async throws(StoreError) -> Int {
        let call = self.call(.list, nil)
        var count = 0
        var readers = try await self.readers(for: filter, after: nil, limit: 1_000, call)
        while true {
            let ids = try await self.places(&readers, filter, count: 512, call)
            guard !ids.isEmpty else { return count }
            let heads = await self.session.together(ids.count) { index -> Result<Bool, StoreError> in
                do throws(StoreError) {
                    let call = self.call(.list, ids[index].first?.id)
                    return .success(try await self.seen(ids[index], for: filter, now: now, call) != nil)
                } catch {
                    return .failure(error)
                }
            }
            for head in heads where try head.get() { count += 1 }
        }
    }

    // MARK: Following hints

    /// The run that some hints lead to, if the filter holds for it.
    private func record(
        of hints: [FoundHint], for filter: RunFilter, now: Int64
    ) async throws(StoreError) -> RunRecord? {
        guard let id = hints.first?.id else { return nil }
        let call = self.call(.list, id)
        guard try await self.seen(hints, for: filter, now: now, call) != nil,
            let found = try await self.rows(self.statements.record, of: id, call),
            self.isWanted(found.head, filter, now)
        else { return nil }
        return found.snapshot.run
    }

    private func isWanted(_ head: RunHead, _ filter: RunFilter, _ now: Int64) -> Bool {
        filter.holds(for: head.record.request, head.record.status) && !head.progress.isOver(at: now)
    }

    private func seen(
        _ hints: [FoundHint], for filter: RunFilter, now: Int64, _ call: Call
    ) async throws(StoreError) -> RunHead? {
        guard let id = hints.first?.id else { return nil }
        var head = try await self.head(of: id, call)
        if let found = head, found.outbox != nil { head = try await self.settle(found, call) }
        var holds = false
        for hint in hints where await self.holds(hint, for: head) { holds = true }
        guard holds, let head, self.isWanted(head, filter, now) else { return nil }
        return head
    }

    /// The readers whose hints, put together, lead to every run for which the filter holds.
    private func readers(
        for filter: RunFilter, after cursor: RunPlace?, limit: Int, _ call: Call
    ) async throws(StoreError) -> [HintReader] {
        var start: Int64 = .min
        var place = HintPlace.start
        if let before = filter.createdBefore {
            // Older than this, by age: a larger number.
            start = 0 &- before
            place = HintPlace(first: start &+ 1, second: .min, third: .min, id: IDKey(""))
        }
        if let cursor, 0 &- cursor.createdAt > start {
            start = 0 &- cursor.createdAt
            place = HintPlace(first: start, second: 0, third: 0, id: IDKey(cursor.id))
        }
        func reader(_ table: RunHint.Table, _ scope: HintScope, _ shift: Int64) -> HintReader {
            HintReader(table, scope, from: start >> shift, after: place, limit: limit)
        }
        if let parent = filter.parent { return [reader(.listing, .parent(parent), 22)] }
        if let tag = filter.tag { return [reader(.listing, .tag(tag.name, tag.value), 22)] }
        if let resource = filter.resourceID { return [reader(.listing, .resource(resource), 22)] }
        let workflows = if let workflow = filter.workflow { [workflow] } else { try await self.workflows(call) }
        let statuses = filter.statuses
        return workflows.flatMap { workflow -> [HintReader] in
            if statuses.count > 1, statuses.allSatisfy({ !$0.isEnded }) {
                return [reader(.queue, .live(workflow), 18)]
            }
            if statuses.count == 1 || (statuses.count > 1 && statuses.allSatisfy { $0.isEnded }) {
                return statuses.map { status in
                    reader(status.isEnded ? .listing : .queue, .status(status, of: workflow), status.isEnded ? 22 : 18)
                }
            }
            // A run that goes from one of the statuses to another meanwhile must not slip through between two scopes.
            return [reader(.listing, .workflow(workflow), 22)]
        }
    }

    /// The names of all workflows that ever had a run.
    func workflows(_ call: Call) async throws(StoreError) -> [String] {
        var reader = HintReader(.listing, .workflows, limit: 1_000)
        var names: [String] = []
        while let found = try await reader.next(self, call) { names.append(found.id) }
        return names
    }

    /// The hints of the next runs in the order of listings, those of one run together.
    private func places(
        _ readers: inout [HintReader], _ filter: RunFilter, count: Int, _ call: Call
    ) async throws(StoreError) -> [[FoundHint]] {
        try await self.fill(&readers, call)
        var places: [[FoundHint]] = []
        while true {
            var first: HintPlace?
            for reader in readers.indices {
                guard let next = try await readers[reader].peek(self, call) else { continue }
                first = min(first ?? next.hint.place, next.hint.place)
            }
            guard let first else { return places }
            if let from = filter.createdFrom, first.first > 0 &- from { return places }
            if places.count == count { return places }
            var hints: [FoundHint] = []
            for reader in readers.indices {
                while let next = try await readers[reader].peek(self, call), next.hint.place == first {
                    hints.append(next)
                    _ = try await readers[reader].next(self, call)
                }
            }
            readers.removeAll { $0.isExhausted }
            places.append(hints)
        }
    }

    /// Lets many readers begin side by side.
    private func fill(_ readers: inout [HintReader], _ call: Call) async throws(StoreError) {
        let waiting = readers
        guard waiting.count > 1 else { return }
        let filled = await self.session.together(waiting.count) { index -> Result<HintReader, StoreError> in
            var reader = waiting[index]
            do throws(StoreError) {
                _ = try await reader.peek(self, call)
                return .success(reader)
            } catch {
                return .failure(error)
            }
        }
        readers = []
        for reader in filled {
            let reader = try reader.get()
            if !reader.isExhausted { readers.append(reader) }
        }
    }
}
