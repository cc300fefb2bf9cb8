import Glibc
import PerdureState
import Testing

@testable import PerdurePostgres

/// A server that finds no room on its disk.
///
/// Its files may not grow beyond a limit that is no multiple of its pages: what it extends last is written in part, which it
/// takes for a full disk (`53100`), as when one is. No right is needed for that, and no other program suffers.
@Suite(.enabled(if: TestServer.isThere, "needs PostgreSQL: script/server postgres start"))
struct FullDiskTests {
    private func state(_ id: String, _ version: UInt64, bytes: Int) -> DurableState {
        // Random, so that the server cannot compress it.
        DurableState(
            persistenceID: id, version: version,
            payload: StatePayload(manifest: "test", bytes: (0..<bytes).map { _ in .random(in: 0...255) }))
    }

    @Test(.timeLimit(.minutes(10))) func aFullDiskIsToldAndNothingIsApplied() async throws {
        // 4 MiB and half a page; log segments of 1 MiB fit.
        try await OwnServer.with(after: "ulimit -f 4100 && export PERDURE_POSTGRES_INITDB='--wal-segsize=1'") {
            server in
            let store = try PostgresStore(url: server.url)
            try await store.setup()
            try await store.write(self.state("small", 1, bytes: 10), if: .absent)
            var written: [DurableState] = []
            var refusal: StoreError?
            // 64 KiB each: the file for large values is full after some sixty of them.
            while refusal == nil, written.count < 500 {
                let state = self.state("large-\(written.count)", 1, bytes: 64 << 10)
                refusal = await failure { () async throws(StoreError) in try await store.write(state, if: .absent) }
                if refusal == nil { written.append(state) }
            }
            let error = try #require(refusal)
            #expect(error.code == .full && error.outcome == .notApplied, "\(String(reflecting: error))")
            #expect((error.underlying as? PostgresServerError)?.sqlState == "53100")
            #expect(error.message.contains("make room on the server's disk"), "\(error.message)")
            #expect(written.count > 10)

            // Nothing of it was applied, and what was acknowledged is there.
            #expect(try await store.latestState(of: "large-\(written.count)") == nil)
            for state in [written[0], written[written.count - 1]] {
                #expect(try await store.latestState(of: state.persistenceID) == state)
            }
            // Neighbours in a batch learn the same, each for itself.
            let results = await store.write(
                (0..<8).map { StateWrite(self.state("batch-\($0)", 1, bytes: 64 << 10), if: .absent) })
            for (index, result) in results.enumerated() {
                guard case .failure(let error) = result else {
                    #expect(try await store.latestState(of: "batch-\(index)") != nil)
                    continue
                }
                #expect(error.code == .full && error.outcome == .notApplied)
                #expect(try await store.latestState(of: "batch-\(index)") == nil)
            }

            // With room again everything goes on.
            try await TestServer.run("TRUNCATE states_store", [], PostgresConfiguration(url: server.url))
            try await store.write(written[0], if: .absent)
            #expect(try await store.latestState(of: written[0].persistenceID) == written[0])
            await store.disconnect()
        }
    }
}
