extension Optional: CQLEncodable where Wrapped: CQLEncodable {
    /// Writes the value that is there.
    @inlinable
    public func encodeCQL(into buffer: inout CQLBuffer, as type: CQLType?) throws(CQLProtocolError) {
        if let value = self { try value.encodeCQL(into: &buffer, as: type) }
    }

    /// Whether there is no value.
    @inlinable
    public var isCQLNull: Bool {
        if let value = self { value.isCQLNull } else { true }
    }
}

extension Optional: CQLDecodable where Wrapped: CQLDecodable {
    /// Reads a value or null.
    @inlinable
    public static func decodeCQL(
        _ bytes: UnsafeRawBufferPointer?, as type: CQLType?
    ) throws(CQLProtocolError) -> Wrapped? {
        bytes == nil ? nil : try Wrapped.decodeCQL(bytes, as: type)
    }
}

/// A byte is no value by itself (tinyint is `Int8`); an array of bytes is a blob.
extension UInt8: CQLEncodable, CQLDecodable {
    /// Refused: bind an `Int8` to tinyint, and an array of bytes to blob.
    public func encodeCQL(into buffer: inout CQLBuffer, as type: CQLType?) throws(CQLProtocolError) {
        throw .mismatch("a single UInt8 has no type in CQL; use Int8 for tinyint, [UInt8] for blob")
    }

    /// Refused: read tinyint as `Int8`, and blob as an array of bytes.
    public static func decodeCQL(
        _ bytes: UnsafeRawBufferPointer?, as type: CQLType?
    ) throws(CQLProtocolError) -> UInt8 {
        throw .mismatch("a single UInt8 has no type in CQL; use Int8 for tinyint, [UInt8] for blob")
    }

    /// Writes a blob, or what a custom type holds.
    public static func encodeCQLElements(
        _ elements: [UInt8], into buffer: inout CQLBuffer, as type: CQLType?
    ) throws(CQLProtocolError) {
        switch type {
        case nil, .blob, .custom: buffer.append(bytes: elements)
        case let type?: throw .cannotEncode("[UInt8]", as: type)
        }
    }

    /// Reads a blob, or what a custom type holds.
    public static func decodeCQLElements(
        _ bytes: UnsafeRawBufferPointer?, as type: CQLType?
    ) throws(CQLProtocolError) -> [UInt8] {
        switch type {
        case nil, .blob, .custom: return [UInt8](try UnsafeRawBufferPointer.notNull(bytes))
        case let type?: throw .cannotDecode(type, "[UInt8]")
        }
    }
}

extension Array: CQLEncodable where Element: CQLEncodable {
    /// Writes a list or set; an array of bytes is a blob.
    @inlinable
    public func encodeCQL(into buffer: inout CQLBuffer, as type: CQLType?) throws(CQLProtocolError) {
        try Element.encodeCQLElements(self, into: &buffer, as: type)
    }
}

extension Array: CQLDecodable where Element: CQLDecodable {
    /// Reads a list or set; an array of bytes is a blob.
    @inlinable
    public static func decodeCQL(
        _ bytes: UnsafeRawBufferPointer?, as type: CQLType?
    ) throws(CQLProtocolError) -> [Element] {
        try Element.decodeCQLElements(bytes, as: type)
    }
}

extension Set: CQLEncodable where Element: CQLEncodable {
    /// Writes a set, in no order; the server sorts it.
    public func encodeCQL(into buffer: inout CQLBuffer, as type: CQLType?) throws(CQLProtocolError) {
        var elementType: CQLType?
        switch type {
        case nil: break
        case .set(let element): elementType = element
        case let type?: throw .cannotEncode("a Set", as: type)
        }
        try buffer.append(count: self.count)
        for element in self { try buffer.append(element: element, as: elementType) }
    }
}

extension Set: CQLDecodable where Element: CQLDecodable {
    /// Reads a set.
    public static func decodeCQL(
        _ bytes: UnsafeRawBufferPointer?, as type: CQLType?
    ) throws(CQLProtocolError) -> Set<Element> {
        var elementType: CQLType?
        switch type {
        case nil: break
        case .set(let element): elementType = element
        case let type?: throw .cannotDecode(type, "a Set")
        }
        var reader = WireReader(try .notNull(bytes))
        let count = try reader.count(of: Int32.self, eachAtLeast: 4, "a set")
        var set = Set<Element>(minimumCapacity: count)
        for _ in 0..<count {
            set.insert(try Element.decodeCQL(try reader.bytesOrNull("an element"), as: elementType))
        }
        return set
    }
}

extension Dictionary: CQLEncodable where Key: CQLEncodable, Value: CQLEncodable {
    /// Writes a map, in no order; the server sorts it.
    public func encodeCQL(into buffer: inout CQLBuffer, as type: CQLType?) throws(CQLProtocolError) {
        var types: (CQLType?, CQLType?) = (nil, nil)
        switch type {
        case nil: break
        case .map(let key, let value): types = (key, value)
        case let type?: throw .cannotEncode("a Dictionary", as: type)
        }
        try buffer.append(count: self.count)
        for (key, value) in self {
            try buffer.append(element: key, as: types.0)
            try buffer.append(element: value, as: types.1)
        }
    }
}

extension Dictionary: CQLDecodable where Key: CQLDecodable, Value: CQLDecodable {
    /// Reads a map.
    public static func decodeCQL(
        _ bytes: UnsafeRawBufferPointer?, as type: CQLType?
    ) throws(CQLProtocolError) -> [Key: Value] {
        var types: (CQLType?, CQLType?) = (nil, nil)
        switch type {
        case nil: break
        case .map(let key, let value): types = (key, value)
        case let type?: throw .cannotDecode(type, "a Dictionary")
        }
        var reader = WireReader(try .notNull(bytes))
        let count = try reader.count(of: Int32.self, eachAtLeast: 8, "a map")
        var map = [Key: Value](minimumCapacity: count)
        for _ in 0..<count {
            let key = try Key.decodeCQL(try reader.bytesOrNull("a key"), as: types.0)
            map[key] = try Value.decodeCQL(try reader.bytesOrNull("a value"), as: types.1)
        }
        return map
    }
}
