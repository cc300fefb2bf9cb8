import PerdureState
import Synchronization
import Testing

/// Entities on rows as eGo writes them.
@Suite struct EgoStateTests {
    struct Account: ProtobufMessage, Equatable {
        static let protoMessageName = "samplepb.Raw"
        var bytes: [UInt8] = []
        init() {}
        init(protobufBytes bytes: [UInt8]) { self.bytes = bytes }
        func protobufBytes() -> [UInt8] { self.bytes }
    }

    struct Echo: DurableStateBehavior {
        let initialState = Account()
        func handle(_ command: [UInt8]?, in state: Account) -> Effect<Account> {
            command.map { .persist(Account(protobufBytes: $0)) } ?? .none
        }
    }

    /// eGo stores an entity whose state is nil as a row without a payload: it has a version, from which ours goes on.
    @Test func aNilStateIsTheInitialOneAtItsVersion() async throws {
        let store = InMemoryStateStore()
        let row = DurableState(
            persistenceID: "ada", version: 7, payload: StatePayload(manifest: "google.protobuf.Any", bytes: []))
        try await store.write(row, if: .always)
        let engine = StateEngine(store: store) { Echo() }
        let ada = engine.entity(Echo.self, "ada")
        #expect(try await ada.send(nil).version == 7)
        #expect(try await ada.send(nil).state == Account())
        #expect(try await ada.send([8, 1]).version == 8)
        let stored = try #require(try await store.latestState(of: "ada"))
        #expect(stored.payload.manifest == "google.protobuf.Any")
        #expect(stored.version == 8)
    }

    /// A row of version 0, which is legal for others, is replaced like any other.
    @Test func aRowOfVersionZeroGoesOnAtOne() async throws {
        let store = ForeignRowStore(version: 0)
        let engine = StateEngine(store: store) { Echo() }
        #expect(try await engine.entity(Echo.self, "ada").send([8, 1]).version == 1)
        #expect(store.conditions.withLock { $0 } == [.version(0)])
    }
}

/// A store that holds one row of a version that it would not write itself.
private final class ForeignRowStore: StateStore {
    let maximumPayloadByteCount = 1_000
    let version: UInt64
    let conditions = Mutex<[WriteCondition]>([])
    init(version: UInt64) { self.version = version }

    func connect() async throws(StoreError) {}
    func disconnect() async {}
    func ping() async throws(StoreError) {}
    func write(_ state: DurableState, if condition: WriteCondition) async throws(StoreError) {
        self.conditions.withLock { $0.append(condition) }
    }
    func latestState(of id: String) async throws(StoreError) -> DurableState? {
        DurableState(
            persistenceID: id, version: self.version,
            payload: StatePayload(manifest: "google.protobuf.Any", bytes: [0x0a, 12] + Array("samplepb.Raw".utf8)))
    }
    func delete(_ id: String, if condition: WriteCondition) async throws(StoreError) {}
}
