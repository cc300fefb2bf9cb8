// Making, describing and changing tables.

/// What `DescribeTable` says, as far as it matters here.
struct TableDescription: Sendable, Equatable {
    /// An attribute of a key, and its type.
    struct KeyPart: Sendable, Equatable {
        var name: String
        /// `HASH` or `RANGE`.
        var role: String
        /// `S`, `N` or `B`; nil when it is not described.
        var type: String?
    }

    /// `CREATING`, `ACTIVE`, `UPDATING`, `DELETING`, ...
    var status: String
    var key: [KeyPart]
    var arn: String
    /// `PAY_PER_REQUEST` or `PROVISIONED`.
    var billingMode: String
    /// The names of the secondary indexes, with their states.
    var indexes: [String: String]

    init(_ table: JSONValue) throws(AnswerFlaw) {
        guard let status = table["TableStatus"]?.text else {
            throw AnswerFlaw("a table is described without its status")
        }
        self.status = status
        self.arn = table["TableArn"]?.text ?? ""
        self.billingMode = table["BillingModeSummary"]?["BillingMode"]?.text ?? "PROVISIONED"
        var types: [String: String] = [:]
        try table["AttributeDefinitions"]?.forEachElement { attribute throws(AnswerFlaw) in
            if let name = attribute["AttributeName"]?.text { types[name] = attribute["AttributeType"]?.text }
        }
        var key: [KeyPart] = []
        try table["KeySchema"]?.forEachElement { part throws(AnswerFlaw) in
            let name = part["AttributeName"]?.text ?? ""
            key.append(KeyPart(name: name, role: part["KeyType"]?.text ?? "", type: types[name]))
        }
        self.key = key
        var indexes: [String: String] = [:]
        if let list = table["GlobalSecondaryIndexes"], !list.isNull {
            try list.forEachElement { index throws(AnswerFlaw) in
                if let name = index["IndexName"]?.text { indexes[name] = index["IndexStatus"]?.text ?? "" }
            }
        }
        self.indexes = indexes
    }
}

/// What a new table is to be like.
struct TableDefinition: Sendable {
    struct Attribute: Sendable {
        var name: String
        var type: String
    }

    struct Key: Sendable {
        var hash: Attribute
        var range: Attribute?
        /// Each part with its role.
        var parts: [(Attribute, String)] {
            var parts = [(self.hash, "HASH")]
            if let range = self.range { parts.append((range, "RANGE")) }
            return parts
        }
    }

    struct Index: Sendable {
        var name: String
        var key: Key
    }

    var name: String
    var key: Key
    /// Each projects all attributes.
    var indexes: [Index] = []
    /// Reads and writes a second; nil pays for what is used.
    var provisioned: (reads: Int, writes: Int)?
    var tags: [(key: String, value: String)] = []
    var isProtected = false

    fileprivate func write(to body: inout RequestBody) {
        body.member("TableName", self.name)
        var attributes: [Attribute] = []
        for (attribute, _) in self.key.parts + self.indexes.flatMap(\.key.parts)
        where !attributes.contains(where: { $0.name.utf8.elementsEqual(attribute.name.utf8) }) {
            attributes.append(attribute)
        }
        body.array("AttributeDefinitions", attributes) { body, attribute in
            body.member("AttributeName", attribute.name)
            body.member("AttributeType", attribute.type)
        }
        Self.write(self.key, to: &body)
        if !self.indexes.isEmpty {
            body.array("GlobalSecondaryIndexes", self.indexes) { body, index in
                body.member("IndexName", index.name)
                Self.write(index.key, to: &body)
                body.object("Projection") { $0.member("ProjectionType", "ALL") }
                self.writeThroughput(to: &body)
            }
        }
        body.member("BillingMode", self.provisioned == nil ? "PAY_PER_REQUEST" : "PROVISIONED")
        self.writeThroughput(to: &body)
        if !self.tags.isEmpty { body.tags(self.tags) }
        if self.isProtected { body.member("DeletionProtectionEnabled", true) }
    }

    private static func write(_ key: Key, to body: inout RequestBody) {
        body.array("KeySchema", key.parts) { body, part in
            body.member("AttributeName", part.0.name)
            body.member("KeyType", part.1)
        }
    }

    private func writeThroughput(to body: inout RequestBody) {
        guard let provisioned = self.provisioned else { return }
        body.object("ProvisionedThroughput") {
            $0.member("ReadCapacityUnits", provisioned.reads)
            $0.member("WriteCapacityUnits", provisioned.writes)
        }
    }
}

