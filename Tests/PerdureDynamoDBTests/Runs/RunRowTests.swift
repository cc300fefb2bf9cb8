import PerdureWorkflow
import Testing

@testable import PerdureDynamoDB

/// What of a run's own item a change writes: it is made on condition that the rest still is what it was.
@Suite("Changes of a run's item") struct RunRowTests {
    private static func row() -> RunRow {
        let request = RunRequest(id: "r", workflow: "w", version: "1", input: RunValue(bytes: []), createdAt: 1)
        var progress = RunProgress(status: .running, definitionHash: 7, at: 1)
        progress.owner = "worker"
        progress.parkedReason = "a reason"
        return RunRow(
            RunCreation(request: request, progress: progress), writeID: WriteID(high: 1, low: 1), parts: 2, packs: 0)
    }

    private static func changes(_ change: (inout RunRow) -> Void) -> [String: AttributeValue?] {
        let old = Self.row()
        var new = old
        change(&new)
        return Dictionary(uniqueKeysWithValues: new.changes(from: old, DynamoDBRunLayout()).map { ($0.0, $0.1) })
    }

    private typealias Change = @Sendable (inout RunRow) -> Void
    /// What each attribute is written for.
    private static let table: [(names: Set<String>, change: Change)] = [
        (["status", "GSI2PK"], { $0.progress.status = .paused }),
        (["progress"], { $0.progress.progress = 0.4 }),
        (["definition_hash"], { $0.progress.definitionHash = 8 }),
        (["started_at"], { $0.progress.startedAt = 2 }),
        (["completed_at"], { $0.progress.completedAt = 2 }),
        (["expires_at", "ttl"], { $0.progress.expiresAt = 2 }),
        (["wake"], { $0.progress.wake = .at(9) }),
        (["owner"], { $0.progress.owner = "another" }),
        (["fence"], { $0.progress.fence += 1 }),
        (["revision"], { $0.progress.revision += 1 }),
        (["adoptions"], { $0.progress.adoptions += 1 }),
        (["inbox_seen"], { $0.progress.inboxSeen += 1 }),
        (["inbox_count"], { $0.inboxCount += 1 }),
        (["updated_at"], { $0.progress.updatedAt += 1 }),
        (["write_id"], { $0.writeID = WriteID(high: 1, low: 2).bytes }),
        (["parts"], { $0.parts = 3 }),
        (["packs"], { $0.packs = 1 }),
    ]

    @Test("name what is another, and nothing else") func differences() {
        // Words are written again whatever they are.
        let always: Set = ["parked_reason"]
        for (names, change) in Self.table {
            #expect(Set(Self.changes(change).keys).subtracting(always) == names)
        }
        #expect(Set(Self.changes { _ in }.keys) == always)
    }

    @Test("say what is gone") func removals() {
        let changes = Self.changes {
            $0.progress.owner = nil
            $0.progress.parkedReason = nil
        }
        let gone: [String: AttributeValue?] = ["owner": nil, "parked_reason": nil]
        #expect(changes == gone)
    }

    @Test("tell apart owners whose names are equal by their characters alone") func bytes() {
        let old = Self.row()
        var (composed, decomposed) = (old, old)
        composed.progress.owner = "caf\u{E9}"
        decomposed.progress.owner = "cafe\u{301}"
        let names = decomposed.changes(from: composed, DynamoDBRunLayout()).map(\.0)
        #expect(names.contains("owner"))
    }

    @Test("are the whole of a new item") func creation() {
        let names = Set(Self.row().changes(from: nil, DynamoDBRunLayout()).map(\.0))
        #expect(names.count == RunRowAttribute.all.count + 1)
        #expect(Self.table.reduce(into: Set(["error", "parked_reason"])) { $0.formUnion($1.names) } == names)
    }
}
