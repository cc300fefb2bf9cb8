import PerdureState
import PerdureTestKit
import Testing

/// The reference store against the promise suite.
@Suite struct InMemoryStateStoreTests {
    @Test("keeps its promise", arguments: StatePromise.all)
    func keeps(_ promise: StatePromise) async throws {
        // A MiB is enough for a test in debug mode; the last test takes the usual limit.
        try await promise.verify(on: InMemoryStateStore(maximumPayloadByteCount: 1 << 20))
    }

    @Test func reportsWhatItKeeps() async {
        let report = await StatePromises.verify("the in-memory store") { InMemoryStateStore() }
        print(report)
        #expect(report.isKept)
        // It has no thread of its own.
        #expect(report.notOffered.allSatisfy { $0.number == 14 })
    }

    /// `é` as one code point and as two: equal as Swift strings, different as bytes.
    @Test func tellsIDsApartByTheirBytes() async throws {
        let store = InMemoryStateStore()
        let payload = StatePayload(manifest: "m", bytes: [1])
        try await store.write(DurableState(persistenceID: "caf\u{e9}", version: 1, payload: payload), if: .absent)
        #expect(try await store.latestState(of: "cafe\u{301}") == nil)
    }
}
