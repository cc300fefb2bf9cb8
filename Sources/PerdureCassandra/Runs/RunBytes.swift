internal import PerdureCQLClient
internal import PerdureModel
internal import PerdureWorkflow

/// Writes what a row of a run holds besides its key, as one cell, so that replacing it leaves nothing of the old behind.
///
/// A format number, then fields in a fixed order: integers as zigzag LEB128, texts and bytes with their length, what may be missing
/// with a byte before it that says whether it is there.
struct RecordWriter {
    private(set) var bytes: [UInt8] = [1]

    mutating func put(_ value: Int64) {
        var rest = UInt64(bitPattern: (value << 1) ^ (value >> 63))
        while rest >= 0x80 {
            self.bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        self.bytes.append(UInt8(rest))
    }

    mutating func put(_ value: [UInt8]) {
        self.put(Int64(value.count))
        self.bytes += value
    }

    mutating func put(_ text: String) {
        self.put(Int64(text.utf8.count))
        self.bytes += text.utf8
    }

    mutating func put(_ value: Int64?) { self.put(value) { $0.put($1) } }
    mutating func put(_ text: String?) { self.put(text) { $0.put($1) } }

    mutating func put<Value: Codable & Sendable>(json value: Value?) throws(PayloadError) {
        let bytes: [UInt8]? = if let value { try RunValue(value).bytes } else { nil }
        self.put(bytes) { $0.put($1) }
    }

    mutating func put(_ value: StoredValue?) {
        switch value {
        case nil: self.bytes.append(0)
        case .inline(let bytes)?:
            self.bytes.append(1)
            self.put(bytes)
        case .set(let set)?:
            self.bytes.append(2)
            self.put(Int64(bitPattern: set.name.high))
            self.put(Int64(bitPattern: set.name.low))
            self.put(Int64(set.count))
        }
    }

    private mutating func put<Value>(_ value: Value?, _ body: (inout RecordWriter, Value) -> Void) {
        self.bytes.append(value == nil ? 0 : 1)
        if let value { body(&self, value) }
    }
}

/// A value as it is in a run's row: itself, or where it is.
enum StoredValue: Sendable {
    case inline([UInt8])
    case set(ChunkSet)
}

/// Reads what ``RecordWriter`` wrote.
struct RecordReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) throws(CQLProtocolError) {
        self.rest = bytes[...]
        guard self.rest.popFirst() == 1 else { throw Self.unreadable("has a format that this release does not know") }
    }

    static func unreadable(_ what: String) -> CQLProtocolError {
        CQLProtocolError(.valueMismatch, "a row of a run \(what)")
    }

    mutating func integer() throws(CQLProtocolError) -> Int64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), through: 63, by: 7) {
            guard let byte = self.rest.popFirst() else { break }
            value |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1) }
        }
        throw Self.unreadable("ends within a number")
    }

    mutating func bytes() throws(CQLProtocolError) -> [UInt8] {
        let count = try self.integer()
        guard count >= 0, count <= self.rest.count else { throw Self.unreadable("ends within a value") }
        defer { self.rest = self.rest.dropFirst(Int(count)) }
        return Array(self.rest.prefix(Int(count)))
    }

    mutating func text() throws(CQLProtocolError) -> String { String(decoding: try self.bytes(), as: UTF8.self) }

    private mutating func isThere() throws(CQLProtocolError) -> Bool {
        guard let byte = self.rest.popFirst(), byte <= 1 else { throw Self.unreadable("is cut off") }
        return byte == 1
    }

    mutating func optionalInteger() throws(CQLProtocolError) -> Int64? {
        try self.isThere() ? try self.integer() : nil
    }

    mutating func optionalText() throws(CQLProtocolError) -> String? { try self.isThere() ? try self.text() : nil }

    mutating func json<Value: Codable & Sendable>(_ type: Value.Type = Value.self) throws(CQLProtocolError) -> Value? {
        try self.isThere() ? try Self.decoded(try self.bytes()) : nil
    }

    static func decoded<Value: Codable & Sendable>(_ bytes: [UInt8]) throws(CQLProtocolError) -> Value {
        do throws(PayloadError) { return try RunValue(bytes: bytes).decoded() } catch {
            throw Self.unreadable("has something else than a \(Value.self) as JSON")
        }
    }

    mutating func value() throws(CQLProtocolError) -> StoredValue? {
        switch self.rest.popFirst() {
        case 0: return nil
        case 1: return .inline(try self.bytes())
        case 2:
            let name = CQLUUID(
                high: UInt64(bitPattern: try self.integer()), low: UInt64(bitPattern: try self.integer()))
            return .set(ChunkSet(name: name, count: Int(try self.integer())))
        default: throw Self.unreadable("has a value of a kind that this release does not know")
        }
    }
}
