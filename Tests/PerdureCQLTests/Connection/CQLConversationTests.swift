import Testing

@testable import PerdureCQL

/// `#expect` for values that cannot be copied: it is handed the answer only.
private func expect(_ condition: Bool, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(condition, sourceLocation: sourceLocation)
}

private func isNil(_ event: CQLConversation<Int>.Event?) -> Bool {
    if case nil = event { true } else { false }
}

/// Whole conversations: bytes in, bytes out, against a server's side made of the same parts.
@Suite struct CQLConversationTests {
    /// A server that answers everything with void, in the order of asking.
    struct Server: ~Copyable {
        var decoder: CQLFrameDecoder
        var encoder: CQLFrameEncoder
        var requests: [CQLFrame] = []
        var wantsPassword = false

        init(_ version: CQLVersion) {
            self.decoder = CQLFrameDecoder(version: version, role: .server)
            self.encoder = CQLFrameEncoder(version: version, role: .server)
        }

        mutating func answer(_ bytes: [UInt8]) throws -> [UInt8] {
            self.decoder.append(bytes)
            while let frame = try self.decoder.next() {
                self.requests.append(frame)
                let stream = frame.header.stream
                switch frame.header.opcode {
                case .options:
                    try self.encoder.message(.supported, stream: stream) { buffer throws(CQLProtocolError) in
                        buffer.append(UInt16(1))
                        try buffer.append(string: "COMPRESSION", "")
                        buffer.append(UInt16(1))
                        try buffer.append(string: "lz4", "")
                    }
                    // STARTUP will say; both sides go by it.
                    self.decoder.use(.lz4)
                    self.encoder.use(.lz4)
                case .startup:
                    if self.wantsPassword {
                        try self.encoder.message(.authenticate, stream: stream) { buffer throws(CQLProtocolError) in
                            try buffer.append(string: "Auth", "")
                        }
                    } else {
                        try self.encoder.message(.ready, stream: stream) { _ throws(CQLProtocolError) in }
                    }
                case .authResponse:
                    try self.encoder.message(.authSuccess, stream: stream) { buffer throws(CQLProtocolError) in
                        try buffer.append(bytesOrNull: nil)
                    }
                default:
                    try self.encoder.message(.result, stream: stream) { buffer throws(CQLProtocolError) in
                        buffer.append(Int32(1))
                    }
                }
            }
            return self.encoder.takeBytes()
        }
    }

    static func unsent(_ conversation: inout CQLConversation<Int>) -> [UInt8] {
        conversation.flush()
        let bytes = conversation.withUnsentBytes { [UInt8]($0) }
        conversation.sent(bytes.count)
        return bytes
    }

    @Test("handshake, requests, compression and drain", arguments: [CQLVersion.v4, .v5], [false, true])
    func conversation(version: CQLVersion, password: Bool) throws {
        var configuration = CQLConnectionConfiguration()
        configuration.version = version
        configuration.compression = .lz4
        configuration.authenticator = CQLPlainCredentials(username: "a", password: "b")
        var conversation = CQLConversation<Int>(configuration)
        var server = Server(version)
        server.wantsPassword = password
        conversation.opened()
        var isReady = false
        for _ in 0..<4 where !isReady {
            conversation.append(try server.answer(Self.unsent(&conversation)))
            while let event = conversation.next() {
                guard case .ready = event else {
                    Issue.record("not ready")
                    return
                }
                isReady = true
            }
        }
        #expect(isReady)
        expect(conversation.isOpen)
        expect(conversation.compression == .lz4)

        let text = "SELECT " + String(repeating: "x", count: 5000)
        for ticket in 0..<100 {
            let submission = try conversation.submit(ticket) { encoder, stream throws(CQLProtocolError) in
                try encoder.query(text, stream: stream)
            }
            #expect(submission == .send(CQLStream(number: Int16(ticket), use: 0)))
        }
        let bytes = Self.unsent(&conversation)
        #expect(bytes.count < 100 * 200)
        expect(conversation.waitingByteCount == 0)
        let answers = try server.answer(bytes)
        expect(server.requests.suffix(100).allSatisfy { $0.body.count > 5000 })
        var completed: [Int] = []
        for byte in answers {
            conversation.append([byte])
            while let event = conversation.next() {
                guard case .complete(let ticket, let frame) = event else {
                    Issue.record("not an answer")
                    return
                }
                #expect(try CQLResponse(frame).message == .void)
                completed.append(ticket)
            }
        }
        #expect(completed == Array(0..<100))

        _ = try conversation.submit(100) { encoder, stream throws(CQLProtocolError) in
            try encoder.options(stream: stream)
        }
        conversation.drain()
        expect(isNil(conversation.next()))
        conversation.append(try server.answer(Self.unsent(&conversation)))
        guard case .complete(100, _) = conversation.next(), case .close(.drained, let failing) = conversation.next()
        else {
            Issue.record("the last answer, then the end")
            return
        }
        #expect(failing.isEmpty)
        expect(isNil(conversation.next()))
    }

