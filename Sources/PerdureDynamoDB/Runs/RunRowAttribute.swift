internal import PerdureModel
internal import PerdureWorkflow

/// An attribute of a run's own item that changes while the run goes on.
struct RunRowAttribute: Sendable {
    let name: String
    /// Whether two rows have the same in it. May say no where they have.
    let isSame: @Sendable (RunRow, RunRow) -> Bool
    /// Nil where the item does not have it.
    let value: @Sendable (RunRow) -> AttributeValue?

    private init<Field: Equatable>(
        _ name: String, _ field: @escaping @Sendable (RunRow) -> Field,
        _ value: @escaping @Sendable (Field) -> AttributeValue?
    ) {
        self.name = name
        self.isSame = { field($0) == field($1) }
        self.value = { value(field($0)) }
    }

    /// Words, which may be equal by their characters and still be other bytes: the same only where there are none.
    private init<Words>(
        words name: String, _ words: @escaping @Sendable (RunRow) -> Words?,
        _ value: @escaping @Sendable (Words) -> AttributeValue
    ) {
        self.name = name
        self.isSame = { words($0) == nil && words($1) == nil }
        self.value = { words($0).map(value) }
    }

    /// All of them but the output, which is a value and may be in chunks.
    static let all: [RunRowAttribute] = [
        RunRowAttribute(RunAttribute.status, { $0.status }, { .string($0.rawValue) }),
        RunRowAttribute("progress", { $0.progress.progress }, { .number(Self.digits($0)) }),
        RunRowAttribute("definition_hash", { $0.progress.definitionHash }, { .number($0) }),
        RunRowAttribute(words: "error", { $0.progress.failure }, { RunMap.item($0) }),
        RunRowAttribute(words: "parked_reason", { $0.progress.parkedReason }, { .string($0) }),
        RunRowAttribute("started_at", { $0.progress.startedAt }, { $0.map { .time($0) } }),
        RunRowAttribute("completed_at", { $0.progress.completedAt }, { $0.map { .time($0) } }),
        RunRowAttribute("expires_at", { $0.progress.expiresAt }, { $0.map { .time($0) } }),
        RunRowAttribute(RunAttribute.ttl, { $0.expiry }, { $0 }),
        RunRowAttribute("wake", { $0.progress.wake }, { .string(Self.text($0)) }),
        RunRowAttribute("owner", { $0.progress.owner.map { IDKey($0) } }, { $0.map { .string($0.id) } }),
        RunRowAttribute(RunAttribute.fence, { $0.progress.fence }, { .number($0) }),
        RunRowAttribute(RunAttribute.revision, { $0.progress.revision }, { .number($0) }),
        RunRowAttribute("adoptions", { $0.progress.adoptions }, { .number($0) }),
        RunRowAttribute("inbox_seen", { $0.progress.inboxSeen }, { .number($0) }),
        RunRowAttribute(RunAttribute.inboxCount, { $0.inboxCount }, { .number($0) }),
        RunRowAttribute("updated_at", { $0.progress.updatedAt }, { .time($0) }),
        RunRowAttribute(RunAttribute.writeID, { $0.writeID }, { .binary($0) }),
        RunRowAttribute("parts", { $0.parts }, { .number($0) }),
        RunRowAttribute("packs", { $0.packs }, { .number($0) }),
    ]

    /// A share as digits: 0 and 1 without a point, as others write them.
    private static func digits(_ share: Double) -> String {
        guard share.isFinite else { return "0" }
        return Int(exactly: share).map { String($0) } ?? "\(share)"
    }

    private static func text(_ wake: RunWake) -> String {
        switch wake {
        case .now: "now"
        case .never: "never"
        case .at(let time): KeyText.time(time)
        }
    }
}
