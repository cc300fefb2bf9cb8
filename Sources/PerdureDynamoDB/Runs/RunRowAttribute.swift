internal import PerdureModel
internal import PerdureWorkflow

/// An attribute of a run's own item that changes while the run goes on.
struct RunRowAttribute: Sendable {
    let name: String
    /// Whether two rows have the same in it. May say no where they have.
    let isSame: @Sendable (RunRow, RunRow) -> Bool
    /// Nil where the item does not have it.
    let value: @Sendable (RunRow) -> AttributeValue?

    private init(
        _ name: String, _ isSame: @escaping @Sendable (RunRow, RunRow) -> Bool,
        _ value: @escaping @Sendable (RunRow) -> AttributeValue?
    ) {
        self.name = name
        self.isSame = isSame
        self.value = value
    }

    /// All of them but the output, which is a value and may be in chunks.
    static let all: [RunRowAttribute] = [
        RunRowAttribute(RunAttribute.status, { $0.status == $1.status }, { .string($0.status.rawValue) }),
        RunRowAttribute(
            "progress", { $0.progress.progress == $1.progress.progress },
            { .number(Self.digits($0.progress.progress)) }),
        RunRowAttribute(
            "definition_hash", { $0.progress.definitionHash == $1.progress.definitionHash },
            { .number($0.progress.definitionHash) }),
        // Its words may be equal to others and still be other bytes.
        RunRowAttribute(
            "error", { $0.progress.failure == nil && $1.progress.failure == nil },
            { $0.progress.failure.map { RunMap.item($0) } }),
        RunRowAttribute(
            "parked_reason", { $0.progress.parkedReason == nil && $1.progress.parkedReason == nil },
            { $0.progress.parkedReason.map { .string($0) } }),
        RunRowAttribute(
            "started_at", { $0.progress.startedAt == $1.progress.startedAt },
            { $0.progress.startedAt.map { .time($0) } }),
        RunRowAttribute(
            "completed_at", { $0.progress.completedAt == $1.progress.completedAt },
            { $0.progress.completedAt.map { .time($0) } }),
        RunRowAttribute(
            "expires_at", { $0.progress.expiresAt == $1.progress.expiresAt },
            { $0.progress.expiresAt.map { .time($0) } }),
        RunRowAttribute(RunAttribute.ttl, { $0.progress.expiresAt == $1.progress.expiresAt }, { $0.expiry }),
        RunRowAttribute("wake", { $0.progress.wake == $1.progress.wake }, { .string(Self.text($0.progress.wake)) }),
        RunRowAttribute(
            "owner", { $0.progress.owner.map { IDKey($0) } == $1.progress.owner.map { IDKey($0) } },
            { $0.progress.owner.map { .string($0) } }),
        RunRowAttribute(
            RunAttribute.fence, { $0.progress.fence == $1.progress.fence }, { .number($0.progress.fence) }),
        RunRowAttribute(
            RunAttribute.revision, { $0.progress.revision == $1.progress.revision }, { .number($0.progress.revision) }),
        RunRowAttribute(
            "adoptions", { $0.progress.adoptions == $1.progress.adoptions }, { .number($0.progress.adoptions) }),
        RunRowAttribute(
            "inbox_seen", { $0.progress.inboxSeen == $1.progress.inboxSeen }, { .number($0.progress.inboxSeen) }),
        RunRowAttribute(RunAttribute.inboxCount, { $0.inboxCount == $1.inboxCount }, { .number($0.inboxCount) }),
        RunRowAttribute(
            "updated_at", { $0.progress.updatedAt == $1.progress.updatedAt }, { .time($0.progress.updatedAt) }),
        RunRowAttribute(RunAttribute.writeID, { $0.writeID == $1.writeID }, { .binary($0.writeID) }),
        RunRowAttribute("parts", { $0.parts == $1.parts }, { .number($0.parts) }),
        RunRowAttribute("packs", { $0.packs == $1.packs }, { .number($0.packs) }),
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
