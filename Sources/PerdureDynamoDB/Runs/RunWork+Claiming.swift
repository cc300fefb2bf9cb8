internal import PerdureModel
internal import PerdureWorkflow

extension RunWork {
    /// A run that may be taken, as the marker says by which it was found.
    private struct Candidate: Sendable {
        let workflow: String
        let runID: String
        let turn: RunMarkerKey.Turn
        /// Of those that are ready, what sorts them across the lines: priority, age, ID.
        let order: String
        let workflowLimit: Int?
        let resource: String?
        let resourceLimit: Int?

        init?(_ item: Item, workflow: String) {
            guard let sort = item.text(RunAttribute.sort), let id = item.text(RunAttribute.runID),
                let turn = RunMarkerKey.Turn(rawValue: String(sort.prefix(2)))
            else { return nil }
            (self.workflow, self.runID, self.turn) = (workflow, id, turn)
            self.order = (turn == .timed ? "1" : "2") + sort.dropFirst(2)
            self.workflowLimit = item.integer("workflow_limit").map { Int($0) }
            self.resourceLimit = item.integer("resource_limit").map { Int($0) }
            self.resource = item.text("resource_id")
        }

        var isLimited: Bool { self.workflowLimit != nil || self.resourceLimit != nil }
    }

    /// One partition of the runs of a workflow that wait, line by line and page by page.
    private struct Waiting: Sendable {
        let workflow: String
        let partition: String
        var buffers: [RunMarkerKey.Turn: [Candidate]] = [:]
        /// From where each line goes on; nil once it is read to its end.
        var rest: [RunMarkerKey.Turn: Item?] = [.timed: nil, .ready: nil, .limited: nil]
        /// When the first run is due that is not yet.
        var nextWake: Int64?
    }

    func claim(_ claim: RunClaim) async throws(StoreError) -> ClaimedRuns {
        let workflows = Set(claim.workflows.map { IDKey($0) }).sorted().map(\.id)
        let lines = workflows.flatMap { workflow in
            self.layout.shards.map {
                Waiting(workflow: workflow, partition: RunMarkerKey.due($0, workflow))
            }
        }
        var waiting = try await self.several(lines, atOnce: 32) { (line) throws(StoreError) in
            var line = line
            try await self.fill(&line, claim)
            return line
        }
        var taken: [RunSnapshot] = []
        var counts = RunningCounts()
        var seen: Set<IDKey> = []
        do throws(StoreError) {
            while taken.count < claim.limit {
                // What nobody's limits hold back is taken several at a time.
                var batch: [Candidate] = []
                while batch.count < min(16, claim.limit - taken.count) {
                    guard let candidate = try await self.next(of: &waiting, claim, isTaking: batch.isEmpty) else {
                        break
                    }
                    guard seen.insert(IDKey(candidate.runID)).inserted else { continue }
                    if candidate.isLimited, !(try await counts.allow(candidate, self)) { continue }
                    batch.append(candidate)
                    if candidate.isLimited { break }
                }
                if batch.isEmpty { break }
                if batch.count == 1 || batch.contains(where: \.isLimited) {
                    for candidate in batch {
                        guard let run = try await self.take(candidate, claim) else {
                            counts.forget(candidate)
                            continue
                        }
                        counts.add(candidate)
                        taken.append(run)
                    }
                } else {
                    let runs = await self.attempts(batch, atOnce: 16) { (candidate) throws(StoreError) in
                        try await self.take(candidate, claim)
                    }
                    var failure: StoreError?
                    for (candidate, run) in zip(batch, runs) {
                        switch run {
                        case .success(let run?):
                            counts.add(candidate)
                            taken.append(run)
                        case .success(nil): break
                        case .failure(let error): if failure?.outcome != .unknown { failure = error }
                        }
                    }
                    if let failure { throw failure }
                }
            }
        } catch {
            try Self.tell(error, having: taken)
        }
        return ClaimedRuns(runs: taken, nextWake: waiting.compactMap(\.nextWake).min())
    }

    /// Throws what kept a worker from taking more, unless that would keep from it what it has: it would never drive those.
    ///
    /// Of runs that it may have without knowing it must hear in any case. It looks for all that are its own then.
    private static func tell(_ error: StoreError, having taken: [RunSnapshot]) throws(StoreError) {
        if taken.isEmpty || error.outcome == .unknown { throw error }
    }

