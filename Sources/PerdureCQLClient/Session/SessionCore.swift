internal import PerdureCQL
internal import PerdureConcurrency
internal import PerdureCrypto
internal import PerdureIO

/// The client's side of the loop: the cluster as it is known, a link to each node, and the requests under way.
///
/// Only on the loop's thread. What is to be decided about a request is ``RequestCourse``'s to say, where it goes
/// ``CQLLoadBalancing``'s, about connections ``NodePoolMachine``'s, and about the cluster ``ControlMachine``'s.
final class SessionCore {
    let loop: EventLoop
    private let entry: LoneEntry
    let configuration: CQLClientConfiguration
    private let tlsContext: TLSContext?
    private let balancing: CQLLoadBalancing
    private(set) var map = CQLClusterMap()
    /// The links to the map's nodes, at the same places; nil where a node is not to be used.
    private var places: [NodeLink?] = []
    private var links: [CQLUUID: NodeLink] = [:]
    /// Links to nodes that are no more, until their last connection has ended.
    private var leaving: [NodeLink] = []
    private var rotation: UInt = 0
    /// Those that no node could take; the one at the front of them is kept apart.
    private var waiting = FIFO<Execution>()
    private var firstWaiting: Execution?
    private var underWay = ExecutionTable()
    private var deadlineTimer: (deadline: Duration, id: EventLoop.TimerID)?
    private var marked: [Connection] = []
    private(set) lazy var control = ControlLink(self)
    private var hasMap = false
    /// Whether nodes and keyspaces are known, so that requests go where they should.
    private var knowsCluster = false
    private var readyWaiters: [(Result<Void, CQLClientError>) -> Void] = []
    private var closing: (() -> Void)?
    /// Empty; kept for its room.
    private var arrivals = Intake.Contents()
    private var isSettlingWaiting = false
    /// The names that contact points have, for verifying certificates.
    var names: [CQLEndpoint: String] = [:]
    /// Gets told of the nodes whenever something about them has changed.
    var nodesChanged: (([CQLNodeStatus]) -> Void)?

    init(_ configuration: CQLClientConfiguration, tls: TLSContext?, on loop: EventLoop, by entry: LoneEntry) {
        self.configuration = configuration
        self.tlsContext = tls
        self.loop = loop
        self.entry = entry
        self.balancing = CQLLoadBalancing(
            localDataCenter: configuration.localDataCenter, remoteNodes: configuration.remoteNodes)
    }

    // MARK: Settings of connections

    func connectionConfiguration(_ version: CQLVersion) -> CQLConnectionConfiguration {
        var configuration = CQLConnectionConfiguration()
        configuration.version = version
        configuration.compression = self.configuration.compression
        configuration.authenticator = self.configuration.credentials
        configuration.startup = CQLStartup(driverName: self.configuration.applicationName)
        configuration.maximumStreams = 32768
        configuration.maximumOrphans = max(64, self.configuration.requestsPerConnection / 2)
        configuration.limits = CQLLimits(sent: self.configuration.maximumMessageByteCount)
        return configuration
    }

    func tlsSession(to endpoint: CQLEndpoint) throws(TLSFailure) -> TLSSession? {
        guard let context = self.tlsContext else { return nil }
        let name = self.configuration.tls?.serverName ?? self.names[endpoint]
        let peer = name.map { CQLInet($0) == nil ? TLSSession.Peer.name($0) : .address($0) }
        return try TLSSession(context, with: peer ?? .address("\(endpoint.address)"))
    }

    // MARK: Beginning and ending

    /// Calls `done` when a node can be used and every other was tried, or when no contact point can be.
    func connect(_ done: @escaping (Result<Void, CQLClientError>) -> Void) {
        if self.closing != nil { return done(.failure(.disconnected)) }
        self.readyWaiters.append(done)
        self.control.start()
        self.settleReadiness()
    }

    /// Lets everything under way finish, then closes every connection and calls `done`.
    func close(_ done: @escaping () -> Void) {
        let before = self.closing
        self.closing = {
            before?()
            done()
        }
        self.answerReady(.failure(.disconnected))
        self.settleClosing()
    }

