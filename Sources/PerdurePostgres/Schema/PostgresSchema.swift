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
}