    /// Reads the beginning of each line of a partition.
    private func fill(_ waiting: inout Waiting, _ claim: RunClaim) async throws(StoreError) {
        // Usually a page has everything.
        let most = min(claim.limit + 8, 256)
        let page = try await self.query(.partition(waiting.partition), limit: most)
        var turns = RunMarkerKey.Turn.allCases[...]
        let last = page.next.flatMap {
            $0.text(RunAttribute.sort).flatMap { RunMarkerKey.Turn(rawValue: String($0.prefix(2))) }
        }
        while let turn = turns.first, page.next == nil || turn != last {
            waiting.rest[turn] = nil
            turns = turns.dropFirst()
        }
        if let last { waiting.rest[last] = .some(page.next) }
        self.take(page.items, into: &waiting, claim)
    }

    private func take(_ items: [Item], into waiting: inout Waiting, _ claim: RunClaim) {
        for item in items {
            guard let candidate = Candidate(item, workflow: waiting.workflow) else { continue }
            if candidate.turn == .timed, let sort = item.text(RunAttribute.sort),
                let time = KeyText.milliseconds(String(sort.dropFirst(2).prefix { $0 != "#" })), time > claim.now
            {
                waiting.nextWake = min(waiting.nextWake ?? time, time)
                // All that follow are due later.
                waiting.rest[.timed] = nil
                continue
            }
            waiting.buffers[candidate.turn, default: []].append(candidate)
        }
    }

    /// The next candidate among all lines; nil when there is none.
    ///
    /// Where pages have to be read for it, `isTaking` says whether it is worth it.
    private func next(
        of waiting: inout [Waiting], _ claim: RunClaim, isTaking: Bool
    ) async throws(StoreError) -> Candidate? {
        for place in waiting.indices {
            for turn in RunMarkerKey.Turn.allCases {
                while waiting[place].buffers[turn]?.isEmpty ?? true, let start = waiting[place].rest[turn] {
                    if !isTaking { return nil }
                    let prefix = turn.rawValue
                    let page = try await self.query(
                        .partition(waiting[place].partition, from: prefix, below: prefix + "~~"), after: start,
                        limit: 256)
                    waiting[place].rest[turn] = page.next.map { .some($0) }
                    self.take(page.items, into: &waiting[place], claim)
                }
            }
        }
        var best: (place: Int, turn: RunMarkerKey.Turn, order: IDKey)?
        for place in waiting.indices {
            for turn in RunMarkerKey.Turn.allCases {
                guard let candidate = waiting[place].buffers[turn]?.first else { continue }
                let order = IDKey(candidate.order)
                if best.map({ order < $0.order }) ?? true { best = (place, turn, order) }
            }
        }
        guard let best else { return nil }
        return waiting[best.place].buffers[best.turn]?.removeFirst()
    }

    // MARK: Limits

    /// How many runs are running, as far as it was asked in a claim: a first look, which saves one for each run that is held back.
    private struct RunningCounts {
        private var counts: [[IDKey]: Int] = [:]

        mutating func allow(_ candidate: Candidate, _ work: RunWork) async throws(StoreError) -> Bool {
            if let most = candidate.workflowLimit {
                let key = [IDKey(candidate.workflow)]
                if self.counts[key] == nil { self.counts[key] = try await work.runningCount(of: candidate.workflow) }
                if (self.counts[key] ?? 0) >= most { return false }
            }
            if let most = candidate.resourceLimit, let resource = candidate.resource {
                let key = [IDKey(candidate.workflow), IDKey(resource)]
                if self.counts[key] == nil {
                    self.counts[key] = try await work.runningCount(of: candidate.workflow, resource)
                }
                if (self.counts[key] ?? 0) >= most { return false }
            }
            return true
        }

        mutating func add(_ candidate: Candidate) {
            self.counts[[IDKey(candidate.workflow)]]? += 1
            if let resource = candidate.resource {
                self.counts[[IDKey(candidate.workflow), IDKey(resource)]]? += 1
            }
        }

