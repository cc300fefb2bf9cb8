/// The type of a column, a bind marker, or a part of one.
public indirect enum CQLType: Sendable, Hashable {
    /// A type that the protocol has no number for, by the name of its class on the server.
    case custom(String)
    /// US-ASCII text.
    case ascii
    /// 64-bit signed integer.
    case bigint
    /// Any bytes.
    case blob
    /// True or false.
    case boolean
    /// A 64-bit counter column.
    case counter
    /// A decimal number of any size.
    case decimal
    /// 64-bit floating point.
    case double
    /// 32-bit floating point.
    case float
    /// 32-bit signed integer.
    case int
    /// Milliseconds since 1970.
    case timestamp
    /// Any UUID.
    case uuid
    /// UTF-8 text; `text` in CQL.
    case varchar
    /// An integer of any size.
    case varint
    /// A UUID of version 1.
    case timeuuid
    /// An IP address.
    case inet
    /// A day.
    case date
    /// Nanoseconds since midnight.
    case time
    /// 16-bit signed integer.
    case smallint
    /// 8-bit signed integer.
    case tinyint
    /// Months, days and nanoseconds.
    case duration
    /// A list.
    case list(CQLType)
    /// A map.
    case map(CQLType, CQLType)
    /// A set.
    case set(CQLType)
    /// A user-defined type.
    case udt(CQLUserType)
    /// A tuple.
    case tuple([CQLType])

    /// UTF-8 text, by the name CQL prefers.
    public static let text = CQLType.varchar
}

/// A user-defined type: named fields in order.
public struct CQLUserType: Sendable, Hashable {
    /// The keyspace it belongs to.
    public var keyspace: String
    /// Its name.
    public var name: String
    /// Its fields, in the order of their values.
    public var fields: [Field]

    /// Makes a description of a user-defined type.
    public init(keyspace: String, name: String, fields: [Field]) {
        self.keyspace = keyspace
        self.name = name
        self.fields = fields
    }

    /// A field of a user-defined type.
    public struct Field: Sendable, Hashable {
        /// Its name.
        public var name: String
        /// Its type.
        public var type: CQLType

        /// Makes a description of a field.
        public init(name: String, type: CQLType) {
            self.name = name
            self.type = type
        }
    }
}

extension CQLType: CustomStringConvertible {
    /// As CQL writes it, for instance `map<text, frozen<address>>` without the word frozen.
    public var description: String {
        switch self {
        case .custom(let name): "'\(name)'"
        case .ascii: "ascii"
        case .bigint: "bigint"
        case .blob: "blob"
        case .boolean: "boolean"
        case .counter: "counter"
        case .decimal: "decimal"
        case .double: "double"
        case .float: "float"
        case .int: "int"
        case .timestamp: "timestamp"
        case .uuid: "uuid"
        case .varchar: "text"
        case .varint: "varint"
        case .timeuuid: "timeuuid"
        case .inet: "inet"
        case .date: "date"
        case .time: "time"
        case .smallint: "smallint"
        case .tinyint: "tinyint"
        case .duration: "duration"
        case .list(let element): "list<\(element)>"
        case .map(let key, let value): "map<\(key), \(value)>"
        case .set(let element): "set<\(element)>"
        case .udt(let type): "\(type.keyspace).\(type.name)"
        case .tuple(let types): "tuple<\(types.map(\.description).joined(separator: ", "))>"
        }
    }
}

extension WireReader {
    /// Deeper nesting than this is refused; CQL in the wild has three levels.
    private static let maximumDepth = 32
    // Version 4 has no number for durations: they come by the name of their class.
    private static let durationClass = "org.apache.cassandra.db.marshal.DurationType"

    /// `[option]`: a type.
    mutating func type(depth: Int = 0) throws(CQLProtocolError) -> CQLType {
        guard depth < Self.maximumDepth else {
            throw .limit("a type is nested deeper than \(Self.maximumDepth) levels")
        }
        switch try self.integer(UInt16.self, "a type") {
        case 0x00:
            let name = try self.string("the name of a custom type")
            return name == Self.durationClass ? .duration : .custom(name)
        case 0x01: return .ascii
        case 0x02: return .bigint
        case 0x03: return .blob
        case 0x04: return .boolean
        case 0x05: return .counter
        case 0x06: return .decimal
        case 0x07: return .double
        case 0x08: return .float
        case 0x09: return .int
        case 0x0B: return .timestamp
        case 0x0C: return .uuid
        case 0x0D, 0x0A: return .varchar
        case 0x0E: return .varint
        case 0x0F: return .timeuuid
        case 0x10: return .inet
        case 0x11: return .date
        case 0x12: return .time
        case 0x13: return .smallint
        case 0x14: return .tinyint
        case 0x15: return .duration
        case 0x20: return .list(try self.type(depth: depth + 1))
        case 0x21:
            let key = try self.type(depth: depth + 1)
            return .map(key, try self.type(depth: depth + 1))
        case 0x22: return .set(try self.type(depth: depth + 1))
        case 0x30:
            let keyspace = try self.string("a keyspace's name")
            let name = try self.string("a type's name")
            let count = try self.count(of: UInt16.self, eachAtLeast: 4, "the fields of a type")
            var fields: [CQLUserType.Field] = []
            fields.reserveCapacity(count)
            for _ in 0..<count {
                let field = try self.string("a field's name")
                fields.append(CQLUserType.Field(name: field, type: try self.type(depth: depth + 1)))
            }
            return .udt(CQLUserType(keyspace: keyspace, name: name, fields: fields))
        case 0x31:
            let count = try self.count(of: UInt16.self, eachAtLeast: 2, "the parts of a tuple")
            var types: [CQLType] = []
            types.reserveCapacity(count)
            for _ in 0..<count { types.append(try self.type(depth: depth + 1)) }
            return .tuple(types)
        case let code: throw .malformed("type \(code) is not known")
        }
    }
}
