/// Any value of CQL, for code that learns at run time what it handles.
///
/// Where the type is known beforehand, Swift's own types do with less: see ``CQLEncodable``.
public indirect enum CQLValue: Sendable, Hashable {
    /// No value.
    case null
    /// For binding only: leaves the column as it is. Alone among the cases it is never read, and cannot stand within
    /// another value.
    case unset
    /// Zero bytes in a column whose type has no such value; older tools could store that.
    case empty
    /// US-ASCII text.
    case ascii(String)
    /// 64-bit signed integer.
    case bigint(Int64)
    /// Any bytes.
    case blob([UInt8])
    /// True or false.
    case boolean(Bool)
    /// The value of a counter column.
    case counter(Int64)
    /// A day.
    case date(CQLDate)
    /// A decimal number of any size.
    case decimal(CQLDecimal)
    /// 64-bit floating point.
    case double(Double)
    /// Months, days and nanoseconds.
    case duration(CQLDuration)
    /// 32-bit floating point.
    case float(Float)
    /// An IP address.
    case inet(CQLInet)
    /// 32-bit signed integer.
    case int(Int32)
    /// 16-bit signed integer.
    case smallint(Int16)
    /// UTF-8 text.
    case text(String)
    /// A time of day.
    case time(CQLTime)
    /// A point in time.
    case timestamp(CQLTimestamp)
    /// A UUID of version 1.
    case timeuuid(CQLUUID)
    /// 8-bit signed integer.
    case tinyint(Int8)
    /// Any UUID.
    case uuid(CQLUUID)
    /// An integer of any size.
    case varint(CQLVarint)
    /// A list, in order.
    case list([CQLValue])
    /// A set, in the order in which it came.
    case set([CQLValue])
    /// A map, in the order in which it came.
    case map([Entry])
    /// A tuple; parts may be null.
    case tuple([CQLValue])
    /// A user-defined type: its fields in order; they may be null, and the last ones may be missing.
    case udt([CQLValue])
    /// A value of a type that the protocol has no number for, as bytes.
    case custom([UInt8])

    /// A key and its value in a map.
    public struct Entry: Sendable, Hashable {
        /// The key.
        public var key: CQLValue
        /// The value.
        public var value: CQLValue

        /// Makes an entry.
        public init(key: CQLValue, value: CQLValue) {
            self.key = key
            self.value = value
        }
    }
}

extension CQLValue: CQLEncodable {
    /// Whether this is ``null``.
    public var isCQLNull: Bool {
        if case .null = self { true } else { false }
    }

    /// Writes a value of any type; without `type` the case decides.
    ///
    /// - Throws: ``CQLProtocolError`` where the case is not that of `type`, for ``unset``, and for null within a list, set
    ///   or map.
    public func encodeCQL(into buffer: inout CQLBuffer, as type: CQLType?) throws(CQLProtocolError) {
        switch self {
        case .null: break
        case .unset: throw .mismatch("unset can be bound to a marker only, not stand within a value")
        case .empty: break
        case .ascii(let value), .text(let value): try value.encodeCQL(into: &buffer, as: type)
        case .bigint(let value), .counter(let value): try value.encodeCQL(into: &buffer, as: type)
        case .blob(let value), .custom(let value): try value.encodeCQL(into: &buffer, as: type)
        case .boolean(let value): try value.encodeCQL(into: &buffer, as: type)
        case .date(let value): try value.encodeCQL(into: &buffer, as: type)
        case .decimal(let value): try value.encodeCQL(into: &buffer, as: type)
        case .double(let value): try value.encodeCQL(into: &buffer, as: type)
        case .duration(let value): try value.encodeCQL(into: &buffer, as: type)
        case .float(let value): try value.encodeCQL(into: &buffer, as: type)
        case .inet(let value): try value.encodeCQL(into: &buffer, as: type)
        case .int(let value): try value.encodeCQL(into: &buffer, as: type)
        case .smallint(let value): try value.encodeCQL(into: &buffer, as: type)
        case .time(let value): try value.encodeCQL(into: &buffer, as: type)
        case .timestamp(let value): try value.encodeCQL(into: &buffer, as: type)
        case .timeuuid(let value), .uuid(let value): try value.encodeCQL(into: &buffer, as: type)
        case .tinyint(let value): try value.encodeCQL(into: &buffer, as: type)
        case .varint(let value): try value.encodeCQL(into: &buffer, as: type)
        case .list(let elements), .set(let elements): try elements.encodeCQL(into: &buffer, as: type)
        case .map(let entries):
            var types: (CQLType?, CQLType?) = (nil, nil)
            switch type {
            case nil: break
            case .map(let key, let value): types = (key, value)
            case let type?: throw .cannotEncode("a map", as: type)
            }
            try buffer.append(count: entries.count)
            for entry in entries {
                try buffer.append(element: entry.key, as: types.0)
                try buffer.append(element: entry.value, as: types.1)
            }
        case .tuple(let parts), .udt(let parts):
            var types: [CQLType]?
            switch type {
            case nil: break
            case .tuple(let all): types = all
            case .udt(let user): types = user.fields.map(\.type)
            case let type?: throw .cannotEncode("a tuple or a user-defined type", as: type)
            }
            if let types, parts.count > types.count {
                throw .mismatch("\(parts.count) parts cannot be written as a type of \(types.count)")
            }
            for (index, part) in parts.enumerated() { try buffer.append(value: part, as: types?[index]) }
        }
    }
}