        /// Somebody else was faster: counted anew.
        mutating func forget(_ candidate: Candidate) {
            self.counts[[IDKey(candidate.workflow)]] = nil
            if let resource = candidate.resource {
                self.counts[[IDKey(candidate.workflow), IDKey(resource)]] = nil
            }
        }
    }

    /// How many runs of a workflow, or of a resource in it, are running.
    private func runningCount(of workflow: String, _ resource: String? = nil) async throws(StoreError) -> Int {
        let partitions =
            resource.map { [RunMarkerKey.runningResource(workflow, $0)] }
            ?? self.layout.shards.map { RunMarkerKey.running($0, workflow) }
        return try await self.several(partitions, atOnce: 16) { (partition) throws(StoreError) in
            try await self.count(.partition(partition))
        }.reduce(0, +)
    }

    /// How many items an expression finds.
    func count(_ expression: Expression, of index: RunIndex? = nil) async throws(StoreError) -> Int {
        var count = 0
        var start: Item?
        repeat {
            let page = try await self.query(expression, of: index, after: start, onlyCounts: true)
            count += page.count
            start = page.next
        } while start != nil
        return count
    }

    /// What lets a run begin within limits: that nobody else of its workflow began since they were looked at.
    ///
    /// Nil when they are reached.
    private func gate(_ row: RunRow) async throws(StoreError) -> TransactionAction? {
        let workflow = row.request.workflow
        let key = RunMarkerKey.gate(workflow)
        let passed = try await self.get(key)?.count("passed")
        if let most = row.request.workflowLimit, try await self.runningCount(of: workflow) >= most { return nil }
        if let most = row.request.resourceLimit, let resource = row.request.resourceID,
            try await self.runningCount(of: workflow, resource) >= most
        {
            return nil
        }
        var expression = Expression()
        if let passed {
            expression.require("passed", .number(passed))
        } else {
            expression.condition = "attribute_not_exists(\(RunAttribute.partition))"
        }
        expression.change([("passed", .number((passed ?? 0) &+ 1))])
        return self.action(.update(key: key), expression)
    }

    // MARK: Taking

    /// Takes a run that waits; nil when somebody else was faster, or its limits hold it back.
    private func take(_ candidate: Candidate, _ claim: RunClaim) async throws(StoreError) -> RunSnapshot? {
        try await self.take(candidate.runID, claim, isAdopted: false) { row in
            guard row.progress.owner == nil, row.status.isDrivable else { return false }
            switch row.progress.wake {
            case .now: return true
            case .at(let time): return time <= claim.now
            case .never: return false
            }
        }
    }

    /// Takes a run if `isWanted` still holds for it.
    private func take(
        _ id: String, _ claim: RunClaim, isAdopted: Bool, if isWanted: (RunRow) -> Bool
    ) async throws(StoreError) -> RunSnapshot? {
        try await self.attempting { (mayHaveHappened) throws(StoreError) in
            try await self.take(id, claim, isAdopted: isAdopted, if: isWanted, &mayHaveHappened)
        }
    }

    private func take(
        _ id: String, _ claim: RunClaim, isAdopted: Bool, if isWanted: (RunRow) -> Bool, _ mayHaveHappened: inout Bool
    ) async throws(StoreError) -> RunSnapshot? {
        let writeID = self.session.writeIDs.next()
        for round in 0..<Self.attempts {
            guard let partition = try await self.partition(id) else {
                if mayHaveHappened { throw self.lostSight(of: id) }
                return nil
            }
            let old = partition.row
            var snapshot = try self.snapshot(partition)
            // The answer to an earlier attempt was lost, and it had come through.
            if old.writeID == writeID.bytes { return snapshot }
            guard isWanted(old) else {
                if mayHaveHappened { throw self.lostSight(of: id) }
                return nil
            }
            var progress = old.progress
            progress.beTaken(by: claim)
            if isAdopted { progress.adoptions += 1 }
            let new = old.going(on: progress, inboxCount: old.inboxCount, writeID: writeID)
            var actions = [self.update(old, new.changes(from: old, self.layout))]
            actions += self.moves(from: old.markers(self.layout), to: new.markers(self.layout))
            if old.isLimited {
                guard let gate = try await self.gate(old) else {
                    if mayHaveHappened { throw self.lostSight(of: id) }
                    return nil
                }
                actions.append(gate)
            }
            let sent = try await self.send(actions, token: "\(writeID.text)-\(round)", id)
            guard case .refused(_, let mayHave) = sent else {
                self.known.remember(new)
                // Its values are in the snapshot alone.
                let output = snapshot.run.progress.output
                snapshot.run.progress = new.progress
                snapshot.run.progress.output = output
                return snapshot
            }
            mayHaveHappened = mayHaveHappened || mayHave
        }
        throw self.restless(id)
    }

