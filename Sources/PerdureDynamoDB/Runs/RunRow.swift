internal import PerdureModel
internal import PerdureWorkflow

/// A run's own item: what it is read from and written as.
///
/// | attribute | type | whose |
/// |---|---|---|
/// | `PK`, `SK` | S, both `RUN#<run>` | everybody's |
/// | `GSI1PK`, `GSI1SK` | S, `WORKFLOW#<workflow>`, created and ID | everybody's |
/// | `GSI2PK`, `GSI2SK` | S, `STATUS#<status>`, created and ID | everybody's |
/// | `entity_type`, `run_id`, `workflow_id`, `workflow_version`, `status`, `resource_id` | S | everybody's |
/// | `progress` | N, 0…1 | everybody's |
/// | `created_at`, `started_at`, `completed_at`, `updated_at` | S, RFC 3339 in UTC | everybody's |
/// | `input`, `output`, `context` | B | everybody's, up to 1 KB; above it `input_chunks`, … say where the value is |
/// | `error`, `tags`, `trigger` | M | everybody's |
/// | `ttl` | N, Unix seconds | everybody's, once ended |
/// | `owner`, `fence`, `revision`, `wake`, `inbox_count`, `inbox_seen`, `adoptions`, `definition_hash` | | ours |
/// | `priority`, `workflow_limit`, `resource_limit`, `parent_run_id`, `parent_step_id`, `forked_from` | | ours |
/// | `parked_reason`, `expires_at`, `write_id`, `life`, `parts`, `packs` | | ours |
struct RunRow: Sendable {
    var request: RunRequest
    var progress: RunProgress
    var inboxCount: UInt64 = 0
    /// The write that made the item what it is.
    var writeID: [UInt8]
    /// Which life of the ID it is: the write that created the run.
    let life: [UInt8]
    /// How many items were written with the revision, beside the run's own: by it a reader knows that it has seen them all.
    var parts: Int
    /// How many items there are that have many records each.
    var packs: Int

    var id: String { self.request.id }
    var status: RunStatus { self.progress.status }
    var hasMail: Bool { self.inboxCount > self.progress.inboxSeen }
    var record: RunRecord {
        RunRecord(request: self.request, progress: self.progress, inboxCount: self.inboxCount)
    }

    init(_ creation: RunCreation, writeID: WriteID, parts: Int, packs: Int) {
        self.request = creation.request
        self.progress = creation.progress
        self.writeID = writeID.bytes
        self.life = writeID.bytes
        self.parts = parts
        self.packs = packs
    }

    /// The run as it goes on: wakes at once where nobody drives it and it has mail.
    func going(on progress: RunProgress, inboxCount: UInt64, writeID: WriteID, parts: Int = 0, packs: Int = 0) -> RunRow
    {
        var row = self
        row.progress = progress
        row.inboxCount = inboxCount
        row.writeID = writeID.bytes
        row.parts = parts
        row.packs += packs
        if progress.owner == nil, progress.status.isDrivable, row.hasMail { row.progress.wake = .now }
        return row
    }

    // MARK: Reading

