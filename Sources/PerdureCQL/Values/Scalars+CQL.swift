// How Swift's own types travel. Each checks the type of the column where it is known, so that a wrong one is found here
// and not in the server's log.

/// One of the integers that travel as they are.
private protocol CQLInteger: FixedWidthInteger {
    static func fits(_ type: CQLType) -> Bool
    static var cqlName: StaticString { get }
}

extension CQLInteger {
    @inline(__always)
    fileprivate func encode(into buffer: inout CQLBuffer, as type: CQLType?) throws(CQLProtocolError) {
        if let type, !Self.fits(type) { throw .cannotEncode(Self.cqlName, as: type) }
        buffer.append(self)
    }

    @inline(__always)
    fileprivate static func decode(
        _ bytes: UnsafeRawBufferPointer?, as type: CQLType?
    ) throws(CQLProtocolError) -> Self {
        if let type, !Self.fits(type) { throw .cannotDecode(type, Self.cqlName) }
        let bytes = try UnsafeRawBufferPointer.notNull(bytes)
        guard bytes.count == MemoryLayout<Self>.size else { throw .wrongLength(Self.cqlName, bytes.count) }
        return Self(bigEndian: bytes.loadUnaligned(as: Self.self))
    }
}

extension Int64: CQLInteger {
    fileprivate static func fits(_ type: CQLType) -> Bool {
        switch type {
        case .bigint, .counter: true
        default: false
        }
    }
    fileprivate static var cqlName: StaticString { "Int64" }
}
extension Int32: CQLInteger {
    fileprivate static func fits(_ type: CQLType) -> Bool {
        switch type {
        case .int: true
        default: false
        }
    }
    fileprivate static var cqlName: StaticString { "Int32" }
}
extension Int16: CQLInteger {
    fileprivate static func fits(_ type: CQLType) -> Bool {
        switch type {
        case .smallint: true
        default: false
        }
    }
    fileprivate static var cqlName: StaticString { "Int16" }
}
extension Int8: CQLInteger {
    fileprivate static func fits(_ type: CQLType) -> Bool {
        switch type {
        case .tinyint: true
        default: false
        }
    }
    fileprivate static var cqlName: StaticString { "Int8" }
}

extension Int64: CQLEncodable, CQLDecodable {
    /// Writes bigint and counter.
    public func encodeCQL(into buffer: inout CQLBuffer, as type: CQLType?) throws(CQLProtocolError) {
        try self.encode(into: &buffer, as: type)
    }

    /// Reads bigint and counter.
    public static func decodeCQL(
        _ bytes: UnsafeRawBufferPointer?, as type: CQLType?
    ) throws(CQLProtocolError) -> Int64 {
        try Self.decode(bytes, as: type)
    }
}

extension Int32: CQLEncodable, CQLDecodable {
    /// Writes int.
    public func encodeCQL(into buffer: inout CQLBuffer, as type: CQLType?) throws(CQLProtocolError) {
        try self.encode(into: &buffer, as: type)
    }

    /// Reads int.
    public static func decodeCQL(
        _ bytes: UnsafeRawBufferPointer?, as type: CQLType?
    ) throws(CQLProtocolError) -> Int32 {
        try Self.decode(bytes, as: type)
    }
}

extension Int16: CQLEncodable, CQLDecodable {
    /// Writes smallint.
    public func encodeCQL(into buffer: inout CQLBuffer, as type: CQLType?) throws(CQLProtocolError) {
        try self.encode(into: &buffer, as: type)
    }

    /// Reads smallint.
    public static func decodeCQL(
        _ bytes: UnsafeRawBufferPointer?, as type: CQLType?
    ) throws(CQLProtocolError) -> Int16 {
        try Self.decode(bytes, as: type)
    }
}

extension Int8: CQLEncodable, CQLDecodable {
    /// Writes tinyint.
    public func encodeCQL(into buffer: inout CQLBuffer, as type: CQLType?) throws(CQLProtocolError) {
        try self.encode(into: &buffer, as: type)
    }