    static func open() throws -> CQLConversation<Int> {
        var conversation = CQLConversation<Int>(CQLConnectionConfiguration())
        var server = Server(.v5)
        conversation.opened()
        for _ in 0..<2 {
            let bytes = try server.answer(Self.unsent(&conversation))
            // This server has no compression to offer: the client did not ask.
            conversation.append(bytes)
            _ = conversation.next()
        }
        expect(conversation.isOpen)
        return conversation
    }

    @Test("a request that never left is known not to have") func wasSent() throws {
        var conversation = try Self.open()
        func submit(_ ticket: Int) throws {
            _ = try conversation.submit(ticket) { encoder, stream throws(CQLProtocolError) in
                try encoder.query("SELECT 1", stream: stream)
            }
        }
        try submit(1)
        conversation.flush()
        let first = conversation.withUnsentBytes { $0.count }
        try submit(2)
        conversation.flush()
        try submit(3)
        // The socket takes the first, and one byte of the second.
        conversation.sent(first + 1)
        conversation.lost()
        guard case .close(.lost, let failing) = conversation.next() else {
            Issue.record("no close")
            return
        }
        #expect(failing.map(\.ticket) == [1, 2, 3])
        #expect(failing.map(\.wasSent) == [true, true, false])
        expect(isNil(conversation.next()))
    }

    @Test("a request is not counted as sent by the last byte before it") func wasSentExactly() throws {
        var conversation = try Self.open()
        func submit(_ ticket: Int) throws {
            _ = try conversation.submit(ticket) { encoder, stream throws(CQLProtocolError) in
                try encoder.query("SELECT 1", stream: stream)
            }
        }
        try submit(1)
        conversation.flush()
        let first = conversation.withUnsentBytes { $0.count }
        try submit(2)
        conversation.flush()
        conversation.sent(first)
        conversation.lost()
        guard case .close(.lost, let failing) = conversation.next() else {
            Issue.record("no close")
            return
        }
        #expect(failing.map(\.wasSent) == [true, false])
    }

    @Test("a request that cannot be written leaves the connection as it was") func unwritable() throws {
        var conversation = try Self.open()
        #expect(throws: CQLProtocolError.self) {
            _ = try conversation.submit(1) { encoder, stream throws(CQLProtocolError) in
                try encoder.query(String(repeating: "x", count: 17 << 20), stream: stream)
            }
        }
        expect(conversation.inFlightCount == 0)
        expect(conversation.waitingByteCount == 0)
        expect(conversation.isOpen)
    }

    @Test("bytes that are no protocol end the conversation") func noise() throws {
        var conversation = try Self.open()
        _ = try conversation.submit(1) { encoder, stream throws(CQLProtocolError) in try encoder.options(stream: stream)
        }
        conversation.append([UInt8]("HTTP/1.1 400 Bad Request\r\n\r\n".utf8))
        guard case .close(.violated, let failing) = conversation.next() else {
            Issue.record("no close")
            return
        }
        #expect(failing.map(\.ticket) == [1])
        expect(isNil(conversation.next()))
    }

    @Test("a heartbeat is sent and answered inside") func heartbeat() throws {
        var conversation = try Self.open()
        conversation.heartbeatDue()
        expect(Self.unsent(&conversation) == [])
        conversation.heartbeatDue()
        expect(!Self.unsent(&conversation).isEmpty)
        expect(isNil(conversation.next()))
        conversation.heartbeatDue()
        guard case .close(.silent, _) = conversation.next() else {
            Issue.record("no close")
            return
        }
    }
}
