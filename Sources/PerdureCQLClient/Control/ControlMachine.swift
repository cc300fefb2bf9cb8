internal import PerdureCQL
internal import PerdureIO

/// The one connection that watches the cluster: which node to ask, what to ask it, and when to ask again, as a plain value.
///
/// Nodes are tried one after the other, each once; when all have failed there is a pause, which grows, and a new round. On a
/// connection everything is asked once; then again what events say is different: nodes a second after the event, because it
/// comes before a new node answers, and a keyspace at once.
struct ControlMachine: Sendable {
    enum Action: Sendable, Hashable {
        /// Begin a round: say whom to try with ``ControlMachine/candidates(_:at:)``.
        case gather
        /// Open a connection, with events, to this node.
        case connect(CQLEndpoint)
        /// Close the connection.
        case disconnect
        /// Ask on the connection.
        case ask(Question)
        /// All was answered for the first time on this connection.
        case established
        /// Every node was tried, and none could be used.
        case exhausted
    }

    /// What is asked.
    enum Question: Sendable, Hashable {
        /// The node itself.
        case local
        /// The other nodes.
        case peers
        /// The other nodes, of a server before 4.0.
        case oldPeers
        /// Which keyspaces there are.
        case keyspaces

        var text: String {
            switch self {
            case .local: CQLNode.localQuery
            case .peers: CQLNode.peersQuery
            case .oldPeers: CQLNode.oldPeersQuery
            case .keyspaces: CQLNode.keyspacesQuery
            }
        }
    }

    private enum State: Sendable, Hashable {
        case idle
        case gathering
        case connecting
        /// The first answers are waited for.
        case asking
        case watching
        case pausing(until: Duration)
        case stopped
    }

    /// How long after an event the nodes are read again.
    static let settling = Duration.seconds(1)

    private var state = State.idle
    private var backoff: CQLBackoff
    private var random: SplitMix
    private var candidates: [CQLEndpoint] = []
    private var unanswered: Set<Question> = []
    private var hasOldPeers = false
    private var refreshAt: Duration?
    private var asksAgain: Set<Question> = []

    init(backoff: CQLBackoff, seed: UInt64) {
        self.backoff = backoff
        self.random = SplitMix(seed: seed)
    }

    /// When ``tick(at:)`` has something to do.
    var nextDeadline: Duration? {
        if case .pausing(let end) = self.state { end } else { self.refreshAt }
    }

    /// Begins; or, where there is a pause, ends it.
    mutating func start() -> [Action] {
        switch self.state {
        case .idle, .pausing:
            self.state = .gathering
            return [.gather]
        default: return []
        }
    }

    /// Whom to try, in this order.
    mutating func candidates(_ endpoints: [CQLEndpoint], at now: Duration) -> [Action] {
        guard case .gathering = self.state else { return [] }
        var seen: Set<CQLEndpoint> = []
        // Taken from the end.
        self.candidates = endpoints.filter { seen.insert($0).inserted }.reversed()
        return self.connectNext(at: now)
    }

    private mutating func connectNext(at now: Duration) -> [Action] {
        self.unanswered.removeAll()
        self.asksAgain.removeAll()
        self.refreshAt = nil
        guard let next = self.candidates.popLast() else {
            self.state = .pausing(until: now + self.backoff.next(using: &self.random))
            return [.exhausted]
        }
        self.state = .connecting
        return [.connect(next)]
    }

    /// The connection stands.
    mutating func opened() -> [Action] {
        guard case .connecting = self.state else { return [] }
        self.state = .asking
        self.hasOldPeers = false
        self.unanswered = [.local, .peers, .keyspaces]
        return [.ask(.local), .ask(.peers), .ask(.keyspaces)]
    }

    /// The connection could not be opened, or broke; where `endpoint` is given it is to be tried once more, in an older
    /// version of the protocol.
    mutating func lost(again endpoint: CQLEndpoint? = nil, at now: Duration) -> [Action] {
        switch self.state {
        case .connecting, .asking:
            if let endpoint { self.candidates.append(endpoint) }
            return self.connectNext(at: now)
        case .watching:
            self.unanswered.removeAll()
            self.asksAgain.removeAll()
            self.refreshAt = nil
            self.state = .gathering
            return [.gather]
        case .idle, .gathering, .pausing, .stopped: return []
        }
    }

    /// A question was answered with rows.
    mutating func answered(_ question: Question, at now: Duration) -> [Action] {
        guard self.unanswered.remove(question) != nil else { return [] }
        guard self.unanswered.isEmpty else { return [] }
        var actions: [Action] = []
        if case .asking = self.state {
            self.state = .watching
            self.backoff.reset()
            actions.append(.established)
        }
        let again = self.asksAgain
        self.asksAgain.removeAll()
        if again.contains(.local) { actions += self.askNodes() }
        if again.contains(.keyspaces) { actions += self.ask([.keyspaces]) }
        return actions
    }

    /// A question was answered with an error, or cannot be read.
    mutating func refused(_ question: Question, code: CQLServerError.Code?, at now: Duration) -> [Action] {
        guard self.unanswered.remove(question) != nil else { return [] }
        if question == .peers, code == .invalid || code == .syntaxError || code == .unauthorized {
            self.hasOldPeers = true
            self.unanswered.insert(.oldPeers)
            return [.ask(.oldPeers)]
        }
        // Another node may do better.
        let isWatching = self.state == .watching
        self.state = isWatching ? .watching : .connecting
        return [.disconnect] + self.lost(at: now)
    }

    /// Something is said to be different.
    mutating func changed(nodes: Bool, keyspaces: Bool, at now: Duration) -> [Action] {
        // While the first answers are waited for, too: they may be older than the event.
        guard self.state == .watching || self.state == .asking else { return [] }
        if nodes, self.refreshAt == nil { self.refreshAt = now + Self.settling }
        return keyspaces ? self.ask([.keyspaces]) : []
    }

    /// Time has passed.
    mutating func tick(at now: Duration) -> [Action] {
        if case .pausing(let end) = self.state, end <= now { return self.start() }
        guard self.state == .watching || self.state == .asking, let at = self.refreshAt, at <= now else { return [] }
        self.refreshAt = nil
        return self.askNodes()
    }

    /// The client ends.
    mutating func stop() -> [Action] {
        let isConnected: Bool
        switch self.state {
        case .connecting, .asking, .watching: isConnected = true
        case .idle, .gathering, .pausing, .stopped: isConnected = false
        }
        self.state = .stopped
        self.refreshAt = nil
        return isConnected ? [.disconnect] : []
    }

    private mutating func askNodes() -> [Action] {
        // Both together: nodes are what both say.
        let peers: Question = self.hasOldPeers ? .oldPeers : .peers
        if !self.unanswered.isDisjoint(with: [.local, peers]) {
            self.asksAgain.insert(.local)
            return []
        }
        return self.ask([.local, peers])
    }

    private mutating func ask(_ questions: [Question]) -> [Action] {
        var actions: [Action] = []
        for question in questions {
            if self.unanswered.insert(question).inserted {
                actions.append(.ask(question))
            } else {
                // What is under way may have been answered before the change.
                self.asksAgain.insert(question)
            }
        }
        return actions
    }
}
