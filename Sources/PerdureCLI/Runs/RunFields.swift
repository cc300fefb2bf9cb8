internal import FoundationEssentials
internal import PerdureWorkflow

/// A run as JSON.
struct RunFields {
    let fields: [(String, JSONText)]

    init(_ run: RunRecord, withValues: Bool = false) {
        let (request, progress) = (run.request, run.progress)
        var fields: [(String, JSONText)] = [
            ("id", .string(request.id)), ("workflow", .string(request.workflow)), ("version", .string(request.version)),
            ("status", .string(run.status.rawValue)), ("progress", .number(progress.progress)),
            ("createdAt", .number(request.createdAt)), ("updatedAt", .number(progress.updatedAt)),
            ("priority", .number(request.priority)), ("revision", .number(progress.revision)),
        ]
        func add(_ name: String, _ value: JSONText?) { if let value { fields.append((name, value)) } }
        add("startedAt", progress.startedAt.map { .number($0) })
        add("completedAt", progress.completedAt.map { .number($0) })
        add("expiresAt", progress.expiresAt.map { .number($0) })
        switch progress.wake {
        case .at(let time) where progress.owner == nil && !run.status.isEnded: add("wakesAt", .number(time))
        default: break
        }
        add("resource", request.resourceID.map(JSONText.string))
        add("owner", progress.owner.map(JSONText.string))
        add("parent", request.parent.map { .string($0.runID) })
        add("parentStep", request.parent.map { .string($0.step) })
        add("forkedFrom", request.forkedFrom.map(JSONText.string))
        if !request.tags.isEmpty {
            add("tags", .object(request.tags.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }))
        }
        add("failure", progress.failure.map(Self.failure))
        add("parkedReason", progress.parkedReason.map(JSONText.string))
        if withValues {
            add("input", Self.value(request.input))
            add("output", progress.output.map(Self.value))
            add("context", request.context.map(Self.value))
        }
        self.fields = fields
    }

    /// What belongs to a run.
    static func parts(of run: RunDescription, withValues: Bool) -> [(String, JSONText)] {
        var fields: [(String, JSONText)] = [
            ("steps", .array(run.steps.map { .object(Self.fields(of: $0, withValues: withValues)) })),
            (
                "timeline",
                .array(
                    run.timeline.map {
                        .object([
                            ("time", .number($0.time)), ("step", .optional($0.step)), ("what", .string($0.what)),
                        ])
                    })
            ),
        ]
        guard withValues else { return fields }
        let state = run.state.sorted { ($0.key, $0.step) < ($1.key, $1.step) }.map { record in
            JSONText.object([
                ("key", .string(record.key)), ("step", .string(record.step)),
                ("value", record.value.map(Self.value) ?? .null),
            ])
        }
        let messages = run.messages.map { message in
            JSONText.object([
                ("number", .number(message.number)), ("id", .string(message.id)), ("kind", .string("\(message.kind)")),
                ("postedAt", .number(message.postedAt)), ("takenBy", .optional(message.consumedBy)),
                ("payload", message.payload.map(Self.value) ?? .null),
            ])
        }
        fields += [("state", .array(state)), ("messages", .array(messages))]
        return fields
    }

    private static func fields(of step: StepRecord, withValues: Bool) -> [(String, JSONText)] {
        var fields: [(String, JSONText)] = [
            ("id", .string(step.id)), ("status", .string(step.status.rawValue)), ("attempts", .number(step.attempt)),
        ]
        if let time = step.startedAt { fields.append(("startedAt", .number(time))) }
        if let time = step.completedAt { fields.append(("completedAt", .number(time))) }
        if let time = step.wakesAt { fields.append(("wakesAt", .number(time))) }
        if let failure = step.failure { fields.append(("failure", Self.failure(failure))) }
        guard withValues else { return fields }
        if let value = step.input { fields.append(("input", Self.value(value))) }
        if let value = step.output { fields.append(("output", Self.value(value))) }
        return fields
    }

    private static func failure(_ failure: RunFailure) -> JSONText {
        var fields: [(String, JSONText)] = [
            ("code", .string(failure.code.rawValue)), ("message", .string(failure.message)),
        ]
        if let type = failure.type { fields.append(("type", .string(type))) }
        if let step = failure.step { fields.append(("step", .string(step))) }
        if let attempt = failure.attempt { fields.append(("attempt", .number(attempt))) }
        return .object(fields)
    }

    /// A value as it is stored, which is JSON; anything else as base64.
    static func value(_ value: RunValue) -> JSONText {
        guard let bytes = try? value.bytes else { return .null }
        if let text = PayloadText.jsonLine(bytes) { return .verbatim(text) }
        return .object([("base64", .string(Data(bytes).base64EncodedString()))])
    }
}