    private func settleClosing() {
        guard self.closing != nil, self.underWay.isEmpty else { return }
        self.control.stop()
        for link in self.links.values {
            link.stop()
            self.leaving.append(link)
        }
        self.links.removeAll()
        self.places.removeAll()
        self.map = CQLClusterMap()
        self.hasMap = false
        self.knowsCluster = false
        self.leaving.removeAll { $0.connectionCount == 0 }
        guard self.leaving.isEmpty, let done = self.closing else { return }
        self.closing = nil
        if let timer = self.deadlineTimer { self.loop.cancel(timer.id) }
        self.deadlineTimer = nil
        // Later, from the bottom of the loop: those who tell of the last connection's end still need what `done` lets go of.
        _ = self.loop.schedule(at: self.loop.now) {
            done()
            withExtendedLifetime(self) {}
        }
    }

    func connectionIsGone() {
        self.leaving.removeAll { $0.connectionCount == 0 }
        self.settleClosing()
        self.tellNodes()
    }

    private func answerReady(_ result: Result<Void, CQLClientError>) {
        let waiters = self.readyWaiters
        self.readyWaiters = []
        for waiter in waiters { waiter(result) }
    }

    /// Whether connecting has come to something.
    private func settleReadiness() {
        guard !self.readyWaiters.isEmpty, self.knowsCluster else { return }
        let links = self.places.compactMap { $0 }
        if links.isEmpty { return self.answerReady(.failure(self.noNodeIsLocal)) }
        guard links.allSatisfy(\.wasTried) else { return }
        if links.contains(where: { $0.openCount > 0 }) { return self.answerReady(.success(())) }
        self.answerReady(.failure(self.unreachable(outcome: .notApplied)))
    }

    private var noNodeIsLocal: CQLClientError {
        let centers = Set(self.map.nodes.map(\.dataCenter)).sorted().joined(separator: ", ")
        return CQLClientError(
            .misconfigured,
            message: "no node is in the data centre \(self.configuration.localDataCenter ?? ""); there are: \(centers)")
    }

    /// No contact point can be used; `failures` say why.
    func contactsFailed(_ failures: [(point: String, end: ConnectionEnd)]) {
        let error = CQLClientError(contactsFailed: failures)
        self.answerReady(.failure(error))
        // Nobody should wait for what time does not mend.
        if error.code == .forbidden, !self.hasMap { self.failWaiting(error) }
    }

    private func failWaiting(_ error: CQLClientError) {
        for execution in self.takeWaiting() where !execution.isOver { self.end(execution, .failure(error)) }
    }

    // MARK: The cluster

    /// The nodes were read.
    func refresh(local: CQLNode, peers: [CQLNode], version: CQLVersion) {
        let old = self.links
        _ = self.map.refresh(local: local, peers: peers)
        self.hasMap = true
        self.places = []
        self.links = [:]
        var new: [NodeLink] = []
        for node in self.map.nodes {
            guard self.isUsed(node) else {
                self.places.append(nil)
                continue
            }
            let link: NodeLink
            if let before = old[node.hostID], before.endpoint == node.endpoint {
                before.update(node)
                link = before
            } else {
                link = NodeLink(to: node, version: version, core: self)
                new.append(link)
            }
            self.places.append(link)
            self.links[node.hostID] = link
        }
        for link in old.values where self.links[link.node.hostID] !== link {
            self.leaving.append(link)
            link.stop()
        }
        for link in new { link.start() }
        self.leaving.removeAll { $0.connectionCount == 0 }
        self.settleReadiness()
        self.tellNodes()
    }

    /// Only with another data centre allowed are its nodes connected to.
    func isUsed(_ node: CQLNode) -> Bool {
        guard let local = self.configuration.localDataCenter else { return true }
        return node.dataCenter == local || self.configuration.remoteNodes > 0
    }

    /// Everything about the cluster was read.
    func isEstablished() {
        self.knowsCluster = true
        self.settleReadiness()
    }

