internal import PerdureModel
internal import PerdureWorkflow

/// One look at what is due: which runs a worker may take, in turn and within limits.
struct ClaimRound {
    struct Choice {
        let found: RunSession.SeenRun
        /// Whether it must be let in under its limits before it begins.
        let needsAdmission: Bool
    }

    private let claim: RunClaim
    private let wanted: Int
    /// What an earlier round has had a look at.
    private let seen: Set<IDKey>
    private(set) var chosen: [Choice] = []
    var gates: [IDKey: AdmissionGate] = [:]
    private var timers: [HintReader]
    private var ready: [HintReader]
    private let names: [IDKey: String]
    /// Whether everything that is due was looked at.
    private(set) var isAtEnd = false

    /// So many hints are looked at for one claim: behind more that wait for a limit nobody has a turn.
    private static let maximumLooks = 20_000

    init(_ claim: RunClaim, _ workflows: [String], wanted: Int, seen: Set<IDKey>) {
        self.claim = claim
        self.wanted = wanted
        self.seen = seen
        let limit = min(2 * wanted, 500)
        self.timers = workflows.map { HintReader(.queue, .due($0), limit: limit) }
        self.ready = workflows.map { HintReader(.queue, .ready($0), isOneGroup: true, limit: limit) }
        self.names = Dictionary(
            workflows.flatMap { [(HintScope.due($0).key, $0), (HintScope.ready($0).key, $0)] },
            uniquingKeysWith: { first, _ in first })
    }

    mutating func choose(_ session: RunSession) async throws(StoreError) {
        let call = session.call(.write, nil)
        var looks = 0
        while self.chosen.count < self.wanted, looks < Self.maximumLooks {
            var hints: [FoundHint] = []
            while hints.count < min(self.wanted - self.chosen.count, 64), looks < Self.maximumLooks {
                guard let hint = try await self.next(session, call) else { break }
                looks += 1
                if self.seen.contains(hint.hint.place.id) { continue }
                if let limits = hint.hint.limits, limits.areThere,
                    try await !self.mayBegin(hint.hint.place.id, limits, hint.hint.scope, session)
                {
                    continue
                }
                hints.append(hint)
            }
            if hints.isEmpty {
                self.isAtEnd = looks < Self.maximumLooks
                return
            }
            for run in try await session.runs(at: hints) { try await self.consider(run, session) }
        }
    }

    /// The next hint in turn, of whichever workflow: those whose time has come first.
    private mutating func next(_ session: RunSession, _ call: Call) async throws(StoreError) -> FoundHint? {
        let (now, timers) = (self.claim.now, self.timers.indices)
        var best: (reader: Int, place: HintPlace)?
        for reader in timers {
            guard let next = try await self.timers[reader].peek(session, call), next.hint.place.first <= now
            else { continue }
            if best.map({ next.hint.place < $0.place }) ?? true { best = (reader, next.hint.place) }
        }
        if let best { return try await self.timers[best.reader].next(session, call) }
        for reader in self.ready.indices {
            guard let next = try await self.ready[reader].peek(session, call) else { continue }
            if best.map({ next.hint.place < $0.place }) ?? true { best = (reader, next.hint.place) }
        }
        guard let best else { return nil }
        return try await self.ready[best.reader].next(session, call)
    }

    private mutating func consider(_ run: RunSession.SeenRun, _ session: RunSession) async throws(StoreError) {
        let (id, progress) = (IDKey(run.head.id), run.head.progress)
        guard progress.owner == nil, progress.status.isDrivable,
            !self.chosen.contains(where: { IDKey($0.found.head.id) == id })
        else { return }
        let limits = RunLimits(run.head.record.request)
        guard progress.status == .pending, limits.areThere else {
            if progress.status == .pending { self.gates[IDKey(run.head.record.request.workflow)]?.begin(id, limits) }
            return self.chosen.append(Choice(found: run, needsAdmission: false))
        }
        let workflow = IDKey(run.head.record.request.workflow)
        var gate = try await self.gate(of: workflow.id, session)
        let isAdmitted = gate.isAdmitted(id, at: progress.revision)
        let mayBegin = if isAdmitted { true } else { try await gate.mayBegin(id, limits, session) }
        if mayBegin { gate.begin(id, limits, admission: isAdmitted ? nil : progress.revision) }
        self.gates[workflow] = gate
        if mayBegin { self.chosen.append(Choice(found: run, needsAdmission: !isAdmitted)) }
    }

    private mutating func mayBegin(
        _ id: IDKey, _ limits: RunLimits, _ scope: IDKey, _ session: RunSession
    ) async throws(StoreError) -> Bool {
        guard let workflow = self.names[scope] else { return true }
        var gate = try await self.gate(of: workflow, session)
        let mayBegin = try await gate.mayBegin(id, limits, session)
        self.gates[IDKey(workflow)] = gate
        return mayBegin
    }

    private func gate(of workflow: String, _ session: RunSession) async throws(StoreError) -> AdmissionGate {
        if let gate = self.gates[IDKey(workflow)] { return gate }
        return try await session.gate(of: workflow)
    }

    /// When the next run is due that is not yet.
    mutating func nextWake(_ session: RunSession) async throws(StoreError) -> Int64? {
        let call = session.call(.write, nil)
        var first: Int64?
        for reader in self.timers.indices {
            while let next = try await self.timers[reader].peek(session, call) {
                if let first, next.hint.place.first >= first { break }
                if next.hint.place.first > self.claim.now {
                    let head = try await session.head(of: next.id, call)
                    if await session.holds(next, for: head) {
                        first = next.hint.place.first
                        break
                    }
                }
                _ = try await self.timers[reader].next(session, call)
            }
        }
        return first
    }
}