    /// Reads tinyint.
    public static func decodeCQL(
        _ bytes: UnsafeRawBufferPointer?, as type: CQLType?
    ) throws(CQLProtocolError) -> Int8 {
        try Self.decode(bytes, as: type)
    }
}

extension Bool: CQLEncodable, CQLDecodable {
    /// Writes boolean.
    public func encodeCQL(into buffer: inout CQLBuffer, as type: CQLType?) throws(CQLProtocolError) {
        switch type {
        case nil, .boolean: break
        case let type?: throw .cannotEncode("Bool", as: type)
        }
        buffer.append(self ? UInt8(1) : 0)
    }

    /// Reads boolean.
    public static func decodeCQL(
        _ bytes: UnsafeRawBufferPointer?, as type: CQLType?
    ) throws(CQLProtocolError) -> Bool {
        switch type {
        case nil, .boolean: break
        case let type?: throw .cannotDecode(type, "Bool")
        }
        let bytes = try UnsafeRawBufferPointer.notNull(bytes)
        guard bytes.count == 1 else { throw .wrongLength("Bool", bytes.count) }
        return bytes[0] != 0
    }
}

extension Double: CQLEncodable, CQLDecodable {
    /// Writes double.
    public func encodeCQL(into buffer: inout CQLBuffer, as type: CQLType?) throws(CQLProtocolError) {
        switch type {
        case nil, .double: break
        case let type?: throw .cannotEncode("Double", as: type)
        }
        buffer.append(self.bitPattern)
    }

    /// Reads double.
    public static func decodeCQL(
        _ bytes: UnsafeRawBufferPointer?, as type: CQLType?
    ) throws(CQLProtocolError) -> Double {
        switch type {
        case nil, .double: break
        case let type?: throw .cannotDecode(type, "Double")
        }
        let bytes = try UnsafeRawBufferPointer.notNull(bytes)
        guard bytes.count == 8 else { throw .wrongLength("Double", bytes.count) }
        return Double(bitPattern: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)))
    }
}

extension Float: CQLEncodable, CQLDecodable {
    /// Writes float.
    public func encodeCQL(into buffer: inout CQLBuffer, as type: CQLType?) throws(CQLProtocolError) {
        switch type {
        case nil, .float: break
        case let type?: throw .cannotEncode("Float", as: type)
        }
        buffer.append(self.bitPattern)
    }

    /// Reads float.
    public static func decodeCQL(
        _ bytes: UnsafeRawBufferPointer?, as type: CQLType?
    ) throws(CQLProtocolError) -> Float {
        switch type {
        case nil, .float: break
        case let type?: throw .cannotDecode(type, "Float")
        }
        let bytes = try UnsafeRawBufferPointer.notNull(bytes)
        guard bytes.count == 4 else { throw .wrongLength("Float", bytes.count) }
        return Float(bitPattern: UInt32(bigEndian: bytes.loadUnaligned(as: UInt32.self)))
    }
}

extension String: CQLEncodable, CQLDecodable {
    /// Writes text and ascii.
    public func encodeCQL(into buffer: inout CQLBuffer, as type: CQLType?) throws(CQLProtocolError) {
        switch type {
        case nil, .varchar, .ascii: break
        case let type?: throw .cannotEncode("String", as: type)
        }
        buffer.append(utf8: self)
    }

    /// Reads text and ascii.
    public static func decodeCQL(
        _ bytes: UnsafeRawBufferPointer?, as type: CQLType?
    ) throws(CQLProtocolError) -> String {
        switch type {
        case nil, .varchar, .ascii: break
        case let type?: throw .cannotDecode(type, "String")
        }
        let bytes = try UnsafeRawBufferPointer.notNull(bytes)
        return try String(utf8: bytes, "a text")
    }
}

extension CQLUUID: CQLEncodable, CQLDecodable {
    /// Writes uuid and timeuuid.
    public func encodeCQL(into buffer: inout CQLBuffer, as type: CQLType?) throws(CQLProtocolError) {
        switch type {
        case nil, .uuid, .timeuuid: break
        case let type?: throw .cannotEncode("CQLUUID", as: type)
        }
        buffer.append(self.high)
        buffer.append(self.low)
    }

