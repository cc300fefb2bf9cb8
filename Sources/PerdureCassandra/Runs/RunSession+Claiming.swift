internal import PerdureCQLClient
internal import PerdureModel
internal import PerdureWorkflow

extension RunSession {
    func claim(_ claim: RunClaim) async throws(StoreError) -> ClaimedRuns {
        let workflows = Self.unique(claim.workflows)
        await self.sweepOutboxes(of: workflows)
        // Claims of one process would only take the same runs from each other.
        let turn = PartitionTurns.Partition.id(IDKey(""))
        await self.memory.claimTurns.take(turn)
        defer { self.memory.claimTurns.leave(turn) }
        var taken: [RunSnapshot] = []
        var nextWake: Int64?
        var seen: Set<IDKey> = []
        do throws(StoreError) {
            // Each further round is for places that others were faster to take.
            for _ in 0..<32 where taken.count < claim.limit {
                var round = ClaimRound(claim, workflows, wanted: claim.limit - taken.count, seen: seen)
                try await round.choose(self)
                nextWake = try await round.nextWake(self)
                if round.chosen.isEmpty { break }
                guard try await self.admit(&round) else { continue }
                let some = try await self.take(round.chosen.map(\.found), claim) { _ in }
                seen.formUnion(round.chosen.map { IDKey($0.found.head.id) })
                taken += some
                if some.count == round.chosen.count, round.isAtEnd { break }
            }
        } catch {
            try Self.tell(error, having: taken)
        }
        return ClaimedRuns(runs: taken, nextWake: nextWake)
    }

    /// Throws what kept a worker from taking more, unless that would keep from it what it has: it would never drive those.
    ///
    /// Of runs that it may have without knowing it must hear in any case. It looks for all that are its own then.
    private static func tell(_ error: StoreError, having taken: [RunSnapshot]) throws(StoreError) {
        if taken.isEmpty || error.outcome == .unknown { throw error }
    }

    private static func unique(_ names: [String]) -> [String] {
        var seen: Set<IDKey> = []
        return names.filter { seen.insert(IDKey($0)).inserted }
    }

    // MARK: Taking

    /// A run as it was seen.
    typealias SeenRun = (head: RunHead, snapshot: RunSnapshot)

    /// Makes runs a worker's, each if it still is as it was seen; gives those that are.
    func take(
        _ runs: [SeenRun], _ claim: RunClaim, _ more: @escaping @Sendable (inout RunProgress) -> Void
    ) async throws(StoreError) -> [RunSnapshot] {
        let results = await self.session.together(runs.count) { index -> Result<RunSnapshot?, StoreError> in
            do throws(StoreError) { return .success(try await self.take(runs[index], claim, more)) } catch {
                return .failure(error)
            }
        }
        var taken: [RunSnapshot] = []
        var failure: StoreError?
        for result in results {
            switch result {
            case .success(let run): if let run { taken.append(run) }
            case .failure(let error): if failure?.outcome != .unknown { failure = error }
            }
        }
        if let failure { try Self.tell(failure, having: taken) }
        return taken
    }

    private func take(
        _ run: SeenRun, _ claim: RunClaim, _ more: (inout RunProgress) -> Void
    ) async throws(StoreError) -> RunSnapshot? {
        let id = run.head.id
        var call = self.call(.write, id)
        await self.memory.turns.take(.id(IDKey(id)))
        defer { self.memory.turns.leave(.id(IDKey(id))) }
        var record = run.head.record
        record.progress.beTaken(by: claim)
        more(&record.progress)
        try await self.name(record.request.workflow, owner: claim.worker, call)
        let mark = self.session.writeIDs.next()
        var new = RunHead(record, after: run.head, at: self.stamp())
        new.changedBy = mark
        guard case .done(let made) = try await self.make(RunChange(old: run.head, new: new, mark: mark), &call) else {
            guard call.mayHaveHappened else { return nil }
            // Either it was never made, or others have changed the run since.
            let now = try await self.head(of: id, call)
            if let now, now.progress.revision <= run.head.progress.revision { return nil }
            throw call.overwritten
        }
        var snapshot = run.snapshot
        snapshot.run = new.record
        if made.record.inboxCount == new.record.inboxCount { return snapshot }
        do throws(StoreError) { return try await self.rows(self.statements.all, of: id, call)?.snapshot } catch {
            // Taken it is.
            throw error.with(outcome: .unknown)
        }
    }

