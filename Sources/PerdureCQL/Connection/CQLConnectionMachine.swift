/// One connection, from its first byte to its last, as a machine: event in, action out.
///
/// ```
/// idle ─ opened → options ─ SUPPORTED → startup ─ READY ─────────────→ setting up → open → draining → closed
///                                          └ AUTHENTICATE → authenticating ┘
/// ```
///
/// A ticket is whatever the caller hands in to be woken by. It comes back exactly once: with the answer
/// (``Action/complete(_:_:)``), from ``abandon(_:)``, or among those that fail when the connection closes. There is no
/// clock in here: time-outs are events too.
public struct CQLConnectionMachine<Ticket> {
    /// What to do now.
    public enum Action {
        /// Nothing.
        case none
        /// Send this request on this stream: the connection's own.
        case send(CQLRequest, stream: Int16)
        /// The connection is open: requests are taken from now on. With what the server supports.
        case ready([String: [String]])
        /// A request was answered.
        case complete(Ticket, CQLFrame)
        /// A request was answered, the last that was waited for: then close the transport.
        case completeAndClose(Ticket, CQLFrame)
        /// Something happened in the cluster.
        case event(CQLEvent)
        /// Close the transport; these requests fail.
        case close(CQLConnectionError, failing: [Failed])
    }

    /// A request that fails because its connection is over.
    public struct Failed {
        /// Whose it is.
        public var ticket: Ticket
        /// What ``CQLConnectionMachine/submit(_:position:)`` was told.
        public var position: UInt64
    }

    /// What becomes of a request that is handed in.
    public enum Submission: Sendable, Hashable {
        /// Send it on this stream.
        case send(CQLStream)
        /// The connection is not open yet, or not any more: another one must take it.
        case notOpen
        /// All streams are in use: the caller must wait, or another connection must take it.
        case busy
    }

    /// What becomes of a request that is abandoned.
    public enum Abandonment {
        /// It was answered before.
        case tooLate
        /// Its stream stays reserved until the answer comes.
        case abandoned(Ticket)
        /// Likewise, and too many streams are reserved so: open another connection, and end this one with
        /// ``CQLConnectionMachine/drain()``. It takes no more requests.
        case abandonedAndReplace(Ticket)
        /// It was the last that the connection was kept for: close the transport.
        case abandonedAndClose(Ticket)
    }

    @usableFromInline
    enum State: Sendable {
        case idle
        case options
        case startup(supported: [String: [String]], CQLCompression?)
        case authenticating(supported: [String: [String]], authenticator: String, rounds: Int)
        case settingUp(supported: [String: [String]], [CQLRequest])
        case open
        case draining
        case closed
    }

    @usableFromInline var state = State.idle
    @usableFromInline var streams: CQLStreamTable<Ticket>
    private let configuration: CQLConnectionConfiguration
    @usableFromInline var hasHeardSinceHeartbeat = false
    @usableFromInline var heartbeat = Heartbeat.idle
    // More than any mechanism needs.
    private static var maximumRounds: Int { 16 }
    private static var handshakeStream: Int16 { 0 }

    @usableFromInline
    enum Heartbeat: Sendable {
        case idle
        case waiting
    }

    /// Makes a machine for one connection.
    public init(_ configuration: CQLConnectionConfiguration) {
        self.configuration = configuration
        self.streams = CQLStreamTable(capacity: configuration.maximumStreams)
    }

    /// Whether requests are taken.
    public var isOpen: Bool {
        if case .open = self.state { true } else { false }
    }

    /// How many requests are in flight and waited for: what load balancing goes by.
    @inlinable public var inFlightCount: Int { self.streams.requestCount }

    /// How many requests were abandoned and are unanswered.
    public var orphanCount: Int { self.streams.orphanCount }

    /// The compression that was agreed on; nil before.
    public private(set) var compression: CQLCompression?

    // MARK: The transport

    /// The transport is connected (and its TLS session, if any, is up).
    public mutating func opened() -> Action {
        guard case .idle = self.state else { return .none }
        self.state = .options
        return .send(.options, stream: Self.handshakeStream)
    }

    /// The transport broke, or the other side closed it.
    ///
    /// - Returns: A close with the requests that fail; none if the connection was closed already.
    public mutating func lost() -> Action { self.close(.lost) }

    /// The bytes that came are not what the protocol says.
    public mutating func failed(_ error: CQLProtocolError) -> Action { self.close(.violated(error)) }

    /// A frame came.
    @inlinable
    public mutating func received(_ frame: CQLFrame) -> Action {
        self.hasHeardSinceHeartbeat = true
        switch self.state {
        case .open, .draining: return frame.header.stream >= 0 ? self.answered(frame) : self.receivedEvent(frame)
        default: return self.receivedWhileClosed(frame)
        }
    }

