internal import FoundationEssentials
internal import PerdureModel
internal import PerdureState

/// Messages as JSON, much as protobuf's own mapping has it: 64-bit numbers as text, bytes as base64, enumerations by name.
///
/// Fields that are not set are left out. One that the descriptors do not know stands under its number, as `#7`.
struct MessageText: Sendable {
    let descriptors: DescriptorSet

    /// The same bound as in other implementations of protobuf.
    private static let maximumDepth = 100

    /// The message in a payload; nil where its type is none of the set's, or it is no message.
    func text(of payload: StatePayload) -> String? {
        if payload.manifest.utf8.elementsEqual(ProtobufAny.messageName.utf8) {
            return payload.bytes.withUnsafeBytes { try? self.any($0, depth: 0) }?.text
        }
        guard self.descriptors.messages[payload.manifest] != nil else { return nil }
        return payload.bytes.withUnsafeBytes { try? self.message($0, payload.manifest, depth: 0) }?.text
    }

    /// The payload is not what its type says.
    private struct Unreadable: Error {}

    private func any(_ bytes: UnsafeRawBufferPointer, depth: Int) throws -> JSONText {
        let any = try ProtobufAny(parsing: bytes)
        let name = String(decoding: bytes[any.typeName(in: bytes)], as: UTF8.self)
        let url = String(decoding: bytes[any.typeURL], as: UTF8.self)
        let value = UnsafeRawBufferPointer(rebasing: bytes[any.value])
        guard self.descriptors.messages[name] != nil else {
            // At the top a dump says more.
            if depth == 0 { throw Unreadable() }
            return .object([("@type", .string(url)), ("value", Self.base64(value))])
        }
        return .object([("@type", .string(url))] + (try self.fields(value, name, depth: depth + 1)))
    }

    private func message(_ bytes: UnsafeRawBufferPointer, _ name: String, depth: Int) throws -> JSONText {
        if name == ProtobufAny.messageName { return try self.any(bytes, depth: depth + 1) }
        return .object(try self.fields(bytes, name, depth: depth + 1))
    }

    private func fields(
        _ bytes: UnsafeRawBufferPointer, _ name: String, depth: Int
    ) throws -> [(String, JSONText)] {
        guard depth < Self.maximumDepth, let type = self.descriptors.messages[name] else { throw Unreadable() }
        var values: [[JSONText]] = Array(repeating: [], count: type.fields.count)
        var entries: [[(String, JSONText)]] = Array(repeating: [], count: type.fields.count)
        var unknown: [(String, JSONText)] = []
        var reader = ProtobufReader(bytes)
        while let found = try reader.next() {
            guard let place = type.field(found.number) else {
                unknown.append(("#\(found.number)", Self.raw(found.value, bytes)))
                continue
            }
            let field = type.fields[place]
            if case .bytes(let range) = found.value {
                let part = UnsafeRawBufferPointer(rebasing: bytes[range])
                if field.kind == .message, self.descriptors.messages[field.typeName]?.isMapEntry == true {
                    entries[place].append(try self.entry(part, field.typeName, depth: depth + 1))
                } else if field.isRepeated, field.kind.isPackable {
                    values[place] += try self.packed(part, field)
                } else {
                    values[place].append(try self.contents(part, field, depth: depth))
                }
            } else {
                values[place].append(self.number(found.value, field))
            }
        }
        var fields: [(String, JSONText)] = []
        for (place, field) in type.fields.enumerated() {
            if !entries[place].isEmpty {
                fields.append((field.name, .object(entries[place])))
            } else if field.isRepeated {
                if !values[place].isEmpty { fields.append((field.name, .array(values[place]))) }
            } else if let last = values[place].last {
                fields.append((field.name, last))
            }
        }
        return fields + unknown
    }

    /// An entry of a map; what is missing in it has its type's default.
    private func entry(_ bytes: UnsafeRawBufferPointer, _ name: String, depth: Int) throws -> (String, JSONText) {
        let fields = Dictionary(try self.fields(bytes, name, depth: depth), uniquingKeysWith: { $1 })
        guard let type = self.descriptors.messages[name] else { throw Unreadable() }
        func value(_ number: Int) -> JSONText {
            guard let place = type.field(number) else { return .null }
            let field = type.fields[place]
            return fields[field.name] ?? field.kind.emptyText
        }
        let key = value(1).text
        return (key.hasPrefix("\"") ? String(key.dropFirst().dropLast()) : key, value(2))
    }

    /// What has a length.
    private func contents(
        _ bytes: UnsafeRawBufferPointer, _ field: DescriptorSet.Field, depth: Int
    ) throws -> JSONText {
        switch field.kind {
        case .string: return .string(String(decoding: bytes, as: UTF8.self))
        case .message: return try self.message(bytes, field.typeName, depth: depth)
        default: return Self.base64(bytes)
        }
    }

