internal import PerdureCQL
internal import PerdureCrypto
internal import PerdureIO

/// What leads to one node: its connections, and what it knows of our statements.
///
/// Carries out what its machines decide.
/// Belongs to the loop's thread.
final class NodeLink: ConnectionOwner {
    private(set) var node: CQLNode
    let endpoint: CQLEndpoint
    private unowned let core: SessionCore
    private var machine: NodePoolMachine
    private var connections: [NodePoolMachine.ID: Connection] = [:]
    /// Those that take requests.
    private var open: [Connection] = []
    private var version: CQLVersion
    private var statements = CQLStatementCache<Execution?>(capacity: 100_000)
    /// The statements that the node knows, by their numbers: what the cache knows, without hashing texts.
    private var known: [KnownStatement?] = []
    /// In a box: one reference to keep alive for each request instead of five.
    private final class KnownStatement {
        let prepared: CQLPreparedStatement

        init(_ prepared: CQLPreparedStatement) { self.prepared = prepared }
    }

    private var timer: (deadline: Duration, id: EventLoop.TimerID)?
    /// Why connecting failed last; nil once it worked.
    private(set) var lastEnd: ConnectionEnd?
    /// Whether every first attempt to connect has come to something.
    private(set) var wasTried = false
    private var isStopped = false

    init(to node: CQLNode, version: CQLVersion, core: SessionCore) {
        self.node = node
        self.endpoint = node.endpoint
        self.core = core
        self.version = version
        let configuration = core.configuration
        self.machine = NodePoolMachine(
            size: configuration.connectionsPerNode, backoff: configuration.reconnection,
            seed: .random(in: .min ... .max))
    }

    func start() { self.carryOut(self.machine.start(at: self.core.loop.now)) }

    /// The cluster describes the node anew; its place is the same.
    func update(_ node: CQLNode) { self.node = node }

    /// The node is said to be up.
    func hurry() { self.carryOut(self.machine.hurry(at: self.core.loop.now)) }

    /// Ends all connections, each once what it carries is answered.
    func stop() {
        guard !self.isStopped else { return }
        self.isStopped = true
        self.carryOut(self.machine.stop())
        self.setTimer()
    }

    var openCount: Int { self.open.count }
    var connectionCount: Int { self.connections.count }

    /// How many requests the least busy connection has in flight; nil where none takes more.
    var load: Int? {
        var least: Int?
        for connection in self.open where connection.inFlightCount < self.core.configuration.requestsPerConnection {
            least = min(least ?? .max, connection.inFlightCount)
        }
        return least
    }

    private var leastBusy: Connection? {
        if self.open.count == 1 { return self.open[0] }
        return self.open.min { $0.inFlightCount < $1.inFlightCount }
    }

    // MARK: Requests

    /// Sends a request, or has the node learn its statements first. The try has begun.
    func send(_ execution: Execution) {
        guard let connection = self.leastBusy else {
            return self.core.failed(execution, at: self, .connectionLost(wasSent: false))
        }
        do throws(CQLProtocolError) {
            let submission: CQLConnectionMachine<Ticket>.Submission
            var options = execution.options
            switch execution.content {
            case .statement(let statement):
                guard let known = self.known(statement, for: execution) else { return }
                // Without names of columns in answers: in version 5 a node says when they have changed.
                options.skipsMetadata = connection.version >= .v5 && !known.prepared.columns.isEmpty
                submission = try connection.submit(.execution(execution)) { encoder, stream throws(CQLProtocolError) in
                    try encoder.execute(known.prepared, options, stream: stream) { values throws(CQLProtocolError) in
                        values.bind(all: execution.values)
                    }
                }
            case .text(let text):
                submission = try connection.submit(.execution(execution)) { encoder, stream throws(CQLProtocolError) in
                    try encoder.query(text, options, stream: stream) { values throws(CQLProtocolError) in
                        values.bind(all: execution.values)
                    }
                }
            case .batch(let kind, let parts):
                var known: [KnownStatement] = []
                known.reserveCapacity(parts.count)
                for part in parts {
                    guard let statement = self.known(part.statement, for: execution) else { return }
                    known.append(statement)
                }
                submission = try connection.submit(.execution(execution)) { encoder, stream throws(CQLProtocolError) in
                    try encoder.batch(kind, options, stream: stream) { batch throws(CQLProtocolError) in
                        for (part, statement) in zip(parts, known) {
                            try batch.add(statement.prepared) { values throws(CQLProtocolError) in
                                values.bind(part.valueCount, of: execution.values, in: part.bytes)
                            }
                        }
                    }
                }
            case .prepare(let text):
                submission = try connection.submit(.execution(execution)) { encoder, stream throws(CQLProtocolError) in
                    try encoder.prepare(text, stream: stream)
                }
            case .agreement: return
            }
            switch submission {
            case .send(let stream):
                execution.sent(at: self, on: connection, stream)
                self.core.mark(connection)
            case .notOpen, .busy: self.core.failed(execution, at: self, .connectionLost(wasSent: false))
            }
        } catch {
            self.core.refused(execution, error)
        }
    }