    /// The replication of every keyspace was read.
    func setReplication(_ all: [String: CQLReplication], before: Set<String>) {
        for keyspace in before where all[keyspace] == nil { self.map.setReplication(nil, of: keyspace) }
        for (keyspace, replication) in all { self.map.setReplication(replication, of: keyspace) }
    }

    /// Something happened in the cluster.
    func happened(_ event: CQLEvent) {
        switch self.map.apply(event) {
        case .none: break
        case .refreshNodes: self.control.changed(nodes: true, keyspaces: false)
        case .refreshKeyspace: self.control.changed(nodes: false, keyspaces: true)
        case .reconnect(let node): self.links[node.hostID]?.hurry()
        case .down: self.tellNodes()
        }
    }

    func nodeIsUsable(_ link: NodeLink) {
        self.map.setUp(true, link.node.hostID)
        self.settleWaiting()
        self.tellNodes()
    }

    func nodeIsNotUsable(_ link: NodeLink) {
        self.map.setUp(false, link.node.hostID)
        self.tellNodes()
    }

    /// A result came with other columns than the statement had at the node.
    func changed(_ statement: CQLStatement, at node: CQLEndpoint, columns: [CQLColumn], metadataID: [UInt8]) {
        for link in self.links.values where link.endpoint == node {
            link.changed(statement, columns: columns, metadataID: metadataID)
        }
    }

    func nodeWasTried() { self.settleReadiness() }

    private func tellNodes() {
        guard let tell = self.nodesChanged else { return }
        tell(
            zip(self.map.nodes, self.map.isUp).map { node, isUp in
                CQLNodeStatus(node: node, isUp: isUp, connectionCount: self.links[node.hostID]?.openCount ?? 0)
            })
    }

    // MARK: Requests

    /// Takes what callers left.
    func takeIn(_ intake: Intake) {
        var contents = Intake.Contents()
        swap(&contents, &self.arrivals)
        intake.fetch(into: &contents)
        self.take(contents.executions)
        for execution in contents.cancelled { self.cancel(execution) }
        contents.removeAll()
        swap(&contents, &self.arrivals)
        self.turnEnded()
    }

    private func take(_ executions: [Execution]) {
        guard !executions.isEmpty else { return }
        let now = self.loop.now
        for execution in executions {
            execution.deadline = now + execution.timeout
            self.underWay.add(execution)
            self.watch(execution.deadline)
            if case .agreement = execution.content {
                self.control.awaitAgreement(until: execution.deadline) { [weak self] agrees in
                    guard let self, !execution.isOver else { return }
                    self.end(execution, agrees ? .done : .failure(.noAgreement(self.configuration)))
                }
                continue
            }
            // Nobody overtakes those who wait.
            if self.firstWaiting == nil, let node = self.node(for: execution) {
                self.begin(execution, at: node)
            } else {
                self.queue(execution)
            }
        }
        if !self.hasMap { self.control.start() }
    }

    /// The node that a request goes to first; nil where none can take it now.
    private func node(for execution: Execution) -> NodeLink? {
        self.rotation &+= 1
        let place = self.balancing.first(for: execution.route, in: self.map, rotation: self.rotation) { place in
            self.places[place]?.load
        }
        return place.flatMap { self.places[$0] }
    }

    /// The node that a request goes to next: one that it was not tried at.
    private func nextNode(for execution: Execution) -> NodeLink? {
        let plan = self.balancing.plan(for: execution.route, in: self.map, rotation: self.rotation) { place in
            self.places[place]?.load
        }
        for place in plan {
            guard let link = self.places[place] else { continue }
            if !execution.tried.contains(where: { $0 === link }), !execution.hasTry(at: link) { return link }
        }
        return nil
    }

    private func begin(_ execution: Execution, at node: NodeLink) {
        execution.begin(at: node)
        if let speculation = self.configuration.speculation, execution.course.maySpeculate {
            self.setSpeculationTimer(execution, speculation)
        }
        node.send(execution)
    }

