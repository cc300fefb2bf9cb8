internal import PerdureModel
internal import PerdureWorkflow

/// The items of what a run owns, as they are written with one of its revisions.
///
/// | item | `SK` | attributes that are everybody's | ours |
/// |---|---|---|---|
/// | step | `STEP#<step>` | `step_id`, `execution_index`, `status`, `started_at`, `completed_at`, `duration_ms`, `input`, `error`, `attempt`, `created_at`, `updated_at` | `item`, `wakes_at`, `definition_hash`, `has_output` |
/// | output | `OUTPUT#<step>` | `output`, `updated_at` | `step_id` |
/// | state | `STATE#<key>` | `value`, `updated_at` | `key`, `step_id` |
/// | earlier state | `PAST#…` | | as state: what other steps set the key to before |
/// | message | `MESSAGE#<id>` | | `number`, `kind`, `name`, `payload`, `posted_at`, `consumed_by`, … |
/// | many records | `PACK#…` | | `records`: items, where a change has more than a transaction takes |
/// | chunk | `CHUNK#…` | | `value`: a part of a value that is too large for its item |
///
/// Each has `run_id`, `revision` and `life` as well.
struct RunItems {
    let runID: String
    let life: [UInt8]
    let revision: UInt64
    /// The time of the change.
    let time: Int64

    private func item(_ entity: String, _ sort: String) -> Item {
        var item = RunKey.key(RunKey.partition(self.runID), sort)
        item.append(RunAttribute.entity, .string(entity))
        item.append(RunAttribute.runID, .string(self.runID))
        item.append(RunAttribute.life, .binary(self.life))
        item.append(RunAttribute.revision, .number(self.revision))
        item.append("updated_at", .time(self.time))
        return item
    }

    /// The item of a step, and that of its output if it has one.
    func step(_ step: StepRecord, _ writer: inout RunValueWriter) throws(StoreError) -> [Item] {
        var item = self.item("StepExecution", RunKey.step(step.id))
        item.append("step_id", .string(step.id))
        item.append("execution_index", .number(step.position))
        item.append("item", optional: step.item.map { .number($0) })
        item.append("definition_hash", .number(step.definitionHash))
        item.append(RunAttribute.status, .string(step.status.rawValue))
        item.append("attempt", .number(step.attempt))
        item.append("created_at", .time(step.startedAt ?? self.time))
        item.append("started_at", optional: step.startedAt.map { .time($0) })
        item.append("completed_at", optional: step.completedAt.map { .time($0) })
        if let start = step.startedAt, let end = step.completedAt, end >= start {
            let (duration, overflow) = end.subtractingReportingOverflow(start)
            if !overflow { item.append("duration_ms", .number(duration)) }
        }
        item.append("wakes_at", optional: step.wakesAt.map { .time($0) })
        try writer.put(step.input, as: "input", in: &item)
        item.append("error", optional: step.failure.map { RunMap.item($0) })
        guard let value = step.output else { return [item] }
        item.append("has_output", .bool(true))
        var output = self.item("StepOutput", RunKey.output(step.id))
        output.append("step_id", .string(step.id))
        try writer.put(value, as: "output", in: &output)
        return [item, output]
    }

    func state(_ record: StateRecord, isPast: Bool, _ writer: inout RunValueWriter) throws(StoreError) -> Item {
        var item = self.item(
            "WorkflowState", isPast ? RunKey.past(record.key, by: record.step) : RunKey.state(record.key))
        item.append("key", .string(record.key))
        item.append("step_id", .string(record.step))
        try writer.put(record.value, as: "value", in: &item)
        return item
    }

    /// What a step set a key to, moved out of the way of what another sets it to.
    func past(_ state: Item) -> Item {
        var item = self.item(
            "WorkflowState", RunKey.past(state.text("key") ?? "", by: state.text("step_id") ?? ""))
        for name in ["key", "step_id", "value", RunValueWriter.chunksName("value")] {
            item.append(name, optional: state[name])
        }
        return item
    }

