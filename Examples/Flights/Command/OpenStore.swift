import PerdureState
import PerdureStores

/// The store that a URL names, with its tables made where they are missing.
///
/// - Throws: ``UsageError`` when the URL names none, ``StoreError`` when the store refuses what it says.
func openStore(_ url: String) async throws -> ChosenStore {
    let name: StoreURL
    do throws(StoreURL.Flaw) { name = try StoreURL(url) } catch {
        let examples = StoreURL.Kind.allCases.map(\.example).joined(separator: ", ")
        throw UsageError("\(error); stores are named as in \(examples)")
    }
    let store = try ChosenStore(name)
    // A file is set up when it is first opened.
    if name.kind != .sqlite { try await store.setup() }
    return store
}

extension StoreURL.Kind {
    /// How many rows are sent at the same time.
    ///
    /// Where the writes that wait at the same time become one, the more of them the better; where each is a request of its own, more
    /// than are under way at once only wait, and their time runs.
    var laneCount: Int {
        switch self {
        case .memory, .sqlite, .postgres: 512
        case .dynamodb, .cassandra: 64
        }
    }
}

/// Something about the command line that cannot work, in words.
struct UsageError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
