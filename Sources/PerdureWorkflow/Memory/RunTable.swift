internal import PerdureModel

/// The contract of a run store as a plain value: runs, workers, and what each operation does to them.
///
/// Runs lie in slots, and everything else knows them by the slot's number: who drives them, what is due, what has mail. Nothing
/// that a worker does again and again looks at all runs.
struct RunTable {
    /// A run, and where it is noted.
    struct Row {
        let request: RunRequest
        var progress: RunProgress
        var inboxCount: UInt64 = 0
        var steps = KeyedList<IDKey, StepRecord>()
        var state = KeyedList<StateKey, StateRecord>()
        var messages = KeyedList<IDKey, RunMessage>()

        /// The number of its workflow's schedule.
        let workflow: Int
        /// The number of its owner; -1 without one.
        var owner = -1
        /// The runs of the same owner beside this one; -1 at the ends.
        var previousOwned = -1
        var nextOwned = -1
        /// Which of its waits is the current one, for a worker or for its removal; 0 while it does not wait.
        var stamp: UInt64 = 0
        /// Whether it waits for a worker.
        var waits = false

        var hasMail: Bool { self.inboxCount > self.progress.inboxSeen }
        var record: RunRecord {
            RunRecord(request: self.request, progress: self.progress, inboxCount: self.inboxCount)
        }
    }

    struct StateKey: Hashable {
        let key: IDKey
        let step: IDKey
    }

    /// A worker's ID, registered or not, and the runs that it drives.
    private struct Owner {
        let id: IDKey
        var firstOwned = -1
        var count = 0
        var isRegistered = false
    }

    private struct Expiry: Comparable {
        let time: Int64
        let slot: Int
        let stamp: UInt64

        static func < (left: Expiry, right: Expiry) -> Bool { left.time < right.time }
    }

    /// What became of a change.
    enum Verdict<Value: Sendable>: Sendable {
        case done(Value)
        /// The condition does not hold; the revision that is there, 0 for none.
        case conflict(stored: UInt64)
    }

    /// Rows that are free have no place.
    private var rows: [Row] = []
    private var free: [Int] = []
    private var places: [IDKey: Int] = [:]
    private var schedules: [RunSchedule] = []
    private var schedulesByName: [IDKey: Int] = [:]
    private var owners: [Owner] = []
    private var freeOwners: [Int] = []
    private var ownersByID: [IDKey: Int] = [:]
    private var workersByID: [IDKey: WorkerRecord] = [:]
    /// Owned runs that have messages which their owner has not seen.
    private var mailed: Set<Int> = []
    private var expiring = MinHeap<Expiry>()
    private var lastStamp: UInt64 = 0
    /// What happened since it was last told; kept only while somebody listens.
    var notices: [RunNotice]?
    /// How many listen.
    var listenerCount = 0 { didSet { self.notices = self.listenerCount == 0 ? nil : self.notices ?? [] } }

    // MARK: Runs

    mutating func create(_ creation: RunCreation) -> CreateVerdict {
        let key = IDKey(creation.request.id)
        if let slot = self.places[key] { return .exists(self.rows[slot].record) }
        var row = Row(
            request: creation.request, progress: creation.progress,
            workflow: self.schedule(of: creation.request.workflow))
        for step in creation.steps { row.steps.set(step, for: IDKey(step.id)) }
        for record in creation.state { row.state.set(record, for: StateKey(record)) }
        let slot: Int
        if let last = self.free.popLast() {
            slot = last
            self.rows[slot] = row
        } else {
            slot = self.rows.count
            self.rows.append(row)
        }
        self.places[key] = slot
        self.note(slot, wasRunning: false)
        return .created
    }

