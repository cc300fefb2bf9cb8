internal import PerdureModel
internal import PerdureWorkflow

/// An item of the base table by which a run is found; written in the same transaction as the run, so that it is never wrong.
struct RunMarker: Sendable {
    var partition: String
    var sort: String
    var attributes: Item

    var key: Item { RunKey.key(self.partition, self.sort) }
    var item: Item {
        var item = self.key
        item.attributes += self.attributes.attributes
        return item
    }

    func hasKey(of other: RunMarker) -> Bool {
        self.partition.utf8.elementsEqual(other.partition.utf8) && self.sort.utf8.elementsEqual(other.sort.utf8)
    }
}

/// The partitions and sort keys of markers.
///
/// Those that many runs share are split by the run's ID; `#` in names cannot make one of two partitions, for the names come last
/// or with their length.
enum RunMarkerKey {
    static func list(_ shard: Int, _ status: RunStatus, _ workflow: String) -> String {
        KeyText.fitting("LIST#\(shard)#\(status.rawValue)#", workflow)
    }
    static func due(_ shard: Int, _ workflow: String) -> String { KeyText.fitting("DUE#\(shard)#", workflow) }
    static func running(_ shard: Int, _ workflow: String) -> String { KeyText.fitting("RUNNING#\(shard)#", workflow) }
    static func runningResource(_ workflow: String, _ resource: String) -> String {
        KeyText.fitting("BUSY#\(workflow.utf8.count)#", workflow + "#" + resource)
    }
    static func mail(_ worker: String) -> String { KeyText.fitting("MAIL#", worker) }
    static func expiry(_ shard: Int) -> String { "EXPIRY#\(shard)" }
    static func resource(_ shard: Int, _ resource: String) -> String { KeyText.fitting("RESOURCE#\(shard)#", resource) }
    static func tag(_ shard: Int, _ name: String, _ value: String) -> String {
        KeyText.fitting("TAG#\(shard)#\(name.utf8.count)#", name + "#" + value)
    }
    static func parent(_ shard: Int, _ runID: String) -> String { "PARENT#\(shard)#" + runID }
    static let workflows = "WORKFLOWS"
    static let workers = "WORKERS"
    static func gate(_ workflow: String) -> Item { RunKey.key(KeyText.fitting("GATE#", workflow), "GATE") }
    static let layout = RunKey.key("LAYOUT", "LAYOUT")

    /// All runs of an owner stand together, and so do those of nobody.
    static func owner(_ owner: String?) -> String {
        let owner = KeyText.fitting("", owner ?? "")
        let count = String(owner.utf8.count)
        return String(repeating: "0", count: 4 - count.utf8.count) + count + "#" + owner
    }

    /// Runs by the time from which they are due, then those that are ready by priority and age; those that keep to limits apart.
    enum Turn: String, CaseIterable, Sendable {
        case timed = "1#"
        case ready = "2#"
        case limited = "3#"
    }
}

extension RunRow {
    private var placeText: String { KeyText.place(self.request.createdAt, self.id) }

    private var named: Item { [RunAttribute.runID: .string(self.id)] }

    /// What the run is found by as it is now.
    func markers(_ layout: DynamoDBRunLayout) -> [RunMarker] {
        let (request, progress) = (self.request, self.progress)
        let shard = layout.shard(of: self.id)
        var markers: [RunMarker] = []
        var listed = self.named
        if let time = progress.expiresAt {
            listed.append("expires_ms", .number(time))
            listed.append(RunAttribute.ttl, optional: self.expiry)
        }
        markers.append(
            RunMarker(
                partition: RunMarkerKey.list(shard, progress.status, request.workflow), sort: self.placeText,
                attributes: listed))
        if progress.status == .running {
            var running = self.named
            running.append("owner", optional: progress.owner.map { .string($0) })
            markers.append(
                RunMarker(
                    partition: RunMarkerKey.running(shard, request.workflow),
                    sort: RunMarkerKey.owner(progress.owner) + "#" + self.id, attributes: running))
            if let resource = request.resourceID {
                markers.append(
                    RunMarker(
                        partition: RunMarkerKey.runningResource(request.workflow, resource), sort: self.id,
                        attributes: self.named))
            }
        }
        if let owner = progress.owner {
            if self.hasMail {
                var mail = self.named
                mail.append(RunAttribute.inboxCount, .number(self.inboxCount))
                markers.append(
                    RunMarker(
                        partition: RunMarkerKey.mail(owner), sort: RunKey.partition(self.id), attributes: mail))
            }
        } else if progress.status.isDrivable, let turn = self.turn {
            markers.append(
                RunMarker(
                    partition: RunMarkerKey.due(shard, request.workflow), sort: turn, attributes: self.waiting))
        }
        if let time = progress.expiresAt {
            var expiring = self.named
            expiring.append(RunAttribute.life, .binary(self.life))
            markers.append(
                RunMarker(
                    partition: RunMarkerKey.expiry(shard), sort: KeyText.place(time, self.id), attributes: expiring))
        }
        return markers
    }

    /// What the run is found by as long as it is there.
    func lastingMarkers(_ layout: DynamoDBRunLayout) -> [RunMarker] {
        let shard = layout.shard(of: self.id)
        var partitions: [String] = []
        if let resource = self.request.resourceID { partitions.append(RunMarkerKey.resource(shard, resource)) }
        if let parent = self.request.parent { partitions.append(RunMarkerKey.parent(shard, parent.runID)) }
        for (name, value) in self.request.tags { partitions.append(RunMarkerKey.tag(shard, name, value)) }
        return partitions.map { RunMarker(partition: $0, sort: self.placeText, attributes: self.named) }
    }

    /// Whether limits hold it back.
    var isLimited: Bool {
        self.status == .pending
            && (self.request.workflowLimit != nil
                || self.request.resourceLimit != nil && self.request.resourceID != nil)
    }

    private var turn: String? {
        let order = "\(KeyText.digits(descending: self.request.priority))#\(self.placeText)"
        switch self.progress.wake {
        case .never: return nil
        case .at(let time): return RunMarkerKey.Turn.timed.rawValue + "\(KeyText.time(time))#\(order)"
        case .now:
            return (self.isLimited ? RunMarkerKey.Turn.limited : RunMarkerKey.Turn.ready).rawValue + order
        }
    }

    private var waiting: Item {
        var item = self.named
        guard self.isLimited else { return item }
        item.append("workflow_limit", optional: self.request.workflowLimit.map { .number($0) })
        item.append("resource_limit", optional: self.request.resourceLimit.map { .number($0) })
        item.append("resource_id", optional: self.request.resourceID.map { .string($0) })
        return item
    }
}
