internal import PerdureCQL
internal import PerdureCrypto
internal import PerdureIO

/// The one connection that watches the cluster: carries out what ``ControlMachine`` decides, and hands on what it learns.
///
/// Belongs to the loop's thread.
final class ControlLink: ConnectionOwner {
    private unowned let core: SessionCore
    private var machine: ControlMachine
    private var connection: Connection?
    private var lastID: UInt64 = 0
    /// The newest version that the cluster is known to speak.
    private var version: CQLVersion
    private var timer: (deadline: Duration, id: EventLoop.TimerID)?
    /// Why contact points could not be used in the last round.
    private(set) var failures: [(point: String, end: ConnectionEnd)] = []
    private var round: [(point: String, end: ConnectionEnd)] = []

    private var local: CQLNode?
    private var peers: [CQLNode]?
    private var keyspaces: Set<String> = []

    private var agreementWaiters: [(deadline: Duration, done: (Bool) -> Void)] = []
    private var isLookingForAgreement = false
    private var hasOldPeers = false

    init(_ core: SessionCore) {
        self.core = core
        self.version = core.configuration.newestVersion
        self.machine = ControlMachine(backoff: core.configuration.reconnection, seed: .random(in: .min ... .max))
    }

    func start() { self.carryOut(self.machine.start()) }

    func stop() {
        self.carryOut(self.machine.stop())
        self.setTimer()
    }

    func changed(nodes: Bool, keyspaces: Bool) {
        self.carryOut(self.machine.changed(nodes: nodes, keyspaces: keyspaces, at: self.core.loop.now))
    }

    private func carryOut(_ actions: [ControlMachine.Action]) {
        for action in actions {
            switch action {
            case .gather: self.gather()
            case .connect(let endpoint): self.connect(to: endpoint)
            case .disconnect:
                self.connection?.close()
                self.connection = nil
            case .ask(let question): self.ask(question)
            case .established: self.core.isEstablished()
            case .exhausted:
                self.failures = self.round
                self.core.contactsFailed(self.round)
            }
        }
        self.setTimer()
    }

    private func setTimer() {
        let deadline = self.machine.nextDeadline
        if let timer = self.timer {
            if timer.deadline == deadline { return }
            self.core.loop.cancel(timer.id)
            self.timer = nil
        }
        guard let deadline else { return }
        let id = self.core.loop.schedule(at: deadline) { [weak self] in
            guard let self else { return }
            self.timer = nil
            self.carryOut(self.machine.tick(at: self.core.loop.now))
            self.core.turnEnded()
        }
        self.timer = (deadline, id)
    }

    // MARK: Whom to ask

    /// The nodes that are known, those that work first, then the contact points, whose names are looked up each time.
    private func gather() {
        self.round = []
        let names = self.core.configuration.contactPoints.filter { CQLInet($0) == nil }
        guard !names.isEmpty else { return self.gathered([:]) }
        let bound = LoopBound(livingOn: self.core.loop, Weak(value: self))
        HostResolver.resolve(names, on: self.core.loop) { answers in
            guard let link = bound.value.value else { return }
            var addresses: [String: [String]] = [:]
            for (name, answer) in zip(names, answers) {
                switch answer {
                case .success(let found): addresses[name] = found
                case .failure(let failure):
                    link.round.append((name, ConnectionEnd(error: .lost, reason: "\(failure)")))
                }
            }
            link.gathered(addresses)
            link.core.turnEnded()
        }
    }

    /// A link that may be gone when its answers come.
    private struct Weak {
        weak var value: ControlLink?
    }

