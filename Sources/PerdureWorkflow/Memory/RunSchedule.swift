internal import PerdureModel

/// The runs of one workflow that wait for a worker: which is next, found without looking at the others.
///
/// What is taken out of turn (a run that somebody cancelled) stays here as a stale entry, which is dropped when its turn comes.
struct RunSchedule {
    /// A run that waits.
    struct Entry: Comparable {
        /// Runs whose time has come go first, by that time; it is `.max` for those that can begin at once.
        let due: Int64
        let priority: Int
        let createdAt: Int64
        let id: IDKey
        /// The run's place in the table, and which of its waits this is.
        let slot: Int
        let stamp: UInt64
        let workflowLimit: Int
        let resource: Resource?

        static func < (left: Entry, right: Entry) -> Bool {
            if left.due != right.due { return left.due < right.due }
            if left.priority != right.priority { return left.priority > right.priority }
            if left.createdAt != right.createdAt { return left.createdAt < right.createdAt }
            return left.id < right.id
        }

        static func == (left: Entry, right: Entry) -> Bool { left.slot == right.slot && left.stamp == right.stamp }
    }

    /// The limit of a resource that a run must keep to.
    struct Resource: Hashable {
        let id: IDKey
        let limit: Int
    }

    /// Runs that have begun and are not ended, also asleep.
    var runningCount = 0
    private(set) var runningByResource: [IDKey: Int] = [:]
    /// By the time from which they are due.
    private var timers = MinHeap<Entry>()
    /// Runs that are due, by the limit of their workflow: at one count all runs of one limit may begin, or none.
    private var ready: [(limit: Int, runs: MinHeap<Entry>)] = []
    /// Runs that are due, but whose resource was at its limit when they came first. Each time that an entry of a resource goes from
    /// ``ready``, or the resource's count falls, one of its entries is moved there to be looked at again.
    private var held: [IDKey: [(limit: Int, runs: MinHeap<Entry>)]] = [:]
    /// How many runs wait, as far as the table knows.
    var waitingCount = 0
    /// All entries, stale ones included.
    private var count = 0

    /// Whether most entries are stale.
    var isUntidy: Bool { self.count > 2 * self.waitingCount + 64 }

    mutating func insert(_ entry: Entry, until time: Int64?) {
        self.count += 1
        if time != nil { self.timers.insert(entry) } else { self.makeReady(entry) }
    }

    private mutating func makeReady(_ entry: Entry) {
        if let place = self.ready.firstIndex(where: { $0.limit == entry.workflowLimit }) {
            self.ready[place].runs.insert(entry)
        } else {
            var runs = MinHeap<Entry>()
            runs.insert(entry)
            self.ready.append((entry.workflowLimit, runs))
        }
    }

    // MARK: Counts

    mutating func began(resource: String?) {
        self.runningCount += 1
        if let resource { self.runningByResource[IDKey(resource), default: 0] += 1 }
    }

    /// Returns whether somebody may be able to begin now.
    mutating func ended(resource: String?) -> Bool {
        let isWaitedFor = self.ready.contains { $0.limit <= self.runningCount && !$0.runs.isEmpty }
        self.runningCount -= 1
        guard let resource else { return isWaitedFor }
        let key = IDKey(resource)
        let count = (self.runningByResource[key] ?? 1) - 1
        self.runningByResource[key] = count > 0 ? count : nil
        return self.admit(key) || isWaitedFor
    }

    /// Lets one held run of each limit of a resource be looked at again.
    @discardableResult private mutating func admit(_ resource: IDKey) -> Bool {
        guard var held = self.held[resource] else { return false }
        for place in held.indices {
            if let entry = held[place].runs.popFirst() { self.makeReady(entry) }
        }
        held.removeAll { $0.runs.isEmpty }
        self.held[resource] = held.isEmpty ? nil : held
        return true
    }

    // MARK: Turns

    /// The run whose turn it is, which stays; nil when none may begin. `isCurrent` says which entries are not stale.
    mutating func first(at now: Int64, isCurrent: (Entry) -> Bool) -> Entry? {
        while let timer = self.timers.first, timer.due <= now {
            _ = self.timers.popFirst()
            if isCurrent(timer) { self.makeReady(timer) } else { self.count -= 1 }
        }
        var best: Entry?
        var mayHaveMoved: Bool
        repeat {
            mayHaveMoved = false
            best = nil
            for place in self.ready.indices where self.ready[place].limit > self.runningCount {
                if let entry = self.first(in: place, at: now, isCurrent, &mayHaveMoved) {
                    if best.map({ entry < $0 }) ?? true { best = entry }
                }
            }
        } while mayHaveMoved
        return best
    }

    /// The first run of one limit that may begin.
    private mutating func first(
        in place: Int, at now: Int64, _ isCurrent: (Entry) -> Bool, _ mayHaveMoved: inout Bool
    ) -> Entry? {
        while let entry = self.ready[place].runs.first {
            if !isCurrent(entry) {
                mayHaveMoved = mayHaveMoved || entry.resource != nil
                self.drop(from: place)
            } else if entry.due != .max, entry.due > now {
                // Made ready by somebody whose clock is ahead.
                _ = self.ready[place].runs.popFirst()
                self.timers.insert(entry)
                if let resource = entry.resource { mayHaveMoved = self.admit(resource.id) || mayHaveMoved }
            } else if let resource = entry.resource, self.runningByResource[resource.id] ?? 0 >= resource.limit {
                _ = self.ready[place].runs.popFirst()
                self.hold(entry, resource)
            } else {
                return entry
            }
        }
        return nil
    }

    /// Takes out the entry that ``first(at:isCurrent:)`` gave.
    mutating func remove(_ entry: Entry) {
        guard let place = self.ready.firstIndex(where: { $0.limit == entry.workflowLimit }),
            self.ready[place].runs.first == entry
        else { return }
        self.drop(from: place)
    }

    private mutating func drop(from place: Int) {
        guard let entry = self.ready[place].runs.popFirst() else { return }
        self.count -= 1
        if let resource = entry.resource { self.admit(resource.id) }
    }

    private mutating func hold(_ entry: Entry, _ resource: Resource) {
        var held = self.held[resource.id] ?? []
        if let place = held.firstIndex(where: { $0.limit == resource.limit }) {
            held[place].runs.insert(entry)
        } else {
            var runs = MinHeap<Entry>()
            runs.insert(entry)
            held.append((resource.limit, runs))
        }
        self.held[resource.id] = held
    }

    /// The time of the next run that is not due yet.
    mutating func nextWake(isCurrent: (Entry) -> Bool) -> Int64? {
        while let timer = self.timers.first {
            if isCurrent(timer) { return timer.due }
            _ = self.timers.popFirst()
            self.count -= 1
        }
        return nil
    }

    /// Drops every stale entry.
    mutating func tidy(isCurrent: (Entry) -> Bool) {
        var kept: [Entry] = self.ready.flatMap(\.runs.elements)
        kept += self.held.values.flatMap { $0.flatMap(\.runs.elements) }
        kept = kept.filter(isCurrent)
        let timers = self.timers.elements.filter(isCurrent)
        (self.timers, self.ready, self.held) = (MinHeap(), [], [:])
        self.count = kept.count + timers.count
        for entry in kept { self.makeReady(entry) }
        for entry in timers { self.timers.insert(entry) }
    }
}
