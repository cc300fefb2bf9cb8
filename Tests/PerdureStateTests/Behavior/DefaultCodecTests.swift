import PerdureState
import Testing

@Suite struct DefaultCodecTests {
    struct Message: ProtobufMessage, Equatable {
        static let protoMessageName = "samplepb.Raw"
        var bytes: [UInt8] = [8, 1]
        init() {}
        init(protobufBytes bytes: [UInt8]) { self.bytes = bytes }
        func protobufBytes() -> [UInt8] { self.bytes }
    }

    struct Plain: DurableStateBehavior {
        struct State: Codable, Sendable, Equatable { var balance = 0 }
        let initialState = State()
        func handle(_ command: Int, in state: State) -> Effect<State> { .persist(State(balance: command)) }
    }

    struct Protobuf: DurableStateBehavior {
        let initialState = Message()
        func handle(_ command: Int, in state: Message) -> Effect<Message> { .none }
    }

    struct CodableMessage: ProtobufMessage, Codable, Equatable {
        static let protoMessageName = "samplepb.Both"
        init() {}
        init(protobufBytes bytes: [UInt8]) {}
        func protobufBytes() -> [UInt8] { [] }
    }

    struct Both: DurableStateBehavior {
        let initialState = CodableMessage()
        func handle(_ command: Int, in state: CodableMessage) -> Effect<CodableMessage> { .none }
    }

    struct Pinned: DurableStateBehavior {
        let initialState = Plain.State()
        let codec: any StateCodec<Plain.State>
        init() throws { self.codec = try JSONStateCodec(name: "Account", version: 4) }
        func handle(_ command: Int, in state: Plain.State) -> Effect<Plain.State> { .none }
    }

    /// As the engine asks: through the requirement, not knowing the type.
    private func manifest<Behavior: DurableStateBehavior>(of behavior: Behavior) throws -> String {
        try behavior.codec.encode(behavior.initialState).manifest
    }

    @Test func codableStatesAreJSON() throws {
        #expect(try self.manifest(of: Plain()) == "json:DefaultCodecTests.Plain.State:1")
        #expect(try Plain().codec.decode(Plain().codec.encode(.init(balance: 3))).balance == 3)
    }

    @Test func messagesAreProtobufInEgosLayout() throws {
        #expect(try self.manifest(of: Protobuf()) == "google.protobuf.Any")
    }

    @Test func messagesThatAreCodableTooAreProtobuf() throws {
        #expect(try self.manifest(of: Both()) == "google.protobuf.Any")
    }

    @Test func aBehaviorsOwnCodecWins() throws {
        #expect(try self.manifest(of: Pinned()) == "json:Account:4")
    }
}
