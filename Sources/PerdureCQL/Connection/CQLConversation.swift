/// All of one connection but its transport: ``CQLConnectionMachine`` with a ``CQLFrameEncoder`` and a ``CQLFrameDecoder``.
///
/// Whoever has the socket does this, and nothing else:
///
/// ```swift
/// conversation.opened()                                  // the socket is connected
/// conversation.fill(atLeast: 16384) { read(socket, $0.baseAddress, $0.count) }       // it can be read
/// while let event = conversation.next() { handle(event) }  // after opened, fill and every other call
/// conversation.flush()                                   // once for everything that gathered
/// let count = conversation.withUnsentBytes { write(socket, $0.baseAddress, $0.count) }
/// conversation.sent(count)                               // the socket took so many bytes
/// ```
///
/// The handshake, heartbeats and the change of framing happen inside. It has one owner, keeps no time and takes no
/// lock.
public struct CQLConversation<Ticket>: ~Copyable {
    @usableFromInline var machine: CQLConnectionMachine<Ticket>
    @usableFromInline var encoder: CQLFrameEncoder
    @usableFromInline var decoder: CQLFrameDecoder
    /// What `next()` has to say first.
    @usableFromInline var pending: CQLConnectionMachine<Ticket>.Action?
    @usableFromInline var sentByteCount: UInt64 = 0
    @usableFromInline var isOver = false

    /// Something that the owner of the socket must act on.
    public enum Event {
        /// Requests are taken from now on. With what the server supports.
        case ready([String: [String]])
        /// A request was answered; decode the frame with ``CQLResponse/init(_:)``, here or elsewhere.
        case complete(Ticket, CQLFrame)
        /// Something happened in the cluster.
        case event(CQLEvent)
        /// Close the socket; these requests fail. Nothing comes after this.
        case close(CQLConnectionError, failing: [Failed])
    }

    /// A request that fails because its connection is over.
    public struct Failed {
        /// Whose it is.
        public var ticket: Ticket
        /// Whether any byte of it may have left: if not, the server has not seen it.
        public var wasSent: Bool
    }

    /// Makes a conversation for one connection.
    public init(_ configuration: CQLConnectionConfiguration) {
        self.machine = CQLConnectionMachine(configuration)
        self.encoder = CQLFrameEncoder(version: configuration.version, limits: configuration.limits)
        self.decoder = CQLFrameDecoder(version: configuration.version, limits: configuration.limits)
    }

    /// Whether requests are taken.
    public var isOpen: Bool { self.machine.isOpen }

    /// How many requests are in flight and waited for.
    @inlinable public var inFlightCount: Int { self.machine.inFlightCount }

    /// How many requests were abandoned and are unanswered.
    public var orphanCount: Int { self.machine.orphanCount }

    /// The compression that was agreed on; nil before.
    public var compression: CQLCompression? { self.machine.compression }

    // MARK: The transport

    /// The transport is connected (and its TLS session, if any, is up).
    public mutating func opened() { self.perform(self.machine.opened()) }

    /// Takes in bytes that came.
    public mutating func append(_ bytes: [UInt8]) { self.decoder.append(bytes) }

    /// Lends at least `minimum` bytes of room to read into, and takes in as many as the closure says it filled.
    ///
    /// - Returns: How many bytes were taken in.
    @discardableResult
    public mutating func fill<Failure: Error>(
        atLeast minimum: Int, _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Int
    ) throws(Failure) -> Int {
        try self.decoder.fill(atLeast: minimum, body)
    }

    /// The transport broke, or the other side closed it.
    public mutating func lost() { self.perform(self.machine.lost()) }

    /// What has happened; call it until it returns nil.
    ///
    /// After ``Event/close(_:failing:)`` it returns nil for ever.
    @inlinable
    public mutating func next() -> Event? {
        while !self.isOver {
            if self.hasPending {
                if let event = self.nextPending() { return event }
                continue
            }
            do throws(CQLProtocolError) {
                guard let frame = try self.decoder.next() else { return nil }
                let action = self.machine.received(frame)
                // Nearly always.
                if case .complete(let ticket, let frame) = action { return .complete(ticket, frame) }
                self.perform(action)
            } catch {
                self.perform(self.machine.failed(error))
            }
        }
        return nil
    }

    @inlinable var hasPending: Bool {
        if case nil = self.pending { false } else { true }
    }

