internal import Glibc
internal import PerdureDynamoDB
internal import PerdurePostgres
internal import PerdureSQLite
internal import PerdureState

/// The name of a store.
///
/// **This is the one place of the tool that knows every kind.**
struct StoreURL: Sendable {
    let text: String
    let scheme: String

    /// The kinds of store that there are, with an example of each.
    static let examples = [
        "sqlite:bank.sqlite", "postgres://user@host:5432/db?schema=public", "dynamodb://eu-central-1/states_store",
    ]

    /// - Throws: ``Misuse`` when the text names no kind of store.
    init(_ text: String) throws(Misuse) {
        guard let colon = text.firstIndex(of: ":") else {
            throw Misuse("\(text.debugDescription) is no store URL; such as \(Self.examples.joined(separator: ", "))")
        }
        self.text = text
        self.scheme = String(text[..<colon])
        switch self.scheme {
        case "sqlite", "postgres", "postgresql", "dynamodb": break
        case "memory":
            throw Misuse("what is in memory does not outlive the process: memory: is of no use here")
        default:
            let meant = nearest(to: self.scheme, among: ["sqlite", "postgres", "dynamodb"])
            throw Misuse(
                "there is no store for \(self.scheme): URLs"
                    + (meant.map { "; did you mean \($0):?" } ?? "; such as \(Self.examples.joined(separator: ", "))"))
        }
    }

    /// Makes the store; opens nothing yet. A file that is not there is a mistake, unless the store is to be `made`.
    func open(made: Bool = false) throws -> any StateStore {
        switch self.scheme {
        case "sqlite":
            let path = String(self.text.dropFirst("sqlite:".count))
            guard !path.isEmpty else { throw Misuse("sqlite: needs the path of a file, as in sqlite:bank.sqlite") }
            if !made, access(path, F_OK) != 0 {
                throw Misuse(
                    "there is no file \(path.debugDescription); `perdure store setup --store \(self.text)` makes one")
            }
            return try SQLiteStore(path)
        case "dynamodb": return try DynamoDBStore(url: self.text)
        default: return try PostgresStore(url: self.text)
        }
    }
}