    private func queue(_ execution: Execution) {
        guard self.waiting.count < self.configuration.maximumWaitingRequests else {
            return self.end(execution, .failure(.overloaded(self.configuration)))
        }
        if self.firstWaiting == nil { self.firstWaiting = execution } else { self.waiting.append(execution) }
    }

    private func takeWaiting() -> [Execution] {
        let first = self.firstWaiting.take()
        return (first.map { [$0] } ?? []) + self.waiting.removeAll()
    }

    /// Sends those who wait, as far as there is room.
    private func settleWaiting() {
        guard !self.isSettlingWaiting else { return }
        self.isSettlingWaiting = true
        defer { self.isSettlingWaiting = false }
        while let execution = self.firstWaiting {
            if !execution.isOver {
                guard let node = self.node(for: execution) else { return }
                self.firstWaiting = self.waiting.popFirst()
                self.begin(execution, at: node)
            } else {
                self.firstWaiting = self.waiting.popFirst()
            }
        }
    }

    /// A connection has something to send at the end of this turn.
    func mark(_ connection: Connection) {
        guard !connection.isMarked else { return }
        connection.isMarked = true
        self.marked.append(connection)
    }

    /// Sends what gathered: one write per connection.
    func turnEnded() {
        if self.firstWaiting != nil { self.settleWaiting() }
        guard !self.marked.isEmpty else { return }
        let marked = self.marked
        self.marked.removeAll(keepingCapacity: true)
        for connection in marked {
            connection.isMarked = false
            connection.flush()
        }
    }

    /// A request was answered.
    func completed(_ execution: Execution, _ frame: CQLFrame, at node: NodeLink) {
        // Nearly always; the caller decodes it, not the loop.
        if frame.header.opcode == .result, !execution.isPreparation {
            return self.end(
                execution, .frame(frame, from: node.endpoint, columns: node.columns(of: execution)), at: node)
        }
        do throws(CQLProtocolError) {
            switch try CQLResponse(frame).message {
            case .prepared(let statement):
                if case .prepare(let text) = execution.content { node.learned(text, statement, by: execution) }
                self.end(execution, .prepared(statement, from: node.endpoint), at: node)
            case .error(let error):
                if error.code == .unprepared, case .unprepared(let id) = error.details, execution.course.forgotten() {
                    return node.forgot(execution, id)
                }
                self.failed(execution, at: node, .server(error))
            default:
                self.failed(
                    execution, at: node,
                    .unreadable(CQLProtocolError(.unexpectedMessage, "a message that does not answer what was asked")))
            }
        } catch {
            self.failed(execution, at: node, .unreadable(error))
        }
    }

    /// A try failed.
    func failed(_ execution: Execution, at node: NodeLink, _ failure: CQLFailure) {
        guard !execution.isOver else { return }
        execution.endTry(at: node)
        self.follow(execution.course.failed(failure), execution, at: node)
    }

    /// A node could not learn the statement; the statement itself was not sent.
    func failedToPrepare(_ execution: Execution, at node: NodeLink, _ failure: CQLFailure) {
        guard !execution.isOver else { return }
        if case .server = failure { return self.failed(execution, at: node, failure) }
        self.failed(execution, at: node, .connectionLost(wasSent: false))
    }

    private func follow(_ action: RequestCourse.Action, _ execution: Execution, at node: NodeLink) {
        switch action {
        case .retrySameNode where node.load != nil:
            execution.begin(at: node)
            node.send(execution)
        case .retrySameNode, .retryNextNode:
            execution.tried.append(node)
            if let next = self.nextNode(for: execution) {
                execution.begin(at: next)
                next.send(execution)
            } else if execution.course.hasNothingSent, self.closing == nil {
                // Not a byte of it has left: it may wait for a node as if it had just come.
                execution.tried.removeAll()
                self.queue(execution)
            } else {
                self.follow(execution.course.noNodeLeft(), execution, at: node)
            }
        case .wait: execution.tried.append(node)
        case .fail(let failure):
            self.end(
                execution, .failure(CQLClientError(failure, outcome: execution.course.outcome, node: node.endpoint)))
        }
    }

