internal import PerdureState

extension Schema {
    /// What a file that has this schema's number lacks of its tables, columns and indexes: somebody took it away.
    func findMissing(on connection: SQLiteConnection) throws(SQLiteFailure) -> [StoreFinding] {
        let reference = try SQLiteConnection("", .inMemory)
        defer { reference.close() }
        for migration in self.migrations { try reference.execute(migration) }
        let found = try Self.parts(on: connection)
        let wanted = try Self.parts(on: reference)
        let missing = wanted.filter { found[$0.key] == nil }.sorted { $0.key < $1.key }
        let tables = missing.filter { $0.key.hasPrefix("table ") }.map { $0.key.dropFirst("table ".count) + "." }
        return missing.compactMap { name, sql in
            if name.hasPrefix("index ") {
                let words = sql.split(whereSeparator: \.isWhitespace).joined(separator: " ")
                return StoreFinding(
                    .trouble, "schema", "the \(name) is missing; with the service stopped, run: \(words)")
            }
            // The columns of a table that is missing need not be named.
            if let column = name.split(separator: " ").last, tables.contains(where: { column.hasPrefix($0) }) {
                return nil
            }
            return StoreFinding(.trouble, "schema", "the \(name) is missing; restore the file from a backup")
        }
    }

    /// The tables, columns and indexes of a database, with the SQL of what has some.
    private static func parts(on connection: SQLiteConnection) throws(SQLiteFailure) -> [String: String] {
        let statement = try SQLiteStatement(
            """
            SELECT type || ' ' || name, sql FROM sqlite_schema WHERE type IN ('table', 'index') AND sql IS NOT NULL
            UNION ALL SELECT 'column ' || m.name || '.' || c.name, '' FROM sqlite_schema m, pragma_table_info(m.name) c
                WHERE m.type = 'table'
            """, on: connection)
        var parts: [String: String] = [:]
        while try statement.hasRow() {
            guard let name = statement.text(at: 0), let sql = statement.text(at: 1) else { continue }
            parts[name] = sql
        }
        return parts
    }
}