    /// Reads an item. Values that are in chunks are what `values` has of them, or else, with `isSparse`, empty.
    init(_ item: Item, _ values: RunValueReader = RunValueReader(), isSparse: Bool = false) throws(AnswerFlaw) {
        func text(_ name: String) throws(AnswerFlaw) -> String {
            guard let text = item.text(name) else { throw AnswerFlaw("the attribute \(name) is missing or no text") }
            return text
        }
        func count(_ name: String) throws(AnswerFlaw) -> UInt64 {
            guard let count = item.count(name) else {
                throw AnswerFlaw("the attribute \(name) is missing or no whole number")
            }
            return count
        }
        func value(_ name: String) throws(AnswerFlaw) -> RunValue? {
            if isSparse, item[name] == nil { return nil }
            return try values.value(name, in: item)
        }
        guard let status = RunStatus(rawValue: try text(RunAttribute.status)) else {
            throw AnswerFlaw("the run's status is unknown")
        }
        guard let created = item.time("created_at") else { throw AnswerFlaw("the attribute created_at is no time") }
        var request = RunRequest(
            id: try text(RunAttribute.runID), workflow: try text("workflow_id"),
            version: item.text("workflow_version") ?? "", input: try value("input") ?? RunValue(bytes: []),
            createdAt: created)
        request.context = try value("context")
        request.resourceID = item.text("resource_id")
        request.tags = RunMap.texts("tags", in: item)
        request.priority = item.integer("priority").map { Int($0) } ?? 0
        request.workflowLimit = item.integer("workflow_limit").map { Int($0) }
        request.resourceLimit = item.integer("resource_limit").map { Int($0) }
        request.trigger = RunMap.trigger(item["trigger"])
        if let parent = item.text("parent_run_id"), let step = item.text("parent_step_id") {
            request.parent = RunParent(runID: parent, step: step)
        }
        request.forkedFrom = item.text("forked_from")

        var progress = RunProgress(
            status: status, definitionHash: item.count("definition_hash") ?? 0, at: item.time("updated_at") ?? created)
        progress.progress = item["progress"]?.digits.flatMap { Double($0) } ?? 0
        progress.output = try value("output")
        progress.failure = try RunMap.failure(item["error"])
        progress.parkedReason = item.text("parked_reason")
        progress.startedAt = item.time("started_at")
        progress.completedAt = item.time("completed_at")
        progress.expiresAt = item.time("expires_at")
        switch item.text("wake") {
        case "now"?: progress.wake = .now
        case "never"?: progress.wake = .never
        case let text?:
            guard let time = KeyText.milliseconds(text) else { throw AnswerFlaw("the attribute wake is no time") }
            progress.wake = .at(time)
        case nil: progress.wake = .never
        }
        progress.owner = item.text("owner")
        progress.fence = try count(RunAttribute.fence)
        progress.revision = try count(RunAttribute.revision)
        progress.adoptions = item.integer("adoptions").map { Int($0) } ?? 0
        progress.inboxSeen = item.count("inbox_seen") ?? 0
        guard let writeID = item[RunAttribute.writeID]?.bytes, let life = item[RunAttribute.life]?.bytes else {
            throw AnswerFlaw("the attributes \(RunAttribute.writeID) and \(RunAttribute.life) are missing")
        }
        (self.request, self.progress) = (request, progress)
        self.inboxCount = try count(RunAttribute.inboxCount)
        (self.writeID, self.life) = (writeID, life)
        self.parts = Int(item.integer("parts") ?? 0)
        self.packs = Int(item.integer("packs") ?? 0)
    }

    /// The values of a run's item.
    static let values = ["input", "context", "output"]

    // MARK: Writing

    /// The whole item of a new run.
    func item(_ layout: DynamoDBRunLayout, _ writer: inout RunValueWriter) throws(StoreError) -> Item {
        let request = self.request
        var item = RunKey.run(request.id)
        item.append(RunAttribute.entity, .string("WorkflowRun"))
        item.append(RunAttribute.runID, .string(request.id))
        item.append("workflow_id", .string(request.workflow))
        item.append("workflow_version", .string(request.version))
        item.append("created_at", .time(request.createdAt))
        try writer.put(request.input, as: "input", in: &item, limit: RunValueWriter.tiny)
        try writer.put(request.context, as: "context", in: &item, limit: RunValueWriter.tiny)
        item.append("resource_id", optional: request.resourceID.map { .string($0) })
        RunMap.append(request.tags, as: "tags", to: &item)
        item.append("trigger", optional: request.trigger.map { RunMap.item($0) })
        item.append("priority", .number(request.priority))
        item.append("workflow_limit", optional: request.workflowLimit.map { .number($0) })
        item.append("resource_limit", optional: request.resourceLimit.map { .number($0) })
        item.append("parent_run_id", optional: request.parent.map { .string($0.runID) })
        item.append("parent_step_id", optional: request.parent.map { .string($0.step) })
        item.append("forked_from", optional: request.forkedFrom.map { .string($0) })
        item.append(RunAttribute.life, .binary(self.life))
        let place = KeyText.place(request.createdAt, request.id)
        item.append(RunIndex.workflow.partitionKey, .string(layout.workflowPartition(request.workflow, request.id)))
        item.append(RunIndex.workflow.sortKey, .string(place))
        item.append(RunIndex.status.sortKey, .string(place))
        for (name, value) in try self.changing(from: nil, layout, &writer) { item.append(name, optional: value) }
        return item
    }