    @usableFromInline
    mutating func receivedWhileClosed(_ frame: CQLFrame) -> Action {
        switch self.state {
        case .idle: return self.close(.violated(.unexpected("a frame before anything was asked")))
        case .open, .draining, .closed: return .none
        case .options, .startup, .authenticating, .settingUp:
            do throws(CQLProtocolError) {
                return try self.greeted(frame)
            } catch {
                return self.close(.violated(error))
            }
        }
    }

    // MARK: Opening

    private mutating func greeted(_ frame: CQLFrame) throws(CQLProtocolError) -> Action {
        let response = try CQLResponse(frame)
        if case .event(let event) = response.message { return .event(event) }
        if case .error(let error) = response.message { return self.refused(error, frame.header.version) }
        guard frame.header.version == self.configuration.version.rawValue else {
            throw .unexpected("an answer of version \(frame.header.version) to \(self.configuration.version.rawValue)")
        }
        guard response.stream == Self.handshakeStream else {
            throw .unexpected("an answer on stream \(response.stream), where nothing was asked")
        }
        switch (self.state, response.message) {
        case (.options, .supported(let supported)):
            if let error = self.versionError(supported) { return self.close(error) }
            let offered = supported["COMPRESSION"] ?? []
            let compression = self.configuration.compression.flatMap { offered.contains($0.rawValue) ? $0 : nil }
            self.state = .startup(supported: supported, compression)
            var startup = self.configuration.startup
            startup.compression = compression
            return .send(.startup(startup), stream: Self.handshakeStream)
        case (.startup(let supported, let compression), .ready):
            self.compression = compression
            return self.setUp(supported)
        case (.startup(let supported, let compression), .authenticate(let name)):
            self.compression = compression
            guard let token = self.configuration.authenticator?.answer(to: nil, of: name) else {
                return self.close(.credentialsMissing(authenticator: name))
            }
            self.state = .authenticating(supported: supported, authenticator: name, rounds: 1)
            return .send(.authResponse(token), stream: Self.handshakeStream)
        case (.authenticating(let supported, let name, let rounds), .authChallenge(let challenge)):
            guard rounds < Self.maximumRounds,
                let token = self.configuration.authenticator?.answer(to: challenge ?? [], of: name)
            else { return self.close(.credentialsMissing(authenticator: name)) }
            self.state = .authenticating(supported: supported, authenticator: name, rounds: rounds + 1)
            return .send(.authResponse(token), stream: Self.handshakeStream)
        case (.authenticating(let supported, _, _), .authSuccess): return self.setUp(supported)
        case (.settingUp(let supported, let steps), .ready), (.settingUp(let supported, let steps), .setKeyspace):
            return self.next(steps, supported)
        default: throw .unexpected("a message that does not belong here while the connection opens")
        }
    }

    /// A server that lists the version only as a beta, or not at all, would refuse STARTUP: do not even ask.
    private func versionError(_ supported: [String: [String]]) -> CQLConnectionError? {
        guard let versions = supported["PROTOCOL_VERSIONS"], !versions.isEmpty else { return nil }
        func isSpoken(_ version: CQLVersion) -> Bool {
            versions.contains { $0.hasPrefix("\(version.rawValue)/") && !$0.hasSuffix("-beta") }
        }
        let asked = self.configuration.version
        if isSpoken(asked) { return nil }
        return .versionRejected(asked: asked, next: asked > .v4 && isSpoken(.v4) ? .v4 : nil)
    }

    private mutating func refused(_ error: CQLServerError, _ version: UInt8) -> Action {
        let asked = self.configuration.version
        if case .authenticating = self.state { return self.close(.refused(error)) }
        if case .settingUp = self.state { return self.close(.refused(error)) }
        // A server that does not speak the version answers in its own, or says so in words only.
        let isAboutVersion =
            version < asked.rawValue
            || error.message.contains("unsupported protocol version")
            || error.message.contains("USE_BETA flag is unset")
        guard error.code == .protocolError, isAboutVersion else { return self.close(.refused(error)) }
        // `version` is 4 at least where the server speaks 4; a server that answers in 5 may have said so of a beta.
        let next: CQLVersion? = asked > .v4 && version >= CQLVersion.v4.rawValue ? .v4 : nil
        return self.close(.versionRejected(asked: asked, next: next))
    }

    private mutating func setUp(_ supported: [String: [String]]) -> Action {
        var steps: [CQLRequest] = []
        if let keyspace = self.configuration.keyspace {
            let quoted = keyspace.replacing("\"", with: "\"\"")
            steps.append(.query("USE \"\(quoted)\"", CQLQueryOptions(consistency: .one), []))
        }
        if !self.configuration.events.isEmpty { steps.append(.register(self.configuration.events)) }
        return self.next(steps, supported)
    }

    private mutating func next(_ steps: [CQLRequest], _ supported: [String: [String]]) -> Action {
        guard let step = steps.first else {
            self.state = .open
            return .ready(supported)
        }
        self.state = .settingUp(supported: supported, Array(steps.dropFirst()))
        return .send(step, stream: Self.handshakeStream)
    }