    @usableFromInline
    mutating func nextPending() -> Event? {
        guard let action = self.pending else { return nil }
        self.pending = nil
        return self.event(action)
    }

    private mutating func event(_ action: CQLConnectionMachine<Ticket>.Action) -> Event? {
        switch action {
        case .none, .send: return nil
        case .ready(let supported): return .ready(supported)
        case .event(let event): return .event(event)
        case .complete(let ticket, let frame): return .complete(ticket, frame)
        case .completeAndClose(let ticket, let frame):
            self.pending = .close(.drained, failing: [])
            return .complete(ticket, frame)
        case .close(let error, let failing):
            self.isOver = true
            let sent = self.sentByteCount
            return .close(error, failing: failing.map { Failed(ticket: $0.ticket, wasSent: sent > $0.position) })
        }
    }

    /// Sends what the connection itself has to say; everything else waits for ``next()``.
    @usableFromInline
    mutating func perform(_ action: CQLConnectionMachine<Ticket>.Action) {
        switch action {
        case .none: break
        case .send(let request, let stream):
            if case .startup(let startup) = request {
                self.encoder.use(startup.compression)
                self.decoder.use(startup.compression)
            }
            do throws(CQLProtocolError) {
                try self.encoder.encode(request, stream: stream)
            } catch {
                // A name of 64 KiB in the configuration, say.
                self.perform(self.machine.failed(error))
            }
        case .ready, .complete, .completeAndClose, .event, .close: self.pending = action
        }
    }

    // MARK: Requests

    /// Hands in a request and writes it.
    ///
    /// - Parameters:
    ///   - ticket: Comes back with the answer, unless this throws or does not return ``CQLConnectionMachine/Submission/send(_:)``.
    ///   - write: Writes one request on the stream it is given.
    /// - Returns: The stream, for ``abandon(_:)``; or why the request was not taken.
    /// - Throws: What `write` throws; the connection goes on.
    @inlinable
    public mutating func submit(
        _ ticket: Ticket, _ write: (inout CQLFrameEncoder, Int16) throws(CQLProtocolError) -> Void
    ) throws(CQLProtocolError) -> CQLConnectionMachine<Ticket>.Submission {
        let position = self.sentByteCount + UInt64(self.encoder.unsentByteCount)
        let submission = self.machine.submit(ticket, position: position)
        guard case .send(let stream) = submission else { return submission }
        do throws(CQLProtocolError) {
            try write(&self.encoder, stream.number)
        } catch {
            _ = self.machine.withdraw(stream)
            throw error
        }
        return submission
    }

    /// Nobody waits for a request any more: it timed out, or its caller was cancelled.
    ///
    /// - Returns: Its ticket, and what to do about the connection. Where that is to close, ``next()`` says so too.
    public mutating func abandon(_ stream: CQLStream) -> CQLConnectionMachine<Ticket>.Abandonment {
        let abandonment = self.machine.abandon(stream)
        if case .abandonedAndClose = abandonment { self.perform(.close(.drained, failing: [])) }
        return abandonment
    }

    // MARK: Keeping and ending

    /// It is time to see whether the server is still there.
    public mutating func heartbeatDue() { self.perform(self.machine.heartbeatDue()) }

    /// The connection should be open by now.
    public mutating func openingTimedOut() { self.perform(self.machine.openingTimedOut()) }

    /// Ends the connection once everything in flight is answered.
    public mutating func drain() { self.perform(self.machine.drain()) }

    // MARK: Sending

    /// How many bytes wait to be sent, gathered ones included: none means that the socket need not be written to.
    public var waitingByteCount: Int { self.encoder.gatheredByteCount + self.encoder.unsentByteCount }

    /// Makes what gathered ready to be sent.
    public mutating func flush() { self.encoder.flush() }

    /// Lends the bytes to send; the pointer is valid during the call only.
    public borrowing func withUnsentBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try self.encoder.withUnsentBytes(body)
    }

    /// The transport took so many bytes.
    public mutating func sent(_ count: Int) {
        self.sentByteCount += UInt64(max(0, count))
        self.encoder.sent(count)
    }
}

extension CQLConversation: Sendable where Ticket: Sendable {}
extension CQLConversation.Event: Sendable where Ticket: Sendable {}
extension CQLConversation.Failed: Sendable where Ticket: Sendable {}
