internal import PerdureCQL

/// The statements that a client has prepared, so that each is made once.
struct StatementIndex {
    private var statements: [String: CQLStatement] = [:]
    private var count = 0
    /// A program has few statements: when it has more than this it probably puts values into their texts.
    private static let maximumKept = 10_000

    func find(_ text: String) -> CQLStatement? {
        // Compared by bytes: texts that only look the same are different to the server.
        guard let statement = self.statements[text], statement.text.utf8.elementsEqual(text.utf8) else { return nil }
        return statement
    }

    mutating func add(_ text: String, _ prepared: CQLPreparedStatement) -> CQLStatement {
        if let statement = self.find(text) { return statement }
        let statement = CQLStatement(text, prepared, number: self.count)
        self.count += 1
        if self.statements.count < Self.maximumKept { self.statements[text] = statement }
        return statement
    }
}