    /// A statement as the node knows it; nil where it has to learn it first: then the execution is sent again later.
    private func known(_ statement: CQLStatement, for execution: Execution) -> KnownStatement? {
        let number = statement.number
        if number < self.known.count, let known = self.known[number] { return known }
        switch self.statements.statement(CQLStatementCache.Key(statement.text), for: execution) {
        case .ready(let prepared):
            guard self.fits(prepared, statement) else {
                self.core.refused(execution, Self.otherMarkers)
                return nil
            }
            self.keep(prepared, number)
            return self.known[number]
        case .prepare: self.teach(statement)
        case .wait: break
        }
        return nil
    }

    /// The values at hand were made for the markers as they were.
    private func fits(_ prepared: CQLPreparedStatement, _ statement: CQLStatement) -> Bool {
        prepared.markers.map(\.type) == statement.markers.map(\.type)
    }

    private static let otherMarkers = CQLProtocolError(
        .valueMismatch, "the statement's markers have other types since it was prepared; prepare it again")

    private func keep(_ prepared: CQLPreparedStatement, _ number: Int) {
        while self.known.count <= number { self.known.append(nil) }
        self.known[number] = KnownStatement(prepared)
    }

    private func teach(_ statement: CQLStatement) {
        let key = CQLStatementCache<Execution?>.Key(statement.text)
        let done: (OwnAnswer) -> Void = { [self] answer in
            let waiters: [Execution?]
            let failure: CQLFailure
            switch answer {
            case .message(.prepared(let prepared)):
                for case let execution? in self.statements.prepared(key, prepared) where execution.hasTry(at: self) {
                    self.send(execution)
                }
                return
            case .message:
                failure = .unreadable(CQLProtocolError(.unexpectedMessage, "something else than an answer to PREPARE"))
            // Whatever became of the PREPARE: the statement itself was not sent.
            case .failure(.connectionLost): failure = .connectionLost(wasSent: false)
            case .failure(let other): failure = other
            }
            waiters = self.statements.failed(key)
            for case let execution? in waiters where execution.hasTry(at: self) {
                self.core.failedToPrepare(execution, at: self, failure)
            }
        }
        self.ask(.own(done)) { encoder, stream throws(CQLProtocolError) in
            try encoder.prepare(statement.text, stream: stream)
        }
    }

    private func ask(
        _ ticket: Ticket, _ write: (inout CQLFrameEncoder, Int16) throws(CQLProtocolError) -> Void
    ) {
        guard case .own(let done) = ticket else { return }
        guard let connection = self.leastBusy else { return done(.failure(.connectionLost(wasSent: false))) }
        do throws(CQLProtocolError) {
            switch try connection.submit(ticket, write) {
            case .send: self.core.mark(connection)
            case .notOpen, .busy: done(.failure(.connectionLost(wasSent: false)))
            }
        } catch {
            done(.failure(.unreadable(error)))
        }
    }

    /// A caller prepared a statement here.
    func learned(_ text: String, _ prepared: CQLPreparedStatement, by execution: Execution) {
        let key = CQLStatementCache<Execution?>.Key(text)
        // Where others wait for the same, their own answer wakes them.
        guard case .prepare = self.statements.statement(key, for: execution) else { return }
        _ = self.statements.prepared(key, prepared)
    }

    /// The node said that it does not know a statement (by its ID).
    func forgot(_ execution: Execution, _ id: [UInt8]) {
        execution.withdrawn(at: self)
        let statements: [CQLStatement]
        switch execution.content {
        case .statement(let statement): statements = [statement]
        // It names one, but a node that was started anew may have forgotten them all.
        case .batch(_, let parts): statements = parts.map(\.statement)
        case .text, .prepare, .agreement: statements = []
        }
        var forgotten: [(statement: CQLStatement, id: [UInt8])] = []
        for statement in statements where statement.number < self.known.count {
            // Where it is not known any more it is being taught already: then it is waited for.
            guard let known = self.known[statement.number] else { continue }
            if case .statement = execution.content, known.prepared.id != id { continue }
            forgotten.append((statement, known.prepared.id))
            self.known[statement.number] = nil
        }
        for (index, entry) in forgotten.enumerated() {
            // It goes on when the last is known; where an earlier one is not yet, it waits for that.
            let waiter = index == forgotten.count - 1 ? execution : nil
            switch self.statements.forgotten(.init(entry.statement.text), id: entry.id, for: waiter) {
            case .ready: if let waiter { self.send(waiter) }
            case .prepare: self.teach(entry.statement)
            case .wait: break
            }
        }
        if forgotten.isEmpty { self.send(execution) }
    }

