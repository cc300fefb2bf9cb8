internal import PerdureModel
internal import PerdureWorkflow

extension RunWork {
    /// One partition of runs in the order of their creation: of the table, or of an index.
    private struct Line: Sendable {
        var index: RunIndex?
        var partition: String
    }

    /// The lines in which all runs of a filter are, and whether all runs in them are of the filter.
    ///
    /// What never changes is preferred: a run that moves from one line to another while a page is read could be in neither.
    private func lines(for filter: RunFilter) async throws(StoreError) -> [Line] {
        let shards = self.layout.shards
        if let parent = filter.parent { return shards.map { Line(partition: RunMarkerKey.parent($0, parent)) } }
        if let resource = filter.resourceID {
            return shards.map { Line(partition: RunMarkerKey.resource($0, resource)) }
        }
        if let tag = filter.tag {
            return shards.map { Line(partition: RunMarkerKey.tag($0, tag.name, tag.value)) }
        }
        if let workflow = filter.workflow {
            if filter.statuses.isEmpty {
                return self.layout.workflowPartitions(workflow).map { Line(index: .workflow, partition: $0) }
            }
            return self.lists(filter.statuses, [workflow]).map { Line(partition: $0) }
        }
        if filter.statuses.isEmpty {
            return try await self.workflows().flatMap { workflow in
                self.layout.workflowPartitions(workflow).map { Line(index: .workflow, partition: $0) }
            }
        }
        return Self.inOrderOfLife(filter.statuses).flatMap { status in
            self.layout.statusPartitions(status).map { Line(index: .status, partition: $0) }
        }
    }

    /// Runs go from the first of these to the last: read in this order, one that moves is met before or after, not missed.
    private static func inOrderOfLife(_ statuses: Set<RunStatus>) -> [RunStatus] {
        [.pending, .paused, .running, .parked, .completed, .failed, .cancelled].filter { statuses.contains($0) }
    }

    private func lists(_ statuses: Set<RunStatus>, _ workflows: [String]) -> [String] {
        let statuses = Self.inOrderOfLife(statuses.isEmpty ? Set(RunStatus.allCases) : statuses)
        return statuses.flatMap { status in
            workflows.flatMap { workflow in self.layout.shards.map { RunMarkerKey.list($0, status, workflow) } }
        }
    }

    // MARK: Pages

    func runs(
        where filter: RunFilter, after cursor: RunPlace?, limit: Int, now: Int64
    ) async throws(StoreError) -> RunPage {
        let lines = try await self.lines(for: filter)
        var found: [RunRecord] = []
        var cursor = cursor
        // A page may have few runs where most are of no interest, but not none without saying that it is the last.
        while true {
            let most = limit - found.count + 1
            let place = cursor
            let places = try await self.inTurn(lines) { (line) throws(StoreError) in
                try await self.places(in: line, filter, after: place, limit: most)
            }
            var unique: [RunPlace] = []
            for place in places.flatMap({ $0 }).sorted() where unique.last != place { unique.append(place) }
            let page = unique.prefix(limit - found.count)
            found += try await self.records(at: Array(page), filter, now)
            guard unique.count > page.count, let last = page.last else { return RunPage(runs: found, next: nil) }
            if !found.isEmpty || self.session.client.now + .seconds(1) > self.deadline {
                return RunPage(runs: found, next: last.cursor)
            }
            cursor = last
        }
    }

    /// Asks several lines; those that a run can move between one after the other.
    private func inTurn(
        _ lines: [Line], _ body: @escaping @Sendable (Line) async throws(StoreError) -> [RunPlace]
    ) async throws(StoreError) -> [[RunPlace]] {
        guard let first = lines.first, first.index == .status || first.partition.hasPrefix("LIST#") else {
            return try await self.several(lines, atOnce: 32, body)
        }
        // Lines of one status are independent of each other.
        var results: [[RunPlace]] = []
        var rest = lines[...]
        while let first = rest.first {
            let status = Self.statusPart(first)
            let same = Array(rest.prefix { Self.statusPart($0) == status })
            results += try await self.several(same, atOnce: 32, body)
            rest = rest.dropFirst(same.count)
        }
        return results
    }

    private static func statusPart(_ line: Line) -> String {
        let parts = line.partition.split(separator: "#", maxSplits: 3, omittingEmptySubsequences: false)
        return String(line.index == .status ? parts[1] : parts[2])
    }

