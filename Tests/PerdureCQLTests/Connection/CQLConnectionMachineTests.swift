import Testing

@testable import PerdureCQL

/// Conversations as transcripts.
@Suite struct CQLConnectionMachineTests {
    typealias Machine = CQLConnectionMachine<String>

    /// A frame of a server, made by the closure.
    static func frame(
        _ opcode: CQLOpcode, stream: Int16 = 0, version: CQLVersion = .v5,
        _ body: (inout CQLBuffer) throws(CQLProtocolError) -> Void = { _ throws(CQLProtocolError) in }
    ) throws -> CQLFrame {
        var encoder = CQLFrameEncoder(version: version, role: .server)
        try encoder.message(opcode, stream: stream, body)
        var decoder = CQLFrameDecoder(version: version)
        decoder.append(encoder.takeBytes())
        return try #require(try decoder.next())
    }

    static func supported(_ options: [String: [String]], version: CQLVersion = .v5) throws -> CQLFrame {
        try Self.frame(.supported, version: version) { buffer throws(CQLProtocolError) in
            buffer.append(UInt16(options.count))
            for (name, values) in options {
                try buffer.append(string: name, "")
                buffer.append(UInt16(values.count))
                for value in values { try buffer.append(string: value, "") }
            }
        }
    }

    static func error(
        _ code: CQLServerError.Code, _ message: String = "why", stream: Int16 = 0, version: CQLVersion = .v5
    ) throws -> CQLFrame {
        try Self.frame(.error, stream: stream, version: version) { buffer throws(CQLProtocolError) in
            buffer.append(code.rawValue)
            try buffer.append(string: message, "")
        }
    }

    static func void(_ stream: Int16) throws -> CQLFrame {
        try Self.frame(.result, stream: stream) { buffer throws(CQLProtocolError) in buffer.append(Int32(1)) }
    }

    static let all = ["COMPRESSION": ["lz4"], "PROTOCOL_VERSIONS": ["3/v3", "4/v4", "5/v5", "6/v6-beta"]]

    static func open(_ change: (inout CQLConnectionConfiguration) -> Void = { _ in }) throws -> Machine {
        var configuration = CQLConnectionConfiguration()
        change(&configuration)
        var machine = Machine(configuration)
        _ = machine.opened()
        _ = machine.received(try Self.supported(Self.all))
        #expect(say(machine.received(try Self.frame(.ready))) == "ready")
        return machine
    }

    static func submit(_ machine: inout Machine, _ ticket: String) throws -> CQLStream {
        guard case .send(let stream) = machine.submit(ticket) else {
            Issue.record("was not taken")
            throw CQLProtocolError(.unexpectedMessage, "was not taken")
        }
        return stream
    }

    /// An action as a line of the transcript.
    static func say(_ action: Machine.Action) -> String {
        switch action {
        case .none: "-"
        case .send(.startup(let startup), let stream):
            "startup(\(startup.compression?.rawValue ?? "plain")) on \(stream)"
        case .send(.options, let stream): "options on \(stream)"
        case .send(.authResponse(let token), let stream): "auth(\(token?.hex ?? "null")) on \(stream)"
        case .send(.query(let text, _, _), let stream): "\(text) on \(stream)"
        case .send(.register(let kinds), let stream): "register(\(kinds.map(\.rawValue))) on \(stream)"
        case .send(let request, let stream): "\(request) on \(stream)"
        case .ready: "ready"
        case .complete(let ticket, _): "complete \(ticket)"
        case .completeAndClose(let ticket, _): "complete \(ticket), close"
        case .event(let event): "event \(event)"
        case .close(let error, let failing): "close(\(error)) failing \(failing.map(\.ticket))"
        }
    }

    private func say(_ action: Machine.Action) -> String { Self.say(action) }

    // MARK: Opening

