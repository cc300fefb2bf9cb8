import PerdureTestKit
import Testing

@Suite(.timeLimit(.minutes(10))) struct RecordingObserverTests {
    let observer = RecordingObserver()

    @Test func keepsEventsInTheirOrder() {
        self.observer.observe(.storeConnected(store: "memory"))
        self.observer.observe(.entityActivated(persistenceID: "a", version: 1, took: .zero))
        self.observer.observe(.entityActivated(persistenceID: "b", version: 1, took: .zero))
        #expect(self.observer.names == ["store.connected", "entity.activated", "entity.activated"])
        #expect(self.observer.events(named: "entity.activated").count == 2)
        self.observer.removeAll()
        #expect(self.observer.events.isEmpty)
    }

    @Test func waitsForEvents() async throws {
        self.observer.observe(.storeConnected(store: "memory"))
        try await self.observer.waitForEvents(named: "store.connected")
        let waiting = Task { [observer] in try await observer.waitForEvents(named: "store.connected", count: 3) }
        self.observer.observe(.storeConnected(store: "memory"))
        self.observer.observe(.storeDisconnected(store: "memory"))
        self.observer.observe(.storeConnected(store: "memory"))
        try await waiting.value
    }

    @Test func stopsWaitingWhenCancelled() async throws {
        let waiting = Task { [observer] in try await observer.waitForEvents(named: "store.connected") }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
    }
}
