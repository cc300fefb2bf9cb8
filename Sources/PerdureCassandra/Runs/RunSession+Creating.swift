internal import PerdureCQLClient
internal import PerdureModel
internal import PerdureWorkflow

extension RunSession {
    func create(_ creation: RunCreation) async throws(StoreError) -> CreateVerdict {
        let request = creation.request
        var call = self.call(.write, request.id)
        let mark = self.session.writeIDs.next()
        var new = RunHead(RunRecord(request: request, progress: creation.progress), after: nil, at: self.stamp())
        (new.createdBy, new.changedBy, new.hasOutput) = (mark, mark, creation.progress.output != nil)
        var change = RunChange(old: nil, new: new, mark: mark)

        var keeper = self.keeper(for: call)
        change.parts.append { try $0.add(self.statements.found) { try Self.bind(request, mark, to: &$0) } }
        let body = try self.body(.write, request.id) { try RunRows.body(of: request) { try keeper.keep($0) } }
        change.parts.append(self.put(.request, "", of: request.id, body: body, mark: mark))
        change.parts += try self.rows(creation.steps, creation.state, of: request.id, mark: mark, &keeper)
        if let output = creation.progress.output {
            change.parts.append(try self.output(output, of: request.id, mark: mark, &keeper))
        }
        change.parts += self.register(keeper.sets, of: request.id, mark: mark)
        try await self.name(request.workflow, owner: creation.progress.owner, call)
        try await self.write(keeper.sets, call)

        await self.memory.turns.take(.id(IDKey(request.id)))
        defer { self.memory.turns.leave(.id(IDKey(request.id))) }
        for _ in 0..<64 {
            if case .done = try await self.make(change, &call) { return .created }
            let there = try await self.rows(self.statements.record, of: request.id, call)
            if let there {
                if there.head.createdBy == mark { return .created }
                await self.remove(keeper.sets.map(\.set.name))
                return .exists(there.snapshot.run)
            }
            // It is gone by now: perhaps it was this one.
            if call.mayHaveHappened { throw call.overwritten }
        }
        throw call.restless
    }

    /// The time for a stamp, in microseconds: never the same twice.
    func stamp() -> Int64 { self.session.timestamps.next(self.now) }

    private static func bind(_ request: RunRequest, _ mark: CQLUUID, to values: inout CQLBoundValues) throws {
        try values.bind(request.workflow)
        try values.bind(request.createdAt)
        try values.bind(optional: request.resourceID)
        try values.bind(optional: request.tags.isEmpty ? nil : request.tags)
        try values.bind(optional: request.parent?.runID)
        try values.bind(Int64(request.priority))
        try values.bind(optional: request.workflowLimit.map { Int64($0) })
        try values.bind(optional: request.resourceLimit.map { Int64($0) })
        try values.bind(mark)
        try values.bind(request.id)
    }

    // MARK: Names

    /// Makes a workflow known, and a worker that may drive runs of it, before either is needed.
    func name(_ workflow: String, owner: String? = nil, _ call: Call) async throws(StoreError) {
        var hints: [RunHint] = []
        func add(_ table: RunHint.Table, _ scope: HintScope, _ name: String) {
            let place = HintPlace(first: 0, second: 0, third: 0, id: IDKey(name))
            let hint = RunHint(table, scope, bucket: 0, place)
            // A name is a partition of its own, as far as the memory is concerned.
            let known = RunMemory.Registration(scope: IDKey("\(scope.key.id)\0\0\(name)"), bucket: 0, shard: 0)
            if self.memory.mustRegister(known, at: self.now) {
                hints.append(hint)
                names.append(known)
            }
        }
        var names: [RunMemory.Registration] = []
        add(.listing, .workflows, workflow)
        if let owner { add(.queue, .owners(workflow), owner) }
        guard !hints.isEmpty else { return }
        try await self.put(hints, stamp: self.stamp(), call)
        self.memory.note(names, at: self.now)
    }
}
