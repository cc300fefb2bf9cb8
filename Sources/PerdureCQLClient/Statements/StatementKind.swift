/// What a statement does, as far as its words say: for telling what may be done twice.
struct StatementKind: Sendable, Hashable {
    /// It changes nothing.
    var isRead = false
    /// It has a condition (`IF`): doing it twice is not as good as once, whatever the caller says.
    var isConditional = false
    /// It changes the schema.
    var isSchemaChange = false

    /// A write without a condition.
    static let write = StatementKind()

    private init() {}

    /// Looks at the words of a statement outside of texts, quoted names and comments.
    init(_ text: String) {
        var first: [UInt8] = []
        var isFirst = true
        Self.forEachWord(of: text) { word in
            if isFirst {
                first = word.map(Self.lowercased)
                isFirst = false
            } else if word.count == 2, Self.lowercased(word[word.startIndex]) == UInt8(ascii: "i"),
                Self.lowercased(word[word.startIndex + 1]) == UInt8(ascii: "f")
            {
                self.isConditional = true
            }
        }
        switch String(decoding: first, as: UTF8.self) {
        case "select", "list", "describe", "desc":
            self.isRead = true
            self.isConditional = false
        case "insert", "update", "delete", "begin", "apply": break
        case "use": self.isConditional = false
        default:
            // CREATE, ALTER, DROP and what later versions may add; there IF means something else.
            self.isSchemaChange = true
            self.isConditional = false
        }
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }

    private static func isLetter(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F, 0x80...0xFF: true
        default: false
        }
    }

    private static func forEachWord(of text: String, _ body: (ArraySlice<UInt8>) -> Void) {
        let bytes = [UInt8](text.utf8)
        func skip(from start: Int, to end: [UInt8]) -> Int {
            var position = start
            while position < bytes.count {
                if bytes[position...].starts(with: end) { return position + end.count }
                position += 1
            }
            return bytes.count
        }
        var position = 0
        while position < bytes.count {
            let rest = bytes[position...]
            if rest.starts(with: "--".utf8) || rest.starts(with: "//".utf8) {
                position = skip(from: position, to: [0x0A])
            } else if rest.starts(with: "/*".utf8) {
                position = skip(from: position + 2, to: [UInt8]("*/".utf8))
            } else if rest.starts(with: "$$".utf8) {
                position = skip(from: position + 2, to: [UInt8]("$$".utf8))
            } else if bytes[position] == UInt8(ascii: "'") || bytes[position] == UInt8(ascii: "\"") {
                // A doubled quote within is two texts side by side: the same for us.
                position = skip(from: position + 1, to: [bytes[position]])
            } else if Self.isLetter(bytes[position]) {
                let start = position
                while position < bytes.count, Self.isLetter(bytes[position]) { position += 1 }
                body(bytes[start..<position])
            } else {
                position += 1
            }
        }
    }
}
