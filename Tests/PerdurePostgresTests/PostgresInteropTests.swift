import PerdureState
import Processes
import Testing

@testable import PerdurePostgres

/// A client in Python reads and writes the same rows; see `script/interop`.
@Suite(
    .enabled(
        if: TestServer.isThere && Shell.variable("PERDURE_TEST_PYTHON") != nil,
        "needs a server and a Python with psycopg: script/interop"))
struct PostgresInteropTests {
    /// What eGo writes for its sample account.
    private let any =
        "0a24747970652e676f6f676c65617069732e636f6d2f73616d706c6570622e4163636f756e7412150a0a6163636f756e742d343211000000000068b040"

    private func python(_ configuration: PostgresConfiguration, _ arguments: String...) async throws -> String {
        let words = [
            Shell.variable("PERDURE_TEST_PYTHON") ?? "", Shell.root + "/Tests/Interop/postgres.py",
            TestServer.url ?? "", configuration.schema ?? "",
        ]
        return try await Shell.lastLine(of: (words + arguments).map { "'\($0)'" }.joined(separator: " "))
    }

    @Test func pythonAndSwiftShareRows() async throws {
        try await TestServer.withSchema { configuration in
            let store = try PostgresStore(configuration)
            let mine = DurableState(
                persistenceID: "account-42", version: 7,
                payload: StatePayload(manifest: "google.protobuf.Any", bytes: [0x0a, 0x00, 0xff]),
                timestamp: 1_700_000_000_000, shard: 3)
            try await store.write(mine, if: .absent)
            #expect(try await self.python(configuration, "read", "account-42") == "7 0a00ff google.protobuf.Any 3")

            _ = try await self.python(configuration, "upsert", "account-42", "8", self.any, "google.protobuf.Any")
            let theirs = try #require(try await store.latestState(of: "account-42"))
            #expect(theirs.version == 8 && theirs.payload.bytes.count == 61)
            // Their nanoseconds are our milliseconds.
            #expect(theirs.timestamp > 1_700_000_000_000 && theirs.timestamp < 100_000_000_000_000)

            var next = theirs
            next.version = 9
            try await store.write(next, if: .version(8))
            #expect(
                try await self.python(configuration, "read", "account-42") == "9 \(self.any) google.protobuf.Any 3")
            try await store.delete("account-42", if: .version(9))
            #expect(try await self.python(configuration, "read", "account-42") == "none")
            await store.disconnect()
        }
    }
}
