/// Something that happened in the cluster.
public enum CQLEvent: Sendable, Hashable {
    /// A node joined the cluster; it may need a second before it answers.
    case nodeAdded(CQLEndpoint)
    /// A node left the cluster.
    case nodeRemoved(CQLEndpoint)
    /// A node got another place on the ring.
    case nodeMoved(CQLEndpoint)
    /// A node is up; it may need a second before it answers.
    case nodeUp(CQLEndpoint)
    /// A node is down.
    case nodeDown(CQLEndpoint)
    /// The schema is another now.
    case schemaChange(CQLSchemaChange)
    /// An event that this version does not know, by its kind and change.
    case unknown(kind: String, change: String)
}

/// What changed in the schema.
public struct CQLSchemaChange: Sendable, Hashable {
    /// What happened: `CREATED`, `UPDATED` or `DROPPED`.
    public var change: String
    /// What it happened to.
    public var target: Target

    /// Makes a description of a change.
    public init(change: String, target: Target) {
        self.change = change
        self.target = target
    }

    /// What a schema consists of.
    public enum Target: Sendable, Hashable {
        /// A keyspace.
        case keyspace(String)
        /// A table, or an index on it.
        case table(keyspace: String, name: String)
        /// A user-defined type.
        case type(keyspace: String, name: String)
        /// A function, with the types of its arguments.
        case function(keyspace: String, name: String, arguments: [String])
        /// An aggregate, with the types of its arguments.
        case aggregate(keyspace: String, name: String, arguments: [String])
        /// Something that this version does not know, by its kind.
        case unknown(String)
    }
}

extension WireReader {
    mutating func event() throws(CQLProtocolError) -> CQLEvent {
        let kind = try self.string("the kind of an event")
        if kind == CQLEventKind.schemaChange.rawValue { return .schemaChange(try self.schemaChange()) }
        let change = try self.string("the change of an event")
        switch (kind, change) {
        case ("TOPOLOGY_CHANGE", "NEW_NODE"): return .nodeAdded(try self.endpoint("an event's node"))
        case ("TOPOLOGY_CHANGE", "REMOVED_NODE"): return .nodeRemoved(try self.endpoint("an event's node"))
        case ("TOPOLOGY_CHANGE", "MOVED_NODE"): return .nodeMoved(try self.endpoint("an event's node"))
        case ("STATUS_CHANGE", "UP"): return .nodeUp(try self.endpoint("an event's node"))
        case ("STATUS_CHANGE", "DOWN"): return .nodeDown(try self.endpoint("an event's node"))
        default: return .unknown(kind: kind, change: change)
        }
    }

    mutating func schemaChange() throws(CQLProtocolError) -> CQLSchemaChange {
        let change = try self.string("a change of the schema")
        let target = try self.string("the target of a change")
        switch target {
        case "KEYSPACE":
            return CQLSchemaChange(change: change, target: .keyspace(try self.string("a keyspace")))
        case "TABLE", "TYPE", "FUNCTION", "AGGREGATE":
            let keyspace = try self.string("a keyspace")
            let name = try self.string("a name in a keyspace")
            if target == "TABLE" {
                return CQLSchemaChange(change: change, target: .table(keyspace: keyspace, name: name))
            }
            if target == "TYPE" {
                return CQLSchemaChange(change: change, target: .type(keyspace: keyspace, name: name))
            }
            let arguments = try self.stringList("the types of arguments")
            return CQLSchemaChange(
                change: change,
                target: target == "FUNCTION"
                    ? .function(keyspace: keyspace, name: name, arguments: arguments)
                    : .aggregate(keyspace: keyspace, name: name, arguments: arguments))
        default: return CQLSchemaChange(change: change, target: .unknown(target))
        }
    }
}
