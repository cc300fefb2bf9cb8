internal import PerdureCQL
internal import PerdureCrypto
internal import PerdureIO

/// Gets told what happens on a connection, on its loop.
protocol ConnectionOwner: AnyObject {
    /// Requests are taken from now on.
    func opened(_ connection: Connection)
    /// A caller's request was answered.
    func completed(_ execution: Execution, _ frame: CQLFrame, on connection: Connection)
    /// Something happened in the cluster.
    func happened(_ event: CQLEvent, on connection: Connection)
    /// The connection is over; these requests of callers fail. Nothing is told afterwards.
    func closed(_ connection: Connection, _ end: ConnectionEnd, failing: [(execution: Execution, wasSent: Bool)])
    /// All that came at once was told: now send what gathered.
    func turnEnded()
}

/// Why a connection is over.
struct ConnectionEnd {
    let error: CQLConnectionError
    /// What the system or TLS said, for people.
    let reason: String?
    /// Whether the other side's certificate, or ours, is at fault: trying again does not mend that.
    var isUntrusted = false

    var description: String { self.reason.map { "\(self.error): \($0)" } ?? "\(self.error)" }
}

/// One connection: a socket and perhaps TLS below, ``CQLConversation`` above, and nothing of its own to decide.
///
/// Belongs to its loop's thread.
final class Connection: DescriptorHandler {
    let endpoint: CQLEndpoint
    let version: CQLVersion
    private let loop: EventLoop
    /// Let go of when the connection is over.
    private var owner: (any ConnectionOwner)?
    private var conversation: CQLConversation<Ticket>
    private var socket: Socket?
    private var tls: TLSSession?
    /// What TLS made of what is sent, and the socket has not taken.
    private var protected = CQLBuffer()
    private var registration: EventLoop.Registration?
    private var interest: Readiness = []
    private var isConnecting = true
    private var isClosed = false
    private var isTelling = false
    private var reason: String?
    private var isUntrusted = false
    private var openingTimer: EventLoop.TimerID?
    private var heartbeatTimer: EventLoop.TimerID?
    private let heartbeatInterval: Duration
    /// Whether the owner has it on its list of those to be flushed.
    var isMarked = false
    /// What its owner knows it by.
    let id: UInt64

    /// The most that is read before the requests of others get their turn.
    private static let readsPerTurn = 16
    private static let readSize = 16384

    /// Makes a connection that is not open yet; the TLS session, if any, is for the other side's name.
    init(
        _ id: UInt64, to endpoint: CQLEndpoint, _ configuration: CQLConnectionConfiguration,
        tls: TLSSession?, heartbeatInterval: Duration, on loop: EventLoop, owner: any ConnectionOwner
    ) {
        self.id = id
        self.endpoint = endpoint
        self.version = configuration.version
        self.loop = loop
        self.owner = owner
        self.heartbeatInterval = heartbeatInterval
        self.conversation = CQLConversation(configuration)
        self.tls = tls
    }

    // MARK: Opening

    /// Begins to connect; the owner is told what comes of it, never before this returns.
    func open(within timeout: Duration) {
        do throws(Socket.Refusal) {
            self.socket = try Socket.connect(to: self.endpoint)
        } catch {
            return self.failLater(Socket.words(error.errorNumber))
        }
        guard self.watch(.writable) else { return self.failLater("the event loop cannot watch another socket") }
        self.openingTimer = self.loop.schedule(at: self.loop.now + timeout) { [weak self] in
            guard let self else { return }
            self.openingTimer = nil
            if self.isConnecting { self.reason = "no answer to the attempt to connect" }
            self.conversation.openingTimedOut()
            self.tell()
        }
    }

    private func failLater(_ reason: String) {
        self.reason = reason
        self.openingTimer = self.loop.schedule(at: self.loop.now) { [weak self] in
            self?.openingTimer = nil
            self?.conversation.lost()
            self?.tell()
        }
    }

    private func connected() {
        let error = self.socket?.pendingError() ?? 0
        guard error == 0 else { return self.broke(Socket.words(error)) }
        self.isConnecting = false
        guard self.watch(.readable) else { return self.broke("the event loop cannot watch the socket") }
        if self.tls != nil {
            self.shakeHands()
        } else {
            self.conversation.opened()
        }
    }

    private func shakeHands() {
        do throws(TLSFailure) {
            if try self.tls?.shakeHands() == true { self.conversation.opened() }
        } catch {
            self.untrusted(error)
        }
    }

