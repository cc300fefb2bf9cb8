/// Tables that belong together, and how they come to be: migrations, numbered from 1, each as the statements of a file.
///
/// Every statement can be run again on tables that have its change already: that is how tables that eGo made are taken over.
struct PostgresSchema: Sendable {
    /// Under which name `perdure_schema` records the version.
    let component: String
    let migrations: [[String]]

    var version: Int { self.migrations.count }

    /// The tables of states.
    static let states = PostgresSchema(
        component: "states",
        migrations: [Self.statements(PackageResources.states1_sql), Self.statements(PackageResources.states2_sql)])

    /// The tables of workflows' runs.
    static let runs = PostgresSchema(component: "runs", migrations: [Self.statements(PackageResources.runs1_sql)])

    /// Everything that `setup()` makes.
    static let all = [Self.states, Self.runs]

    /// The statements of a file: each ends with a semicolon at the end of a line, outside of the code of a function.
    private static func statements(_ file: [UInt8]) -> [String] {
        var statements: [String] = []
        var current = ""
        var isInCode = false
        for line in String(decoding: file, as: UTF8.self).split(separator: "\n") where !line.hasPrefix("--") {
            current += line + "\n"
            if line.firstRange(of: "$$") != nil { isInCode.toggle() }
            guard line.hasSuffix(";"), !isInCode else { continue }
            statements.append(String(current.dropLast(2)))
            current = ""
        }
        return statements
    }

    /// The statement for the schema that is named, quoted as it must be.
    static func statement(_ text: String, in schema: String) -> String {
        var result = ""
        var rest = text[...]
        while let place = rest.firstRange(of: "SCHEMA.") {
            result.append(contentsOf: rest[..<place.lowerBound])
            result.append(schema)
            result.append(".")
            rest = rest[place.upperBound...]
        }
        result.append(contentsOf: rest)
        return result
    }

    /// What the statements make.
    struct Parts: Sendable {
        var tables: [String] = []
        /// Each as `table.column`.
        var columns: [String] = []
        var indexes: [String] = []
        var functions: [String] = []
    }

    /// What the statements make, by their words.
    var parts: Parts {
        var parts = Parts()
        for statement in self.migrations.joined() {
            let words = statement.split { $0.isWhitespace || $0 == "(" }.map(String.init)
            if statement.hasPrefix("CREATE TABLE IF NOT EXISTS SCHEMA.") {
                let table = String(words[5].dropFirst("SCHEMA.".count))
                parts.tables.append(table)
                for line in statement.split(separator: "\n").dropFirst() where line.hasPrefix("    ") {
                    guard let name = line.split(separator: " ").first, !["--", "PRIMARY", "UNIQUE"].contains(name)
                    else {
                        continue
                    }
                    parts.columns.append("\(table).\(name)")
                }
            } else if statement.hasPrefix("CREATE INDEX IF NOT EXISTS ") {
                parts.indexes.append(words[5])
            } else if statement.hasPrefix("CREATE OR REPLACE FUNCTION SCHEMA.") {
                parts.functions.append(String(words[4].dropFirst("SCHEMA.".count)))
            } else if statement.hasPrefix("ALTER TABLE SCHEMA."), words.count > 8 {
                parts.columns.append("\(words[2].dropFirst("SCHEMA.".count)).\(words[8])")
            }
        }
        return parts
    }
}
