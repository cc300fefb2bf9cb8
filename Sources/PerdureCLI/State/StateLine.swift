internal import FoundationEssentials
internal import PerdureState

/// A state as a line of JSON.
enum StateLine {
    /// The fields of a line.
    static func fields(of state: DurableState) -> [(String, JSONText)] {
        [
            ("id", .string(state.persistenceID)), ("version", .number(state.version)),
            ("manifest", .string(state.payload.manifest)), ("timestamp", .number(state.timestamp)),
            ("shard", .number(state.shard)), ("payload", .string(Data(state.payload.bytes).base64EncodedString())),
        ]
    }

    /// - Throws: ``LineFault`` that says what is wrong with the line.
    static func parse(_ line: [UInt8]) throws(LineFault) -> DurableState {
        struct Line: Decodable {
            let id: String
            let version: UInt64
            let manifest: String
            let timestamp: Int64?
            let shard: UInt64?
            let payload: String
        }
        let parsed: Line
        do {
            parsed = try JSONDecoder().decode(Line.self, from: Data(line))
        } catch {
            throw LineFault("it is no JSON object with id, version, manifest and payload")
        }
        guard let payload = Data(base64Encoded: parsed.payload) else { throw LineFault("its payload is not base64") }
        return DurableState(
            persistenceID: parsed.id, version: parsed.version,
            payload: StatePayload(manifest: parsed.manifest, bytes: [UInt8](payload)),
            timestamp: parsed.timestamp ?? 0, shard: parsed.shard ?? 0)
    }

    /// What is wrong with a line, in words.
    struct LineFault: Error, CustomStringConvertible {
        let description: String

        init(_ description: String) { self.description = description }
    }

    /// Whether bytes are one JSON value.
    static func isJSON(_ bytes: [UInt8]) -> Bool {
        (try? JSONSerializationProbe.parse(Data(bytes))) != nil
    }

    private enum JSONSerializationProbe: Decodable {
        case value

        init(from decoder: any Decoder) throws { self = .value }

        static func parse(_ data: Data) throws -> Self { try JSONDecoder().decode(Self.self, from: data) }
    }
}
