internal import PerdureModel

/// What a `google.protobuf.FileDescriptorSet` says of messages and enumerations, as far as it takes to read payloads.
///
/// Made by `protoc --include_imports --descriptor_set_out=FILE`.
struct DescriptorSet: Sendable {
    /// A message's type: its fields, in the order of their declaration.
    struct Message: Sendable {
        var fields: [Field] = []
        /// Whether it stands for an entry of a map.
        var isMapEntry = false

        func field(_ number: Int) -> Int? { self.fields.firstIndex { $0.number == number } }
    }

    struct Field: Sendable {
        var name = ""
        var number = 0
        var kind = Kind.int32
        var isRepeated = false
        /// The full name of its message or enumeration, without the leading dot.
        var typeName = ""
    }

    /// The types of fields, by their numbers in descriptors.
    enum Kind: UInt64, Sendable {
        case double = 1
        case float, int64, uint64, int32, fixed64, fixed32, bool, string, group, message, bytes, uint32, enumeration
        case sfixed32, sfixed64, sint32, sint64
    }

    /// By their full names.
    private(set) var messages: [String: Message] = [:]
    /// The names of the values, by the full names of their enumerations.
    private(set) var enumerations: [String: [Int32: String]] = [:]

    /// - Throws: ``Malformed`` where the bytes are no descriptor set.
    init(parsing bytes: [UInt8]) throws(Malformed) {
        do {
            try bytes.withUnsafeBytes { raw in
                try Self.forEachField(of: raw) { number, value in
                    if number == 1, case .bytes(let range) = value { try self.addFile(Self.part(raw, range)) }
                }
            }
        } catch {
            throw Malformed("it is no descriptor set: \(error)")
        }
        if self.messages.isEmpty { throw Malformed("it describes no messages") }
    }

    /// The bytes are no descriptor set, or describe something that no program can have made.
    struct Malformed: Error, CustomStringConvertible {
        let description: String

        init(_ description: String) { self.description = description }
    }

    // MARK: Parsing

    private typealias Value = ProtobufReader.Value

    private mutating func addFile(_ file: UnsafeRawBufferPointer) throws {
        var package = ""
        try Self.forEachField(of: file) { number, value in
            if number == 2, case .bytes(let range) = value { package = try Self.text(file, range) }
        }
        try Self.forEachField(of: file) { number, value in
            guard case .bytes(let range) = value else { return }
            if number == 4 { try self.addMessage(Self.part(file, range), in: package, depth: 0) }
            if number == 5 { try self.addEnumeration(Self.part(file, range), in: package) }
        }
    }

    private mutating func addMessage(_ bytes: UnsafeRawBufferPointer, in scope: String, depth: Int) throws {
        // Deeper than anybody nests, and shallow enough for any stack.
        guard depth < 64 else { throw Malformed("messages are nested too deep") }
        let name = try Self.name(of: bytes, in: scope)
        var message = Message()
        try Self.forEachField(of: bytes) { number, value in
            guard case .bytes(let range) = value else { return }
            let part = Self.part(bytes, range)
            switch number {
            case 2: message.fields.append(try Self.field(part))
            case 3: try self.addMessage(part, in: name, depth: depth + 1)
            case 4: try self.addEnumeration(part, in: name)
            case 7:
                try Self.forEachField(of: part) { number, value in
                    if number == 7, case .varint(let flag) = value { message.isMapEntry = flag != 0 }
                }
            default: break
            }
        }
        self.messages[name] = message
    }

    private mutating func addEnumeration(_ bytes: UnsafeRawBufferPointer, in scope: String) throws {
        var values: [Int32: String] = [:]
        try Self.forEachField(of: bytes) { number, value in
            guard number == 2, case .bytes(let range) = value else { return }
            let part = Self.part(bytes, range)
            var (name, index) = ("", Int32(0))
            try Self.forEachField(of: part) { number, value in
                switch (number, value) {
                case (1, .bytes(let range)): name = try Self.text(part, range)
                case (2, .varint(let value)): index = Int32(truncatingIfNeeded: value)
                default: break
                }
            }
            // Of two names of one value the first counts.
            if values[index] == nil { values[index] = name }
        }
        self.enumerations[try Self.name(of: bytes, in: scope)] = values
    }

    private static func field(_ bytes: UnsafeRawBufferPointer) throws -> Field {
        var field = Field()
        var jsonName: String?
        try Self.forEachField(of: bytes) { number, value in
            switch (number, value) {
            case (1, .bytes(let range)): field.name = try Self.text(bytes, range)
            case (3, .varint(let value)): field.number = Int(truncatingIfNeeded: value)
            case (4, .varint(let label)): field.isRepeated = label == 3
            case (5, .varint(let type)):
                guard let kind = Kind(rawValue: type) else { throw Malformed("a field has the unknown type \(type)") }
                field.kind = kind
            case (6, .bytes(let range)): field.typeName = String(try Self.text(bytes, range).drop { $0 == "." })
            case (10, .bytes(let range)): jsonName = try Self.text(bytes, range)
            default: break
            }
        }
        field.name = jsonName ?? field.name
        return field
    }

    private static func name(of bytes: UnsafeRawBufferPointer, in scope: String) throws -> String {
        var name = ""
        try Self.forEachField(of: bytes) { number, value in
            if number == 1, case .bytes(let range) = value { name = try Self.text(bytes, range) }
        }
        return scope.isEmpty ? name : "\(scope).\(name)"
    }

    private static func forEachField(
        of bytes: UnsafeRawBufferPointer, _ body: (Int, Value) throws -> Void
    ) throws {
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() { try body(field.number, field.value) }
    }

    private static func part(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[range])
    }

    private static func text(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) throws -> String {
        try ProtobufReader(bytes).string(range)
    }
}
