internal import CLibPQ

/// An error as the server, or libpq itself, told it.
struct ServerFault: Error, Sendable {
    /// `ERROR`, `FATAL`, `PANIC`; empty where libpq made the error.
    var severity = ""
    /// Five letters and digits; empty where libpq made the error.
    var state = ""
    var message: String
    var detail: String?
    var hint: String?
    var schema: String?
    var table: String?
    var column: String?
    var constraint: String?
    /// The code inside the database that raised it, innermost first; may quote values.
    var context: String?

    init(_ message: String) { self.message = message }

    /// Whether the server answered a statement with it and goes on: then its transaction is undone for certain.
    var isAnswer: Bool { self.severity == "ERROR" }

    init(_ result: OpaquePointer) {
        func field(_ letter: CInt) -> String? { PQresultErrorField(result, letter).map { String(cString: $0) } }
        self.message = field(cpq_field_message()) ?? Self.trimmed(String(cString: PQresultErrorMessage(result)))
        self.severity = field(cpq_field_severity()) ?? ""
        self.state = field(cpq_field_sqlstate()) ?? ""
        self.detail = field(cpq_field_detail())
        self.hint = field(cpq_field_hint())
        self.schema = field(cpq_field_schema())
        self.table = field(cpq_field_table())
        self.column = field(cpq_field_column())
        self.constraint = field(cpq_field_constraint())
        self.context = field(cpq_field_context())
    }

    /// A failure to connect, from libpq's verbose message: `… FATAL:  28P01: password authentication failed …`, then `LOCATION: …`.
    ///
    /// With several hosts there are several such lines; the last that has a code counts, as it is of the last host tried.
    init(connecting message: String) {
        let lines = message.split(separator: "\n").filter { !$0.hasPrefix("LOCATION:") }
        var told: [String] = []
        var state = ""
        for line in lines {
            let bytes = Array(line.utf8)
            var text = String(line)
            for start in bytes.indices where start + 10 <= bytes.count {
                let code = bytes[(start + 3)..<(start + 8)]
                guard bytes[start] == UInt8(ascii: ":"), bytes[start + 1] == 32, bytes[start + 2] == 32,
                    bytes[start + 8] == UInt8(ascii: ":"), bytes[start + 9] == 32,
                    code.allSatisfy({ (48...57).contains($0) || (65...90).contains($0) })
                else { continue }
                state = String(decoding: code, as: UTF8.self)
                text = String(decoding: bytes[..<(start + 2)] + bytes[(start + 9)...], as: UTF8.self)
                break
            }
            told.append(text)
        }
        self.init(Self.trimmed(told.joined(separator: "; ")))
        self.state = state
    }

    /// libpq ends its messages with a line feed.
    static func trimmed(_ message: String) -> String {
        var message = message[...]
        while let last = message.last, last.isNewline || last == " " { message.removeLast() }
        return String(message)
    }
}
