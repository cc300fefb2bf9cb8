/// A statement that a connection prepares once and then knows by name.
struct Statement: Sendable, Hashable {
    let name: String
    let sql: String

    static func == (left: Statement, right: Statement) -> Bool { left.name == right.name }
    func hash(into hasher: inout Hasher) { hasher.combine(self.name) }
}

/// Some statements that are sent together, run as one transaction, and answered together: one round trip.
struct Exchange {
    /// A statement and its parameters.
    struct Step {
        var statement: Statement
        var parameters: ParameterBuffer
    }

    var steps: [Step]
    /// When the server is told to stop; a moment later the connection is given up.
    var deadline: Duration
    /// Gets the rows of each step, in order, as they come. They count only once ``finish`` is told ``ExchangeEnd/done``.
    var receive: (_ step: Int, _ rows: borrowing ServerResult) -> Void
    /// Told once how it ended.
    var finish: (ExchangeEnd) -> Void
}

/// How an exchange ended.
enum ExchangeEnd {
    /// Committed: every step was done.
    case done
    /// The server refused it; its transaction is undone. The connection works on.
    case refused(ServerFault)
    /// No answer came: it may have been committed, or may still be. The connection is gone.
    case lost(ServerFault)
    /// It could not be sent at all. The connection is gone.
    case notSent(ServerFault)
}
