internal import PerdureCQLClient
internal import PerdureModel
internal import PerdureWorkflow

extension RunSession {
    func post(_ message: RunMessage, to runID: String) async throws(StoreError) -> PostVerdict {
        var call = self.call(.write, runID)
        let mark = self.session.writeIDs.next()
        var keeper = self.keeper(for: call)
        // Once, for a value keeps its place however often the change is tried.
        let payload = try keeper.keep(message.payload)
        try await self.write(keeper.sets, call)
        let sets = keeper.sets
        do throws(StoreError) {
            let verdict = try await self.post(message, payload, sets, to: runID, mark, &call)
            if verdict != .posted { await self.remove(sets.map(\.set.name)) }
            return verdict
        } catch {
            if error.outcome == .notApplied { await self.remove(sets.map(\.set.name)) }
            throw error
        }
    }

    private func post(
        _ message: RunMessage, _ payload: StoredValue?, _ sets: [(set: ChunkSet, bytes: [UInt8])], to runID: String,
        _ mark: CQLUUID, _ call: inout Call
    ) async throws(StoreError) -> PostVerdict {
        await self.memory.turns.take(.id(IDKey(runID)))
        defer { self.memory.turns.leave(.id(IDKey(runID))) }
        var wasRefused = false
        for _ in 0..<64 {
            guard let old = try await self.head(of: runID, call) else {
                // It may have been taken, and gone with its run.
                return call.mayHaveHappened ? .posted : .notFound
            }
            if wasRefused || call.mayHaveHappened || old.record.status.isEnded {
                switch try await self.presence(of: message.id, in: runID, call) {
                case .there(mark): return .posted
                case .there: return .duplicate
                case .missing: if old.record.status.isEnded { return .ended(old.record.status) }
                }
            }
            var record = old.record
            record.inboxCount += 1
            var numbered = message
            numbered.number = record.inboxCount
            let new = RunHead(record, after: old, at: self.stamp())
            var change = RunChange(old: old, new: new, mark: mark)
            change.marksHead = false
            let body = try self.body(.write, runID) { try RunRows.body(of: numbered) { _ in payload } }
            change.parts = [self.put(.message, message.id, of: runID, body: body, mark: mark, isNew: true)]
            change.parts += self.register(sets, of: runID, mark: mark)
            if case .done = try await self.make(change, &call) { return .posted }
            wasRefused = true
        }
        throw call.restless
    }

    private enum Presence: Equatable {
        case missing
        /// With the write that it came with.
        case there(CQLUUID?)
    }

    private func presence(
        of message: String, in runID: String, _ call: Call
    ) async throws(StoreError) -> Presence {
        let result = try await self.perform(self.statements.row, self.serial(call)) {
            try $0.bindRow(runID, .message, message, "")
        }
        guard let row = result.first else { return .missing }
        return .there(try self.decoded(call) { () throws(CQLProtocolError) in try row.decode(CQLUUID?.self, at: 0) })
    }

    // MARK: Messages to others

    /// Brings what a change had to say to other runs to where it belongs, and gives the run as it is then.
    ///
    /// A change is stored with its messages as a whole; whoever meets a run that still has some on their way brings them on first.
    /// So nobody sees the change and not the messages.
    ///
    /// `hasChanged`: whether the change of `call` has happened by now, and not only may have.
    func settle(_ head: RunHead, _ call: Call, hasChanged: Bool = true) async throws(StoreError) -> RunHead {
        do throws(StoreError) { return try await self.bringOn(head, call) } catch {
            let isChange = call.operation == .write || call.operation == .delete
            throw error.with(
                operation: call.operation, persistenceID: call.id,
                outcome: isChange && (hasChanged || call.mayHaveHappened) ? .unknown : .notApplied)
        }
    }

    private func bringOn(_ head: RunHead, _ call: Call) async throws(StoreError) -> RunHead {
        guard let outbox = head.outbox else { return head }
        let result = try await self.perform(self.statements.rowsOfKind, self.serial(call)) { values in
            try values.bind(head.id)
            try values.bind(RunRowKind.post.rawValue)
        }
        var source = ValueSource()
        var rows = try self.decoded(call) { () throws(CQLProtocolError) in try RunRows(head.id, result, &source) }
        if rows.head?.outbox == outbox {
            if !source.missing.isEmpty {
                for set in source.missing {
                    guard let bytes = try await self.bytes(in: set, call) else {
                        // Said without it, it would be something else. The run may just have gone, with all that it had.
                        return try await self.unsaid(head, call)
                    }
                    source.loaded[set.name] = bytes
                }
                rows = try self.decoded(call) { () throws(CQLProtocolError) in
                    try RunRows(head.id, result, &source)
                }
            }
            for (target, message) in rows.posts { _ = try await self.post(message, to: target) }
            var clearing = self.call(.write, head.id)
            let id = head.id
            _ = try await self.batch(
                &clearing,
                [
                    { batch in
                        try batch.add(self.statements.clearOutbox) { values in
                            try values.bind(id)
                            try values.bind(outbox)
                        }
                    },
                    { batch in
                        try batch.add(self.statements.removeKind) { values in
                            try values.bind(id)
                            try values.bind(RunRowKind.post.rawValue)
                        }
                    },
                ])
        }
        self.memory.forget(head.id)
        guard let now = try await self.head(of: head.id, call) else { return head }
        await self.drop(head.hints.filter { !now.hints.contains($0) }, stamp: head.stamp)
        return now
    }

    /// A run that had a message of which a part is missing: as it is by now, if it has none to say any more.
    private func unsaid(_ head: RunHead, _ call: Call) async throws(StoreError) -> RunHead {
        self.memory.forget(head.id)
        let now = try await self.head(of: head.id, call)
        guard let now, now.outbox == head.outbox else { return now ?? head }
        throw StoreError(
            .corrupted, operation: call.operation, persistenceID: head.id,
            message: "a part of a message of this run to another is missing; restore the table of values")
    }

    /// Looks for runs of these workflows whose messages to others somebody left on their way; now and then.
    func sweepOutboxes(of workflows: [String]) async {
        let time = self.session.clock.now
        let isDue = self.memory.sweeps.withLock { sweeps -> [String] in
            workflows.filter { workflow in
                if let last = sweeps[IDKey(workflow)], time - last < .seconds(1) { return false }
                sweeps[IDKey(workflow)] = time
                return true
            }
        }
        for workflow in isDue {
            let call = self.call(.list, nil)
            var reader = HintReader(.queue, .outbox(workflow), limit: 16)
            while let found = try? await reader.next(self, call) {
                guard let head = try? await self.head(of: found.id, call) else { continue }
                guard await self.holds(found, for: head) else { continue }
                // Not of a change that is just being made.
                if self.now - head.stamp > 1_000_000 { _ = try? await self.settle(head, call) }
            }
        }
    }
}
