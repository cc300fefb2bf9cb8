/// What a table must be like for a store to use it.
struct TableShape: Sendable {
    let key: TableDefinition.Key
    let indexes: [TableDefinition.Index]
    /// The attribute by which items expire.
    let expiry: String

    /// States: one item each, under its ID; tombstones may expire.
    static let states = TableShape(
        key: .init(hash: .init(name: StateItem.id, type: "S")), indexes: [], expiry: StateItem.expiry)

    /// Runs: a single table with two indexes, as Gorkflow's users set it up.
    static let runs = TableShape(
        key: .init(hash: .init(name: "PK", type: "S"), range: .init(name: "SK", type: "S")),
        indexes: RunIndex.allCases.map { index in
            .init(
                name: index.rawValue,
                key: .init(
                    hash: .init(name: index.partitionKey, type: "S"), range: .init(name: index.sortKey, type: "S")))
        }, expiry: RunAttribute.ttl)

    /// Whether another expiry attribute of the table is in nobody's way.
    func isExpiryOptional(_ configuration: DynamoDBConfiguration) -> Bool {
        self.expiry == StateItem.expiry && configuration.tombstoneLifetime == nil
    }

    var keepsRuns: Bool { self.expiry == RunAttribute.ttl }

    /// The key in words.
    var keyWords: String {
        self.key.parts.map { "\($0.0.name) (\($0.1) of type \($0.0.type))" }.joined(separator: " and ")
    }

    func hasKey(of table: TableDescription) -> Bool {
        let wanted = self.key.parts
        return table.key.count == wanted.count
            && wanted.allSatisfy { attribute, role in
                table.key.contains {
                    $0.name == attribute.name && $0.role == role && ($0.type ?? attribute.type) == attribute.type
                }
            }
    }

    /// Names what is wrong with a table.
    func check(_ table: TableDescription, named name: String) throws(CallFailure) {
        guard self.hasKey(of: table) else {
            let found = table.key.map { "\($0.name) (\($0.role) of type \($0.type ?? "?"))" }.joined(separator: ", ")
            throw self.flaw("the key schema of the table \(name) is \(found); it must be \(self.keyWords)")
        }
        for index in self.indexes where table.indexes[index.name] == nil {
            throw self.flaw("the table \(name) lacks the index \(index.name) of its key schema; call setup()")
        }
    }

    func flaw(_ words: String) -> CallFailure {
        CallFailure(
            cause: .fault(ServiceFault(name: "ValidationException", message: words, status: 400)),
            mayHaveHappened: false)
    }
}
