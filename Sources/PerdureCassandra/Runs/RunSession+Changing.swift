internal import PerdureCQLClient
internal import PerdureModel
internal import PerdureWorkflow

/// One conditional change of a run's partition: the head as a whole, and rows with it.
struct RunChange {
    /// How the run is now, as far as it was seen; nil where there is none.
    let old: RunHead?
    /// How it is to be.
    var new: RunHead
    /// The change's own name: by it a change whose answer was lost is known again.
    let mark: CQLUUID
    /// Whether the mark is left in the head; a message leaves its mark in its own row.
    var marksHead = true
    /// The rows that change with it.
    var parts: [RunSession.Part] = []
}

/// What became of a change.
enum RunChangeVerdict: Sendable {
    /// It happened, and the run is so now.
    case done(RunHead)
    /// The run is not as it was seen.
    case refused
}

extension RunSession {
    /// Makes a change: hints first, then the truth, then away with the hints that do not hold any more.
    func make(_ change: RunChange, _ call: inout Call) async throws(StoreError) -> RunChangeVerdict {
        let (old, new) = (change.old?.hints ?? [], change.new.hints)
        let (before, after) = (Set(old), Set(new))
        try await self.put(new.filter { !before.contains($0) }, stamp: change.new.stamp, call)
        let head: Part = { try $0.add(self.statements.change) { try Self.bind(change, to: &$0) } }
        let result: CQLResult
        do throws(StoreError) {
            result = try await self.batch(&call, [head] + change.parts)
        } catch {
            // It may be as it was, or changed.
            self.memory.forget(change.new.id)
            throw error
        }
        if result.wasApplied == true {
            self.memory.note(change.new)
            await self.drop(old.filter { !after.contains($0) }, stamp: change.old?.stamp ?? 0)
            return .done(change.new)
        }
        self.memory.forget(change.new.id)
        guard change.marksHead else { return .refused }
        let isMine = try self.decoded(call) { () throws(CQLProtocolError) in
            for row in result where row.columns?.contains(where: { $0.name == "changed_by" }) == true {
                return try row.decode(CQLUUID?.self, named: "changed_by") == change.mark
            }
            return false
        }
        // An attempt before this one made it, perhaps from a head that was a little different.
        guard isMine, let found = try await self.head(of: change.new.id, call), found.changedBy == change.mark else {
            return .refused
        }
        await self.drop(old.filter { !found.hints.contains($0) }, stamp: change.old?.stamp ?? 0)
        return .done(found)
    }

    private static func bind(_ change: RunChange, to values: inout CQLBoundValues) throws {
        let (new, progress) = (change.new, change.new.progress)
        let old = change.old?.progress
        try values.bind(progress.status.rawValue)
        try values.bind(progress.progress)
        try values.bind(Int64(bitPattern: progress.definitionHash))
        try values.bind(
            progress.failure.map { String(decoding: try RunValue($0).bytes, as: UTF8.self) },
            over: old?.failure.map { _ in "" })
        try values.bind(progress.parkedReason, over: old?.parkedReason)
        try values.bind(progress.startedAt, over: old?.startedAt)
        try values.bind(progress.completedAt, over: old?.completedAt)
        try values.bind(progress.updatedAt)
        try values.bind(progress.expiresAt, over: old?.expiresAt)
        switch progress.wake {
        case .never: try values.bind(Int8(0))
        case .now: try values.bind(Int8(1))
        case .at: try values.bind(Int8(2))
        }
        try values.bind(progress.wake.time, over: old?.wake.time)
        try values.bind(progress.owner, over: old?.owner)
        try values.bind(Int64(bitPattern: progress.fence))
        try values.bind(Int64(bitPattern: progress.revision))
        try values.bind(Int64(progress.adoptions))
        try values.bind(Int64(bitPattern: progress.inboxSeen))
        try values.bind(Int64(bitPattern: new.record.inboxCount))
        if change.marksHead { try values.bind(change.mark) } else { values.bindUnset() }
        try values.bind(new.stamp)
        try values.bind(new.placedAt)
        try values.bind(new.outbox, over: change.old?.outbox)
        try values.bind(new.hasOutput)
        try values.bind(new.id)
        try values.bind(old.map { Int64(bitPattern: $0.revision) })
        try values.bind(old.map { Int64(bitPattern: $0.fence) })
        try values.bind(change.old.map { Int64(bitPattern: $0.record.inboxCount) })
        try values.bind(change.mark)
    }

    // MARK: Rows

    func put(
        _ kind: RunRowKind, _ name: String, _ item: String = "", of id: String, body: [UInt8], mark: CQLUUID,
        isNew: Bool = false
    ) -> Part {
        let statement = isNew ? self.statements.putNewRow : self.statements.putRow
        return { batch in
            try batch.add(statement) { values in
                try values.bindRow(id, kind, name, item)
                try values.bind(body)
                try values.bind(mark)
            }
        }
    }

    func remove(_ kind: RunRowKind, _ name: String, _ item: String = "", of id: String) -> Part {
        { try $0.add(self.statements.removeRow) { try $0.bindRow(id, kind, name, item) } }
    }

    /// The rows of steps and shared state; `keep` says where their values are.
    func rows(
        _ steps: [StepRecord], _ state: [StateRecord], of id: String, mark: CQLUUID, _ keeper: inout ValueKeeper
    ) throws(StoreError) -> [Part] {
        var parts: [Part] = []
        for step in steps {
            let body = try self.body(keeper.operation, id) { try RunRows.body(of: step) { try keeper.keep($0) } }
            parts.append(self.put(.step, step.id, of: id, body: body, mark: mark))
        }
        for record in state {
            var writer = RecordWriter()
            writer.put(try keeper.keep(record.value))
            parts.append(self.put(.state, record.step, record.key, of: id, body: writer.bytes, mark: mark))
        }
        return parts
    }

    func output(
        _ output: RunValue?, of id: String, mark: CQLUUID, _ keeper: inout ValueKeeper
    ) throws(StoreError) -> Part {
        var writer = RecordWriter()
        writer.put(try keeper.keep(output))
        return self.put(.output, "", of: id, body: writer.bytes, mark: mark)
    }

    /// Rows that say which sets of values the run has: so that they can be removed with it.
    func register(_ sets: [(set: ChunkSet, bytes: [UInt8])], of id: String, mark: CQLUUID) -> [Part] {
        sets.map { set, _ in
            self.put(.values, "\(set.name)", of: id, body: RecordWriter().bytes, mark: mark)
        }
    }

    /// What a closure writes, whose errors are the contract's or those of encoding.
    func body(
        _ operation: StoreError.Operation, _ id: String, _ write: () throws -> [UInt8]
    ) throws(StoreError) -> [UInt8] {
        do { return try write() } catch let error as StoreError {
            throw error
        } catch {
            throw StoreError(
                .invalidRequest, operation: operation, persistenceID: id,
                message: "a part of the run cannot be written as JSON", underlying: error)
        }
    }
}

extension RunWake {
    fileprivate var time: Int64? { if case .at(let time) = self { time } else { nil } }
}

extension CQLBoundValues {
    mutating func bindRow(
        _ id: String, _ kind: RunRowKind, _ name: String, _ item: String
    ) throws(CQLProtocolError) {
        try self.bind(id)
        try self.bind(kind.rawValue)
        try self.bind(name)
        try self.bind(item)
    }
}
