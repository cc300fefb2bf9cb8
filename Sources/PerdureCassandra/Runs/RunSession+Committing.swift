internal import PerdureCQLClient
internal import PerdureModel
internal import PerdureWorkflow

extension RunSession {
    func commit(_ commit: RunCommit) async throws(StoreError) -> CommitReceipt {
        let id = commit.runID
        var call = self.call(.write, id)
        let mark = self.session.writeIDs.next()
        var keeper = self.keeper(for: call)
        var parts = try self.rows(commit.steps, commit.state, of: id, mark: mark, &keeper)
        if let output = commit.progress.output {
            parts.append(try self.output(output, of: id, mark: mark, &keeper))
        }
        for (target, message) in commit.posts {
            let body = try self.body(.write, id) { try RunRows.body(of: message) { try keeper.keep($0) } }
            parts.append(self.put(.post, target, message.id, of: id, body: body, mark: mark))
        }
        parts += self.register(keeper.sets, of: id, mark: mark)
        do throws(StoreError) {
            try await self.write(keeper.sets, call)
            let new = try await self.make(commit, mark, parts, &call)
            guard new.outbox != nil else { return CommitReceipt(inboxCount: new.record.inboxCount) }
            return CommitReceipt(inboxCount: try await self.settle(new, call).record.inboxCount)
        } catch {
            if error.outcome == .notApplied { await self.remove(keeper.sets.map(\.set.name)) }
            throw error
        }
    }

    /// The head that a change against one revision left.
    private func make(
        _ commit: RunCommit, _ mark: CQLUUID, _ parts: [Part], _ call: inout Call
    ) async throws(StoreError) -> RunHead {
        let turn = PartitionTurns.Partition.id(IDKey(commit.runID))
        await self.memory.turns.take(turn)
        var hasTurn = true
        defer { if hasTurn { self.memory.turns.leave(turn) } }
        var known = self.memory.head(of: commit.runID)
        if known?.progress.revision != commit.expectedRevision { known = nil }
        for _ in 0..<64 {
            let read: RunHead?
            if let known { read = known } else { read = try await self.head(of: commit.runID, call) }
            guard let old = read, old.progress.revision == commit.expectedRevision,
                old.progress.fence == commit.expectedFence
            else {
                if call.mayHaveHappened {
                    if let read, read.changedBy == mark { return read }
                    throw call.overwritten
                }
                throw .runConflict(
                    .write, of: commit.runID, expected: (commit.expectedRevision, commit.expectedFence),
                    stored: read?.progress.revision ?? 0)
            }
            if old.outbox != nil {
                // What the change before had to say is said first; while others may change this run.
                self.memory.turns.leave(turn)
                hasTurn = false
                _ = try await self.settle(old, call, hasChanged: false)
                await self.memory.turns.take(turn)
                hasTurn = true
                known = nil
                continue
            }
            var record = RunRecord(
                request: old.record.request, progress: commit.progress, inboxCount: old.record.inboxCount)
            record.progress.output = nil
            var new = RunHead(record, after: old, at: self.stamp())
            new.changedBy = mark
            new.outbox = commit.posts.isEmpty ? nil : mark
            new.hasOutput = commit.progress.output != nil
            if let owner = new.progress.owner {
                try await self.name(new.record.request.workflow, owner: owner, call)
            }
            var change = RunChange(old: old, new: new, mark: mark)
            change.parts = parts
            if old.hasOutput, !new.hasOutput { change.parts.append(self.remove(.output, "", of: commit.runID)) }
            change.parts += try await self.removals(commit, call)
            change.parts += try await self.consumptions(commit, call)
            if case .done(let made) = try await self.make(change, &call) { return made }
            known = nil
        }
        throw call.restless
    }

    /// Takes steps away with what they put into the shared state.
    ///
    /// What the same change writes is not taken away: of two writes of one change the removal would win.
    private func removals(_ commit: RunCommit, _ call: Call) async throws(StoreError) -> [Part] {
        guard !commit.removedSteps.isEmpty else { return [] }
        let id = commit.runID
        let written = Set(commit.steps.map { IDKey($0.id) })
        let writtenState = Set(commit.state.map { StateKey(step: IDKey($0.step), key: IDKey($0.key)) })
        let touched = Set(commit.state.map { IDKey($0.step) })
        var parts: [Part] = []
        var stored: [StateRecord]?
        for step in commit.removedSteps {
            if !written.contains(IDKey(step)) { parts.append(self.remove(.step, step, of: id)) }
            guard touched.contains(IDKey(step)) else {
                parts.append { batch in
                    try batch.add(self.statements.removeItems) { values in
                        try values.bind(id)
                        try values.bind(RunRowKind.state.rawValue)
                        try values.bind(step)
                    }
                }
                continue
            }
            let state: [StateRecord]
            if let stored { state = stored } else { state = try await self.rows(of: .state, id, call).state }
            stored = state
            for record in state where IDKey(record.step) == IDKey(step) {
                guard !writtenState.contains(StateKey(step: IDKey(step), key: IDKey(record.key))) else { continue }
                parts.append(self.remove(.state, step, record.key, of: id))
            }
        }
        return parts
    }

    private struct StateKey: Hashable {
        let step: IDKey
        let key: IDKey
    }

    /// Notes of messages who took them; only of those that are there, as a note alone would look like a message.
    private func consumptions(_ commit: RunCommit, _ call: Call) async throws(StoreError) -> [Part] {
        guard !commit.consumed.isEmpty else { return [] }
        let id = commit.runID
        let there = Set(try await self.rows(of: .message, id, call).messages.map { IDKey($0.id) })
        return commit.consumed.filter { there.contains(IDKey($0.message)) }.map { message, step in
            { batch in
                try batch.add(self.statements.consume) { values in
                    try values.bind(step)
                    try values.bindRow(id, .message, message, "")
                }
            }
        }
    }

    /// The rows of one kind, without the values that lie elsewhere.
    func rows(of kind: RunRowKind, _ id: String, _ call: Call) async throws(StoreError) -> RunRows {
        let result = try await self.perform(self.statements.rowsOfKind, self.serial(call)) { values in
            try values.bind(id)
            try values.bind(kind.rawValue)
        }
        return try self.decoded(call) { () throws(CQLProtocolError) in
            var source = ValueSource()
            return try RunRows(id, result, &source)
        }
    }
}