    /// The first places of a line after `cursor`: the newest first, runs of one time by ID.
    ///
    /// The line itself is in the order of time and ID both. So the runs of one time that a page cuts through are asked for in their
    /// order.
    private func places(
        in line: Line, _ filter: RunFilter, after cursor: RunPlace?, limit: Int
    ) async throws(StoreError) -> [RunPlace] {
        var places: [RunPlace] = []
        var end = filter.createdBefore.map { KeyText.time($0) }
        if let cursor {
            let time = KeyText.time(cursor.createdAt)
            if filter.createdBefore.map({ cursor.createdAt < $0 }) ?? true {
                if filter.createdFrom.map({ cursor.createdAt >= $0 }) ?? true {
                    places = try await self.places(at: time, in: line, after: cursor.id, limit: limit)
                    if places.count >= limit { return places }
                }
                end = time
            }
        }
        let start = filter.createdFrom.map { KeyText.time($0) }
        if let start, let end, !(IDKey(start) < IDKey(end)) { return places }
        while true {
            let page = try await self.query(
                .partition(line.partition, of: line.index, from: start, below: end), of: line.index,
                limit: limit - places.count, isAscending: false)
            var newer = page.items.compactMap { self.place(of: $0, line) }
            guard page.next != nil, let last = newer.last else { return places + newer.sorted() }
            newer.removeAll { $0.createdAt == last.createdAt }
            places += newer.sorted()
            let time = KeyText.time(last.createdAt)
            places += try await self.places(at: time, in: line, after: nil, limit: limit - places.count)
            // Fewer than were asked for say that there are no more: where some went meanwhile, others follow.
            if places.count >= limit { return places }
            end = time
        }
    }

    /// Runs of one time, by ID.
    private func places(
        at time: String, in line: Line, after id: String?, limit: Int
    ) async throws(StoreError) -> [RunPlace] {
        let first = id.map { time + "#" + $0 + "\u{1}" } ?? time + "#"
        // The ID that follows on an ID is the ID and the least letter there is; NUL is in none.
        var places: [RunPlace] = []
        var start: Item?
        repeat {
            let page = try await self.query(
                .partition(line.partition, of: line.index, from: first, below: KeyText.after(time)), of: line.index,
                after: start, limit: limit - places.count)
            places += page.items.compactMap { self.place(of: $0, line) }
            start = page.next
        } while start != nil && places.count < limit
        return places
    }

    private func place(of item: Item, _ line: Line) -> RunPlace? {
        item.text(line.index?.sortKey ?? RunAttribute.sort).flatMap { KeyText.place($0) }
    }

    /// The runs at places, as the table has them now; those left out that are not of the filter, or no more.
    private func records(
        at places: [RunPlace], _ filter: RunFilter, _ now: Int64
    ) async throws(StoreError) -> [RunRecord] {
        guard !places.isEmpty else { return [] }
        var items: [IDKey: Item] = [:]
        for item in try await self.items(places.map { RunKey.run($0.id) }) {
            if let id = item.text(RunAttribute.runID) { items[IDKey(id)] = item }
        }
        var wanted: [Item] = []
        for place in places {
            guard let item = items[IDKey(place.id)] else { continue }
            let row = try self.row(in: item, place.id)
            // A run that was deleted and made anew has another place.
            let isThere = RunPlace(row.request) == place && !row.progress.isOver(at: now)
            if isThere, filter.holds(for: row.request, row.status) { wanted.append(item) }
        }
        return try await self.several(wanted, atOnce: 16) { (item) throws(StoreError) in
            try await self.record(in: item, item.text(RunAttribute.runID) ?? "")
        }.compactMap { $0 }
    }

    // MARK: Counting

    func count(where filter: RunFilter, now: Int64) async throws(StoreError) -> Int {
        guard filter.resourceID == nil, filter.tag == nil, filter.parent == nil else {
            return try await self.countOneByOne(where: filter, now)
        }
        let workflows: [String]
        if let workflow = filter.workflow { workflows = [workflow] } else { workflows = try await self.workflows() }
        let start = filter.createdFrom.map { KeyText.time($0) }
        let end = filter.createdBefore.map { KeyText.time($0) }
        if let start, let end, !(IDKey(start) < IDKey(end)) { return 0 }
        return try await self.several(self.lists(filter.statuses, workflows), atOnce: 32) {
            (list) throws(StoreError) in
            var expression = Expression.partition(list, from: start, below: end)
            let name = expression.name("expires_ms")
            expression.filter = "attribute_not_exists(\(name)) OR \(name) > \(expression.value(.number(now)))"
            return try await self.count(expression)
        }.reduce(0, +)
    }

    private func countOneByOne(where filter: RunFilter, _ now: Int64) async throws(StoreError) -> Int {
        var count = 0
        var cursor: RunPlace?
        repeat {
            let page = try await self.runs(where: filter, after: cursor, limit: 500, now: now)
            count += page.runs.count
            cursor = try page.next.map { (next) throws(StoreError) in try RunPlace(parsing: next) }
        } while cursor != nil
        return count
    }
}