    mutating func commit(_ commit: RunCommit) -> Verdict<CommitReceipt> {
        guard let slot = self.places[IDKey(commit.runID)] else { return .conflict(stored: 0) }
        if let stored = self.conflict(slot, commit.expectedRevision, commit.expectedFence) {
            return .conflict(stored: stored)
        }
        let inboxCount = self.change(slot) { row in
            row.progress = commit.progress
            if !commit.removedSteps.isEmpty {
                let removed = Set(commit.removedSteps.map { IDKey($0) })
                row.steps.removeAll { removed.contains($0) }
                row.state.removeAll { removed.contains($0.step) }
            }
            for step in commit.steps { row.steps.set(step, for: IDKey(step.id)) }
            for record in commit.state { row.state.set(record, for: StateKey(record)) }
            for (message, step) in commit.consumed {
                guard let place = row.messages.place(of: IDKey(message)) else { continue }
                row.messages.change(at: place) { $0.consumedBy = step }
            }
            return row.inboxCount
        }
        guard !commit.posts.isEmpty else { return .done(CommitReceipt(inboxCount: inboxCount)) }
        for (runID, message) in commit.posts { _ = self.post(message, to: runID) }
        return .done(CommitReceipt(inboxCount: self.rows[slot].inboxCount))
    }

    func snapshot(of runID: String) -> RunSnapshot? {
        guard let slot = self.places[IDKey(runID)] else { return nil }
        return self.snapshot(slot)
    }

    func run(_ runID: String) -> RunRecord? {
        guard let slot = self.places[IDKey(runID)] else { return nil }
        return self.rows[slot].record
    }

    mutating func post(_ message: RunMessage, to runID: String) -> PostVerdict {
        guard let slot = self.places[IDKey(runID)] else { return .notFound }
        let key = IDKey(message.id)
        if self.rows[slot].messages.place(of: key) != nil { return .duplicate }
        let status = self.rows[slot].progress.status
        if status.isEnded { return .ended(status) }
        self.change(slot) { row in
            row.inboxCount += 1
            var message = message
            message.number = row.inboxCount
            message.consumedBy = nil
            row.messages.set(message, for: key)
        }
        if self.rows[slot].owner >= 0 { self.notices?.append(.mail(runID: runID)) }
        return .posted
    }

    mutating func delete(_ runID: String, expectedRevision: UInt64, expectedFence: UInt64) -> Verdict<Void> {
        guard let slot = self.places[IDKey(runID)] else { return .conflict(stored: 0) }
        if let stored = self.conflict(slot, expectedRevision, expectedFence) { return .conflict(stored: stored) }
        self.remove(slot)
        return .done(())
    }

    // MARK: Work

    mutating func claim(_ claim: RunClaim) -> ClaimedRuns {
        let workflows = self.numbers(of: claim.workflows)
        var runs: [RunSnapshot] = []
        while runs.count < claim.limit {
            guard let best = self.next(of: workflows, at: claim.now) else { break }
            // Taken before the counts change: after that it may not be the first any more.
            self.schedules[best.workflow].remove(best.entry)
            self.take(best.entry.slot, claim)
            runs.append(self.snapshot(best.entry.slot))
        }
        return ClaimedRuns(runs: runs, nextWake: self.nextWake(of: workflows))
    }

    /// The run whose turn it is among these workflows.
    private mutating func next(
        of workflows: [Int], at now: Int64
    ) -> (entry: RunSchedule.Entry, workflow: Int)? {
        // A second reference to the rows, which goes before any of them is changed.
        let rows = self.rows
        var best: (entry: RunSchedule.Entry, workflow: Int)?
        for workflow in workflows {
            let entry = self.schedules[workflow].first(at: now) { rows[$0.slot].stamp == $0.stamp }
            if let entry, best.map({ entry < $0.entry }) ?? true { best = (entry, workflow) }
        }
        return best
    }

    private mutating func nextWake(of workflows: [Int]) -> Int64? {
        let rows = self.rows
        var first: Int64?
        for workflow in workflows {
            let wake = self.schedules[workflow].nextWake { rows[$0.slot].stamp == $0.stamp }
            if let wake { first = min(first ?? wake, wake) }
        }
        return first
    }