    /// Reads uuid and timeuuid.
    public static func decodeCQL(
        _ bytes: UnsafeRawBufferPointer?, as type: CQLType?
    ) throws(CQLProtocolError) -> CQLUUID {
        switch type {
        case nil, .uuid, .timeuuid: break
        case let type?: throw .cannotDecode(type, "CQLUUID")
        }
        let bytes = try UnsafeRawBufferPointer.notNull(bytes)
        guard bytes.count == 16 else { throw .wrongLength("CQLUUID", bytes.count) }
        return CQLUUID(
            high: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
            low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
    }
}

extension CQLInet: CQLEncodable, CQLDecodable {
    /// Writes inet.
    public func encodeCQL(into buffer: inout CQLBuffer, as type: CQLType?) throws(CQLProtocolError) {
        switch type {
        case nil, .inet: break
        case let type?: throw .cannotEncode("CQLInet", as: type)
        }
        switch self {
        case .v4(let address): buffer.append(address)
        case .v6(let high, let low):
            buffer.append(high)
            buffer.append(low)
        }
    }

    /// Reads inet.
    public static func decodeCQL(
        _ bytes: UnsafeRawBufferPointer?, as type: CQLType?
    ) throws(CQLProtocolError) -> CQLInet {
        switch type {
        case nil, .inet: break
        case let type?: throw .cannotDecode(type, "CQLInet")
        }
        let bytes = try UnsafeRawBufferPointer.notNull(bytes)
        guard let address = CQLInet(bytes: bytes) else { throw .wrongLength("CQLInet", bytes.count) }
        return address
    }
}

extension CQLDate: CQLEncodable, CQLDecodable {
    /// Writes date.
    public func encodeCQL(into buffer: inout CQLBuffer, as type: CQLType?) throws(CQLProtocolError) {
        switch type {
        case nil, .date: break
        case let type?: throw .cannotEncode("CQLDate", as: type)
        }
        // Unsigned, with 1970 in the middle.
        buffer.append(UInt32(bitPattern: self.daysSince1970) ^ 0x8000_0000)
    }

    /// Reads date.
    public static func decodeCQL(
        _ bytes: UnsafeRawBufferPointer?, as type: CQLType?
    ) throws(CQLProtocolError) -> CQLDate {
        switch type {
        case nil, .date: break
        case let type?: throw .cannotDecode(type, "CQLDate")
        }
        let bytes = try UnsafeRawBufferPointer.notNull(bytes)
        guard bytes.count == 4 else { throw .wrongLength("CQLDate", bytes.count) }
        let days = UInt32(bigEndian: bytes.loadUnaligned(as: UInt32.self))
        return CQLDate(daysSince1970: Int32(bitPattern: days ^ 0x8000_0000))
    }
}

extension CQLTime: CQLEncodable, CQLDecodable {
    /// Writes time.
    public func encodeCQL(into buffer: inout CQLBuffer, as type: CQLType?) throws(CQLProtocolError) {
        switch type {
        case nil, .time: break
        case let type?: throw .cannotEncode("CQLTime", as: type)
        }
        buffer.append(self.nanosecondsSinceMidnight)
    }

    /// Reads time.
    public static func decodeCQL(
        _ bytes: UnsafeRawBufferPointer?, as type: CQLType?
    ) throws(CQLProtocolError) -> CQLTime {
        switch type {
        case nil, .time: break
        case let type?: throw .cannotDecode(type, "CQLTime")
        }
        let bytes = try UnsafeRawBufferPointer.notNull(bytes)
        guard bytes.count == 8 else { throw .wrongLength("CQLTime", bytes.count) }
        return CQLTime(nanosecondsSinceMidnight: Int64(bigEndian: bytes.loadUnaligned(as: Int64.self)))
    }
}

extension CQLTimestamp: CQLEncodable, CQLDecodable {
    /// Writes timestamp.
    public func encodeCQL(into buffer: inout CQLBuffer, as type: CQLType?) throws(CQLProtocolError) {
        switch type {
        case nil, .timestamp: break
        case let type?: throw .cannotEncode("CQLTimestamp", as: type)
        }
        buffer.append(self.unixMilliseconds)
    }