    private func untrusted(_ failure: TLSFailure) {
        self.isUntrusted = failure.isUntrusted
        self.broke("TLS: \(failure)")
    }

    private func broke(_ reason: String) {
        if self.reason == nil { self.reason = reason }
        self.conversation.lost()
    }

    private func opened() {
        self.cancel(&self.openingTimer)
        self.startHeartbeat()
        self.owner?.opened(self)
    }

    private func startHeartbeat() {
        self.heartbeatTimer = self.loop.schedule(at: self.loop.now + self.heartbeatInterval) { [weak self] in
            guard let self else { return }
            self.heartbeatTimer = nil
            self.conversation.heartbeatDue()
            self.startHeartbeat()
            self.tell()
        }
    }

    // MARK: Requests

    /// Whether requests are taken.
    var isOpen: Bool { self.conversation.isOpen }

    /// How many requests are in flight and waited for.
    var inFlightCount: Int { self.conversation.inFlightCount }

    /// Hands in a request and writes it; it leaves with ``flush()``.
    func submit(
        _ ticket: Ticket, _ write: (inout CQLFrameEncoder, Int16) throws(CQLProtocolError) -> Void
    ) throws(CQLProtocolError) -> CQLConnectionMachine<Ticket>.Submission {
        try self.conversation.submit(ticket, write)
    }

    /// Nobody waits for a request any more.
    ///
    /// - Returns: Whether the connection should be replaced: too many of its streams are taken by such requests.
    func abandon(_ stream: CQLStream) -> Bool {
        switch self.conversation.abandon(stream) {
        case .tooLate, .abandoned: return false
        case .abandonedAndReplace: return true
        case .abandonedAndClose:
            self.tellLater()
            return false
        }
    }

    /// Ends the connection once everything in flight is answered.
    func drain() {
        self.conversation.drain()
        self.tellLater()
    }

    /// Closes at once, without telling; what is in flight must have been abandoned.
    func close() {
        self.isClosed = true
        self.release()
        self.owner = nil
    }

    // MARK: Reading

    func ready(_ readiness: Readiness) {
        guard !self.isClosed else { return }
        if self.isConnecting {
            guard !readiness.isDisjoint(with: [.writable, .closed]) else { return }
            self.connected()
            return self.tell()
        }
        if !readiness.isDisjoint(with: [.readable, .closed]) {
            self.read()
            self.tell()
        }
        if readiness.contains(.writable), !self.isClosed { self.flush() }
    }

    private func read() {
        for _ in 0..<Self.readsPerTurn {
            let transfer = self.tls == nil ? self.readPlain() : self.readProtected()
            switch transfer {
            case .bytes(let count):
                // Less than there was room for: all that had come. If there is more, readiness is told again.
                if count < Self.readSize { return }
            case .later: return
            case .end: return self.broke("the node closed it")
            case .failed(let error): return self.broke(Socket.words(error))
            }
        }
    }

    private func readPlain() -> Socket.Transfer {
        var transfer = Socket.Transfer.later
        self.conversation.fill(atLeast: Self.readSize) { room in
            transfer = self.socket?.receive(into: room) ?? .end
            return if case .bytes(let count) = transfer { count } else { 0 }
        }
        return transfer
    }

    private func readProtected() -> Socket.Transfer {
        var transfer = Socket.Transfer.later
        withUnsafeTemporaryAllocation(byteCount: Self.readSize, alignment: 16) { room in
            transfer = self.socket?.receive(into: room) ?? .end
            guard case .bytes(let count) = transfer else { return }
            self.tls?.receive(UnsafeRawBufferPointer(rebasing: room[..<count]))
        }
        guard case .bytes = transfer else { return transfer }
        do throws(TLSFailure) {
            if self.tls?.isEstablished == false {
                guard try self.tls?.shakeHands() == true else { return transfer }
                self.conversation.opened()
            }
            while true {
                var isAtEnd = false
                let count = try self.conversation.fill(atLeast: Self.readSize) { room throws(TLSFailure) in
                    switch try self.tls?.read(into: room) {
                    case .bytes(let count)?: return count
                    case .later?: return 0
                    case .end?, nil:
                        isAtEnd = true
                        return 0
                    }
                }
                if isAtEnd { return .end }
                if count == 0 { return transfer }
            }
        } catch {
            self.untrusted(error)
            return .later
        }
    }

