import PerdureConcurrency
import PerdureIO
import Testing

@testable import PerdureDynamoDB

@Suite struct HTTPTransportTests {
    /// What is kept of an answer.
    struct Answer: Sendable, Equatable {
        var status: Int
        var body: String
        var date: String?
    }

    static func send(
        _ transport: HTTPTransport, _ url: String, _ body: String = "{}", method: HTTPRequest.Method = .post,
        timeout: Duration = .seconds(100)
    ) async -> Result<Answer, HTTPFailure> {
        let buffer = ByteBuffer()
        buffer.append(body)
        let request = HTTPRequest(
            method: method, url: url, body: buffer, headers: { $0.append("X-Test: yes") }, timeout: timeout)
        return await withCheckedContinuation { continuation in
            transport.send(request) { result in
                continuation.resume(
                    returning: result.map {
                        Answer(
                            status: $0.status, body: String(decoding: $0.body, as: UTF8.self), date: $0.header("date"))
                    })
            }
        }
    }

    static func with<Result>(
        _ settings: TransportSettings = .init(), script: @escaping ScriptedPeer.Script,
        _ body: (HTTPTransport, ScriptedPeer) async throws -> Result
    ) async throws -> Result {
        let peer = try ScriptedPeer(script)
        let transport = try HTTPTransport.start(named: "test", settings)
        defer {
            transport.shutDown()
            peer.stop()
        }
        return try await body(transport, peer)
    }

    @Test func keepsItsConnection() async throws {
        try await Self.with(script: { .answer(200, "to \($0.text)", headers: [("Date", "now")]) }) { transport, peer in
            for number in 1...50 {
                let answer = try await Self.send(transport, peer.url, "request \(number)").get()
                #expect(answer == Answer(status: 200, body: "to request \(number)", date: "now"))
            }
            #expect(peer.connectionCount == 1)
            #expect(peer.requests.allSatisfy { $0.header("x-test") == "yes" && $0.line == "POST / HTTP/1.1" })
        }
    }

    @Test func hasManyUnderWayAndNoMoreThanItsLimit() async throws {
        var settings = TransportSettings()
        settings.maximumConnections = 8
        try await Self.with(settings, script: { .answer(200, $0.text) }) { transport, peer in
            await withTaskGroup(of: Void.self) { group in
                for number in 0..<500 {
                    group.addTask {
                        let answer = try? await Self.send(transport, peer.url, "\(number)").get()
                        #expect(answer?.body == "\(number)")
                    }
                }
            }
            #expect((1...8).contains(peer.connectionCount))
        }
    }

    @Test func carriesLargeBodies() async throws {
        try await Self.with(script: { .answer(200, $0.text) }) { transport, peer in
            for count in [0, 1, 16_383, 70_000, 3_000_000] {
                let body = String(repeating: "x", count: count)
                let answer = try await Self.send(transport, peer.url, body).get()
                #expect(answer.body == body)
            }
        }
    }

    @Test func speaksOtherMethods() async throws {
        try await Self.with(script: { .answer(200, $0.line) }) { transport, peer in
            for method in [HTTPRequest.Method.get, .put, .post, .get] {
                let answer = try await Self.send(transport, peer.url + "/a?b=c", "", method: method).get()
                #expect(answer.body == "\(method.rawValue) /a?b=c HTTP/1.1")
            }
        }
    }

    @Test func saysWhenNothingWasSent() async throws {
        let peer = try ScriptedPeer { _ in .close }
        let url = peer.url
        peer.stop()
        let transport = try HTTPTransport.start(named: "test", .init())
        defer { transport.shutDown() }
        for url in [url, "http://no-such-host.invalid/"] {
            guard case .failure(let failure) = await Self.send(transport, url) else {
                Issue.record("an answer from nobody")
                continue
            }
            #expect(failure.reason == .notConnected && !failure.mayHaveArrived, "\(failure)")
        }
    }

    /// libcurl would send a POST again by itself when a kept connection turns out to be dead; here that is ours to decide.
    @Test func neverSendsTwice() async throws {
        let seen = LockedState(0)
        try await Self.with(script: { request in
            if request.text == "first" { return .answer(200, "ok") }
            seen.withLock { $0 += 1 }
            return .close
        }) { transport, peer in
            let answer = try await Self.send(transport, peer.url, "first").get()
            #expect(answer.status == 200)
            guard case .failure(let failure) = await Self.send(transport, peer.url, "second") else {
                Issue.record("an answer to what was cut off")
                return
            }
            #expect(failure.reason == .broken && failure.mayHaveArrived, "\(failure)")
            #expect(seen.withLock { $0 } == 1)
        }
    }

    @Test func givesUpAtTheDeadline() async throws {
        try await Self.with(script: { $0.text == "answer" ? .answer(200, "here") : .silence }) { transport, peer in
            guard case .failure(let failure) = await Self.send(transport, peer.url, timeout: .milliseconds(50)) else {
                Issue.record("an answer from a peer that is silent")
                return
            }
            #expect(failure.reason == .timeout && failure.mayHaveArrived)
            let answer = try await Self.send(transport, peer.url, "answer").get()
            #expect(answer.body == "here")
        }
    }

    @Test func whatWaitsForAConnectionHasADeadlineToo() async throws {
        var settings = TransportSettings()
        settings.maximumConnections = 1
        try await Self.with(settings, script: { _ in .silence }) { transport, peer in
            async let first = Self.send(transport, peer.url, timeout: .milliseconds(200))
            async let second = Self.send(transport, peer.url, timeout: .milliseconds(200))
            let failures = [await first, await second].compactMap { result -> HTTPFailure? in
                if case .failure(let failure) = result { failure } else { nil }
            }
            #expect(failures.map(\.reason) == [.timeout, .timeout])
        }
    }

    @Test func failsWhatIsUnderWayWhenItIsShutDown() async throws {
        let arrived = LockedState<CheckedContinuation<Void, Never>?>(nil)
        let peer = try ScriptedPeer { _ in
            arrived.withLock { $0.take() }?.resume()
            return .silence
        }
        defer { peer.stop() }
        let transport = try HTTPTransport.start(named: "test", .init())
        let (url, answer) = (peer.url, LockedState<Task<Result<Answer, HTTPFailure>, Never>?>(nil))
        await withCheckedContinuation { continuation in
            arrived.withLock { $0 = continuation }
            answer.withLock { $0 = Task { await Self.send(transport, url) } }
        }
        transport.shutDown()
        transport.shutDown()
        for result in [await answer.withLock { $0 }?.value, await Self.send(transport, url)] {
            guard case .failure(let failure)? = result else {
                Issue.record("an answer after the end")
                continue
            }
            #expect(failure.reason == .shutDown)
        }
    }

    /// An answer that ends anywhere before its end is no answer. (Where it ends within its head, libcurl may take it for one without
    /// a body, which is no JSON.)
    @Test func noticesEveryCut() async throws {
        let whole = ScriptedPeer.answer(200, "{\"Item\":{}}", [])
        try await Self.with(script: { .bytes(Array(whole[..<(Int($0.text) ?? 0)])) }) { transport, peer in
            for end in 0..<whole.count {
                let result = await Self.send(transport, peer.url, "\(end)")
                switch result {
                case .failure(let failure): #expect(failure.mayHaveArrived, "cut at byte \(end)")
                case .success(let answer): #expect(answer.body.isEmpty && end < whole.count - 11, "cut at byte \(end)")
                }
            }
            let answer = try await Self.send(transport, peer.url, "\(whole.count)").get()
            #expect(answer.body == "{\"Item\":{}}")
        }
    }
}
