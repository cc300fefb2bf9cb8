import Testing

@testable import PerdureCQL

@Suite struct CQLValueTests {
    static let address = CQLType.udt(
        CQLUserType(
            keyspace: "shop", name: "address",
            fields: [
                CQLUserType.Field(name: "street", type: .text), CQLUserType.Field(name: "zip", type: .int),
                CQLUserType.Field(name: "tags", type: .set(.text)),
            ]))

    /// Every vector, with what it means.
    static func meaning(of key: String) -> (CQLType, CQLValue)? {
        let parts = key.split(separator: ".", maxSplits: 1).map(String.init)
        let rest = parts.count > 1 ? parts[1] : ""
        switch parts[0] {
        case "ascii": return (.ascii, .ascii("ascii!"))
        case "text": return (.text, .text(rest == "empty" ? "" : "h\u{e9}llo \u{1F600}"))
        case "bigint": return Int64(rest).map { (.bigint, .bigint($0)) }
        case "counter": return (.counter, .counter(42))
        case "blob": return (.blob, .blob([UInt8](0...255)))
        case "boolean": return (.boolean, .boolean(rest == "true"))
        case "date": return Int32(rest).map { (.date, .date(CQLDate(daysSince1970: $0))) }
        case "decimal":
            let numbers: [String: (CQLVarint, Int32)] = [
                "0": (CQLVarint(0), 0), "1.5": (CQLVarint(15), 1), "-1.5": (CQLVarint(-15), 1),
                "123456789012345678901234567890.123": (
                    CQLVarint(bytes: [UInt8](hex: "06163e665beb7ca6a2e1a64244cb")), 3
                ),
                "1E+10": (CQLVarint(1), -10), "-0.001": (CQLVarint(-1), 3), "99.99": (CQLVarint(9999), 2),
            ]
            return numbers[rest].map { (.decimal, .decimal(CQLDecimal(unscaled: $0.0, scale: $0.1))) }
        case "double": return Double(rest).map { (.double, .double($0)) }
        case "float": return Float(rest).map { (.float, .float($0)) }
        case "duration":
            let numbers = rest.split(separator: ".").compactMap { Int64($0) }
            guard numbers.count == 3 else { return nil }
            let duration = CQLDuration(
                months: Int32(numbers[0]), days: Int32(numbers[1]), nanoseconds: numbers[2])
            return (.duration, .duration(duration))
        case "inet": return CQLInet(rest).map { (.inet, .inet($0)) }
        case "int": return Int32(rest).map { (.int, .int($0)) }
        case "smallint": return Int16(rest).map { (.smallint, .smallint($0)) }
        case "tinyint": return Int8(rest).map { (.tinyint, .tinyint($0)) }
        case "time": return Int64(rest).map { (.time, .time(CQLTime(nanosecondsSinceMidnight: $0))) }
        case "timestamp": return Int64(rest).map { (.timestamp, .timestamp(CQLTimestamp(unixMilliseconds: $0))) }
        case "timeuuid":
            return CQLUUID("f81d4fae-7dec-11d0-a765-00a0c91e6bf6").map { (.timeuuid, .timeuuid($0)) }
        case "uuid": return CQLUUID("f81d4fae-7dec-41d0-a765-00a0c91e6bf6").map { (.uuid, .uuid($0)) }
        case "varint":
            let large: [String: String] = [
                "9223372036854775808": "008000000000000000", "1180591620717411303424": "400000000000000000",
                "-1180591620717411303424": "c00000000000000000",
            ]
            if let hex = large[rest] { return (.varint, .varint(CQLVarint(bytes: [UInt8](hex: hex)))) }
            return Int64(rest).map { (.varint, .varint(CQLVarint($0))) }
        case "list" where rest == "nested":
            return (
                .list(.list(.text)),
                .list([.list([.text("a")]), .list([]), .list([.text("b"), .text("c")])])
            )
        case "list": return (.list(.int), .list(rest == "empty" ? [] : [.int(1), .int(-2), .int(3)]))
        case "set": return (.set(.text), .set([.text("a"), .text("b"), .text("c")]))
        case "map":
            let inner = CQLValue.map([CQLValue.Entry(key: .int(1), value: .text("x"))])
            return (
                .map(.text, .map(.int, .text)),
                .map([
                    CQLValue.Entry(key: .text("one"), value: inner),
                    CQLValue.Entry(key: .text("two"), value: .map([])),
                ])
            )
        case "tuple": return (.tuple([.int, .text, .boolean]), .tuple([.int(1), .null, .boolean(true)]))
        case "udt" where rest == "null": return (Self.address, .udt([.text("Main St"), .null, .null]))
        case "udt": return (Self.address, .udt([.text("Main St"), .int(12345), .set([.text("home")])]))
        default: return nil
        }
    }

    static let keys = Vector.all.map(\.key).filter { $0.hasPrefix("value.") }

    @Test("reads and writes what another implementation writes", arguments: Self.keys)
    func vectors(key: String) throws {
        let bytes = try Vector.bytes(key)
        let (type, value) = try #require(Self.meaning(of: String(key.dropFirst("value.".count))))
        let decoded = try bytes.lend { bytes throws(CQLProtocolError) in try CQLValue.decodeCQL(bytes, as: type) }
        #expect(decoded == value)
        var buffer = CQLBuffer()
        try value.encodeCQL(into: &buffer, as: type)
        #expect(buffer.withUnsafeBytes { [UInt8]($0) }.hex == bytes.hex)
    }

