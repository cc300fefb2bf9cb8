import FoundationEssentials
import Glibc
import PerdureStores

/// A kind of store to run the tool on, and how tests name one that nobody else uses.
enum TestStore: String, Sendable, CaseIterable {
    case sqlite
    case postgres
    case dynamodb
    case cassandra

    /// The variable that names a server; nil for a store that needs none.
    var variable: String? {
        switch self {
        case .sqlite: nil
        case .postgres: "PERDURE_TEST_POSTGRES"
        case .dynamodb: "PERDURE_TEST_DYNAMODB"
        case .cassandra: "PERDURE_TEST_CASSANDRA"
        }
    }

    private var server: String? { self.variable.flatMap { getenv($0) }.map { String(cString: $0) } }

    var isThere: Bool { self.variable == nil || self.server != nil }

    /// Whether the store keeps runs.
    var keepsRuns: Bool {
        guard let kind = StoreURL.Kind(rawValue: self.rawValue) else { return false }
        return (try? ChosenStore(StoreURL(kind.example)))?.runs != nil
    }

    var isThereWithRuns: Bool { self.isThere && self.keepsRuns }

    /// A store of its own: a file of `folder`, or a schema or table of a random name.
    ///
    /// In Cassandra all have the same tables of runs, unless `ownRuns`: making them takes long.
    /// Its limits of time are wide: a machine under load must not make a test fail.
    func url(in folder: String, _ name: String = "a", ownRuns: Bool = false) -> String {
        let unique = "cli_\(UInt32.random(in: 0 ... .max))_\(name)"
        var server = self.server ?? ""
        let attempts = self == .postgres ? "" : "attempt_timeout=20s&"
        server += (server.contains("?") ? "&" : "?") + attempts
        server += "connect_timeout=60s&write_timeout=60s&read_timeout=60s"
        switch self {
        case .sqlite: return "sqlite:\(folder)/\(name).sqlite"
        case .postgres: return server + "&schema=\(unique)"
        case .dynamodb:
            let parts = server.split(separator: "?", maxSplits: 1)
            let region = parts[0].split(separator: "/").dropLast().joined(separator: "//")
            return "\(region)/\(unique)?\(parts.count > 1 ? parts[1] : "")"
        case .cassandra:
            let runs = ownRuns ? "&run_tables=\(unique)" : ""
            return server + "&table=\(unique)" + runs
        }
    }
}

/// Runs `body` with stores that are set up, in a folder of its own.
func withStores(
    _ kind: TestStore, _ names: [String] = ["a"], ownRuns: Bool = false,
    _ body: (_ folder: String, _ urls: [String]) async throws -> Void
) async throws {
    try await withFolder { folder in
        let urls = names.map { kind.url(in: folder, $0, ownRuns: ownRuns) }
        for url in urls {
            let setup = try await ToolProcess.run(["store", "setup", "--store", url], in: folder)
            guard setup.status == 0, setup.output == "the store is ready\n", setup.errors == "" else {
                throw ToolProcess.Unexpected(setup)
            }
        }
        try await body(folder, urls)
    }
}

extension ToolProcess: CustomStringConvertible {
    var description: String {
        "ended with \(self.status.map { "\($0)" } ?? "a signal"): \(self.output)\(self.errors)"
    }

    /// A call that should have gone well did not.
    struct Unexpected: Error, CustomStringConvertible {
        let description: String

        init(_ call: ToolProcess) { self.description = call.description }
    }
}
