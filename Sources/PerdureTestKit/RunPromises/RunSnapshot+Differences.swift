extension RunSnapshot {
    /// What is different from what was expected, in words; values are compared by their bytes.
    package func differences(from expected: RunSnapshot) -> [String] {
        var differences = self.run.differences(from: expected.run)
        func compareAll<Element>(
            _ what: String, _ found: [Element], _ expected: [Element], _ words: (Element) -> String
        ) {
            let (found, expected) = (found.map(words), expected.map(words))
            if found.count != expected.count {
                differences.append("\(found.count) \(what) instead of \(expected.count)")
            }
            for (found, expected) in zip(found, expected) where !found.utf8.elementsEqual(expected.utf8) {
                differences.append("\(what): \(found) instead of \(expected)")
            }
        }
        compareAll("steps", self.steps, expected.steps) { step in
            "\(step.id.debugDescription) \(step.position) \(words(step.item)) \(step.definitionHash) \(step.status)"
                + " \(step.attempt) \(words(step.startedAt)) \(words(step.completedAt)) \(words(step.wakesAt))"
                + " \(words(step.input)) \(words(step.output)) \(words(step.failure))"
        }
        func place(_ record: StateRecord) -> [UInt8] { Array(record.key.utf8) + [0] + Array(record.step.utf8) }
        func sorted(_ state: [StateRecord]) -> [StateRecord] {
            state.sorted { place($0).lexicographicallyPrecedes(place($1)) }
        }
        compareAll("state", sorted(self.state), sorted(expected.state)) { record in
            "\(record.key.debugDescription) \(record.step.debugDescription) \(words(record.value))"
        }
        compareAll("messages", self.messages, expected.messages) { message in
            "\(message.id.debugDescription) \(message.kind) \(words(message.payload)) \(message.postedAt)"
                + " \(message.number) \(words(message.consumedBy))"
        }
        return differences
    }
}

extension RunRecord {
    func differences(from expected: RunRecord) -> [String] {
        var differences: [String] = []
        func compare(_ name: String, _ found: String, _ expected: String) {
            if !found.utf8.elementsEqual(expected.utf8) {
                differences.append("\(name) \(found) instead of \(expected)")
            }
        }
        let (request, other) = (self.request, expected.request)
        compare("id", words(request.id), words(other.id))
        compare("workflow", words(request.workflow), words(other.workflow))
        compare("version", words(request.version), words(other.version))
        compare("input", words(request.input), words(other.input))
        compare("context", words(request.context), words(other.context))
        compare("resourceID", words(request.resourceID), words(other.resourceID))
        compare("tags", words(request.tags), words(other.tags))
        compare("priority", "\(request.priority)", "\(other.priority)")
        compare("workflowLimit", words(request.workflowLimit), words(other.workflowLimit))
        compare("resourceLimit", words(request.resourceLimit), words(other.resourceLimit))
        compare("trigger", words(request.trigger), words(other.trigger))
        compare("parent", words(request.parent), words(other.parent))
        compare("forkedFrom", words(request.forkedFrom), words(other.forkedFrom))
        compare("createdAt", "\(request.createdAt)", "\(other.createdAt)")
        let (progress, another) = (self.progress, expected.progress)
        compare("status", "\(progress.status)", "\(another.status)")
        compare("progress", "\(progress.progress)", "\(another.progress)")
        compare("definitionHash", "\(progress.definitionHash)", "\(another.definitionHash)")
        compare("output", words(progress.output), words(another.output))
        compare("failure", words(progress.failure), words(another.failure))
        compare("parkedReason", words(progress.parkedReason), words(another.parkedReason))
        compare("startedAt", words(progress.startedAt), words(another.startedAt))
        compare("completedAt", words(progress.completedAt), words(another.completedAt))
        compare("updatedAt", "\(progress.updatedAt)", "\(another.updatedAt)")
        compare("expiresAt", words(progress.expiresAt), words(another.expiresAt))
        compare("wake", "\(progress.wake)", "\(another.wake)")
        compare("owner", words(progress.owner), words(another.owner))
        compare("fence", "\(progress.fence)", "\(another.fence)")
        compare("revision", "\(progress.revision)", "\(another.revision)")
        compare("adoptions", "\(progress.adoptions)", "\(another.adoptions)")
        compare("inboxSeen", "\(progress.inboxSeen)", "\(another.inboxSeen)")
        compare("inboxCount", "\(self.inboxCount)", "\(expected.inboxCount)")
        return differences
    }
}

private func words(_ text: String?) -> String { text?.debugDescription ?? "none" }
private func words(_ number: Int64?) -> String { number.map { "\($0)" } ?? "none" }
private func words(_ number: Int?) -> String { number.map { "\($0)" } ?? "none" }
private func words(_ tags: [String: String]) -> String {
    tags.map { "\($0.key.debugDescription): \($0.value.debugDescription)" }.sorted().joined(separator: ", ")
}
private func words(_ trigger: RunTrigger?) -> String {
    guard let trigger else { return "none" }
    return "\(words(trigger.type)) \(words(trigger.source)) \(trigger.timestamp) \(words(trigger.metadata))"
}
private func words(_ parent: RunParent?) -> String {
    parent.map { "\(words($0.runID)) \(words($0.step))" } ?? "none"
}
private func words(_ failure: RunFailure?) -> String {
    guard let failure else { return "none" }
    return "\(failure.code) \(words(failure.message)) \(words(failure.type)) \(words(failure.step))"
        + " \(words(failure.attempt))"
}

/// A value by its bytes: short ones as they are, long ones by their number and a sum.
private func words(_ value: RunValue?) -> String {
    guard let value else { return "none" }
    guard let bytes = try? value.bytes else { return "a value that cannot be encoded" }
    if bytes.count <= 64 { return "\(bytes)" }
    let sum = bytes.reduce(UInt64(14_695_981_039_346_656_037)) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 }
    return "\(bytes.count) bytes of sum \(sum)"
}