    // MARK: Adopting

    func adopt(_ claim: RunClaim) async throws(StoreError) -> [RunSnapshot] {
        let call = self.call(.write, nil)
        let workflows = Set(claim.workflows.map { IDKey($0) })
        var owners: [IDKey: [FoundHint]] = [:]
        for workflow in workflows {
            var reader = HintReader(.queue, .owners(workflow.id), limit: 1_000)
            while let found = try await reader.next(self, call) {
                owners[found.hint.place.id, default: []].append(found)
            }
        }
        owners[IDKey(claim.worker)] = nil
        guard !owners.isEmpty else { return [] }
        // Read afterwards: whoever drives a run had been registered before.
        for worker in try await self.workers() { owners[IDKey(worker.id)] = nil }
        var taken: [RunSnapshot] = []
        for (owner, hints) in owners.sorted(by: { $0.key < $1.key }) where taken.count < claim.limit {
            var isIdle = true
            do throws(StoreError) {
                try await self.eachRun(owned: owner.id, call) { found throws(StoreError) in
                    isIdle = false
                    var wanted: [SeenRun] = []
                    for run in found where workflows.contains(IDKey(run.head.record.request.workflow)) {
                        if wanted.count + taken.count < claim.limit { wanted.append(run) }
                    }
                    taken += try await self.take(wanted, claim) { $0.adoptions += 1 }
                    return taken.count < claim.limit
                }
            } catch {
                try Self.tell(error, having: taken)
                return taken
            }
            guard isIdle else { continue }
            for hint in hints where self.now - hint.writtenAt > HintTimes.grace {
                await self.drop([hint.hint], stamp: hint.writtenAt)
            }
        }
        return taken
    }

    /// Goes through the runs that a worker drives, some at a time, until `body` says that it is enough.
    func eachRun(
        owned worker: String, _ call: Call, _ body: ([SeenRun]) async throws(StoreError) -> Bool
    ) async throws(StoreError) {
        var reader = HintReader(.queue, .owned(by: worker), limit: 64)
        var isOver = false
        while !isOver {
            var hints: [FoundHint] = []
            while hints.count < 64, let hint = try await reader.next(self, call) { hints.append(hint) }
            guard !hints.isEmpty else { return }
            isOver = reader.isExhausted
            let found = try await self.runs(at: hints).filter { run in
                run.head.progress.owner.map { IDKey($0) } == IDKey(worker)
            }
            if !found.isEmpty, try await !body(found) { return }
        }
    }

    /// The runs that hints lead to; those that they lead nowhere are left out.
    func runs(at hints: [FoundHint]) async throws(StoreError) -> [SeenRun] {
        let results = await self.session.together(hints.count) { index -> Result<SeenRun?, StoreError> in
            do throws(StoreError) {
                let call = self.call(.write, hints[index].id)
                guard var found = try await self.rows(self.statements.all, of: hints[index].id, call) else {
                    _ = await self.holds(hints[index], for: nil)
                    return .success(nil)
                }
                if found.head.outbox != nil {
                    _ = try await self.settle(found.head, call)
                    guard let again = try await self.rows(self.statements.all, of: hints[index].id, call) else {
                        return .success(nil)
                    }
                    found = again
                }
                return .success(await self.holds(hints[index], for: found.head) ? found : nil)
            } catch {
                return .failure(error)
            }
        }
        var runs: [SeenRun] = []
        for result in results { if let run = try result.get() { runs.append(run) } }
        return runs
    }

    // MARK: Mail

    func mail(for worker: String) async throws(StoreError) -> [RunMail] {
        let call = self.call(.read, nil)
        var reader = HintReader(.queue, .mail(for: worker), limit: 64)
        var mail: [IDKey: UInt64] = [:]
        while let found = try await reader.next(self, call) {
            guard let head = try await self.head(of: found.id, call) else {
                _ = await self.holds(found, for: nil)
                continue
            }
            if await self.holds(found, for: head) { mail[IDKey(found.id)] = head.record.inboxCount }
        }
        return mail.sorted { $0.key < $1.key }.map { RunMail(runID: $0.key.id, inboxCount: $0.value) }
    }
}
