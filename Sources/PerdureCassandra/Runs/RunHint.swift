internal import PerdureModel
internal import PerdureWorkflow

/// Where a run can be found by something else than its ID.
///
/// Hints are written before the truth and taken away after it, so that there may be too many and never too few. Whoever follows one
/// looks at the run itself.
struct RunHint: Hashable, Sendable {
    enum Table: Hashable, Sendable {
        /// Of what stays as long as the run.
        case listing
        /// Of what comes and goes.
        case queue

        var shards: UInt64 { self == .listing ? 16 : 4 }
    }

    /// The partition.
    let table: Table
    let scope: IDKey
    let bucket: Int64
    let shard: Int32
    /// The place in it.
    let place: HintPlace
    /// What may be asked without looking at the run.
    let limits: RunLimits?

    init(_ table: Table, _ scope: HintScope, bucket: Int64, _ place: HintPlace, limits: RunLimits? = nil) {
        self.table = table
        self.scope = scope.key
        self.bucket = bucket
        self.shard = Int32(PersistenceID.shard(of: place.id.id, among: table.shards))
        self.place = place
        self.limits = limits
    }

    static func == (left: RunHint, right: RunHint) -> Bool {
        left.scope == right.scope && left.bucket == right.bucket && left.place == right.place
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(self.scope)
        hasher.combine(self.place)
    }
}

/// A place within a partition of hints: three numbers, and the run's ID.
struct HintPlace: Hashable, Comparable, Sendable {
    var first: Int64
    var second: Int64
    var third: Int64
    var id: IDKey

    static let start = HintPlace(first: .min, second: .min, third: .min, id: IDKey(""))

    static func < (left: HintPlace, right: HintPlace) -> Bool {
        if left.first != right.first { return left.first < right.first }
        if left.second != right.second { return left.second < right.second }
        if left.third != right.third { return left.third < right.third }
        return left.id < right.id
    }
}

/// The limits that a run must keep to before it begins, and what it counts for.
struct RunLimits: Hashable, Sendable {
    var resource: IDKey?
    var ofWorkflow: Int?
    var ofResource: Int?

    init(resource: IDKey?, ofWorkflow: Int?, ofResource: Int?) {
        self.resource = resource
        self.ofWorkflow = ofWorkflow
        self.ofResource = ofResource
    }

    init(_ request: RunRequest) {
        self.resource = request.resourceID.map { IDKey($0) }
        self.ofWorkflow = request.workflowLimit
        self.ofResource = request.resourceID == nil ? nil : request.resourceLimit
    }

    var areThere: Bool { self.ofWorkflow != nil || self.ofResource != nil }
}

/// What hints are looked for by.
struct HintScope: Hashable, Sendable {
    let key: IDKey

    /// Parts are told apart by NUL, which none of them has. Longer ones than a partition's key should be are a hash: who follows
    /// a hint looks at the run anyway.
    private init(_ parts: String...) {
        let text = parts.joined(separator: "\0")
        guard text.utf8.count > 1_024, let kind = parts.first else {
            self.key = IDKey(text)
            return
        }
        self.key = IDKey("\(kind)\0\0\(String(PersistenceID.shard(of: text, among: .max), radix: 16))")
    }

    static func workflow(_ name: String) -> Self { Self("w", name) }
    static func resource(_ id: String) -> Self { Self("r", id) }
    static func tag(_ name: String, _ value: String) -> Self { Self("t", name, value) }
    static func parent(_ id: String) -> Self { Self("p", id) }
    static func status(_ status: RunStatus, of workflow: String) -> Self { Self("s", status.rawValue, workflow) }
    /// Not ended: several statuses, between which runs move while somebody looks.
    static func live(_ workflow: String) -> Self { Self("l", workflow) }
    /// Ready to be taken.
    static func ready(_ workflow: String) -> Self { Self("q", workflow) }
    /// To be taken from a time on.
    static func due(_ workflow: String) -> Self { Self("d", workflow) }
    static func owned(by worker: String) -> Self { Self("o", worker) }
    static func mail(for worker: String) -> Self { Self("m", worker) }
    /// With messages to others that are on their way.
    static func outbox(_ workflow: String) -> Self { Self("x", workflow) }
    static let expiring = Self("e")
    /// The names of all workflows.
    static let workflows = Self("W")
    /// The workers that may drive runs of a workflow.
    static func owners(_ workflow: String) -> Self { Self("O", workflow) }
}

extension RunHead {
    /// Where the run must be found as it is now.
    var hints: [RunHint] {
        let (request, progress) = (self.record.request, self.progress)
        let id = IDKey(request.id)
        // The newest first.
        let age = 0 &- request.createdAt
        let byAge = HintPlace(first: age, second: 0, third: 0, id: id)
        let limits = RunLimits(request)
        func listed(_ scope: HintScope) -> RunHint { RunHint(.listing, scope, bucket: age >> 22, byAge) }
        func placed(_ scope: HintScope, _ first: Int64 = 0, _ second: Int64 = 0, limits: RunLimits? = nil) -> RunHint {
            RunHint(
                .queue, scope, bucket: self.placedAt >> 17,
                HintPlace(first: first, second: second, third: 0, id: id), limits: limits)
        }

        var hints = [listed(.workflow(request.workflow))]
        if let resource = request.resourceID { hints.append(listed(.resource(resource))) }
        for (name, value) in request.tags { hints.append(listed(.tag(name, value))) }
        if let parent = request.parent { hints.append(listed(.parent(parent.runID))) }

        let status = HintScope.status(progress.status, of: request.workflow)
        if progress.status.isEnded {
            hints.append(listed(status))
        } else {
            hints.append(RunHint(.queue, status, bucket: age >> 18, byAge, limits: limits))
            hints.append(RunHint(.queue, .live(request.workflow), bucket: age >> 18, byAge))
        }
        if self.outbox != nil { hints.append(placed(.outbox(request.workflow))) }
        if let owner = progress.owner {
            hints.append(placed(.owned(by: owner)))
            if self.hasMail { hints.append(placed(.mail(for: owner))) }
        } else if progress.status.isDrivable {
            let priority = 0 - Int64(request.priority)
            // What has begun already is held back by no limit.
            let limits = progress.status == .pending ? limits : nil
            switch progress.wake {
            case .never: break
            case .now: hints.append(placed(.ready(request.workflow), priority, request.createdAt, limits: limits))
            case .at(let time):
                let place = HintPlace(first: time, second: priority, third: request.createdAt, id: id)
                hints.append(RunHint(.queue, .due(request.workflow), bucket: time >> 18, place, limits: limits))
            }
        } else if progress.status.isEnded, let time = progress.expiresAt {
            let place = HintPlace(first: time, second: 0, third: 0, id: id)
            hints.append(RunHint(.listing, .expiring, bucket: time >> 22, place))
        }
        return hints
    }
}