    mutating func adopt(_ claim: RunClaim) -> [RunSnapshot] {
        let workflows = Set(self.numbers(of: claim.workflows))
        var found: [Int] = []
        for owner in self.owners where !owner.isRegistered && owner.id != IDKey(claim.worker) {
            var slot = owner.firstOwned
            while slot >= 0, found.count < claim.limit {
                if workflows.contains(self.rows[slot].workflow) { found.append(slot) }
                slot = self.rows[slot].nextOwned
            }
        }
        return found.map { slot in
            self.take(slot, claim) { $0.adoptions += 1 }
            return self.snapshot(slot)
        }
    }

    func mail(for worker: String) -> [RunMail] {
        guard !self.mailed.isEmpty, let owner = self.ownersByID[IDKey(worker)] else { return [] }
        return self.mailed.sorted().compactMap { slot in
            guard self.rows[slot].owner == owner else { return nil }
            return RunMail(runID: self.rows[slot].request.id, inboxCount: self.rows[slot].inboxCount)
        }
    }

    /// Makes a run a worker's.
    private mutating func take(_ slot: Int, _ claim: RunClaim, _ more: (inout RunProgress) -> Void = { _ in }) {
        self.change(slot) { row in
            row.progress.beTaken(by: claim)
            more(&row.progress)
        }
    }

    // MARK: Workers

    mutating func register(_ worker: WorkerRecord) {
        let name = IDKey(worker.name)
        for (id, other) in self.workersByID where IDKey(other.name) == name { self.unregister(id) }
        let key = IDKey(worker.id)
        self.workersByID[key] = worker
        let owner = self.owner(key)
        self.owners[owner].isRegistered = true
    }

    mutating func renew(_ workerID: String, at time: Int64) -> Bool {
        guard var worker = self.workersByID[IDKey(workerID)] else { return false }
        worker.beat += 1
        worker.renewedAt = time
        self.workersByID[IDKey(workerID)] = worker
        return true
    }

    mutating func bury(_ workerID: String, beat: UInt64) -> Bool {
        guard self.workersByID[IDKey(workerID)]?.beat == beat else { return false }
        self.unregister(IDKey(workerID))
        return true
    }

    mutating func retire(_ workerID: String, at time: Int64) {
        let key = IDKey(workerID)
        if let owner = self.ownersByID[key] {
            var slot = self.owners[owner].firstOwned
            while slot >= 0 {
                let next = self.rows[slot].nextOwned
                self.change(slot) { $0.progress.beLetGo(at: time) }
                slot = next
            }
        }
        self.unregister(key)
    }

    func workers() -> [WorkerRecord] { self.workersByID.sorted { $0.key < $1.key }.map(\.value) }

    private mutating func unregister(_ id: IDKey) {
        self.workersByID[id] = nil
        guard let owner = self.ownersByID[id] else { return }
        self.owners[owner].isRegistered = false
        self.forget(owner)
    }

    // MARK: Looking

    /// The runs for which `filter` holds, in no particular order.
    func records(where filter: RunFilter, now: Int64) -> [RunRecord] {
        self.found(filter, now).map { self.rows[$0].record }
    }

    func count(where filter: RunFilter, now: Int64) -> Int { self.found(filter, now).count }

    private func found(_ filter: RunFilter, _ now: Int64) -> [Int] {
        self.places.values.filter { slot in
            !self.rows[slot].progress.isOver(at: now)
                && filter.holds(for: self.rows[slot].request, self.rows[slot].progress.status)
        }
    }

    mutating func purge(expiredAt now: Int64, limit: Int) -> Int {
        var count = 0
        while count < limit, let expiry = self.expiring.first, expiry.time <= now {
            _ = self.expiring.popFirst()
            guard self.rows[expiry.slot].stamp == expiry.stamp else { continue }
            self.remove(expiry.slot)
            count += 1
        }
        return count
    }

    // MARK: Changing a run

    /// The stored revision, if it or the fence is another than expected.
    private func conflict(_ slot: Int, _ revision: UInt64, _ fence: UInt64) -> UInt64? {
        let (stored, storedFence) = (self.rows[slot].progress.revision, self.rows[slot].progress.fence)
        return stored == revision && storedFence == fence ? nil : stored
    }

