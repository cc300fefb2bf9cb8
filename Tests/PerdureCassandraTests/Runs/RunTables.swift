import PerdureCQLClient
import PerdureConcurrency

@testable import PerdureCassandra

extension TestCluster {
    /// Tables of runs that were made already in this process; making them takes Cassandra long.
    private static let made = LockedState<[String: Task<CassandraConfiguration, any Error>]>([:])

    /// Tables of runs that begin with `name`; made once in a process, and dropped by the next that makes them.
    func runTables(_ name: String) async throws -> CassandraConfiguration {
        let task = Self.made.withLock { made in
            let task =
                made[name]
                ?? Task {
                    var configuration = try self.configuration(table: "states_of_\(name)")
                    configuration.runTables = name
                    for suffix in ["_runs", "_values", "_listing", "_queue", "_buckets", "_workers", "_admissions"] {
                        _ = try? await self.run(
                            "DROP TABLE IF EXISTS \(configuration.names.quotedRuns(suffix))")
                    }
                    let store = try CassandraStore(configuration)
                    try await store.setup()
                    await store.disconnect()
                    return configuration
                }
            made[name] = task
            return task
        }
        return try await task.value
    }

    /// Gives `body` tables of runs; those of one name are shared.
    func withRunTables(_ name: String, _ body: (CassandraConfiguration) async throws -> Void) async throws {
        let configuration = try await self.runTables(name)
        do { try await body(configuration) } catch { throw Trouble(description: String(reflecting: error)) }
    }
}
