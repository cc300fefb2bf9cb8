/// The name of a store, as configurations and command lines have it: `sqlite:bank.sqlite`, or `cassandra://10.0.0.1/bank`.
///
/// Only the kind is looked at here; what follows the scheme is the store's own to read, and may hold a password.
package struct StoreURL: Sendable, Hashable {
    /// The kinds of store that there are.
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        case memory
        case sqlite
        case postgres
        case dynamodb
        case cassandra

        /// How a URL of the kind looks.
        package var example: String {
            switch self {
            case .memory: "memory:"
            case .sqlite: "sqlite:bank.sqlite"
            case .postgres: "postgres://user@host:5432/db?schema=public"
            case .dynamodb: "dynamodb://eu-central-1/states_store"
            case .cassandra: "cassandra://host1,host2/keyspace?consistency=local_quorum"
            }
        }

        /// What the database is called.
        package var title: String {
            switch self {
            case .memory: "memory"
            case .sqlite: "SQLite"
            case .postgres: "PostgreSQL"
            case .dynamodb: "DynamoDB"
            case .cassandra: "Cassandra"
            }
        }
    }

    package let text: String
    package let kind: Kind

    /// - Throws: ``Flaw`` that says what is wrong; nothing of the text but its scheme is in it when it has one.
    package init(_ text: String) throws(Flaw) {
        guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")) else {
            throw Flaw("\(text.debugDescription) is no store URL")
        }
        let scheme = String(text[..<colon])
        self.text = text
        switch scheme {
        case "postgresql": self.kind = .postgres
        default:
            guard let kind = Kind(rawValue: scheme) else {
                throw Flaw("there is no store for \(scheme): URLs", unknownScheme: scheme)
            }
            self.kind = kind
        }
        if self.kind == .memory, !self.rest.isEmpty { throw Flaw("nothing may follow memory: in a store URL") }
        if self.kind == .sqlite, self.rest.isEmpty {
            throw Flaw("sqlite: needs the path of a file, as in \(Kind.sqlite.example)")
        }
    }

    /// What follows the scheme: of an SQLite store, the path of the file.
    package var rest: String { String(self.text.drop { $0 != ":" }.dropFirst()) }

    /// What is wrong with a text that should be a URL, in words.
    package struct Flaw: Error, Hashable, CustomStringConvertible {
        package let description: String
        /// The scheme, where it is that of no store.
        package let unknownScheme: String?

        init(_ description: String, unknownScheme: String? = nil) {
            self.description = description
            self.unknownScheme = unknownScheme
        }
    }
}