    private func gathered(_ addresses: [String: [String]]) {
        var endpoints: [CQLEndpoint] = []
        for (node, isUp) in zip(self.core.map.nodes, self.core.map.isUp) where isUp && self.core.isUsed(node) {
            endpoints.append(node.endpoint)
        }
        // Nodes take turns, so that not every client of a cluster watches it through the same one.
        endpoints.shuffle()
        let port = UInt16(truncatingIfNeeded: self.core.configuration.port)
        for point in self.core.configuration.contactPoints {
            if let address = CQLInet(point) {
                endpoints.append(CQLEndpoint(address: address, port: port))
                continue
            }
            for address in addresses[point] ?? [] {
                guard let address = CQLInet(address) else { continue }
                let endpoint = CQLEndpoint(address: address, port: port)
                self.core.names[endpoint] = point
                endpoints.append(endpoint)
            }
        }
        for (node, isUp) in zip(self.core.map.nodes, self.core.map.isUp) where !isUp { endpoints.append(node.endpoint) }
        self.carryOut(self.machine.candidates(endpoints, at: self.core.loop.now))
    }

    private func connect(to endpoint: CQLEndpoint) {
        var configuration = self.core.connectionConfiguration(self.version)
        configuration.events = CQLEventKind.allCases
        do throws(TLSFailure) {
            self.lastID += 1
            let connection = Connection(
                self.lastID, to: endpoint, configuration, tls: try self.core.tlsSession(to: endpoint),
                heartbeatInterval: self.core.configuration.heartbeatInterval, on: self.core.loop, owner: self)
            self.connection = connection
            connection.open(within: self.core.configuration.connectTimeout)
        } catch {
            self.round.append(("\(endpoint)", ConnectionEnd(error: .lost, reason: "TLS: \(error)", isUntrusted: true)))
            self.carryOut(self.machine.lost(at: self.core.loop.now))
        }
    }

    // MARK: What to ask

    private func ask(_ question: ControlMachine.Question) {
        guard let connection = self.connection else { return }
        self.send(question.text, on: connection) { [weak self] answer in
            guard let self, self.connection === connection else { return }
            self.take(answer, to: question, of: connection)
        }
    }

    private func send(_ text: String, on connection: Connection, _ done: @escaping (OwnAnswer) -> Void) {
        do throws(CQLProtocolError) {
            let options = CQLQueryOptions(consistency: .one)
            let submission = try connection.submit(.own(done)) { encoder, stream throws(CQLProtocolError) in
                try encoder.query(text, options, stream: stream)
            }
            guard case .send = submission else { return done(.failure(.connectionLost(wasSent: false))) }
            self.core.mark(connection)
        } catch {
            done(.failure(.unreadable(error)))
        }
    }

    private func take(_ answer: OwnAnswer, to question: ControlMachine.Question, of connection: Connection) {
        let now = self.core.loop.now
        switch answer {
        case .message(.rows(let rows)):
            do throws(CQLProtocolError) {
                try self.take(rows, to: question, of: connection)
            } catch {
                self.note(ConnectionEnd(error: .violated(error), reason: nil), connection)
                return self.carryOut(self.machine.refused(question, code: nil, at: now))
            }
            self.publish()
            self.carryOut(self.machine.answered(question, at: now))
        case .failure(.server(let error)):
            if question == .peers {
                self.hasOldPeers = true
            } else {
                self.note(ConnectionEnd(error: .refused(error), reason: nil), connection)
            }
            self.carryOut(self.machine.refused(question, code: error.code, at: now))
        // The connection tells the rest itself.
        case .failure(.connectionLost): break
        case .message, .failure: self.carryOut(self.machine.refused(question, code: nil, at: now))
        }
    }

    private func take(
        _ rows: CQLRows, to question: ControlMachine.Question, of connection: Connection
    ) throws(CQLProtocolError) {
        switch question {
        case .local:
            guard let row = rows.first else {
                throw CQLProtocolError(.unexpectedMessage, "system.local has no row")
            }
            self.local = try CQLNode(local: row, contact: connection.endpoint)
        case .peers, .oldPeers:
            let port = UInt16(truncatingIfNeeded: self.core.configuration.port)
            // Rows that lack something are left-overs of nodes that are no more.
            self.peers = rows.compactMap { try? CQLNode(peer: $0, port: port) }
            self.hasOldPeers = question == .oldPeers
        case .keyspaces:
            var all: [String: CQLReplication] = [:]
            for row in rows {
                let name: String = try row.decode(named: "keyspace_name")
                all[name] = CQLReplication(options: try row.decode(named: "replication"))
            }
            self.core.setReplication(all, before: self.keyspaces)
            self.keyspaces = Set(all.keys)
        }
    }