    /// The connection should be open by now.
    ///
    /// - Returns: A close if it is not.
    public mutating func openingTimedOut() -> Action {
        switch self.state {
        case .idle, .options, .startup, .authenticating, .settingUp: self.close(.notOpenInTime)
        case .open, .draining, .closed: .none
        }
    }

    // MARK: Requests

    /// Hands in a request.
    ///
    /// - Parameters:
    ///   - ticket: Comes back with the answer; not kept unless the request is to be sent.
    ///   - position: Where in the stream of bytes that are sent the request will be, for telling afterwards whether it left.
    /// - Returns: The stream to send it on, or why it cannot be.
    @inlinable
    public mutating func submit(_ ticket: Ticket, position: UInt64 = 0) -> Submission {
        guard case .open = self.state else { return .notOpen }
        guard let stream = self.streams.open(.request(ticket), position: position) else { return .busy }
        return .send(stream)
    }

    /// Takes back a request that was not sent after all, because it could not be written.
    ///
    /// - Returns: Its ticket; nil where it was answered, abandoned or failed.
    @inlinable
    public mutating func withdraw(_ stream: CQLStream) -> Ticket? {
        guard let ticket = self.streams.orphan(stream) else { return nil }
        _ = self.streams.close(stream.number)
        return ticket
    }

    /// Nobody waits for a request any more: it timed out, or its caller was cancelled.
    public mutating func abandon(_ stream: CQLStream) -> Abandonment {
        guard let ticket = self.streams.orphan(stream) else { return .tooLate }
        if case .draining = self.state, self.streams.requestCount == 0 {
            self.state = .closed
            return .abandonedAndClose(ticket)
        }
        guard case .open = self.state, self.streams.orphanCount > self.configuration.maximumOrphans else {
            return .abandoned(ticket)
        }
        self.state = .draining
        return .abandonedAndReplace(ticket)
    }

    @inlinable
    mutating func answered(_ frame: CQLFrame) -> Action {
        switch self.streams.close(frame.header.stream) {
        case .request(let ticket):
            if case .draining = self.state, self.streams.requestCount == 0 {
                self.state = .closed
                return .completeAndClose(ticket, frame)
            }
            return .complete(ticket, frame)
        case .heartbeat:
            self.heartbeat = .idle
            return .none
        case .orphan: return .none
        case .free, nil: return self.answeredNothing(frame.header.stream)
        }
    }

    @usableFromInline
    mutating func answeredNothing(_ number: Int16) -> Action {
        self.close(.violated(.unexpected("an answer on stream \(number), where nothing was asked")))
    }

    @usableFromInline
    mutating func receivedEvent(_ frame: CQLFrame) -> Action {
        do throws(CQLProtocolError) {
            guard case .event(let event) = try CQLResponse(frame).message else {
                return self.close(.violated(.unexpected("an answer on stream \(frame.header.stream)")))
            }
            return .event(event)
        } catch {
            return self.close(.violated(error))
        }
    }

    // MARK: Keeping and ending

    /// It is time to see whether the server is still there; call it every so often, 30 s for instance.
    ///
    /// - Returns: A request to send if nothing came since the last time; a close if the one sent then was not answered.
    public mutating func heartbeatDue() -> Action {
        switch self.state {
        case .open, .draining: break
        case .idle, .options, .startup, .authenticating, .settingUp, .closed: return .none
        }
        defer { self.hasHeardSinceHeartbeat = false }
        // Anything that comes shows that the server lives: only silence is a reason to ask.
        if self.hasHeardSinceHeartbeat { return .none }
        if case .waiting = self.heartbeat { return self.close(.silent) }
        // Where no stream is free there are requests enough whose answers are due.
        guard let stream = self.streams.open(.heartbeat, position: 0) else { return .none }
        self.heartbeat = .waiting
        return .send(.options, stream: stream.number)
    }

    /// Ends the connection once everything in flight is answered; no more requests are taken.
    ///
    /// - Returns: A close if nothing is in flight, or the connection was not open yet.
    public mutating func drain() -> Action {
        switch self.state {
        case .open, .draining:
            self.state = .draining
            return self.streams.requestCount == 0 ? self.close(.drained) : .none
        case .closed: return .none
        case .idle, .options, .startup, .authenticating, .settingUp: return self.close(.drained)
        }
    }

    private mutating func close(_ error: CQLConnectionError) -> Action {
        if case .closed = self.state { return .none }
        self.state = .closed
        return .close(
            error, failing: self.streams.closeAll().map { Failed(ticket: $0.ticket, position: $0.position) })
    }
}

extension CQLConnectionMachine: Sendable where Ticket: Sendable {}
extension CQLConnectionMachine.Failed: Sendable where Ticket: Sendable {}
extension CQLConnectionMachine.Action: Sendable where Ticket: Sendable {}
extension CQLConnectionMachine.Abandonment: Sendable where Ticket: Sendable {}