    private func packed(_ bytes: UnsafeRawBufferPointer, _ field: DescriptorSet.Field) throws -> [JSONText] {
        // Read as fields of one number: a tag before each is all that they lack.
        let width = field.kind.width
        var tagged: [UInt8] = []
        var offset = 0
        while offset < bytes.count {
            let start = offset
            if let width {
                offset += width
            } else {
                while offset < bytes.count, bytes[offset] >= 0x80 { offset += 1 }
                offset += 1
            }
            guard offset <= bytes.count else { throw Unreadable() }
            tagged.append(UInt8(8 | (width == nil ? 0 : width == 8 ? 1 : 5)))
            tagged += bytes[start..<offset]
        }
        return try tagged.withUnsafeBytes { tagged in
            var reader = ProtobufReader(tagged)
            var values: [JSONText] = []
            while let found = try reader.next() { values.append(self.number(found.value, field)) }
            return values
        }
    }

    /// What has no length.
    private func number(_ value: ProtobufReader.Value, _ field: DescriptorSet.Field) -> JSONText {
        switch (field.kind, value) {
        case (.bool, .varint(let bits)): return .bool(bits != 0)
        case (.int32, .varint(let bits)): return .number(Int32(truncatingIfNeeded: bits))
        case (.uint32, .varint(let bits)): return .number(UInt32(truncatingIfNeeded: bits))
        case (.sint32, .varint(let bits)): return .number(Int32(truncatingIfNeeded: Self.unfolded(bits)))
        case (.int64, .varint(let bits)): return .string("\(Int64(bitPattern: bits))")
        case (.uint64, .varint(let bits)): return .string("\(bits)")
        case (.sint64, .varint(let bits)): return .string("\(Self.unfolded(bits))")
        case (.enumeration, .varint(let bits)):
            let index = Int32(truncatingIfNeeded: bits)
            return self.descriptors.enumerations[field.typeName]?[index].map { .string($0) } ?? .number(index)
        case (.fixed32, .fixed32(let bits)): return .number(bits)
        case (.sfixed32, .fixed32(let bits)): return .number(Int32(bitPattern: bits))
        case (.float, .fixed32(let bits)): return Self.floating("\(Float(bitPattern: bits))")
        case (.fixed64, .fixed64(let bits)): return .string("\(bits)")
        case (.sfixed64, .fixed64(let bits)): return .string("\(Int64(bitPattern: bits))")
        case (.double, .fixed64(let bits)): return Self.floating("\(Double(bitPattern: bits))")
        // Written by another version of the type.
        case (_, .varint(let bits)), (_, .fixed64(let bits)): return .string("\(bits)")
        case (_, .fixed32(let bits)): return .number(bits)
        case (_, .bytes), (_, .group): return .null
        }
    }

    /// Numbers that JSON has no word for are texts.
    private static func floating(_ text: String) -> JSONText {
        switch text {
        case "nan", "-nan": .string("NaN")
        case "inf": .string("Infinity")
        case "-inf": .string("-Infinity")
        default: .verbatim(text)
        }
    }

    private static func unfolded(_ bits: UInt64) -> Int64 {
        Int64(bitPattern: bits >> 1) ^ -Int64(bitPattern: bits & 1)
    }

    private static func raw(_ value: ProtobufReader.Value, _ bytes: UnsafeRawBufferPointer) -> JSONText {
        switch value {
        case .varint(let bits), .fixed64(let bits): .string("\(bits)")
        case .fixed32(let bits): .number(bits)
        case .bytes(let range): Self.base64(UnsafeRawBufferPointer(rebasing: bytes[range]))
        case .group: .null
        }
    }

    private static func base64(_ bytes: UnsafeRawBufferPointer) -> JSONText {
        .string(Data(bytes).base64EncodedString())
    }
}

extension DescriptorSet.Kind {
    /// How many bytes a number has; nil where it tells by itself.
    fileprivate var width: Int? {
        switch self {
        case .fixed64, .sfixed64, .double: 8
        case .fixed32, .sfixed32, .float: 4
        default: nil
        }
    }

    /// Whether several may stand behind each other without tags.
    fileprivate var isPackable: Bool {
        switch self {
        case .string, .bytes, .message, .group: false
        default: true
        }
    }

    /// The default, where an entry of a map lacks it.
    fileprivate var emptyText: JSONText {
        switch self {
        case .string, .bytes: .string("")
        case .message, .group: .object([])
        case .bool: .bool(false)
        case .int64, .uint64, .sint64, .fixed64, .sfixed64: .string("0")
        default: .number(0)
        }
    }
}