extension CQLValue: CQLDecodable {
    /// Reads a value of any type, null and the empty value included.
    ///
    /// - Throws: ``CQLProtocolError`` where `type` is not known, or the bytes are not of that type.
    public static func decodeCQL(
        _ bytes: UnsafeRawBufferPointer?, as type: CQLType?
    ) throws(CQLProtocolError) -> CQLValue {
        guard let bytes else { return .null }
        guard let type else { throw .mismatch("a CQLValue can be read only where the column's type is known") }
        if bytes.isEmpty {
            switch type {
            case .ascii, .varchar, .blob, .custom, .tuple, .udt: break
            default: return .empty
            }
        }
        switch type {
        case .custom: return .custom([UInt8](bytes))
        case .ascii: return .ascii(try .decodeCQL(bytes, as: nil))
        case .bigint: return .bigint(try .decodeCQL(bytes, as: nil))
        case .blob: return .blob([UInt8](bytes))
        case .boolean: return .boolean(try .decodeCQL(bytes, as: nil))
        case .counter: return .counter(try .decodeCQL(bytes, as: nil))
        case .decimal: return .decimal(try .decodeCQL(bytes, as: nil))
        case .double: return .double(try .decodeCQL(bytes, as: nil))
        case .float: return .float(try .decodeCQL(bytes, as: nil))
        case .int: return .int(try .decodeCQL(bytes, as: nil))
        case .timestamp: return .timestamp(try .decodeCQL(bytes, as: nil))
        case .uuid: return .uuid(try .decodeCQL(bytes, as: nil))
        case .varchar: return .text(try .decodeCQL(bytes, as: nil))
        case .varint: return .varint(try .decodeCQL(bytes, as: nil))
        case .timeuuid: return .timeuuid(try .decodeCQL(bytes, as: nil))
        case .inet: return .inet(try .decodeCQL(bytes, as: nil))
        case .date: return .date(try .decodeCQL(bytes, as: nil))
        case .time: return .time(try .decodeCQL(bytes, as: nil))
        case .smallint: return .smallint(try .decodeCQL(bytes, as: nil))
        case .tinyint: return .tinyint(try .decodeCQL(bytes, as: nil))
        case .duration: return .duration(try .decodeCQL(bytes, as: nil))
        case .list: return .list(try .decodeCQL(bytes, as: type))
        case .set: return .set(try .decodeCQL(bytes, as: type))
        case .map(let keyType, let valueType):
            var reader = WireReader(bytes)
            let count = try reader.count(of: Int32.self, eachAtLeast: 8, "a map")
            var entries: [Entry] = []
            entries.reserveCapacity(count)
            for _ in 0..<count {
                let key = try CQLValue.decodeCQL(try reader.bytesOrNull("a key"), as: keyType)
                entries.append(Entry(key: key, value: try .decodeCQL(try reader.bytesOrNull("a value"), as: valueType)))
            }
            return .map(entries)
        case .tuple(let types): return .tuple(try Self.parts(bytes, types))
        case .udt(let user): return .udt(try Self.parts(bytes, user.fields.map(\.type)))
        }
    }

    /// As many parts as there are; a value written before its type got more fields has fewer.
    private static func parts(
        _ bytes: UnsafeRawBufferPointer, _ types: [CQLType]
    ) throws(CQLProtocolError) -> [CQLValue] {
        var reader = WireReader(bytes)
        var parts: [CQLValue] = []
        for type in types where reader.remaining > 0 {
            parts.append(try CQLValue.decodeCQL(try reader.bytesOrNull("a part of a tuple or type"), as: type))
        }
        return parts
    }
}