    /// Changes a run, and notes it where it belongs from now on.
    @discardableResult
    private mutating func change<Result>(_ slot: Int, _ body: (inout Row) -> Result) -> Result {
        let wasRunning = self.rows[slot].progress.status == .running
        let result = body(&self.rows[slot])
        self.note(slot, wasRunning: wasRunning)
        return result
    }

    private mutating func note(_ slot: Int, wasRunning: Bool) {
        let workflow = self.rows[slot].workflow
        self.noteOwner(slot)
        let isOwned = self.rows[slot].owner >= 0
        let status = self.rows[slot].progress.status
        let hasMail = self.rows[slot].hasMail
        if isOwned, hasMail { self.mailed.insert(slot) } else if !self.mailed.isEmpty { self.mailed.remove(slot) }
        if wasRunning != (status == .running) {
            let resource = self.rows[slot].request.resourceID
            if wasRunning {
                if self.schedules[workflow].ended(resource: resource) { self.notices?.append(.ready) }
            } else {
                self.schedules[workflow].began(resource: resource)
            }
        }
        self.rows[slot].stamp = 0
        if self.rows[slot].waits {
            self.rows[slot].waits = false
            self.schedules[workflow].waitingCount -= 1
        }
        if isOwned { return }
        if status.isEnded {
            self.noteEnd(slot)
        } else if status.isDrivable {
            if hasMail { self.rows[slot].progress.wake = .now }
            self.noteWake(slot)
        }
    }

    private mutating func noteEnd(_ slot: Int) {
        if self.notices != nil { self.notices?.append(.ended(runID: self.rows[slot].request.id)) }
        guard let time = self.rows[slot].progress.expiresAt else { return }
        self.lastStamp += 1
        self.rows[slot].stamp = self.lastStamp
        self.expiring.insert(Expiry(time: time, slot: slot, stamp: self.lastStamp))
    }

    private mutating func noteWake(_ slot: Int) {
        let time: Int64?
        switch self.rows[slot].progress.wake {
        case .never: return
        case .now:
            time = nil
            self.notices?.append(.ready)
        case .at(let wake): time = wake
        }
        self.lastStamp += 1
        self.rows[slot].stamp = self.lastStamp
        let request = self.rows[slot].request
        // A run that has begun counts already, and is held back by no limit.
        let isPending = self.rows[slot].progress.status == .pending
        var resource: RunSchedule.Resource?
        if isPending, let id = request.resourceID, let limit = request.resourceLimit {
            resource = RunSchedule.Resource(id: IDKey(id), limit: limit)
        }
        let entry = RunSchedule.Entry(
            due: time ?? .max, priority: request.priority, createdAt: request.createdAt, id: IDKey(request.id),
            slot: slot, stamp: self.lastStamp, workflowLimit: isPending ? request.workflowLimit ?? .max : .max,
            resource: resource)
        let workflow = self.rows[slot].workflow
        self.rows[slot].waits = true
        self.schedules[workflow].waitingCount += 1
        self.schedules[workflow].insert(entry, until: time)
        if self.schedules[workflow].isUntidy {
            let rows = self.rows
            self.schedules[workflow].tidy { rows[$0.slot].stamp == $0.stamp }
        }
    }

    private mutating func remove(_ slot: Int) {
        let id = self.rows[slot].request.id
        // As if it ended: gone from its owner, from the counts and from what waits.
        let wasRunning = self.rows[slot].progress.status == .running
        self.rows[slot].progress.owner = nil
        self.rows[slot].progress.expiresAt = nil
        self.rows[slot].progress.status = .cancelled
        self.note(slot, wasRunning: wasRunning)
        self.places[IDKey(id)] = nil
        self.free.append(slot)
        self.rows[slot].steps = KeyedList()
        self.rows[slot].state = KeyedList()
        self.rows[slot].messages = KeyedList()
    }

    private func snapshot(_ slot: Int) -> RunSnapshot {
        RunSnapshot(
            run: self.rows[slot].record, steps: self.rows[slot].steps.values.sorted { $0.comes(before: $1) },
            state: self.rows[slot].state.values, messages: self.rows[slot].messages.values)
    }

    // MARK: Owners

