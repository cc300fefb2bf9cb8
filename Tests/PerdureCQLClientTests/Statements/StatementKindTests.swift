import Testing

@testable import PerdureCQLClient

@Suite("What a statement does")
struct StatementKindTests {
    @Test(
        "is told by its words",
        arguments: [
            ("SELECT * FROM t WHERE id = ?", "read"),
            ("  select v from t -- IF\n", "read"),
            ("/* INSERT */ SELECT v FROM t", "read"),
            ("INSERT INTO t (id) VALUES (?)", "write"),
            ("UPDATE t SET v = ? WHERE id = ? IF version = ?", "conditional"),
            ("INSERT INTO t (id) VALUES (?) IF NOT EXISTS", "conditional"),
            ("delete from t where id = ? if exists", "conditional"),
            ("INSERT INTO t (v) VALUES ('IF')", "write"),
            ("INSERT INTO t (v) VALUES ('it''s IF')", "write"),
            ("UPDATE t SET \"if\" = ? WHERE id = ?", "write"),
            ("UPDATE t SET v = $$ IF $$ WHERE id = ?", "write"),
            ("UPDATE t SET gift = ?, ifs = ? WHERE if_ = ?", "write"),
            ("BEGIN BATCH INSERT INTO t (id) VALUES (?) IF NOT EXISTS; APPLY BATCH", "conditional"),
            ("CREATE TABLE IF NOT EXISTS t (id text PRIMARY KEY)", "schema"),
            ("DROP KEYSPACE IF EXISTS k", "schema"),
            ("TRUNCATE t", "schema"),
            ("USE k", "write"),
            ("", "schema"),
            ("UPDATE t SET v = 'unclosed IF", "write"),
        ])
    func words(text: String, expected: String) {
        let kind = StatementKind(text)
        let name =
            kind.isRead ? "read" : kind.isConditional ? "conditional" : kind.isSchemaChange ? "schema" : "write"
        #expect(name == expected, "\(text)")
    }
}