extension RequestBody {
    fileprivate mutating func tags(_ tags: [(key: String, value: String)]) {
        self.array("Tags", tags) { body, tag in
            body.member("Key", tag.key)
            body.member("Value", tag.value)
        }
    }
}

extension Operation where Answer == TableDescription {
    /// `CreateTable`.
    ///
    /// Sent twice, the second says that the table is in use.
    static func createTable(_ definition: TableDefinition) -> Operation {
        var body = RequestBody()
        definition.write(to: &body)
        return Operation("CreateTable", body, decode: Self.description("TableDescription"))
    }

    /// `DescribeTable`.
    static func describeTable(_ table: String) -> Operation {
        var body = RequestBody()
        body.member("TableName", table)
        return Operation("DescribeTable", body, decode: Self.description("Table"))
    }

    /// `UpdateTable`: deletion protection, replicas in other regions, billing; `change` writes what is to change.
    static func updateTable(_ table: String, _ change: (inout RequestBody) -> Void) -> Operation {
        var body = RequestBody()
        body.member("TableName", table)
        change(&body)
        return Operation("UpdateTable", body, decode: Self.description("TableDescription"))
    }

    /// `DeleteTable`.
    static func deleteTable(_ table: String) -> Operation {
        var body = RequestBody()
        body.member("TableName", table)
        return Operation("DeleteTable", body, decode: Self.description("TableDescription"))
    }

    private static func description(
        _ member: StaticString
    ) -> @Sendable (JSONValue) throws(AnswerFlaw) -> TableDescription {
        { answer throws(AnswerFlaw) in
            guard let table = answer[member] else { throw AnswerFlaw("a table's description is missing") }
            return try TableDescription(table)
        }
    }
}

/// Whether items expire, and by which attribute.
struct TimeToLive: Sendable, Equatable {
    /// `ENABLED`, `ENABLING`, `DISABLED`, `DISABLING`.
    var status: String
    var attribute: String?
}

extension Operation where Answer == TimeToLive {
    /// `DescribeTimeToLive`.
    static func describeTimeToLive(_ table: String) -> Operation {
        var body = RequestBody()
        body.member("TableName", table)
        return Operation("DescribeTimeToLive", body) { answer throws(AnswerFlaw) in
            guard let description = answer["TimeToLiveDescription"] else { throw AnswerFlaw("TTL is not described") }
            return TimeToLive(
                status: description["TimeToLiveStatus"]?.text ?? "DISABLED",
                attribute: description["AttributeName"]?.text)
        }
    }
}

extension Operation where Answer == Void {
    /// `UpdateTimeToLive`: items expire at the Unix second in `attribute`.
    static func updateTimeToLive(_ table: String, attribute: String, isEnabled: Bool) -> Operation {
        var body = RequestBody()
        body.member("TableName", table)
        body.object("TimeToLiveSpecification") {
            $0.member("AttributeName", attribute)
            $0.member("Enabled", isEnabled)
        }
        return Operation("UpdateTimeToLive", body)
    }

    /// `UpdateContinuousBackups`: whether the table can be restored to any moment of the last 35 days.
    static func updateContinuousBackups(_ table: String, isEnabled: Bool) -> Operation {
        var body = RequestBody()
        body.member("TableName", table)
        body.object("PointInTimeRecoverySpecification") { $0.member("PointInTimeRecoveryEnabled", isEnabled) }
        return Operation("UpdateContinuousBackups", body)
    }

    /// `TagResource`: sets tags of a table, named by its ARN.
    static func tagResource(_ arn: String, tags: [(key: String, value: String)]) -> Operation {
        var body = RequestBody()
        body.member("ResourceArn", arn)
        body.tags(tags)
        return Operation("TagResource", body)
    }
}

extension Operation where Answer == String {
    /// `CreateBackup`: an on-demand backup under a name; the answer is its ARN.
    static func createBackup(_ table: String, name: String) -> Operation {
        var body = RequestBody()
        body.member("TableName", table)
        body.member("BackupName", name)
        return Operation("CreateBackup", body, isRepeatable: false) { answer throws(AnswerFlaw) in
            guard let arn = answer["BackupDetails"]?["BackupArn"]?.text else {
                throw AnswerFlaw("a backup's description is missing")
            }
            return arn
        }
    }
}
