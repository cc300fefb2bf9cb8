import PerdureState

/// The entity that is measured: eGo's sample account, a protobuf message of a name and a balance.
struct Account: DurableStateBehavior {
    struct State: Sendable {
        var accountID = "account-42"
        var balance = 0.0
    }
    enum Command: Sendable {
        case credit(Double)
        case look
    }

    let initialState = State()
    let codec: any StateCodec<State> = Codec()

    func handle(_ command: Command, in state: State) -> Effect<State> {
        switch command {
        case .credit(let amount):
            var state = state
            state.balance += amount
            return .persist(state)
        case .look:
            return .none
        }
    }

    /// The message's bytes, written by hand as generated code would.
    struct Codec: StateCodec {
        func encode(_ state: State) -> StatePayload {
            var name = state.accountID
            let bytes = name.withUTF8 { name in
                [UInt8](unsafeUninitializedCapacity: name.count + 11) { bytes, count in
                    count = name.count + 11
                    bytes[0] = 0x0a
                    bytes[1] = UInt8(truncatingIfNeeded: name.count)
                    _ = UnsafeMutableBufferPointer(rebasing: bytes[2...]).update(fromContentsOf: name)
                    bytes[name.count + 2] = 0x11
                    UnsafeMutableRawBufferPointer(bytes).storeBytes(
                        of: state.balance.bitPattern.littleEndian, toByteOffset: name.count + 3, as: UInt64.self)
                }
            }
            return StatePayload(manifest: "samplepb.Account", bytes: bytes)
        }

        func decode(_ payload: StatePayload) throws -> State {
            let bytes = payload.bytes
            guard bytes.count >= 11, bytes[0] == 0x0a, bytes.count == Int(bytes[1]) + 11 else {
                throw BenchmarkFailure("not an account")
            }
            let end = 2 + Int(bytes[1])
            let balance = bytes[(end + 1)...].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            return State(
                accountID: String(decoding: bytes[2..<end], as: UTF8.self), balance: Double(bitPattern: balance))
        }
    }
}

/// What an entity is held against: a plain actor with the same state and the same store, which keeps none of the promises.
actor PlainAccount {
    private var state = Account.State()
    private var version: UInt64 = 0
    private let id: String
    private let store: InMemoryStateStore
    private let codec = Account.Codec()

    init(_ id: String, _ store: InMemoryStateStore) {
        self.id = id
        self.store = store
    }

    func credit(_ amount: Double) async throws {
        self.state.balance += amount
        self.version += 1
        let written = DurableState(
            persistenceID: self.id, version: self.version, payload: self.codec.encode(self.state),
            timestamp: SystemClock().unixMilliseconds)
        try await self.store.write(written, if: .always)
    }
}