    private mutating func noteOwner(_ slot: Int) {
        let old = self.rows[slot].owner
        guard let id = self.rows[slot].progress.owner else {
            if old >= 0 { self.unlink(slot, from: old) }
            return
        }
        let key = IDKey(id)
        if old >= 0 {
            if self.owners[old].id == key { return }
            self.unlink(slot, from: old)
        }
        let new = self.owner(key)
        let first = self.owners[new].firstOwned
        self.rows[slot].owner = new
        self.rows[slot].nextOwned = first
        if first >= 0 { self.rows[first].previousOwned = slot }
        self.owners[new].firstOwned = slot
        self.owners[new].count += 1
    }

    private mutating func unlink(_ slot: Int, from owner: Int) {
        let (previous, next) = (self.rows[slot].previousOwned, self.rows[slot].nextOwned)
        if previous >= 0 { self.rows[previous].nextOwned = next } else { self.owners[owner].firstOwned = next }
        if next >= 0 { self.rows[next].previousOwned = previous }
        self.rows[slot].owner = -1
        self.rows[slot].previousOwned = -1
        self.rows[slot].nextOwned = -1
        self.owners[owner].count -= 1
        self.forget(owner)
    }

    private mutating func owner(_ id: IDKey) -> Int {
        if let owner = self.ownersByID[id] { return owner }
        let owner: Int
        let new = Owner(id: id, isRegistered: self.workersByID[id] != nil)
        if let last = self.freeOwners.popLast() {
            owner = last
            self.owners[owner] = new
        } else {
            owner = self.owners.count
            self.owners.append(new)
        }
        self.ownersByID[id] = owner
        return owner
    }

    /// Lets an owner go that is not registered and drives nothing.
    private mutating func forget(_ owner: Int) {
        guard !self.owners[owner].isRegistered, self.owners[owner].count == 0,
            self.ownersByID.removeValue(forKey: self.owners[owner].id) != nil
        else { return }
        self.freeOwners.append(owner)
    }

    // MARK: Workflows

    private mutating func schedule(of workflow: String) -> Int {
        let key = IDKey(workflow)
        if let number = self.schedulesByName[key] { return number }
        self.schedulesByName[key] = self.schedules.count
        self.schedules.append(RunSchedule())
        return self.schedules.count - 1
    }

    private func numbers(of workflows: [String]) -> [Int] { workflows.compactMap { self.schedulesByName[IDKey($0)] } }
}

extension RunTable.StateKey {
    fileprivate init(_ record: StateRecord) {
        self.init(key: IDKey(record.key), step: IDKey(record.step))
    }
}

extension RunStatus {
    /// Whether a worker can take it up.
    package var isDrivable: Bool { self == .pending || self == .running }
}

extension RunProgress {
    /// Whether the run may be removed.
    package func isOver(at now: Int64) -> Bool {
        guard let time = self.expiresAt else { return false }
        return time <= now
    }
}

extension StepRecord {
    /// The order of listings: by position and item, which leaves nothing to chance.
    package func comes(before other: StepRecord) -> Bool {
        if self.position != other.position { return self.position < other.position }
        if self.item != other.item { return (self.item ?? -1) < (other.item ?? -1) }
        return IDKey(self.id) < IDKey(other.id)
    }
}

extension RunFilter {
    /// Whether a run is one of those looked for.
    package func holds(for run: RunRequest, _ status: RunStatus) -> Bool {
        if let workflow = self.workflow, IDKey(workflow) != IDKey(run.workflow) { return false }
        if !self.statuses.isEmpty, !self.statuses.contains(status) { return false }
        if let resource = self.resourceID, run.resourceID.map({ IDKey($0) }) != IDKey(resource) { return false }
        if let tag = self.tag {
            guard run.tags.contains(where: { IDKey($0.key) == IDKey(tag.name) && IDKey($0.value) == IDKey(tag.value) })
            else { return false }
        }
        if let parent = self.parent, run.parent.map({ IDKey($0.runID) }) != IDKey(parent) { return false }
        if let from = self.createdFrom, run.createdAt < from { return false }
        if let before = self.createdBefore, run.createdAt >= before { return false }
        return true
    }
}
