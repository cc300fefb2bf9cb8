/// Statements of a connection, each prepared when it is first used.
///
/// Lives on its connection's thread.
final class StatementCache {
    /// A statement that can be kept in a table.
    final class Entry {
        let statement: SQLiteStatement
        init(_ statement: consuming SQLiteStatement) { self.statement = statement }
    }

    let connection: SQLiteConnection
    private var entries: [String: Entry] = [:]

    init(on connection: SQLiteConnection) { self.connection = connection }

    /// The statement of some SQL; `copy` tells apart those that are under way at the same time.
    func entry(_ sql: String, copy: Int = 0) throws(SQLiteFailure) -> Entry {
        let key = copy == 0 ? sql : "\(sql) -- \(copy)"
        if let entry = self.entries[key] { return entry }
        let entry = Entry(try SQLiteStatement(sql, on: self.connection))
        self.entries[key] = entry
        return entry
    }

    /// Runs a statement that gives no rows.
    @discardableResult
    func run(
        _ sql: String, _ bind: (borrowing SQLiteStatement) -> Void = { _ in }
    ) throws(SQLiteFailure) -> Int64 {
        let entry = try self.entry(sql)
        bind(entry.statement)
        try entry.statement.run()
        return self.connection.changes
    }

    /// What `read` makes of each row.
    func rows<Row>(
        _ sql: String, _ bind: (borrowing SQLiteStatement) -> Void = { _ in },
        _ read: (borrowing SQLiteStatement) throws(SQLiteFailure) -> Row
    ) throws(SQLiteFailure) -> [Row] {
        let entry = try self.entry(sql)
        bind(entry.statement)
        defer { entry.statement.reset() }
        var rows: [Row] = []
        while true {
            let code = entry.statement.step()
            if code == .done { return rows }
            guard code == .row else { throw self.connection.failure(code) }
            rows.append(try read(entry.statement))
        }
    }

    /// What `read` makes of the first row; nil when there is none.
    func row<Row>(
        _ sql: String, _ bind: (borrowing SQLiteStatement) -> Void = { _ in },
        _ read: (borrowing SQLiteStatement) throws(SQLiteFailure) -> Row
    ) throws(SQLiteFailure) -> Row? {
        let entry = try self.entry(sql)
        bind(entry.statement)
        guard try entry.statement.hasRow() else { return nil }
        defer { entry.statement.reset() }
        return try read(entry.statement)
    }
}

extension SQLiteStatement {
    // These copy what they are given.

    func bind(_ text: String?, at index: Int32) {
        guard var text else { return self.bindNull(at: index) }
        text.withUTF8 { self.bind(copyOfText: UnsafeRawBufferPointer($0), at: index) }
    }

    func bind(blob: [UInt8]?, at index: Int32) {
        guard let blob else { return self.bindNull(at: index) }
        blob.withUnsafeBytes { self.bind(copyOfBlob: $0, at: index) }
    }

    func bind(_ value: Int64?, at index: Int32) {
        if let value { self.bind(value, at: index) } else { self.bindNull(at: index) }
    }

    func bind(_ value: Int?, at index: Int32) { self.bind(value.map { Int64($0) }, at: index) }

    // Columns, which are as they should be or an error.

    func uint(at column: Int32) throws(SQLiteFailure) -> UInt64 {
        let value = self.integer(at: column)
        guard value >= 0 else { throw .unreadable("a count is \(value)") }
        return UInt64(value)
    }

    func optionalInteger(at column: Int32) -> Int64? {
        self.kind(at: column) == .null ? nil : self.integer(at: column)
    }

    func string(at column: Int32) throws(SQLiteFailure) -> String {
        guard let text = self.text(at: column) else { throw .unreadable("a text is no UTF-8") }
        return text
    }

    func optionalString(at column: Int32) throws(SQLiteFailure) -> String? {
        self.kind(at: column) == .null ? nil : try self.string(at: column)
    }

    func optionalBlob(at column: Int32) -> [UInt8]? {
        self.kind(at: column) == .null ? nil : Array(self.bytes(at: column))
    }
}

extension SQLiteFailure {
    /// A row that no store wrote.
    static func unreadable(_ what: String) -> SQLiteFailure {
        SQLiteFailure(code: .corrupt, message: what, errorNumber: 0)
    }
}
