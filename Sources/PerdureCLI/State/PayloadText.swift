internal import PerdureState

/// A payload as a person can read it.
enum PayloadText: Equatable {
    /// JSON, as it is stored, on one line.
    case json(String)
    /// Anything else, as the lines of a hex dump.
    case hex([String])

    init(_ payload: StatePayload) {
        if let line = Self.jsonLine(payload.bytes) {
            self = .json(line)
        } else {
            self = .hex(Self.dump(payload.bytes))
        }
    }

    /// Bytes that are JSON, as they are, on one line; nil for others.
    static func jsonLine(_ bytes: [UInt8]) -> String? {
        guard StateLine.isJSON(bytes) else { return nil }
        // In JSON a line break can only be a blank between two words.
        let line = bytes.map { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") ? UInt8(ascii: " ") : $0 }
        return String(decoding: line, as: UTF8.self)
    }

    /// Offset, sixteen bytes, and what of them is printable.
    static func dump(_ bytes: [UInt8]) -> [String] {
        stride(from: 0, to: bytes.count, by: 16).map { start in
            let row = bytes[start..<min(start + 16, bytes.count)]
            let digits = row.map { self.hex($0) }.joined(separator: " ")
            let padding = String(repeating: " ", count: 16 * 3 - 1 - digits.count)
            let text = String(decoding: row.map { (0x20..<0x7F).contains($0) ? $0 : UInt8(ascii: ".") }, as: UTF8.self)
            let offset = String(start, radix: 16)
            return String(repeating: "0", count: max(0, 8 - offset.count)) + offset + "  \(digits)\(padding)  |\(text)|"
        }
    }

    private static func hex(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }
}
