internal import PerdureCQLClient
internal import PerdureModel
internal import PerdureWorkflow

/// Which runs of a workflow count against limits: those that run, and those that were let in and are about to.
///
/// Runs are let in one change after the other, each made under the revision that it has seen. So nobody is let in unseen by
/// the next who counts. Whoever was let in may be taken by any worker: a place belongs to the run, not to who asked for it.
struct AdmissionGate: Sendable {
    struct Entry: Sendable {
        let revision: UInt64
        let resource: IDKey?
    }

    let workflow: String
    let revision: Int64?
    /// Let in and pending still.
    private let entries: [IDKey: Entry]
    /// Let in once, and running or gone by now.
    let settled: [IDKey]
    /// Everything that may count; hints, until they are seen to be true.
    private var members: [IDKey: IDKey?]
    private var isCertain: Set<IDKey>
    /// To be let in, at these revisions.
    private(set) var admissions: [IDKey: Entry] = [:]

    init(
        workflow: String, revision: Int64?, entries: [IDKey: Entry], settled: [IDKey], running: [IDKey: IDKey?]
    ) {
        self.workflow = workflow
        self.revision = revision
        self.entries = entries
        self.settled = settled
        self.members = running
        self.isCertain = Set(entries.keys)
        for (id, entry) in entries { self.members[id] = .some(entry.resource) }
    }

    func isAdmitted(_ id: IDKey, at revision: UInt64) -> Bool { self.entries[id]?.revision == revision }

    /// Whether a run may begin, as far as its limits go.
    mutating func mayBegin(_ id: IDKey, _ limits: RunLimits, _ session: RunSession) async throws(StoreError) -> Bool {
        if self.entries[id] != nil { return true }
        if let limit = limits.ofWorkflow, try await self.isFull(limit, id, session, { _ in true }) { return false }
        guard let resource = limits.resource, let limit = limits.ofResource else { return true }
        return try await !self.isFull(limit, id, session) { $0 == resource }
    }

    mutating func begin(_ id: IDKey, _ limits: RunLimits, admission revision: UInt64? = nil) {
        self.members[id] = .some(limits.resource)
        self.isCertain.insert(id)
        if let revision { self.admissions[id] = Entry(revision: revision, resource: limits.resource) }
    }

    /// Whether as many count as may, looking at the runs themselves as far as it matters.
    private mutating func isFull(
        _ limit: Int, _ id: IDKey, _ session: RunSession, _ counts: (IDKey?) -> Bool
    ) async throws(StoreError) -> Bool {
        let relevant = self.members.filter { $0.key != id && counts($0.value) }.map(\.key)
        guard relevant.count >= limit else { return false }
        var certain = relevant.count { self.isCertain.contains($0) }
        var uncertain = relevant.filter { !self.isCertain.contains($0) }
        while certain < limit, !uncertain.isEmpty {
            let some = Array(uncertain.suffix(64))
            uncertain.removeLast(some.count)
            for (id, isRunning) in zip(some, try await session.areRunning(some)) {
                if isRunning {
                    self.isCertain.insert(id)
                    certain += 1
                } else {
                    self.members[id] = nil
                }
            }
        }
        return certain >= limit
    }
}

extension RunSession {
    /// Who counts in a workflow: first who was let in, then who runs; who was let in is in one of the two in any case.
    func gate(of workflow: String) async throws(StoreError) -> AdmissionGate {
        let call = self.call(.write, nil)
        let result = try await self.perform(self.statements.admissions.read, self.serial(call)) {
            try $0.bind(workflow)
        }
        var revision: Int64?
        var entries: [IDKey: AdmissionGate.Entry] = [:]
        for row in result {
            try self.decoded(call) { () throws(CQLProtocolError) in
                let id = try row.decode(String?.self, at: 0)
                revision = try row.decode(Int64?.self, at: 3)
                guard let id else { return }
                let count = UInt64(bitPattern: try row.decode(Int64?.self, at: 1) ?? 0)
                entries[IDKey(id)] = AdmissionGate.Entry(
                    revision: count, resource: try row.decode(String?.self, at: 2).map { IDKey($0) })
            }
        }
        var settled: [IDKey] = []
        let ids = Array(entries.keys)
        let heads = try await self.heads(of: ids)
        for (id, head) in zip(ids, heads) {
            if let head, head.record.status == .pending, head.progress.revision == entries[id]?.revision { continue }
            settled.append(id)
            entries[id] = nil
        }
        var running: [IDKey: IDKey?] = [:]
        var reader = HintReader(.queue, .status(.running, of: workflow), limit: 1_000)
        while let found = try await reader.next(self, call) {
            running[found.hint.place.id] = .some(found.hint.limits?.resource)
        }
        return AdmissionGate(
            workflow: workflow, revision: revision, entries: entries, settled: settled, running: running)
    }

    fileprivate func areRunning(_ ids: [IDKey]) async throws(StoreError) -> [Bool] {
        try await self.heads(of: ids).map { $0?.record.status == .running }
    }

    private func heads(of ids: [IDKey]) async throws(StoreError) -> [RunHead?] {
        let results = await self.session.together(ids.count) { index -> Result<RunHead?, StoreError> in
            do throws(StoreError) {
                return .success(try await self.head(of: ids[index].id, self.call(.write, ids[index].id)))
            } catch {
                return .failure(error)
            }
        }
        var heads: [RunHead?] = []
        for result in results { heads.append(try result.get()) }
        return heads
    }

    /// Lets the chosen runs in that must be, in one change for each workflow; false where somebody else was let in meanwhile.
    func admit(_ round: inout ClaimRound) async throws(StoreError) -> Bool {
        for gate in round.gates.values where !gate.admissions.isEmpty {
            guard try await self.admit(gate) else { return false }
        }
        return true
    }

    private func admit(_ gate: AdmissionGate) async throws(StoreError) -> Bool {
        var call = self.call(.write, nil)
        let mark = self.session.writeIDs.next()
        let (workflow, statements) = (gate.workflow, self.statements.admissions)
        var parts: [Part] = [
            { batch in
                try batch.add(statements.change) { values in
                    try values.bind((gate.revision ?? 0) + 1)
                    try values.bind(mark)
                    try values.bind(workflow)
                    try values.bind(gate.revision)
                    try values.bind(mark)
                }
            }
        ]
        for (id, entry) in gate.admissions {
            parts.append { batch in
                try batch.add(statements.put) { values in
                    try values.bind(workflow)
                    try values.bind(id.id)
                    try values.bind(Int64(bitPattern: entry.revision))
                    try values.bind(optional: entry.resource?.id)
                }
            }
        }
        for id in gate.settled where gate.admissions[id] == nil {
            parts.append { batch in
                try batch.add(statements.remove) { values in
                    try values.bind(workflow)
                    try values.bind(id.id)
                }
            }
        }
        let result = try await self.batch(&call, parts)
        if result.wasApplied == true { return true }
        return try self.decoded(call) { () throws(CQLProtocolError) in
            for row in result where row.columns?.contains(where: { $0.name == "changed_by" }) == true {
                return try row.decode(CQLUUID?.self, named: "changed_by") == mark
            }
            return false
        }
    }
}
