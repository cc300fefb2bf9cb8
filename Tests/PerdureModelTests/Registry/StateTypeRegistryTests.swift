import PerdureModel
import Testing

@Suite struct StateTypeRegistryTests {
    struct Logbook: Codable, Sendable, Equatable { var hours = 0 }
    struct OldLogbook: Codable, Sendable { var minutes = 0 }

    private struct Text: StateCodec {
        struct Odd: Error {}
        func encode(_ state: String) -> StatePayload { StatePayload(manifest: "text/plain", bytes: Array(state.utf8)) }
        func decode(_ payload: StatePayload) throws -> String {
            guard let text = String(validating: payload.bytes, as: UTF8.self) else { throw Odd() }
            return text
        }
    }

    private func registry() throws -> StateTypeRegistry {
        var registry = StateTypeRegistry()
        try registry.register(SampleAccount.self)
        try registry.register(
            JSONStateCodec<Logbook>(
                name: "Logbook", version: 2, migrating: .from(1, OldLogbook.self) { Logbook(hours: $0.minutes / 60) }))
        try registry.register(Text(), manifest: "text/plain")
        return registry
    }

    @Test func findsTheTypeByItsStoredName() throws {
        let registry = try self.registry()
        #expect(registry.names == ["json:Logbook", "samplepb.Account", "text/plain"])
        for layout in [ProtobufLayout.any, .message] {
            let payload = try ProtobufStateCodec<SampleAccount>(layout: layout).encode(GoldenVector.account)
            #expect(try registry.decode(payload) as? SampleAccount == GoldenVector.account)
            #expect(try registry.decode(payload, as: SampleAccount.self) == GoldenVector.account)
        }
        let old = StatePayload(manifest: "json:Logbook:1", bytes: Array(#"{"minutes":180}"#.utf8))
        #expect(try registry.decode(old) as? Logbook == Logbook(hours: 3))
        #expect(try registry.decode(Text().encode("é")) as? String == "é")
    }

    @Test func anUnknownNameSaysWhatToRegister() throws {
        let registry = try self.registry()
        let message = payloadError { try registry.decode(ProtobufStateCodec().encode(SampleNothing())) }
        #expect(message?.code == .unknownType)
        #expect(
            message?.message == """
                no type is registered for the message samplepb.Nothing; call register(_:) with the message's Swift type before \
                reading it; 3 names are registered
                """)
        let json = payloadError { try registry.decode(StatePayload(manifest: "json:Cabin:1", bytes: [])) }
        #expect(json?.code == .unknownType)
        #expect(
            json?.message.hasPrefix("no type is registered for the JSON state \"Cabin\"; call register(_:) with its")
                == true)
        // Without a slash the name may be data: see the codec's tests.
        let bytes = SampleAccount(accountID: "hunter2").protobufBytes()
        let data = payloadError { try registry.decode(StatePayload(manifest: "google.protobuf.Any", bytes: bytes)) }
        #expect(data?.code == .unknownType)
        #expect(data?.debugDescription.contains("hunter2") == false)
    }

    @Test func nonsenseIsToldFromUnknownTypes() throws {
        let registry = try self.registry()
        #expect(payloadError { try registry.decode(StatePayload(manifest: "??", bytes: [])) }?.code == .unknownManifest)
        let empty = StatePayload(manifest: "google.protobuf.Any", bytes: [])
        #expect(payloadError { try registry.decode(empty) }?.code == .noState)
        let text = payloadError { try registry.decode(StatePayload(manifest: "text/plain", bytes: [0xff])) }
        #expect(text?.code == .malformed)
        #expect(text?.underlying is Text.Odd)
        #expect(
            payloadError { try registry.decode(StatePayload(manifest: "json:Logbook:3", bytes: [])) }?.code
                == .newerVersion)
    }

    @Test func anotherTypeThanAskedForIsAnErrorNamingBoth() throws {
        let registry = try self.registry()
        let payload = try ProtobufStateCodec().encode(GoldenVector.account)
        let error = payloadError { try registry.decode(payload, as: Logbook.self) }
        #expect(error?.code == .wrongType)
        #expect(
            error?.message == "a StateTypeRegistryTests.Logbook was asked for, and the payload holds a SampleAccount")
    }

    @Test func aNameBelongsToOneType() throws {
        var registry = try self.registry()
        // The same type again is welcome.
        try registry.register(SampleAccount.self)
        let error = payloadError { try registry.register(JSONStateCodec<OldLogbook>(name: "Logbook")) }
        #expect(error?.code == .misconfigured)
        #expect(
            error?.message == """
                the JSON state "Logbook" is registered for StateTypeRegistryTests.Logbook already and cannot be registered for \
                StateTypeRegistryTests.OldLogbook too
                """)
        let codec = try ProtobufStateCodec<SampleRevision>(
            migrating: .from(SampleAccount.self) { _ in SampleRevision() })
        #expect(payloadError { try registry.register(codec) }?.code == .misconfigured)
        #expect(
            registry.names == ["json:Logbook", "samplepb.Account", "text/plain"], "nothing of a refused codec stays")
    }

    @Test func readsWhatACodecMigratesFrom() throws {
        var registry = StateTypeRegistry()
        try registry.register(
            ProtobufStateCodec<SampleRevision>(migrating: .from(SampleAccount.self) { SampleRevision(before: $0) }))
        #expect(registry.names == ["samplepb.Account", "samplepb.v2.Account"])
        let payload = try ProtobufStateCodec().encode(GoldenVector.account)
        #expect(try registry.decode(payload, as: SampleRevision.self).before == GoldenVector.account)
    }

    @Test func isAValue() throws {
        let one = try self.registry()
        var two = one
        try two.register(SampleNothing.self)
        #expect(one.names.count == 3)
        #expect(two.names.count == 4)
    }
}
