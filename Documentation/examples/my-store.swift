import PerdureTestKit

let path = "states"
@Sendable func MyStore(path: String = "") throws -> any StateStore { InMemoryStateStore() }
struct Proxy: Sendable {
    func cutAfterForwarding(_ id: String) {}
    func cutBeforeForwarding(_ id: String) {}
}
struct Database: Sendable { func run(_ statement: String, _ id: String) async throws {} }
let proxy = Proxy()
let database = Database()
