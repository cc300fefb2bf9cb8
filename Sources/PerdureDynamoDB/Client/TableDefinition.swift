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

        fileprivate func write(to body: inout RequestBody) {
            body.array("KeySchema", self.parts) { body, part in
                body.member("AttributeName", part.0.name)
                body.member("KeyType", part.1)
            }
        }
    }

    struct Index: Sendable {
        var name: String
        var key: Key

        /// Writes what describes it; it projects all attributes.
        fileprivate func write(to body: inout RequestBody, _ throughput: Throughput?) {
            body.member("IndexName", self.name)
            self.key.write(to: &body)
            body.object("Projection") { $0.member("ProjectionType", "ALL") }
            throughput?.write(to: &body)
        }
    }

    /// Reads and writes a second that are paid for whether used or not.
    struct Throughput: Sendable {
        var reads: Int
        var writes: Int

        fileprivate func write(to body: inout RequestBody) {
            body.object("ProvisionedThroughput") {
                $0.member("ReadCapacityUnits", self.reads)
                $0.member("WriteCapacityUnits", self.writes)
            }
        }
    }

    var name: String
    var key: Key
    /// Each projects all attributes.
    var indexes: [Index] = []
    /// The same for each index; nil pays for what is used.
    var provisioned: Throughput?
    var tags: [(key: String, value: String)] = []
    var isProtected = false

    func write(to body: inout RequestBody) {
        body.member("TableName", self.name)
        body.attributes(of: [self.key] + self.indexes.map(\.key))
        self.key.write(to: &body)
        if !self.indexes.isEmpty {
            body.array("GlobalSecondaryIndexes", self.indexes) { $1.write(to: &$0, self.provisioned) }
        }
        body.member("BillingMode", self.provisioned == nil ? "PAY_PER_REQUEST" : "PROVISIONED")
        self.provisioned?.write(to: &body)
        if !self.tags.isEmpty { body.tags(self.tags) }
        if self.isProtected { body.member("DeletionProtectionEnabled", true) }
    }
}

/// What `UpdateTable` changes: one thing at a time, as the service wants it for all but the billing.
enum TableChange: Sendable {
    /// Whether the table is protected from being deleted.
    case protection(Bool)
    /// Paying for what is used (nil), or for a capacity.
    case billing(TableDefinition.Throughput?)
    /// A new secondary index; `throughput` where the table pays for a capacity.
    case addIndex(TableDefinition.Index, TableDefinition.Throughput? = nil)
    case removeIndex(String)
    /// A stream of changes with the items before and after: what a table must have before it has replicas.
    case stream(Bool)
    /// A replica of the table in another region.
    case addReplica(region: String)
    case removeReplica(region: String)

    func write(to body: inout RequestBody) {
        switch self {
        case .protection(let isProtected): body.member("DeletionProtectionEnabled", isProtected)
        case .billing(let throughput):
            body.member("BillingMode", throughput == nil ? "PAY_PER_REQUEST" : "PROVISIONED")
            throughput?.write(to: &body)
        case .addIndex(let index, let throughput):
            body.attributes(of: [index.key])
            body.array("GlobalSecondaryIndexUpdates", [index]) { body, index in
                body.object("Create") { index.write(to: &$0, throughput) }
            }
        case .removeIndex(let name):
            body.array("GlobalSecondaryIndexUpdates", [name]) { body, name in
                body.object("Delete") { $0.member("IndexName", name) }
            }
        case .stream(let isEnabled):
            body.object("StreamSpecification") {
                $0.member("StreamEnabled", isEnabled)
                if isEnabled { $0.member("StreamViewType", "NEW_AND_OLD_IMAGES") }
            }
        case .addReplica(let region): Self.write("Create", region, to: &body)
        case .removeReplica(let region): Self.write("Delete", region, to: &body)
        }
    }

    private static func write(_ action: StaticString, _ region: String, to body: inout RequestBody) {
        body.array("ReplicaUpdates", [region]) { body, region in
            body.object(action) { $0.member("RegionName", region) }
        }
    }
}

extension RequestBody {
    /// Defines each attribute of the keys once.
    fileprivate mutating func attributes(of keys: [TableDefinition.Key]) {
        var attributes: [TableDefinition.Attribute] = []
        for (attribute, _) in keys.flatMap(\.parts)
        where !attributes.contains(where: { $0.name.utf8.elementsEqual(attribute.name.utf8) }) {
            attributes.append(attribute)
        }
        self.array("AttributeDefinitions", attributes) { body, attribute in
            body.member("AttributeName", attribute.name)
            body.member("AttributeType", attribute.type)
        }
    }

    mutating func tags(_ tags: [(key: String, value: String)]) {
        self.array("Tags", tags) { body, tag in
            body.member("Key", tag.key)
            body.member("Value", tag.value)
        }
    }
}
