/// What the PostgreSQL server said when it refused something: ``StoreError/underlying`` of errors that it caused.
public struct PostgresServerError: Error, Sendable {
    /// The five characters of PostgreSQL's error codes; empty where the client library made the error.
    public let sqlState: String
    /// `ERROR`, `FATAL` or `PANIC`; empty where the client library made the error.
    public let severity: String
    /// The server's message.
    public let message: String
    /// The server's advice, if it gave any.
    public let hint: String?
    /// The table concerned, if it named one.
    public let table: String?
    /// The column concerned, if it named one.
    public let column: String?
    /// The constraint concerned, if it named one.
    public let constraint: String?

    init(_ fault: ServerFault) {
        self.sqlState = fault.state
        self.severity = fault.severity
        self.message = fault.message
        self.hint = fault.hint
        self.table = fault.table
        self.column = fault.column
        self.constraint = fault.constraint
    }
}

extension PostgresServerError: CustomStringConvertible, CustomDebugStringConvertible {
    /// The error's code only: the message may name things that strangers should not know.
    public var description: String {
        self.sqlState.isEmpty ? "PostgreSQL's client library reported an error" : "PostgreSQL error \(self.sqlState)"
    }

    /// Everything that the server said, except the detail, which may quote rows.
    public var debugDescription: String {
        var text = "\(self.description): \(self.message)"
        for (name, value) in [
            ("hint", self.hint), ("table", self.table), ("column", self.column), ("constraint", self.constraint),
        ] {
            if let value { text += "; \(name): \(value)" }
        }
        return text
    }
}