    func message(
        _ message: RunMessage, number: UInt64, writeID: WriteID, _ writer: inout RunValueWriter
    ) throws(StoreError) -> Item {
        var item = RunKey.key(RunKey.partition(self.runID), RunKey.message(message.id))
        item.append(RunAttribute.entity, .string("Message"))
        item.append(RunAttribute.runID, .string(self.runID))
        item.append(RunAttribute.life, .binary(self.life))
        item.append(RunAttribute.writeID, .binary(writeID.bytes))
        item.append("message_id", .string(message.id))
        item.append("number", .number(number))
        item.append("posted_at", .time(message.postedAt))
        switch message.kind {
        case .signal(let name):
            item.append("kind", .string("signal"))
            item.append("name", .string(name))
        case .childEnded(let child, let status, let failure):
            item.append("kind", .string("child"))
            item.append("name", .string(child))
            item.append("child_status", .string(status.rawValue))
            item.append("child_error", optional: failure.map { RunMap.item($0) })
        case .cancel(let reason):
            item.append("kind", .string("cancel"))
            item.append("reason", .string(reason))
        case .pause: item.append("kind", .string("pause"))
        }
        try writer.put(message.payload, as: "payload", in: &item)
        return item
    }

    /// Items that hold many records each: for a change that has more of them than a transaction takes.
    func packs(_ records: [Item]) -> [Item] {
        var packs: [Item] = []
        var rest = records[...]
        while !rest.isEmpty {
            var weight = 0
            let page = rest.prefix { record in
                weight += record.weight + 64
                return weight < 256 << 10
            }
            // One alone always fits: its values are in chunks by then.
            let count = max(1, page.count)
            packs.append(self.pack(Array(rest.prefix(count)), number: packs.count))
            rest = rest.dropFirst(count)
        }
        return packs
    }

    private func pack(_ records: [Item], number: Int) -> Item {
        var item = self.item("Records", RunKey.pack(self.revision, number))
        item.append("records", .list(records.map { .map($0) }))
        return item
    }

    /// A pack without some of its records; nil when none is left.
    func pack(_ pack: Item, without isUnwanted: (Item) -> Bool) -> Item? {
        let kept = RunItems.records(of: pack).filter { !isUnwanted($0) }
        guard !kept.isEmpty else { return nil }
        var item = self.item("Records", pack.text(RunAttribute.sort) ?? "")
        item.append("records", .list(kept.map { .map($0) }))
        return item
    }

    static func records(of pack: Item) -> [Item] {
        guard case .list(let records)? = pack["records"] else { return [] }
        return records.compactMap { if case .map(let item) = $0 { item } else { nil } }
    }
}

extension StepRecord {
    init(_ item: Item, output: Item?, _ values: RunValueReader) throws(AnswerFlaw) {
        guard let id = item.text("step_id"),
            let status = item.text(RunAttribute.status).flatMap({ StepStatus(rawValue: $0) })
        else { throw AnswerFlaw("a step has no ID or no known status") }
        self.init(
            id: id, position: Int(item.integer("execution_index") ?? 0), item: item.integer("item").map { Int($0) },
            definitionHash: item.count("definition_hash") ?? 0, status: status)
        self.attempt = Int(item.integer("attempt") ?? 0)
        self.startedAt = item.time("started_at")
        self.completedAt = item.time("completed_at")
        self.wakesAt = item.time("wakes_at")
        self.input = try values.value("input", in: item)
        self.failure = try RunMap.failure(item["error"])
        guard item["has_output"] == .bool(true) else { return }
        guard let output, let value = try values.value("output", in: output) else {
            throw AnswerFlaw("the output of a step is missing")
        }
        self.output = value
    }
}

extension RunMessage {
    init(_ item: Item, _ values: RunValueReader) throws(AnswerFlaw) {
        let name = item.text("name") ?? ""
        let kind: RunMessage.Kind
        switch item.text("kind") {
        case "signal"?: kind = .signal(name)
        case "child"?:
            guard let status = item.text("child_status").flatMap({ RunStatus(rawValue: $0) }) else {
                throw AnswerFlaw("a message has no known status of a child")
            }
            kind = .childEnded(runID: name, status, try RunMap.failure(item["child_error"]))
        case "cancel"?: kind = .cancel(reason: item.text("reason") ?? "")
        case "pause"?: kind = .pause
        default: throw AnswerFlaw("a message's kind is unknown")
        }
        guard let id = item.text("message_id"), let number = item.count("number") else {
            throw AnswerFlaw("a message has no ID or no number")
        }
        self.init(
            id: id, kind: kind, payload: try values.value("payload", in: item), postedAt: item.time("posted_at") ?? 0)
        self.number = number
        self.consumedBy = item.text("consumed_by")
    }
}
