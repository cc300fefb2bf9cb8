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
    /// The regions with replicas of the table, with their states.
    var replicas: [String: String]
    /// Whether the table is protected from being deleted.
    var isProtected: Bool

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
        self.indexes = try Self.states(table["GlobalSecondaryIndexes"], "IndexName", "IndexStatus")
        self.replicas = try Self.states(table["Replicas"], "RegionName", "ReplicaStatus")
        self.isProtected = table["DeletionProtectionEnabled"]?.bool ?? false
    }

    private static func states(
        _ parts: JSONValue?, _ name: StaticString, _ status: StaticString
    ) throws(AnswerFlaw) -> [String: String] {
        var states: [String: String] = [:]
        guard let parts, !parts.isNull else { return states }
        try parts.forEachElement { part throws(AnswerFlaw) in
            if let name = part[name]?.text { states[name] = part[status]?.text ?? "" }
        }
        return states
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
        Operation("DescribeTable", RequestBody(table: table), decode: Self.description("Table"))
    }

    /// `UpdateTable`; afterwards the table is `UPDATING` for a while.
    static func updateTable(_ table: String, _ change: TableChange) -> Operation {
        var body = RequestBody(table: table)
        change.write(to: &body)
        return Operation("UpdateTable", body, decode: Self.description("TableDescription"))
    }

    /// `DeleteTable`.
    static func deleteTable(_ table: String) -> Operation {
        Operation("DeleteTable", RequestBody(table: table), decode: Self.description("TableDescription"))
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
        Operation("DescribeTimeToLive", RequestBody(table: table)) { answer throws(AnswerFlaw) in
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
        var body = RequestBody(table: table)
        body.object("TimeToLiveSpecification") {
            $0.member("AttributeName", attribute)
            $0.member("Enabled", isEnabled)
        }
        return Operation("UpdateTimeToLive", body)
    }

    /// `UpdateContinuousBackups`: whether the table can be restored to any moment of the last 35 days.
    static func updateContinuousBackups(_ table: String, isEnabled: Bool) -> Operation {
        var body = RequestBody(table: table)
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

extension Operation where Answer == Bool {
    /// `DescribeContinuousBackups`: whether the table can be restored to any moment of the last 35 days.
    static func describeContinuousBackups(_ table: String) -> Operation {
        Operation("DescribeContinuousBackups", RequestBody(table: table)) { answer throws(AnswerFlaw) in
            guard let description = answer["ContinuousBackupsDescription"] else {
                throw AnswerFlaw("continuous backups are not described")
            }
            return description["PointInTimeRecoveryDescription"]?["PointInTimeRecoveryStatus"]?.text == "ENABLED"
        }
    }
}

extension Operation where Answer == String {
    /// `CreateBackup`: an on-demand backup under a name; the answer is its ARN.
    static func createBackup(_ table: String, name: String) -> Operation {
        var body = RequestBody(table: table)
        body.member("BackupName", name)
        return Operation("CreateBackup", body, isRepeatable: false) { answer throws(AnswerFlaw) in
            guard let arn = answer["BackupDetails"]?["BackupArn"]?.text else {
                throw AnswerFlaw("a backup's description is missing")
            }
            return arn
        }
    }
}