    @Test("opens with all there is: compression, password, keyspace, events") func handshake() throws {
        var configuration = CQLConnectionConfiguration()
        configuration.compression = .lz4
        configuration.authenticator = CQLPlainCredentials(username: "a", password: "b")
        configuration.keyspace = "my \"shop\""
        configuration.events = [.statusChange]
        var machine = Machine(configuration)
        #expect(say(machine.opened()) == "options on 0")
        #expect(machine.submit("early") == .notOpen)
        #expect(say(machine.received(try Self.supported(Self.all))) == "startup(lz4) on 0")
        let authenticate = try Self.frame(.authenticate) { buffer throws(CQLProtocolError) in
            try buffer.append(string: "org.example.Auth", "")
        }
        #expect(say(machine.received(authenticate)) == "auth(00610062) on 0")
        let challenge = try Self.frame(.authChallenge) { buffer throws(CQLProtocolError) in
            try buffer.append(bytesOrNull: [UInt8]("PLAIN-START".utf8))
        }
        #expect(say(machine.received(challenge)) == "auth(00610062) on 0")
        let success = try Self.frame(.authSuccess) { buffer throws(CQLProtocolError) in
            try buffer.append(bytesOrNull: nil)
        }
        #expect(say(machine.received(success)) == "USE \"my \"\"shop\"\"\" on 0")
        let keyspace = try Self.frame(.result) { buffer throws(CQLProtocolError) in
            buffer.append(Int32(3))
            try buffer.append(string: "my \"shop\"", "")
        }
        #expect(!machine.isOpen)
        #expect(say(machine.received(keyspace)) == "register([\"STATUS_CHANGE\"]) on 0")
        #expect(say(machine.received(try Self.frame(.ready))) == "ready")
        #expect(machine.isOpen)
        #expect(machine.compression == .lz4)
        #expect(say(machine.openingTimedOut()) == "-")
    }

    @Test("compression only where the server has it") func compression() throws {
        var configuration = CQLConnectionConfiguration()
        configuration.compression = .lz4
        var machine = Machine(configuration)
        _ = machine.opened()
        #expect(say(machine.received(try Self.supported(["COMPRESSION": ["snappy"]]))) == "startup(plain) on 0")
        _ = machine.received(try Self.frame(.ready))
        #expect(machine.compression == nil)
    }

