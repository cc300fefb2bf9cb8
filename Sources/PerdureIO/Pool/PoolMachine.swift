/// What a pool of connections decides, as a plain value: it is told what happened and says what to do.
///
/// No socket, no clock.
///
/// Every method returns the actions that must follow, in their order. A connection that an action closes is gone: whatever is
/// told of it afterwards is ignored.
package struct PoolMachine: Sendable {
    /// Names a connection for as long as the pool lives.
    package struct ConnectionID: Hashable, Comparable, Sendable {
        fileprivate let number: UInt64

        package static func < (left: ConnectionID, right: ConnectionID) -> Bool { left.number < right.number }
    }

    /// Names one who waits for a connection.
    package struct WaiterID: Hashable, Sendable {
        fileprivate let number: UInt64
    }

    /// What must be done.
    package enum Action: Hashable, Sendable {
        /// Begin to open a connection; then tell ``PoolMachine/opened(_:at:)`` or ``PoolMachine/openFailed(_:isPermanent:at:)``.
        case open(ConnectionID)
        /// Ask a connection whether it works; then tell ``PoolMachine/checked(_:at:)`` or ``PoolMachine/lost(_:at:)``.
        case check(ConnectionID)
        /// Close a connection, or stop opening it.
        case close(ConnectionID)
        /// Hand a connection to who waits; then tell ``PoolMachine/released(_:isReusable:at:)``.
        case lease(ConnectionID, to: WaiterID)
        /// Tell one who waits that there will be no connection.
        case refuse(WaiterID, Refusal)
        /// After ``PoolMachine/shutDown()``: the last connection is gone.
        case drained
    }

    /// Why there is no connection for one who waited.
    package enum Refusal: Hashable, Sendable {
        /// None became free before the deadline.
        case deadline
        /// A connection could not be opened, for a reason that trying again does not mend.
        case cannotOpen
        /// Too many wait already.
        case overloaded
        /// The pool was shut down.
        case closed
    }

    private enum State {
        case opening(deadline: Duration)
        case idle(since: Duration)
        case checking(deadline: Duration)
        case leased
    }

    private struct Connection {
        var state: State
        /// When it is to be replaced.
        var expiry: Duration?
        /// Whether it has ever done its work; one that breaks before counts as not opened.
        var hasWorked = false
    }

    private struct Waiter {
        let id: WaiterID
        let deadline: Duration
    }

    package let configuration: PoolConfiguration
    private var random: SplitMix
    private var connections: [ConnectionID: Connection] = [:]
    /// The free connections, the one used last at the end: it is the first to be used again, so that the others can idle away.
    private var free: [ConnectionID] = []
    private var waiters: [Waiter] = []
    private var lastConnection: UInt64 = 0
    private var lastWaiter: UInt64 = 0
    /// How many times in a row opening failed, and until when it is not tried again.
    private var failures = 0
    private var backOffEnd: Duration?
    private var isShutDown = false

    package init(_ configuration: PoolConfiguration, seed: UInt64) {
        self.configuration = configuration
        self.random = SplitMix(seed: seed)
    }

    /// How many connections there are, those being opened included.
    package var connectionCount: Int { self.connections.count }
    package var waiterCount: Int { self.waiters.count }

    // MARK: What happens

    /// Opens the minimum.
    package mutating func start(at now: Duration) -> [Action] { self.settle(at: now) }

    /// Someone wants a connection until `deadline`.
    package mutating func acquire(until deadline: Duration, at now: Duration) -> (WaiterID, [Action]) {
        self.lastWaiter += 1
        let id = WaiterID(number: self.lastWaiter)
        if self.isShutDown { return (id, [.refuse(id, .closed)]) }
        if self.waiters.count >= self.configuration.maximumWaiters { return (id, [.refuse(id, .overloaded)]) }
        self.waiters.append(Waiter(id: id, deadline: deadline))
        return (id, self.settle(at: now))
    }

    /// One who waits does not want a connection any more.
    package mutating func cancel(_ waiter: WaiterID) {
        self.waiters.removeAll { $0.id == waiter }
    }

    /// A connection is open.
    package mutating func opened(_ id: ConnectionID, at now: Duration) -> [Action] {
        guard case .opening? = self.connections[id]?.state else { return [] }
        self.connections[id]?.state = .idle(since: now)
        self.connections[id]?.expiry = self.configuration.lifetime.map { lifetime in
            now + lifetime - lifetime * Double.random(in: 0...0.1, using: &self.random)
        }
        self.backOffEnd = nil
        self.free.append(id)
        return self.settle(at: now)
    }

    /// A connection could not be opened; permanently so when trying again cannot help, such as with a wrong password.
    package mutating func openFailed(_ id: ConnectionID, isPermanent: Bool, at now: Duration) -> [Action] {
        guard case .opening? = self.connections[id]?.state else { return [] }
        self.connections[id] = nil
        self.backOff(at: now)
        var actions: [Action] = []
        if isPermanent {
            actions = self.waiters.map { .refuse($0.id, .cannotOpen) }
            self.waiters.removeAll()
        }
        return actions + self.settle(at: now)
    }

    /// A leased connection comes back; not reusable when it is broken or in a state that nobody knows.
    package mutating func released(_ id: ConnectionID, isReusable: Bool, at now: Duration) -> [Action] {
        guard case .leased? = self.connections[id]?.state else { return [] }
        guard isReusable, !self.isShutDown else { return self.drop(id, closes: true, at: now) }
        self.connections[id]?.state = .idle(since: now)
        self.connections[id]?.hasWorked = true
        self.failures = 0
        self.free.append(id)
        return self.settle(at: now)
    }

    /// A connection answered that it works.
    package mutating func checked(_ id: ConnectionID, at now: Duration) -> [Action] {
        guard case .checking? = self.connections[id]?.state else { return [] }
        self.connections[id]?.state = .idle(since: now)
        self.connections[id]?.hasWorked = true
        self.failures = 0
        self.free.append(id)
        return self.settle(at: now)
    }

    /// A connection broke by itself. One that is leased is dropped too; its release is ignored then.
    package mutating func lost(_ id: ConnectionID, at now: Duration) -> [Action] {
        guard self.connections[id] != nil else { return [] }
        return self.drop(id, closes: true, at: now)
    }

    /// Time has passed.
    package mutating func tick(at now: Duration) -> [Action] {
        var actions: [Action] = []
        // Waiters that are too late go first, so that none of them is given a connection.
        self.waiters.removeAll { waiter in
            guard waiter.deadline <= now else { return false }
            actions.append(.refuse(waiter.id, .deadline))
            return true
        }
        for (id, connection) in self.connections.sorted(by: { $0.key < $1.key }) {
            switch connection.state {
            case .opening(let deadline) where deadline <= now:
                self.connections[id] = nil
                self.backOff(at: now)
                actions.append(.close(id))
            case .checking(let deadline) where deadline <= now:
                self.connections[id] = nil
                actions.append(.close(id))
            case .idle(let since):
                if self.isDispensable(connection, idleSince: since, at: now) {
                    self.remove(id)
                    actions.append(.close(id))
                } else if let interval = self.configuration.checkInterval, since + interval <= now {
                    self.connections[id]?.state = .checking(deadline: now + self.configuration.openTimeout)
                    self.free.removeAll { $0 == id }
                    actions.append(.check(id))
                }
            default: break
            }
        }
        return actions + self.settle(at: now)
    }

    /// When ``tick(at:)`` has something to do; nil when nothing is due whatever the time.
    package var nextDeadline: Duration? {
        var first: Duration?
        func consider(_ deadline: Duration?) {
            if let deadline { first = first.map { min($0, deadline) } ?? deadline }
        }
        for waiter in self.waiters { consider(waiter.deadline) }
        for connection in self.connections.values {
            switch connection.state {
            case .opening(let deadline), .checking(let deadline): consider(deadline)
            case .idle(let since):
                consider(connection.expiry)
                consider(self.configuration.checkInterval.map { since + $0 })
                if self.connections.count > self.configuration.minimum {
                    consider(self.configuration.idleTime.map { since + $0 })
                }
            case .leased: break
            }
        }
        if self.wantsConnections { consider(self.backOffEnd) }
        return first
    }

    /// Refuses everybody, closes what is free, and lets leased connections finish.
    package mutating func shutDown() -> [Action] {
        guard !self.isShutDown else { return [] }
        self.isShutDown = true
        var actions: [Action] = self.waiters.map { .refuse($0.id, .closed) }
        self.waiters.removeAll()
        for (id, connection) in self.connections.sorted(by: { $0.key < $1.key }) {
            if case .leased = connection.state { continue }
            self.remove(id)
            actions.append(.close(id))
        }
        if self.connections.isEmpty { actions.append(.drained) }
        return actions
    }

    // MARK: Details

    /// Hands out what is free to who waits, in the order of their coming, and opens what is missing.
    private mutating func settle(at now: Duration) -> [Action] {
        guard !self.isShutDown else { return [] }
        var actions: [Action] = []
        while let waiter = self.waiters.first, let id = self.free.popLast() {
            if let expiry = self.connections[id]?.expiry, expiry <= now {
                self.connections[id] = nil
                actions.append(.close(id))
                continue
            }
            self.waiters.removeFirst()
            self.connections[id]?.state = .leased
            actions.append(.lease(id, to: waiter.id))
        }
        if let end = self.backOffEnd, end > now { return actions }
        while self.wantsConnections {
            self.lastConnection += 1
            let id = ConnectionID(number: self.lastConnection)
            self.connections[id] = Connection(state: .opening(deadline: now + self.configuration.openTimeout))
            actions.append(.open(id))
        }
        return actions
    }

    private var wantsConnections: Bool {
        guard !self.isShutDown, self.connections.count < self.configuration.maximum else { return false }
        if self.connections.count < self.configuration.minimum { return true }
        // What is being opened, or checked, will be free soon.
        let coming = self.connections.values.count {
            switch $0.state {
            case .opening, .checking: true
            case .idle, .leased: false
            }
        }
        return coming < self.waiters.count
    }

    private func isDispensable(_ connection: Connection, idleSince since: Duration, at now: Duration) -> Bool {
        if let expiry = connection.expiry, expiry <= now { return true }
        guard let idleTime = self.configuration.idleTime else { return false }
        return self.connections.count > self.configuration.minimum && since + idleTime <= now
    }

    private mutating func drop(_ id: ConnectionID, closes: Bool, at now: Duration) -> [Action] {
        if let connection = self.connections[id], !connection.hasWorked { self.backOff(at: now) }
        self.remove(id)
        var actions: [Action] = closes ? [.close(id)] : []
        if self.isShutDown, self.connections.isEmpty { actions.append(.drained) }
        return actions + self.settle(at: now)
    }

    private mutating func remove(_ id: ConnectionID) {
        self.connections[id] = nil
        self.free.removeAll { $0 == id }
    }

    private mutating func backOff(at now: Duration) {
        var wait = self.configuration.firstBackOff
        for _ in 0..<min(self.failures, 20) { wait = min(wait * 2, self.configuration.maximumBackOff) }
        self.failures += 1
        self.backOffEnd = now + wait * Double.random(in: 0.5...1, using: &self.random)
    }
}
