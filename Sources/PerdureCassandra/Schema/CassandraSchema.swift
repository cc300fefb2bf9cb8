/// The tables, and how they come to be: migrations, numbered from 1, each as the statements of a file.
enum CassandraSchema {
    /// The number of the last migration.
    static let version = 2

    /// Where the migrations that were made are recorded, with what every program that uses the table must agree on.
    static let record = "perdure_schema"

    /// The number of the last migration of the tables of runs.
    static let runsVersion = 1

    /// The statements that make the tables of runs, in order.
    static func runStatements(_ names: Names) -> [String] {
        Self.statements(PackageResources.runs1_cql).map { names.filling($0) }
    }

    /// The statements that make everything for states, in order.
    static func statements(_ names: Names, key: KeyLayout) -> [String] {
        var files = [key == .id ? PackageResources.states1_cql : PackageResources.states1_sharded_cql]
        files.append(PackageResources.states2_cql)
        if key == .shard { files.append(PackageResources.states2_sharded_cql) }
        files.append([UInt8](Self.recordTable.utf8))
        return files.flatMap { Self.statements($0) }.map { names.filling($0) }
    }

    /// The tables of runs, by their names, with their columns.
    static func runTables(_ names: Names) -> [(name: String, columns: [String])] {
        Self.runStatements(names).compactMap { statement in
            let lines = statement.split(separator: "\n")
            let quoted = lines.first?.split(separator: "\"") ?? []
            guard lines.first?.hasPrefix("CREATE TABLE") == true, quoted.count > 3 else { return nil }
            let columns = lines.dropFirst().filter { $0.hasPrefix("    ") }.compactMap {
                $0.split(separator: " ").first
            }
            return (String(quoted[3]), columns.map(String.init).filter { $0 != "PRIMARY" })
        }
    }

    private static let recordTable = """
        CREATE TABLE IF NOT EXISTS "${keyspace}"."perdure_schema" (
            component text PRIMARY KEY, version int, shards bigint, writes text);

        """

    /// The statements of a file: each ends with a semicolon at the end of a line.
    private static func statements(_ file: [UInt8]) -> [String] {
        var statements: [String] = []
        var current = ""
        for line in String(decoding: file, as: UTF8.self).split(separator: "\n") where !line.hasPrefix("--") {
            current += line + "\n"
            guard line.hasSuffix(";") else { continue }
            statements.append(String(current.dropLast(2)))
            current = ""
        }
        return statements
    }

    /// The column that a statement adds, if it adds one.
    static func addedColumn(_ statement: String) -> String? {
        guard statement.hasPrefix("ALTER TABLE"), let add = statement.firstRange(of: " ADD ") else { return nil }
        return statement[add.upperBound...].split(separator: " ").first.map(String.init)
    }

    /// The names of a keyspace and a table, which are letters, digits and `_`, so that they need quoting but no escaping.
    struct Names: Sendable, Hashable {
        var keyspace: String
        var table: String
        /// What the names of the tables of runs begin with.
        var runs = "workflow"

        func filling(_ text: String) -> String {
            text.replacing("${keyspace}", with: self.keyspace).replacing("${table}", with: self.table)
                .replacing("${runs}", with: self.runs)
        }

        /// A table of runs, as CQL has it.
        func quotedRuns(_ suffix: String) -> String { "\"\(self.keyspace)\".\"\(self.runs)\(suffix)\"" }

        /// A table of the keyspace, as CQL has it: that of states, or one beside it.
        func quoted(_ suffix: String = "") -> String { "\"\(self.keyspace)\".\"\(self.table)\(suffix)\"" }
        /// The table of migrations.
        var record: String { "\"\(self.keyspace)\".\"\(CassandraSchema.record)\"" }
    }
}