    /// Hands on the nodes once both halves are there.
    private func publish() {
        guard let local = self.local, let peers = self.peers else { return }
        self.local = nil
        self.peers = nil
        self.failures = []
        self.core.refresh(local: local, peers: peers, version: self.version)
    }

    // MARK: Agreement

    /// Calls `done` when all nodes that are up have the same schema; or never after the deadline.
    func awaitAgreement(until deadline: Duration, _ done: @escaping (Bool) -> Void) {
        self.agreementWaiters.append((deadline, done))
        // What the change made is to be routed right when its maker goes on.
        self.changed(nodes: false, keyspaces: true)
        self.lookForAgreement()
    }

    private func lookForAgreement() {
        let now = self.core.loop.now
        self.agreementWaiters.removeAll { $0.deadline <= now }
        guard !self.isLookingForAgreement, !self.agreementWaiters.isEmpty else { return }
        self.isLookingForAgreement = true
        guard let connection = self.connection, connection.isOpen else { return self.lookAgain() }
        var agreement = SchemaAgreement()
        var isOver = false
        func take(_ answer: OwnAnswer, _ body: (CQLRows) throws(CQLProtocolError) -> Void) {
            guard !isOver else { return }
            do throws(CQLProtocolError) {
                guard case .message(.rows(let rows)) = answer else {
                    isOver = true
                    return self.lookAgain()
                }
                try body(rows)
            } catch {
                isOver = true
                return self.lookAgain()
            }
            guard let isReached = agreement.isReached else { return }
            isOver = true
            guard isReached else { return self.lookAgain() }
            self.isLookingForAgreement = false
            let waiters = self.agreementWaiters
            self.agreementWaiters = []
            for waiter in waiters { waiter.done(true) }
        }
        self.send(SchemaAgreement.localQuery, on: connection) { answer in
            take(answer) { rows throws(CQLProtocolError) in try agreement.take(local: rows) }
        }
        self.send(SchemaAgreement.peersQuery(old: self.hasOldPeers), on: connection) { answer in
            take(answer) { rows throws(CQLProtocolError) in
                try agreement.take(peers: rows) { host in
                    guard let place = self.core.map.place(of: host) else { return false }
                    return self.core.map.isUp[place]
                }
            }
        }
    }

    private func lookAgain() {
        _ = self.core.loop.schedule(at: self.core.loop.now + SchemaAgreement.pause) { [weak self] in
            guard let self else { return }
            self.isLookingForAgreement = false
            self.lookForAgreement()
            self.core.turnEnded()
        }
    }

    // MARK: What the connection tells

    func opened(_ connection: Connection) {
        guard self.connection === connection else { return }
        self.local = nil
        self.peers = nil
        self.hasOldPeers = false
        self.carryOut(self.machine.opened())
    }

    func completed(_ execution: Execution, _ frame: CQLFrame, on connection: Connection) {}

    func happened(_ event: CQLEvent, on connection: Connection) {
        if self.connection === connection { self.core.happened(event) }
    }

    func closed(_ connection: Connection, _ end: ConnectionEnd, failing: [(execution: Execution, wasSent: Bool)]) {
        guard self.connection === connection else { return }
        self.connection = nil
        var again: CQLEndpoint?
        if case .versionRejected(_, let next?) = end.error {
            self.version = next
            again = connection.endpoint
        } else {
            // None that is left: the next node may be newer.
            if case .versionRejected = end.error { self.version = self.core.configuration.newestVersion }
            self.note(end, connection)
        }
        self.carryOut(self.machine.lost(again: again, at: self.core.loop.now))
    }

    private func note(_ end: ConnectionEnd, _ connection: Connection) {
        self.round.append(("\(connection.endpoint)", end))
    }

    func turnEnded() { self.core.turnEnded() }
}