    // MARK: Adopting

    func adopt(_ claim: RunClaim) async throws(StoreError) -> [RunSnapshot] {
        let workflows = Set(claim.workflows.map { IDKey($0) }).sorted().map(\.id)
        let registered = Set(try await self.workers().map { IDKey($0.id) })
        let partitions = workflows.flatMap { workflow in self.layout.shards.map { RunMarkerKey.running($0, workflow) } }
        let found = try await self.several(partitions, atOnce: 16) { (partition) throws(StoreError) in
            try await self.orphans(in: partition, besides: registered, claim)
        }.flatMap { $0 }
        if found.isEmpty { return [] }
        // Who registered after the first look may have begun the runs that were seen after it.
        let living = Set(try await self.workers().map { IDKey($0.id) })
        var adopted: [RunSnapshot] = []
        do throws(StoreError) {
            for (runID, owner) in found where !living.contains(IDKey(owner)) {
                if adopted.count == claim.limit { break }
                let run = try await self.take(runID, claim, isAdopted: true) { row in
                    row.status == .running && row.progress.owner.map { IDKey($0) } == IDKey(owner)
                }
                if let run { adopted.append(run) }
            }
        } catch {
            try Self.tell(error, having: adopted)
        }
        return adopted
    }

    /// Runs of owners that are not registered: owner by owner, those of others stepped over.
    private func orphans(
        in partition: String, besides registered: Set<IDKey>, _ claim: RunClaim
    ) async throws(StoreError) -> [(runID: String, owner: String)] {
        var found: [(runID: String, owner: String)] = []
        // After all that nobody drives.
        var start = KeyText.after(RunMarkerKey.owner(nil))
        while found.count < 2 * claim.limit {
            let page = try await self.query(.partition(partition, from: start), limit: 64)
            for item in page.items {
                guard let owner = item.text("owner"), let id = item.text(RunAttribute.runID) else { continue }
                start = item.text(RunAttribute.sort) ?? start
                if registered.contains(IDKey(owner)) || IDKey(owner) == IDKey(claim.worker) {
                    // On to the next owner.
                    start = KeyText.after(RunMarkerKey.owner(owner))
                } else {
                    found.append((id, owner))
                }
            }
            if page.next == nil { break }
        }
        return found
    }

    // MARK: Several at once

    /// Does something for each of several inputs, side by side; the results stand at the places of the inputs.
    func several<Input: Sendable, Result: Sendable>(
        _ inputs: [Input], atOnce: Int, _ body: @escaping @Sendable (Input) async throws(StoreError) -> Result
    ) async throws(StoreError) -> [Result] {
        var results: [Result] = []
        for outcome in await self.attempts(inputs, atOnce: atOnce, body) { results.append(try outcome.get()) }
        return results
    }

    /// The same, with what came of each.
    private func attempts<Input: Sendable, Result: Sendable>(
        _ inputs: [Input], atOnce: Int, _ body: @escaping @Sendable (Input) async throws(StoreError) -> Result
    ) async -> [Swift.Result<Result, StoreError>] {
        @Sendable func attempt(_ input: Input) async -> Swift.Result<Result, StoreError> {
            do throws(StoreError) { return .success(try await body(input)) } catch { return .failure(error) }
        }
        if inputs.count == 1 { return [await attempt(inputs[0])] }
        return await withTaskGroup(of: (Int, Swift.Result<Result, StoreError>).self) { group in
            var waiting = inputs.enumerated().makeIterator()
            func startNext() {
                guard let (place, input) = waiting.next() else { return }
                group.addTask { (place, await attempt(input)) }
            }
            for _ in 0..<atOnce { startNext() }
            var outcomes: [(Int, Swift.Result<Result, StoreError>)] = []
            while let outcome = await group.next() {
                outcomes.append(outcome)
                startNext()
            }
            return outcomes.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }
}