    /// Reads timestamp.
    public static func decodeCQL(
        _ bytes: UnsafeRawBufferPointer?, as type: CQLType?
    ) throws(CQLProtocolError) -> CQLTimestamp {
        switch type {
        case nil, .timestamp: break
        case let type?: throw .cannotDecode(type, "CQLTimestamp")
        }
        let bytes = try UnsafeRawBufferPointer.notNull(bytes)
        guard bytes.count == 8 else { throw .wrongLength("CQLTimestamp", bytes.count) }
        return CQLTimestamp(unixMilliseconds: Int64(bigEndian: bytes.loadUnaligned(as: Int64.self)))
    }
}

extension CQLDuration: CQLEncodable, CQLDecodable {
    /// Writes duration.
    public func encodeCQL(into buffer: inout CQLBuffer, as type: CQLType?) throws(CQLProtocolError) {
        switch type {
        case nil, .duration: break
        case let type?: throw .cannotEncode("CQLDuration", as: type)
        }
        buffer.append(vint: Int64(self.months))
        buffer.append(vint: Int64(self.days))
        buffer.append(vint: self.nanoseconds)
    }

    /// Reads duration.
    public static func decodeCQL(
        _ bytes: UnsafeRawBufferPointer?, as type: CQLType?
    ) throws(CQLProtocolError) -> CQLDuration {
        switch type {
        case nil, .duration: break
        case let type?: throw .cannotDecode(type, "CQLDuration")
        }
        let bytes = try UnsafeRawBufferPointer.notNull(bytes)
        var reader = WireReader(bytes)
        let months = Int32(exactly: try reader.vint("a duration"))
        let days = Int32(exactly: try reader.vint("a duration"))
        let nanoseconds = try reader.vint("a duration")
        guard let months, let days, reader.remaining == 0 else { throw .wrongLength("CQLDuration", bytes.count) }
        return CQLDuration(months: months, days: days, nanoseconds: nanoseconds)
    }
}

extension CQLVarint: CQLEncodable, CQLDecodable {
    /// Writes varint.
    public func encodeCQL(into buffer: inout CQLBuffer, as type: CQLType?) throws(CQLProtocolError) {
        switch type {
        case nil, .varint: break
        case let type?: throw .cannotEncode("CQLVarint", as: type)
        }
        if self.bytes.isEmpty { throw .mismatch("a CQLVarint needs at least one byte") }
        buffer.append(bytes: self.bytes)
    }

    /// Reads varint.
    public static func decodeCQL(
        _ bytes: UnsafeRawBufferPointer?, as type: CQLType?
    ) throws(CQLProtocolError) -> CQLVarint {
        switch type {
        case nil, .varint: break
        case let type?: throw .cannotDecode(type, "CQLVarint")
        }
        let bytes = try UnsafeRawBufferPointer.notNull(bytes)
        guard !bytes.isEmpty else { throw .wrongLength("CQLVarint", 0) }
        return CQLVarint(bytes: [UInt8](bytes))
    }
}

extension CQLDecimal: CQLEncodable, CQLDecodable {
    /// Writes decimal.
    public func encodeCQL(into buffer: inout CQLBuffer, as type: CQLType?) throws(CQLProtocolError) {
        switch type {
        case nil, .decimal: break
        case let type?: throw .cannotEncode("CQLDecimal", as: type)
        }
        buffer.append(self.scale)
        try self.unscaled.encodeCQL(into: &buffer, as: nil)
    }

    /// Reads decimal.
    public static func decodeCQL(
        _ bytes: UnsafeRawBufferPointer?, as type: CQLType?
    ) throws(CQLProtocolError) -> CQLDecimal {
        switch type {
        case nil, .decimal: break
        case let type?: throw .cannotDecode(type, "CQLDecimal")
        }
        let bytes = try UnsafeRawBufferPointer.notNull(bytes)
        var reader = WireReader(bytes)
        let scale = try reader.integer(Int32.self, "a decimal")
        let unscaled = try reader.lend(reader.remaining, "a decimal")
        return CQLDecimal(unscaled: try CQLVarint.decodeCQL(unscaled, as: nil), scale: scale)
    }
}
