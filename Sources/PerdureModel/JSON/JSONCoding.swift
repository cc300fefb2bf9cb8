// The only file that imports Foundation's smaller half; the rest of the module is free of it.
internal import FoundationEssentials

/// Bytes to values and back, through the JSON coders of Foundation.
///
/// A coder is made for each call: they are classes with settings, and making one costs little beside using it.
enum JSONCoding {
    /// The same value gives the same bytes: keys are sorted, and nothing is put in for looks.
    static func encode(_ value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try [UInt8](encoder.encode(value))
    }

    static func decode<Value: Decodable>(_ type: Value.Type, from bytes: [UInt8]) throws -> Value {
        try JSONDecoder().decode(type, from: Data(bytes))
    }
}
