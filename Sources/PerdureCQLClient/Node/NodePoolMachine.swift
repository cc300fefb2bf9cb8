internal import PerdureCQL
internal import PerdureIO

/// The connections to one node: how many there should be, and when to try again, as a plain value.
///
/// | event | action |
/// |---|---|
/// | ``start(at:)`` | open as many as there should be |
/// | ``failed(_:at:)`` | after a pause that grows with each failure, open one; when it stands, the rest |
/// | ``lost(_:at:)`` | open another: at once where it had lasted, else after a pause |
/// | ``wornOut(_:at:)`` | open another; the old one ends when what it carries is answered |
/// | ``hurry(at:)`` | the node is said to be up: do not wait any longer |
/// | ``stop()`` | end them all |
struct NodePoolMachine: Sendable {
    typealias ID = UInt64

    enum Action: Sendable, Hashable {
        /// Open a connection.
        case open(ID)
        /// Stop opening a connection.
        case abort(ID)
        /// End a connection once what it carries is answered.
        case drain(ID)
    }

    private enum State: Sendable {
        case opening
        case open(since: Duration)
    }

    /// A connection that breaks sooner after it was opened counts as a failure.
    static let trial = Duration.seconds(1)

    private let size: Int
    private var backoff: CQLBackoff
    private var random: SplitMix
    private var connections: [ID: State] = [:]
    private var lastID: ID = 0
    private var pauseEnd: Duration?
    private var isStopped = false

    init(size: Int, backoff: CQLBackoff, seed: UInt64) {
        self.size = size
        self.backoff = backoff
        self.random = SplitMix(seed: seed)
    }

    /// How many connections stand.
    var openCount: Int {
        self.connections.values.count { if case .open = $0 { true } else { false } }
    }

    /// How many failures there were in a row.
    var failures: Int { self.backoff.failures }

    /// When ``tick(at:)`` has something to do.
    var nextDeadline: Duration? { self.pauseEnd }

    mutating func start(at now: Duration) -> [Action] { self.settle(at: now) }

    /// A connection stands.
    mutating func opened(_ id: ID, at now: Duration) -> [Action] {
        guard case .opening? = self.connections[id] else { return [] }
        self.connections[id] = .open(since: now)
        self.pauseEnd = nil
        return self.settle(at: now)
    }

    /// A connection could not be opened.
    mutating func failed(_ id: ID, at now: Duration) -> [Action] {
        guard case .opening? = self.connections.removeValue(forKey: id), !self.isStopped else { return [] }
        self.pause(at: now)
        return []
    }

    /// A connection that stood broke.
    mutating func lost(_ id: ID, at now: Duration) -> [Action] {
        guard case .open(let since)? = self.connections.removeValue(forKey: id), !self.isStopped else { return [] }
        if now - since >= Self.trial { self.backoff.reset() } else { self.pause(at: now) }
        return self.settle(at: now)
    }

    /// Too many streams of a connection are taken by answers that nobody waits for.
    mutating func wornOut(_ id: ID, at now: Duration) -> [Action] {
        guard case .open? = self.connections.removeValue(forKey: id), !self.isStopped else { return [] }
        return [.drain(id)] + self.settle(at: now)
    }

    /// Time has passed.
    mutating func tick(at now: Duration) -> [Action] {
        if let end = self.pauseEnd, end <= now { self.pauseEnd = nil }
        return self.settle(at: now)
    }

    /// The node is said to be up.
    mutating func hurry(at now: Duration) -> [Action] {
        self.pauseEnd = nil
        return self.settle(at: now)
    }

    /// The node is no more, or the client ends.
    mutating func stop() -> [Action] {
        self.isStopped = true
        self.pauseEnd = nil
        let connections = self.connections.sorted { $0.key < $1.key }
        self.connections.removeAll()
        return connections.map { id, state in
            if case .opening = state { .abort(id) } else { .drain(id) }
        }
    }

    private mutating func pause(at now: Duration) {
        let end = now + self.backoff.next(using: &self.random)
        self.pauseEnd = max(self.pauseEnd ?? end, end)
    }

    private mutating func settle(at now: Duration) -> [Action] {
        guard !self.isStopped else { return [] }
        if let end = self.pauseEnd, end > now { return [] }
        self.pauseEnd = nil
        // A node that failed is tried with one connection: it may have room for none.
        let wanted = self.backoff.failures > 0 && self.openCount == 0 ? 1 : self.size
        var actions: [Action] = []
        while self.connections.count < wanted {
            self.lastID += 1
            self.connections[self.lastID] = .opening
            actions.append(.open(self.lastID))
        }
        return actions
    }
}
