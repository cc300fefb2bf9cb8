internal import FoundationEssentials
internal import PerdureModel

/// Values of runs to bytes and back.
///
/// The only file of the module that imports Foundation's smaller half.
enum RunValueCoding {
    /// The same value gives the same bytes: keys are sorted.
    static func encode(_ value: some Encodable) throws(PayloadError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return [UInt8](try encoder.encode(value))
        } catch {
            throw PayloadError(
                .encodingFailed, message: "a value of the type \(type(of: value)) cannot be written as JSON",
                underlying: error)
        }
    }

    static func decode<Value: Decodable>(_ type: Value.Type, from bytes: [UInt8]) throws(PayloadError) -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch {
            throw PayloadError(
                .malformed, message: "what is stored is not a \(type) as JSON", underlying: error)
        }
    }
}
