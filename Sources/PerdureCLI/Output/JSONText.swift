/// A value as JSON text.
struct JSONText: Sendable, Equatable {
    let text: String

    private init(_ text: String) { self.text = text }

    static let null = JSONText("null")

    static func bool(_ value: Bool) -> JSONText { JSONText(value ? "true" : "false") }

    static func number(_ value: some BinaryInteger) -> JSONText { JSONText(String(value)) }

    static func number(_ value: Double) -> JSONText { JSONText(value.isFinite ? "\(value)" : "null") }

    static func string(_ value: String) -> JSONText {
        var text = "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case "\u{0}"..<"\u{20}", "\u{7F}":
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        return JSONText(text + "\"")
    }

    /// Text that is JSON already.
    static func verbatim(_ text: String) -> JSONText { JSONText(text) }

    static func optional(_ value: String?) -> JSONText { value.map(self.string) ?? .null }

    static func array(_ values: [JSONText]) -> JSONText {
        JSONText("[" + values.map(\.text).joined(separator: ",") + "]")
    }

    static func object(_ fields: [(String, JSONText)]) -> JSONText {
        JSONText("{" + fields.map { "\(Self.string($0.0).text):\($0.1.text)" }.joined(separator: ",") + "}")
    }
}
