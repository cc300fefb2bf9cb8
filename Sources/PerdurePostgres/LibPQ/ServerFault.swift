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
    }

    /// libpq ends its messages with a line feed.
    static func trimmed(_ message: String) -> String {
        var message = message[...]
        while let last = message.last, last.isNewline || last == " " { message.removeLast() }
        return String(message)
    }
}
