import PerdureState
import Testing

@Suite struct InMemoryStateStoreTests {
    /// `é` as one code point and as two: equal as Swift strings, different as bytes.
    @Test func tellsIDsApartByTheirBytes() async throws {
        let store = InMemoryStateStore()
        let payload = StatePayload(manifest: "m", bytes: [1])
        try await store.write(DurableState(persistenceID: "caf\u{e9}", version: 1, payload: payload), if: .absent)
        #expect(try await store.latestState(of: "cafe\u{301}") == nil)
    }
}