    /// Tells everything that has happened.
    private func tell() {
        // What is told may ask for something else; that is told by the turn that is under way.
        guard !self.isTelling, !self.isClosed else { return }
        self.isTelling = true
        let owner = self.owner
        while let event = self.conversation.next() {
            switch event {
            case .complete(.execution(let execution), let frame):
                self.owner?.completed(execution, frame, on: self)
            case .complete(.own(let done), let frame): done(OwnAnswer(frame))
            case .ready: self.opened()
            case .event(let event): self.owner?.happened(event, on: self)
            case .close(let error, let failing): self.end(error, failing)
            }
            // Closed while telling: nobody wants to hear the rest.
            if self.isClosed { break }
        }
        self.isTelling = false
        if !self.isClosed { self.flush() }
        owner?.turnEnded()
    }

    private func tellLater() {
        guard !self.isTelling, !self.isClosed else { return }
        _ = self.loop.schedule(at: self.loop.now) { [weak self] in self?.tell() }
    }

    private func end(_ error: CQLConnectionError, _ failing: [CQLConversation<Ticket>.Failed]) {
        self.isClosed = true
        self.release()
        var executions: [(execution: Execution, wasSent: Bool)] = []
        for failed in failing {
            switch failed.ticket {
            case .execution(let execution): executions.append((execution, failed.wasSent))
            case .own(let done): done(.failure(.connectionLost(wasSent: failed.wasSent)))
            }
        }
        let owner = self.owner
        self.owner = nil
        owner?.closed(
            self, ConnectionEnd(error: error, reason: self.reason, isUntrusted: self.isUntrusted), failing: executions)
    }

    private func release() {
        self.cancel(&self.openingTimer)
        self.cancel(&self.heartbeatTimer)
        if let registration = self.registration { self.loop.deregister(registration) }
        self.registration = nil
        if let tls = self.tls, tls.isEstablished, self.protected.isEmpty {
            // A word of farewell, if the socket takes it.
            tls.end()
            _ = self.sendProtected()
        }
        self.socket = nil
        self.tls = nil
    }

    private func cancel(_ timer: inout EventLoop.TimerID?) {
        if let id = timer { self.loop.cancel(id) }
        timer = nil
    }

    // MARK: Sending

    /// Sends what gathered, as far as the socket takes it; the rest follows when it takes more.
    func flush() {
        guard !self.isClosed, !self.isConnecting else { return }
        let transfer = self.tls == nil ? self.sendPlain() : self.sendProtected()
        switch transfer {
        case .bytes: _ = self.watch(.readable)
        case .later: _ = self.watch([.readable, .writable])
        case .end, .failed:
            // Reading tells what came before it broke, and then that it did.
            if case .failed(let error) = transfer, self.reason == nil { self.reason = Socket.words(error) }
            _ = self.watch(.readable)
            self.conversation.lost()
            self.tellLater()
        }
    }

    private func sendPlain() -> Socket.Transfer {
        self.conversation.flush()
        while self.conversation.waitingByteCount > 0 {
            let transfer = self.conversation.withUnsentBytes { self.socket?.send($0) ?? .end }
            guard case .bytes(let count) = transfer else { return transfer }
            self.conversation.sent(count)
        }
        return .bytes(0)
    }

    private func sendProtected() -> Socket.Transfer {
        guard let tls = self.tls else { return .end }
        self.conversation.flush()
        while true {
            // First what TLS has to say; only then is more given to it. So what waits in the conversation has not left.
            if self.protected.isEmpty { self.protected.fill(atLeast: Self.readSize) { tls.takeOutput(into: $0) } }
            if !self.protected.isEmpty {
                let transfer = self.protected.withUnsafeBytes { self.socket?.send($0) ?? .end }
                guard case .bytes(let count) = transfer else { return transfer }
                self.protected.consume(count)
                continue
            }
            guard tls.isEstablished, self.conversation.waitingByteCount > 0 else { return .bytes(0) }
            do throws(TLSFailure) {
                let count = try self.conversation.withUnsentBytes { bytes throws(TLSFailure) in try tls.write(bytes) }
                if count == 0 { return .bytes(0) }
                self.conversation.sent(count)
            } catch {
                self.untrusted(error)
                return .end
            }
        }
    }

    /// Level-triggered, and writing only while the socket takes no more.
    private func watch(_ interest: Readiness) -> Bool {
        if let registration = self.registration {
            if self.interest == interest { return true }
            do { try self.loop.update(registration, to: interest) } catch { return false }
        } else {
            guard let descriptor = self.socket?.descriptor else { return false }
            do { self.registration = try self.loop.register(descriptor, for: interest, self) } catch { return false }
        }
        self.interest = interest
        return true
    }
}