    @Test("there are vectors of every type") func complete() {
        let kinds = Set(Self.keys.map { $0.split(separator: ".")[1] })
        #expect(kinds.count == 25, "\(kinds.sorted())")
    }

    @Test("a value that ends too early throws, at every length", arguments: Self.keys)
    func truncation(key: String) throws {
        let bytes = try Vector.bytes(key)
        let (type, value) = try #require(Self.meaning(of: String(key.dropFirst("value.".count))))
        for count in 0..<bytes.count {
            let part = [UInt8](bytes[..<count])
            let decoded = try? part.lend { bytes throws(CQLProtocolError) in try CQLValue.decodeCQL(bytes, as: type) }
            #expect(decoded != value)
        }
    }

    @Test("Swift's own types read and write their own columns, and no others") func scalars() throws {
        func roundTrip<Value: CQLEncodable & CQLDecodable & Equatable>(_ value: Value, _ type: CQLType) throws {
            var buffer = CQLBuffer()
            try buffer.append(value: value, as: type)
            let bytes = buffer.withUnsafeBytes { [UInt8]($0) }
            let back = try bytes.lend { bytes throws(CQLProtocolError) -> Value in
                var reader = WireReader(bytes)
                return try Value.decodeCQL(try reader.bytesOrNull("a value"), as: type)
            }
            #expect(back == value)
            let other: CQLType = type == .inet ? .bigint : .inet
            #expect(throws: CQLProtocolError.self) { try buffer.append(value: value, as: other) }
            #expect(throws: CQLProtocolError.self) {
                try bytes.lend(from: 4) { bytes throws(CQLProtocolError) in try Value.decodeCQL(bytes, as: other) }
            }
        }
        try roundTrip(Int64(-5), .bigint)
        try roundTrip(Int64(5), .counter)
        try roundTrip(Int32.min, .int)
        try roundTrip(Int16.max, .smallint)
        try roundTrip(Int8(-1), .tinyint)
        try roundTrip("h\u{e9}llo", .text)
        try roundTrip([UInt8]([0, 255]), .blob)
        try roundTrip([[UInt8]([1]), []], .list(.blob))
        try roundTrip(true, .boolean)
        try roundTrip(Float(1.5), .float)
        try roundTrip(-0.25, .double)
        try roundTrip(["a": Int32(1), "b": 2], .map(.text, .int))
        try roundTrip(Set([Int64(1), 2]), .set(.bigint))
        try roundTrip(Optional("x"), .text)
        try roundTrip(CQLDate(daysSince1970: -1), .date)
        try roundTrip(CQLUUID(high: 1, low: 2), .uuid)
    }

    @Test("null needs an optional") func null() throws {
        let nothing = try Int64?.decodeCQL(nil, as: .bigint)
        #expect(nothing == nil)
        #expect(throws: CQLProtocolError.self) { try Int64.decodeCQL(nil, as: .bigint) }
        var buffer = CQLBuffer()
        try buffer.append(value: Int64?.none, as: .bigint)
        #expect(buffer.withUnsafeBytes { [UInt8]($0) } == [255, 255, 255, 255])
        #expect(throws: CQLProtocolError.self) { try buffer.append(value: [Int64?.none], as: .list(.bigint)) }
    }

    @Test("numbers of any size tell whether they fit 64 bits") func varints() throws {
        for value in [0, 1, -1, 127, 128, -128, -129, Int64.max, .min] {
            #expect(CQLVarint(value).int64 == value)
        }
        #expect(CQLVarint(bytes: [0, 0x80, 0, 0, 0, 0, 0, 0, 0]).int64 == nil)
        #expect(CQLVarint(bytes: [0xFF, 0x7F, 0, 0, 0, 0, 0, 0, 0]).int64 == nil)
        #expect(CQLVarint(bytes: [0, 0, 0, 0, 0, 0, 0, 0, 0, 5]).int64 == 5)
        #expect(CQLVarint(bytes: [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE]).int64 == -2)
        #expect(CQLVarint(bytes: []).int64 == nil)
    }

    @Test("addresses and UUIDs are read and written in their usual forms") func texts() throws {
        for text in ["::", "::1", "1::", "2001:db8::ff00:42:8329", "1:2:3:4:5:6:7:8", "fe80::1:0:0:2", "1:0:0:2::3"] {
            #expect(CQLInet(text)?.description == text)
        }
        #expect(CQLInet("::ffff:10.0.0.1") == .v6(0, 0xFFFF_0A00_0001))
        for text in [
            "", "1.2.3", "1.2.3.256", "1.2.3.4.5", ":::", "1::2::3", "g::", "12345::", "1:2:3:4:5:6:7", "localhost",
        ] {
            #expect(CQLInet(text) == nil, "\(text)")
        }
        let uuid = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"
        #expect(CQLUUID(uuid)?.description == uuid)
        #expect(CQLUUID(uuid.uppercased())?.description == uuid)
        #expect(CQLUUID("00000000-0000-0000-0000-000000000001")?.description.hasSuffix("1") == true)
        for text in ["", "f81d4fae", uuid + "0", String(uuid.dropLast()), uuid.replacing("-", with: "f")] {
            #expect(CQLUUID(text) == nil)
        }
        #expect(CQLUUID(uuid)?.unixMilliseconds == 854_991_792_216)
        #expect(CQLUUID(high: 0x4000, low: 0).unixMilliseconds == nil)
    }
}
