internal import PerdureCQLClient
internal import PerdureState

/// Which of the two keys a table of states has.
enum KeyLayout: Sendable, Hashable {
    /// `PRIMARY KEY (persistence_id)`: what eGo reads.
    case id
    /// `PRIMARY KEY (shard_number, persistence_id)`: what the instructions of its plugin make.
    case shard
}

/// What was found out about the tables when the store connected.
struct TableLayout: Sendable, Hashable {
    var names: CassandraSchema.Names
    var key: KeyLayout
    /// Whether the table has our columns and the tables beside it: false for a table that only eGo's instructions made.
    var isExtended: Bool
    /// Whether writes have conditions: without, nobody marks rows or cuts payloads into chunks, and nobody need read what says so.
    var isConditional = true
    /// Over how many shards IDs are spread; only where the shard is part of the key.
    var shards: UInt64
    /// Whether rows under other shards are to be looked for.
    var searchesOtherShards: Bool
}

/// What the system schema says of a keyspace.
struct SchemaFindings: Sendable {
    var hasKeyspace = false
    /// The columns of the tables by table and name.
    var columns: [String: [String: Column]] = [:]
    /// The columns of the table of states that have an index.
    var indexed: Set<String> = []
    /// What ``CassandraSchema/record`` has of the table of states.
    var record: Record?

    struct Column: Sendable, Hashable {
        var kind: String
        var position: Int32
        var type: String
    }

    struct Record: Sendable, Hashable {
        var version: Int32
        var shards: UInt64?
        var writes: String?
    }

    /// The key of a table, as the schema has it: partition key, then clustering columns.
    func key(of table: String) -> [(name: String, column: Column)] {
        (self.columns[table] ?? [:]).filter { $0.value.kind == "partition_key" || $0.value.kind == "clustering" }
            .sorted {
                ($0.value.kind == "clustering" ? 1 : 0, $0.value.position) < (
                    $1.value.kind == "clustering" ? 1 : 0, $1.value.position
                )
            }
            .map { (name: $0.key, column: $0.value) }
    }

    /// What eGo's six columns are, and ours.
    static let columns: KeyValuePairs = [
        "persistence_id": "text", "version_number": "bigint", "state_payload": "blob", "state_manifest": "text",
        "timestamp": "bigint", "shard_number": "bigint",
    ]
    static let additions: KeyValuePairs = [
        "write_id": "uuid", "newborn": "bigint", "chunk_count": "int", "chunked_manifest": "text",
        "state_shard": "bigint",
    ]
}

extension SchemaFindings {
    /// The key of the table of states; nil when there is no such table.
    ///
    /// - Throws: ``StoreError/Code/misconfigured`` for any other key.
    func keyLayout(_ names: CassandraSchema.Names, _ operation: StoreError.Operation) throws(StoreError) -> KeyLayout? {
        guard self.columns[names.table] != nil else { return nil }
        let key = self.key(of: names.table)
        let words = key.map { "\($0.name) \($0.column.type)\($0.column.kind == "clustering" ? ", clustering" : "")" }
        switch words {
        case ["persistence_id text"]: return .id
        case ["shard_number bigint", "persistence_id text, clustering"]: return .shard
        default:
            throw StoreError(
                .misconfigured, operation: operation,
                message:
                    "the key of \(names.quoted()) is (\(words.joined(separator: "; "))); it must be (persistence_id)"
                    + " or (shard_number, persistence_id); use another table")
        }
    }

    /// Sees that the tables can be used as the configuration says.
    ///
    /// - Throws: ``StoreError/Code/misconfigured`` that names what is missing or wrong, and the remedy.
    func layout(_ configuration: CassandraConfiguration) throws(StoreError) -> TableLayout {
        func flaw(_ message: String) -> StoreError { StoreError(.misconfigured, operation: .connect, message: message) }
        let names = configuration.names
        guard self.hasKeyspace else {
            throw flaw("there is no keyspace \(names.keyspace); name another, or call setup()")
        }
        guard let key = try self.keyLayout(names, .connect) else {
            throw flaw("there is no table \(names.quoted()); name another, or call setup()")
        }
        let columns = self.columns[names.table] ?? [:]
        for (name, type) in Self.columns where columns[name]?.type != type {
            throw flaw(
                "the column \(name) of \(names.quoted()) is \(columns[name].map { "of type \($0.type)" } ?? "missing"),"
                    + " not \(type); use another table")
        }
        let found = Self.additions.filter { columns[$0.key] != nil }.count
        for (name, type) in Self.additions {
            if let column = columns[name], column.type != type {
                throw flaw("the column \(name) of \(names.quoted()) is of type \(column.type), not \(type)")
            }
        }
        let beside = ["_tombstones", "_chunks"].filter { self.columns[names.table + $0] != nil }.count
        guard found + beside == 0 || (found == Self.additions.count && beside == 2 && self.record != nil) else {
            throw flaw("some of our columns and tables are there and others are not; call setup() to complete them")
        }
        if let writes = self.record?.writes, writes != configuration.writes.rawValue {
            throw flaw(
                "\(names.quoted()) was set up for writes=\(writes), and this store is configured for"
                    + " writes=\(configuration.writes.rawValue); both at once would lose writes")
        }
        if let shards = self.record?.shards, let mine = configuration.shards, shards != mine, key == .shard {
            throw flaw(
                "\(names.quoted()) was set up with \(shards) shards, and this store is configured for \(mine);"
                    + " they must be the same")
        }
        let searches = key == .shard && configuration.otherShards == .found
        if searches, !self.indexed.contains("persistence_id") {
            throw flaw(
                "the key of \(names.quoted()) begins with shard_number, and there is no index on persistence_id, without"
                    + " which rows under other shards are not found; call setup(), or say other_shards=ignored when all"
                    + " programs derive shards as this one does")
        }
        return TableLayout(
            names: names, key: key, isExtended: found > 0, isConditional: configuration.writes == .conditional,
            shards: self.record?.shards ?? configuration.shards ?? 1_024,
            searchesOtherShards: searches)
    }
}

extension CassandraConfiguration {
    var names: CassandraSchema.Names { .init(keyspace: self.keyspace, table: self.table, runs: self.runTables) }
}
