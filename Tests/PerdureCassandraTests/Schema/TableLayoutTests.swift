import PerdureState
import Testing

@testable import PerdureCassandra

/// What the store makes of what the system schema says.
@Suite struct TableLayoutTests {
    private static let configuration = CassandraConfiguration(contactPoints: ["127.0.0.1"], keyspace: "k")

    private static func findings(
        _ key: KeyLayout = .id, isExtended: Bool = true, _ change: (inout SchemaFindings) -> Void = { _ in }
    ) -> SchemaFindings {
        var findings = SchemaFindings()
        findings.hasKeyspace = true
        var columns: [String: SchemaFindings.Column] = [:]
        for (name, type) in SchemaFindings.columns { columns[name] = .init(kind: "regular", position: -1, type: type) }
        if isExtended {
            for (name, type) in SchemaFindings.additions {
                columns[name] = .init(kind: "regular", position: -1, type: type)
            }
            findings.columns["states_store_tombstones"] = ["x": .init(kind: "regular", position: -1, type: "int")]
            findings.columns["states_store_chunks"] = ["x": .init(kind: "regular", position: -1, type: "int")]
            findings.record = .init(version: 2, shards: key == .shard ? 16 : nil, writes: "conditional")
        }
        columns["persistence_id"]?.kind = key == .id ? "partition_key" : "clustering"
        columns["persistence_id"]?.position = 0
        if key == .shard {
            columns["shard_number"] = .init(kind: "partition_key", position: 0, type: "bigint")
            findings.indexed = ["persistence_id"]
        }
        findings.columns["states_store"] = columns
        change(&findings)
        return findings
    }

    @Test func findsBothKeys() throws {
        let byID = try Self.findings(.id).layout(Self.configuration)
        #expect(byID.key == .id && byID.isExtended && !byID.searchesOtherShards)
        let byShard = try Self.findings(.shard).layout(Self.configuration)
        #expect(byShard.key == .shard && byShard.shards == 16 && byShard.searchesOtherShards)
        let egos = try Self.findings(.id, isExtended: false).layout(Self.configuration)
        #expect(!egos.isExtended && egos.shards == 1_024)
    }

    private static func refusal(
        _ findings: SchemaFindings, _ change: (inout CassandraConfiguration) -> Void = { _ in }
    ) -> String? {
        var configuration = Self.configuration
        change(&configuration)
        do throws(StoreError) {
            _ = try findings.layout(configuration)
            return nil
        } catch {
            #expect(error.code == .misconfigured)
            return error.message
        }
    }

    @Test func saysWhatIsMissingOrWrong() {
        #expect(Self.refusal(Self.findings { $0.hasKeyspace = false })?.contains("no keyspace k") == true)
        #expect(Self.refusal(Self.findings { $0.columns["states_store"] = nil })?.contains("no table") == true)
        #expect(
            Self.refusal(Self.findings { $0.columns["states_store"]?["version_number"]?.kind = "clustering" })?
                .contains("the key of") == true)
        #expect(
            Self.refusal(Self.findings { $0.columns["states_store"]?["timestamp"]?.type = "timestamp" })?
                .contains("timestamp") == true)
        #expect(
            Self.refusal(Self.findings { $0.columns["states_store"]?["state_manifest"] = nil })?
                .contains("state_manifest") == true)
        #expect(
            Self.refusal(Self.findings { $0.columns["states_store_chunks"] = nil })?.contains("setup()") == true)
        #expect(
            Self.refusal(Self.findings { $0.columns["states_store"]?["newborn"]?.type = "text" })?.contains("newborn")
                == true)
    }

    /// What would lose writes, or not find rows, is refused.
    @Test func refusesWhatProgramsMustAgreeOn() {
        #expect(Self.refusal(Self.findings()) { $0.writes = .latest }?.contains("lose writes") == true)
        #expect(Self.refusal(Self.findings(.shard)) { $0.shards = 17 }?.contains("16 shards") == true)
        #expect(Self.refusal(Self.findings(.shard)) { $0.shards = 16 } == nil)
        #expect(Self.refusal(Self.findings(.shard) { $0.indexed = [] })?.contains("no index") == true)
        #expect(Self.refusal(Self.findings(.shard) { $0.indexed = [] }) { $0.otherShards = .ignored } == nil)
    }

    @Test func statementsNameTheTablesAndNeverFilter() {
        for key in [KeyLayout.id, .shard] {
            for statement in CassandraSchema.statements(.init(keyspace: "k", table: "t"), key: key) {
                #expect(statement.contains("\"k\".") && !statement.contains("${"))
                #expect(!statement.contains("FILTERING"))
            }
        }
        let added = CassandraSchema.statements(.init(keyspace: "k", table: "t"), key: .id).compactMap {
            CassandraSchema.addedColumn($0)
        }
        #expect(added == SchemaFindings.additions.map(\.key))
    }
}