    /// A request cannot be written: no node would take it.
    func refused(_ execution: Execution, _ error: CQLProtocolError) {
        guard !execution.isOver else { return }
        self.end(execution, .failure(CQLClientError(invalid: error, outcome: execution.course.outcome)))
    }

    /// The caller gets its answer; tries that are still under way are called off.
    private func end(_ execution: Execution, _ answer: Execution.Answer, at node: NodeLink? = nil) {
        guard !execution.isOver else { return }
        if let node { execution.endTry(at: node) }
        if execution.firstTry != nil {
            for other in execution.takeTries() {
                if let place = other.place { other.node.abandon(place.stream, on: place.connection) }
            }
        }
        if let timer = execution.speculationTimer.take() { self.loop.cancel(timer) }
        self.underWay.remove(execution)
        if self.underWay.isEmpty { self.entry.expectLoneCaller() }
        execution.answer(answer)
        if self.closing != nil { self.settleClosing() }
    }

    /// The caller does not wait any more.
    private func cancel(_ execution: Execution) {
        guard !execution.isOver else { return }
        execution.course.ended(anySent: execution.isSent)
        self.end(
            execution,
            .failure(
                CQLClientError(
                    .cancelled, outcome: execution.course.outcome,
                    message: "the caller's task was cancelled before an answer came")))
    }

    // MARK: Time

    /// One timer for the earliest deadline, which is mostly that of a request long answered: then it is set anew.
    private func watch(_ deadline: Duration) {
        if let timer = self.deadlineTimer {
            if timer.deadline <= deadline { return }
            self.loop.cancel(timer.id)
        }
        let id = self.loop.schedule(at: deadline) { [weak self] in
            guard let self else { return }
            self.deadlineTimer = nil
            self.expire()
            self.turnEnded()
        }
        self.deadlineTimer = (deadline, id)
    }

    private func expire() {
        let now = self.loop.now
        var late: [Execution] = []
        var next: Duration?
        self.underWay.forEach { execution in
            if execution.deadline <= now {
                late.append(execution)
            } else {
                next = min(next ?? execution.deadline, execution.deadline)
            }
        }
        for execution in late { self.expire(execution) }
        if !late.isEmpty, self.firstWaiting != nil {
            // The places of those whose time is over are for others.
            let rest = self.takeWaiting().filter { !$0.isOver }
            self.firstWaiting = rest.first
            for execution in rest.dropFirst() { self.waiting.append(execution) }
        }
        if let next { self.watch(next) }
    }

    private func expire(_ execution: Execution) {
        guard !execution.isOver else { return }
        let isSent = execution.isSent
        execution.course.ended(anySent: isSent)
        let error: CQLClientError
        if case .agreement = execution.content {
            error = .noAgreement(self.configuration)
        } else if isSent || execution.course.tries > 0 {
            error = .late(
                after: execution.timeout, outcome: execution.course.outcome, node: execution.firstTry?.node.endpoint)
        } else {
            error = self.unreachable(outcome: execution.course.outcome)
        }
        self.end(execution, .failure(error))
    }

    private func unreachable(outcome: CQLOutcome) -> CQLClientError {
        var failures = self.places.compactMap { link in
            link.flatMap { link in link.lastEnd.map { (point: "\(link.endpoint)", end: $0) } }
        }
        if failures.isEmpty { failures = self.control.failures }
        let isBusy = self.places.contains { ($0?.openCount ?? 0) > 0 }
        return CQLClientError(unreachable: failures, isBusy: isBusy, outcome: outcome)
    }

    private func setSpeculationTimer(_ execution: Execution, _ speculation: CQLSpeculation) {
        guard execution.course.tries < speculation.maximumNodes else { return }
        execution.speculationTimer = self.loop.schedule(at: self.loop.now + speculation.delay) { [weak self] in
            guard let self, !execution.isOver else { return }
            execution.speculationTimer = nil
            guard let next = self.nextNode(for: execution) else { return }
            execution.begin(at: next)
            self.setSpeculationTimer(execution, speculation)
            next.send(execution)
            self.turnEnded()
        }
    }
}
