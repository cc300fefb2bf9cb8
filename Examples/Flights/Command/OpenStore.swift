import PerdureCassandra
import PerdureDynamoDB
import PerdurePostgres
import PerdureSQLite
import PerdureState
import PerdureWorkflow

/// The store that a URL names, with its tables made where they are missing.
///
/// **This is the one place to add another kind of store.**
///
/// - Throws: ``UsageError`` when the URL names none, ``StoreError`` when the store refuses what it says.
func openStore(_ url: String) async throws -> any StateStore {
    guard let colon = url.firstIndex(of: ":") else {
        throw UsageError("\(url.debugDescription) is no store URL; try sqlite:flights.sqlite or memory:")
    }
    let rest = String(url[url.index(after: colon)...])
    switch url[..<colon] {
    case "memory":
        guard rest.isEmpty else { throw UsageError("nothing may follow memory: in a store URL") }
        return InMemoryStateStore()
    case "sqlite":
        guard !rest.isEmpty else { throw UsageError("sqlite: needs the path of a file, as in sqlite:flights.sqlite") }
        return try SQLiteStore(rest)
    case "postgres", "postgresql":
        let store = try PostgresStore(url: url)
        try await store.setup()
        return store
    case "dynamodb":
        let store = try DynamoDBStore(url: url)
        try await store.setup()
        return store
    case "cassandra":
        let store = try CassandraStore(url: url)
        try await store.setup()
        return store
    case let scheme:
        throw UsageError(
            "there is no store for \(scheme): URLs; there are sqlite:PATH, postgres://…, dynamodb://…,"
                + " cassandra://… and memory:")
    }
}

/// Where the workflow runs of a program are whose states are in `store`; nil where that kind of store keeps none.
///
/// Most keep both in one place. In DynamoDB runs have a table of their own, beside that of the states, for its key is another one.
func openRunStore(beside store: any StateStore) async throws -> (any RunStore)? {
    switch store {
    case is InMemoryStateStore: return InMemoryRunStore()
    case let store as DynamoDBStore:
        var configuration = store.configuration
        configuration.table += "-runs"
        let runs = try DynamoDBRunStore(configuration)
        try await runs.setup()
        return runs
    default: return store as? any RunStore
    }
}

/// Something about the command line that cannot work, in words.
struct UsageError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