    /// What of the item changes from `old`, the output included: who changes a run remembers it without its values.
    func changing(
        from old: RunRow?, _ layout: DynamoDBRunLayout, _ writer: inout RunValueWriter
    ) throws(StoreError) -> [(String, AttributeValue?)] {
        try writer.attributes(self.progress.output, as: "output", limit: RunValueWriter.tiny)
            + self.changes(from: old, layout)
    }

    /// What of the item changes from `old`, values aside: only what is another now, for it is written on condition that nothing else is.
    func changes(from old: RunRow?, _ layout: DynamoDBRunLayout) -> [(String, AttributeValue?)] {
        var attributes: [(String, AttributeValue?)] = []
        for attribute in RunRowAttribute.all {
            if let old, attribute.isSame(old, self) { continue }
            attributes.append((attribute.name, attribute.value(self)))
        }
        if old?.status != self.status {
            let partition = layout.statusPartition(self.status, self.id)
            attributes.append((RunIndex.status.partitionKey, .string(partition)))
        }
        return attributes
    }

    /// The TTL attribute of everything that the run owns: Unix seconds, never before its time.
    var expiry: AttributeValue? {
        self.progress.expiresAt.map { .number($0 / 1_000 + ($0 % 1_000 > 0 ? 1 : 0)) }
    }

    /// The condition that the item still is as it was read: nothing changes it without changing one of these.
    var isUnchanged: Expression {
        var expression = Expression()
        expression.require(RunAttribute.revision, .number(self.progress.revision))
        expression.require(RunAttribute.fence, .number(self.progress.fence))
        expression.require(RunAttribute.inboxCount, .number(self.inboxCount))
        expression.require(RunAttribute.life, .binary(self.life))
        return expression
    }

    /// The condition that the run, whatever has become of it since, has no end of its time.
    var isNotToExpire: Expression {
        var expression = Expression()
        let (life, expiry) = (expression.name(RunAttribute.life), expression.name(RunAttribute.ttl))
        expression.condition = "\(life) = \(expression.value(.binary(self.life))) AND attribute_not_exists(\(expiry))"
        return expression
    }
}

extension DynamoDBRunLayout {
    func workflowPartition(_ workflow: String, _ runID: String) -> String {
        self.part(KeyText.fitting("WORKFLOW#", workflow), runID)
    }

    func statusPartition(_ status: RunStatus, _ runID: String) -> String {
        self.part("STATUS#" + status.rawValue, runID)
    }

    /// All the partitions of an index that have runs of a workflow.
    func workflowPartitions(_ workflow: String) -> [String] { self.parts(KeyText.fitting("WORKFLOW#", workflow)) }

    func statusPartitions(_ status: RunStatus) -> [String] { self.parts("STATUS#" + status.rawValue) }

    private func part(_ key: String, _ runID: String) -> String {
        guard self.indexShards > 1 else { return key }
        return key + "#\(PersistenceID.shard(of: runID, among: UInt64(self.indexShards)))"
    }

    private func parts(_ key: String) -> [String] {
        self.indexShards > 1 ? (0..<self.indexShards).map { key + "#\($0)" } : [key]
    }

    func shard(of runID: String) -> Int { Int(PersistenceID.shard(of: runID, among: UInt64(self.scheduleShards))) }

    var shards: Range<Int> { 0..<self.scheduleShards }
}
