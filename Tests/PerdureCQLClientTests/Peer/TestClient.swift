import PerdureCQL
import PerdureCQLClient
import PerdureConcurrency

/// A client of scripted nodes, quick to try again.
func client(
    of node: ScriptedNode, _ change: (inout CQLClientConfiguration) -> Void = { _ in }
) throws -> CQLClient {
    var configuration = CQLClientConfiguration(contactPoints: ["127.0.0.1"], port: Int(node.port))
    configuration.reconnection = CQLBackoff(base: .milliseconds(1), limit: .milliseconds(5))
    configuration.requestTimeout = .seconds(20)
    configuration.connectTimeout = .seconds(20)
    configuration.consistency = .one
    change(&configuration)
    return try CQLClient(configuration)
}

extension CQLClient {
    static let write = "UPDATE ks.t SET v = ? WHERE id = ?"
    static let read = "SELECT v FROM ks.t WHERE id = ?"

    func write(_ statement: CQLStatement, _ key: [UInt8], options: CQLExecutionOptions = .init())
        async throws(CQLClientError)
    {
        try await self.execute(statement, options: options) { values in
            try values.bind(Int64(1))
            try values.bind(key)
        }
    }

    func read(_ statement: CQLStatement, _ key: [UInt8], options: CQLExecutionOptions = .init())
        async throws(CQLClientError) -> Int64?
    {
        let result = try await self.execute(statement, options: options) { values in try values.bind(key) }
        do { return try result.first?.decode(Int64.self, at: 0) } catch {
            throw CQLClientError(.unreadable, message: "\(error)")
        }
    }
}

/// The error that `body` throws; nil when it succeeds.
func failure(_ body: () async throws -> Void) async -> CQLClientError? {
    do {
        try await body()
        return nil
    } catch {
        return error as? CQLClientError ?? CQLClientError(.unreadable, message: "another kind of error: \(error)")
    }
}