    /// A result came with other columns than the statement had.
    func changed(_ statement: CQLStatement, columns: [CQLColumn], metadataID: [UInt8]) {
        guard statement.number < self.known.count, var prepared = self.known[statement.number]?.prepared else { return }
        self.statements.changed(.init(statement.text), id: prepared.id, columns: columns, metadataID: metadataID)
        prepared.columns = columns
        prepared.resultMetadataID = metadataID
        self.known[statement.number] = KnownStatement(prepared)
    }

    /// What the node takes a statement's columns to be.
    func columns(of execution: Execution) -> [CQLColumn] {
        guard case .statement(let statement) = execution.content, statement.number < self.known.count else { return [] }
        return self.known[statement.number]?.prepared.columns ?? []
    }

    /// Nobody waits for a request on a connection any more.
    func abandon(_ stream: CQLStream, on connection: Connection) {
        guard connection.abandon(stream) else { return }
        self.open.removeAll { $0 === connection }
        self.carryOut(self.machine.wornOut(connection.id, at: self.core.loop.now))
    }

    // MARK: Connections

    private func carryOut(_ actions: [NodePoolMachine.Action]) {
        for action in actions {
            switch action {
            case .open(let id): self.connect(id)
            case .abort(let id): self.connections.removeValue(forKey: id)?.close()
            case .drain(let id):
                guard let connection = self.connections[id] else { continue }
                self.open.removeAll { $0 === connection }
                connection.drain()
            }
        }
        if !actions.isEmpty || self.machine.nextDeadline != nil { self.setTimer() }
    }

    private func connect(_ id: NodePoolMachine.ID) {
        var configuration = self.core.connectionConfiguration(self.version)
        configuration.keyspace = self.core.configuration.keyspace
        do throws(TLSFailure) {
            let connection = Connection(
                id, to: self.endpoint, configuration, tls: try self.core.tlsSession(to: self.endpoint),
                heartbeatInterval: self.core.configuration.heartbeatInterval, on: self.core.loop, owner: self)
            self.connections[id] = connection
            connection.open(within: self.core.configuration.connectTimeout)
        } catch {
            self.lastEnd = ConnectionEnd(error: .lost, reason: "TLS: \(error)", isUntrusted: true)
            self.carryOut(self.machine.failed(id, at: self.core.loop.now))
            self.tried()
        }
    }

    private func setTimer() {
        let deadline = self.isStopped ? nil : self.machine.nextDeadline
        if let timer = self.timer {
            if let deadline, timer.deadline == deadline { return }
            self.core.loop.cancel(timer.id)
            self.timer = nil
        }
        guard let deadline else { return }
        let id = self.core.loop.schedule(at: deadline) { [weak self] in
            guard let self else { return }
            self.timer = nil
            self.carryOut(self.machine.tick(at: self.core.loop.now))
        }
        self.timer = (deadline, id)
    }

    private func tried() {
        self.wasTried = true
        self.core.nodeWasTried()
    }

    // MARK: What connections tell

    func opened(_ connection: Connection) {
        self.open.append(connection)
        self.lastEnd = nil
        self.carryOut(self.machine.opened(connection.id, at: self.core.loop.now))
        self.core.nodeIsUsable(self)
        self.tried()
    }

    func completed(_ execution: Execution, _ frame: CQLFrame, on connection: Connection) {
        self.core.completed(execution, frame, at: self)
    }

    func happened(_ event: CQLEvent, on connection: Connection) {}

    func closed(_ connection: Connection, _ end: ConnectionEnd, failing: [(execution: Execution, wasSent: Bool)]) {
        let wasOpen = self.open.contains { $0 === connection }
        self.open.removeAll { $0 === connection }
        let isKnown = self.connections.removeValue(forKey: connection.id) != nil
        let now = self.core.loop.now
        if isKnown, !self.isStopped {
            if case .versionRejected(_, let next?) = end.error {
                // A node of an older version: not its fault, and no reason to wait.
                self.version = next
                _ = self.machine.failed(connection.id, at: now)
                self.carryOut(self.machine.hurry(at: now))
            } else {
                if end.error != .drained { self.lastEnd = end }
                // It speaks none that is left: it may have been upgraded since it was last asked.
                if case .versionRejected = end.error { self.version = self.core.configuration.newestVersion }
                self.carryOut(
                    wasOpen ? self.machine.lost(connection.id, at: now) : self.machine.failed(connection.id, at: now))
                self.setTimer()
                if self.open.isEmpty { self.core.nodeIsNotUsable(self) }
                self.tried()
            }
        }
        for (execution, wasSent) in failing {
            self.core.failed(execution, at: self, .connectionLost(wasSent: wasSent))
        }
        self.core.connectionIsGone()
    }

    func turnEnded() { self.core.turnEnded() }
}