    @Test("a server without version 5 is asked again with version 4") func downgrade() throws {
        func answer(_ frame: CQLFrame, _ version: CQLVersion = .v5) -> CQLConnectionError? {
            var configuration = CQLConnectionConfiguration()
            configuration.version = version
            var machine = Machine(configuration)
            _ = machine.opened()
            guard case .close(let error, let failing) = machine.received(frame) else { return nil }
            #expect(failing.isEmpty)
            #expect(say(machine.lost()) == "-")
            return error
        }
        let words =
            "Invalid or unsupported protocol version (5); the lowest supported version is 3 and the greatest is 4"
        let down = CQLConnectionError.versionRejected(asked: .v5, next: .v4)
        // As 3.x answers, with its own version or with ours; as a server with version 5 in beta answers; as SUPPORTED says.
        #expect(answer(try Self.error(.protocolError, words, version: .v4)) == down)
        #expect(answer(try Self.error(.protocolError, words)) == down)
        #expect(
            answer(
                try Self.error(
                    .protocolError, "Beta version of the protocol used (5/v5-beta), but USE_BETA flag is unset"))
                == down)
        #expect(answer(try Self.supported(["PROTOCOL_VERSIONS": ["3/v3", "4/v4", "5/v5-beta"]])) == down)
        // There is nothing below version 4.
        #expect(
            answer(try Self.supported(["PROTOCOL_VERSIONS": ["3/v3"]])) == .versionRejected(asked: .v5, next: nil))
        #expect(
            answer(try Self.error(.protocolError, words, version: .v4), .v4) == .versionRejected(asked: .v4, next: nil))
        // Other errors are not about the version.
        #expect(
            answer(try Self.error(.serverError, words)) == .refused(CQLServerError(.serverError, words)))
        #expect(answer(try Self.error(.protocolError)) == .refused(CQLServerError(.protocolError, "why")))
    }

    @Test("what goes wrong while it opens") func refusals() throws {
        func opening(_ authenticator: (any CQLAuthenticator)? = nil) throws -> Machine {
            var configuration = CQLConnectionConfiguration()
            configuration.authenticator = authenticator
            configuration.keyspace = "k"
            var machine = Machine(configuration)
            _ = machine.opened()
            _ = machine.received(try Self.supported(Self.all))
            return machine
        }
        let authenticate = try Self.frame(.authenticate) { buffer throws(CQLProtocolError) in
            try buffer.append(string: "Auth", "")
        }
        var machine = try opening()
        #expect(say(machine.received(authenticate)) == "close(the server wants credentials for Auth) failing []")

        machine = try opening(CQLPlainCredentials(username: "a", password: "b"))
        _ = machine.received(authenticate)
        #expect(
            say(machine.received(try Self.error(.badCredentials)))
                == "close(the server refused the connection: Cassandra: bad credentials) failing []")

        machine = try opening()
        _ = machine.received(try Self.frame(.ready))
        #expect(
            say(machine.received(try Self.error(.invalid)))
                == "close(the server refused the connection: Cassandra: invalid query) failing []")

        machine = try opening()
        #expect(say(machine.openingTimedOut()) == "close(the connection was not open in time) failing []")
        #expect(say(machine.received(try Self.frame(.ready))) == "-")

        machine = try opening()
        #expect(say(machine.drain()) == "close(the connection was closed on purpose) failing []")

        machine = try opening()
        #expect(say(machine.received(try Self.void(0))).contains("does not belong here"))
        machine = try opening()
        #expect(say(machine.received(try Self.frame(.ready, stream: 3))).contains("stream 3"))

        // A server that asks for ever.
        struct Patient: CQLAuthenticator {
            func answer(to challenge: [UInt8]?, of authenticator: String) -> [UInt8]? { [1] }
        }
        machine = try opening(Patient())
        _ = machine.received(authenticate)
        let challenge = try Self.frame(.authChallenge) { buffer throws(CQLProtocolError) in buffer.append(Int32(-1)) }
        var rounds = 0
        while say(machine.received(challenge)).hasPrefix("auth") { rounds += 1 }
        #expect(rounds == 15)
    }

    // MARK: Requests

    @Test("answers find those who asked, in any order") func multiplexing() throws {
        var machine = try Self.open()
        let streams = try ["a", "b", "c"].map { try Self.submit(&machine, $0) }
        #expect(streams.map(\.number) == [0, 1, 2])
        #expect(machine.inFlightCount == 3)
        #expect(say(machine.received(try Self.void(1))) == "complete b")
        #expect(say(machine.received(try Self.error(.invalid, stream: 2))) == "complete c")
        // The number that was free last is used first.
        #expect(try Self.submit(&machine, "d").number == 2)
        #expect(say(machine.received(try Self.void(0))) == "complete a")
        #expect(say(machine.received(try Self.void(2))) == "complete d")
        #expect(machine.inFlightCount == 0)
        #expect(say(machine.received(try Self.void(2))).contains("stream 2, where nothing was asked"))
    }

    @Test("as many streams as the protocol has, and no more") func limit() throws {
        var machine = try Self.open()
        var numbers: [Int16] = []
        for _ in 0..<32768 { numbers.append(try Self.submit(&machine, "").number) }
        #expect(numbers == Array(0...Int16.max))
        #expect(machine.submit("one too many") == .busy)
        #expect(machine.inFlightCount == 32768)
        _ = machine.received(try Self.void(32767))
        #expect(try Self.submit(&machine, "").number == 32767)
        // Where no stream is free a heartbeat is not needed: answers are due.
        #expect(say(machine.heartbeatDue()) == "-")
        #expect(say(machine.heartbeatDue()) == "-")
    }

    @Test("an abandoned stream is not used before its answer came") func orphans() throws {
        var machine = try Self.open { $0.maximumOrphans = 1 }
        let a = try Self.submit(&machine, "a")
        let b = try Self.submit(&machine, "b")
        let c = try Self.submit(&machine, "c")
        guard case .abandoned("a") = machine.abandon(a) else {
            Issue.record("a was not abandoned")
            return
        }
        guard case .tooLate = machine.abandon(a) else {
            Issue.record("a was abandoned twice")
            return
        }
        #expect(machine.orphanCount == 1)
        #expect(machine.inFlightCount == 2)
        #expect(try Self.submit(&machine, "d").number == 3)
        // Its answer comes late: nobody gets it, and the number is free.
        #expect(say(machine.received(try Self.void(a.number))) == "-")
        let again = try Self.submit(&machine, "e")
        #expect(again.number == a.number)
        // To abandon the old use of the number does not touch the new one.
        guard case .tooLate = machine.abandon(a) else {
            Issue.record("the wrong request was abandoned")
            return
        }
        _ = machine.abandon(b)
        guard case .abandonedAndReplace("c") = machine.abandon(c) else {
            Issue.record("two orphans are too many")
            return
        }
        #expect(machine.submit("f") == .notOpen)
        #expect(say(machine.received(try Self.void(3))) == "complete d")
        #expect(say(machine.received(try Self.void(again.number))) == "complete e, close")
    }

    @Test("a request that could not be written gives its stream back") func withdraw() throws {
        var machine = try Self.open()
        let stream = try Self.submit(&machine, "a")
        #expect(machine.withdraw(stream) == "a")
        #expect(machine.withdraw(stream) == nil)
        #expect(machine.orphanCount == 0)
        #expect(try Self.submit(&machine, "b").number == stream.number)
    }

    @Test("a connection that breaks fails everyone who waits, once") func lost() throws {
        var machine = try Self.open()
        let a = try Self.submit(&machine, "a")
        for ticket in ["b", "c"] { _ = try Self.submit(&machine, ticket) }
        _ = machine.abandon(a)
        _ = machine.received(try Self.void(1))
        #expect(say(machine.lost()) == "close(the connection was lost) failing [\"c\"]")
        #expect(say(machine.lost()) == "-")
        #expect(machine.submit("d") == .notOpen)
        #expect(say(machine.received(try Self.void(2))) == "-")
    }

    @Test("events pass at any time") func events() throws {
        var machine = Machine(CQLConnectionConfiguration())
        _ = machine.opened()
        let frame = try ResponseVectorTests.frame(try Vector.bytes("response.v5.event.UP"))
        #expect(say(machine.received(frame)).hasPrefix("event nodeUp"))
        machine = try Self.open()
        #expect(say(machine.received(frame)).hasPrefix("event nodeUp"))
        #expect(say(machine.received(try Self.void(-1))).contains("stream -1"))
    }

    // MARK: Keeping and ending

    @Test("a heartbeat goes out in silence only, and its silence ends the connection") func heartbeats() throws {
        var machine = try Self.open()
        #expect(say(machine.heartbeatDue()) == "-")
        #expect(say(machine.heartbeatDue()) == "options on 0")
        #expect(say(machine.received(try Self.supported([:]))) == "-")
        #expect(say(machine.heartbeatDue()) == "-")
        #expect(say(machine.heartbeatDue()) == "options on 0")
        // Its answer is late, but other answers show that the server lives.
        _ = try Self.submit(&machine, "a")
        #expect(say(machine.received(try Self.void(1))) == "complete a")
        #expect(say(machine.heartbeatDue()) == "-")
        _ = try Self.submit(&machine, "b")
        #expect(say(machine.heartbeatDue()) == "close(the server did not answer a heartbeat) failing [\"b\"]")
    }

    @Test("draining answers what is in flight, then ends") func drain() throws {
        var machine = try Self.open()
        #expect(say(machine.drain()) == "close(the connection was closed on purpose) failing []")

        machine = try Self.open()
        for ticket in ["a", "b"] { _ = try Self.submit(&machine, ticket) }
        #expect(say(machine.drain()) == "-")
        #expect(machine.submit("c") == .notOpen)
        #expect(say(machine.received(try Self.void(0))) == "complete a")
        #expect(say(machine.received(try Self.void(1))) == "complete b, close")
        #expect(say(machine.lost()) == "-")

        machine = try Self.open()
        let stream = try Self.submit(&machine, "a")
        _ = machine.drain()
        guard case .abandonedAndClose("a") = machine.abandon(stream) else {
            Issue.record("the last was abandoned, and the connection stays")
            return
        }
    }
}
