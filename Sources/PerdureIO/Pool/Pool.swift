/// A connection as a pool sees it: lives on the pool's loop, and tells in callbacks on it.
package protocol PooledConnection: AnyObject {
    /// Why a connection could not be opened.
    associatedtype OpenFailure: Error

    /// Begins to open the connection; `done` is called once, unless ``close()`` comes first.
    func open(_ done: @escaping (Result<Void, OpenFailure>) -> Void)

    /// Asks the other side whether it works; `done` is called once, unless ``close()`` comes first.
    func check(_ done: @escaping (Bool) -> Void)

    /// Lets go of the connection at once. Idempotent.
    func close()

    /// Called once when an open connection breaks while nobody uses it.
    var lost: (() -> Void)? { get set }

    /// Whether trying again cannot help, such as with a wrong password.
    static func isPermanent(_ failure: OpenFailure) -> Bool
}

/// The connections to one server, handed out in the order in which they are asked for: carries out what ``PoolMachine`` decides.
///
/// Belongs to its loop: every method must be called on the loop's thread, and calls back on it.
package final class Pool<Connection: PooledConnection> {
    /// A connection in use; give it back with ``Pool/release(_:isReusable:)``.
    package struct Lease {
        package let connection: Connection
        fileprivate let id: PoolMachine.ConnectionID
    }

    /// Why there was no connection.
    package struct Refusal: Error {
        package let reason: PoolMachine.Refusal
        /// What became of the last attempt to open one, if that failed.
        package let lastFailure: Connection.OpenFailure?
    }

    package typealias WaiterID = PoolMachine.WaiterID
    private typealias Waiter = (Result<Lease, Refusal>) -> Void

    private let loop: EventLoop
    private let make: () -> Connection
    private var machine: PoolMachine
    private var connections: [PoolMachine.ConnectionID: Connection] = [:]
    private var waiters: [WaiterID: Waiter] = [:]
    private var lastFailure: Connection.OpenFailure?
    private var timer: (deadline: Duration, id: EventLoop.TimerID)?
    private var drained: (() -> Void)?

    /// Makes a pool that opens nothing before ``start()``; `make` makes connections that are not open yet.
    package init(
        _ configuration: PoolConfiguration, on loop: EventLoop, seed: UInt64, make: @escaping () -> Connection
    ) {
        self.loop = loop
        self.make = make
        self.machine = PoolMachine(configuration, seed: seed)
    }

    package var connectionCount: Int { self.machine.connectionCount }
    package var waiterCount: Int { self.machine.waiterCount }

    /// Opens the minimum.
    package func start() { self.carryOut(self.machine.start(at: self.loop.now)) }

    /// Asks for a connection until `deadline`; `body` is called once, perhaps before this returns.
    package func acquire(until deadline: Duration, _ body: @escaping (Result<Lease, Refusal>) -> Void) {
        let (id, actions) = self.machine.acquire(until: deadline, at: self.loop.now)
        self.waiters[id] = body
        self.carryOut(actions)
    }

    /// Gives a connection back; not reusable when it is broken or in a state that nobody knows.
    package func release(_ lease: Lease, isReusable: Bool) {
        self.carryOut(self.machine.released(lease.id, isReusable: isReusable, at: self.loop.now))
    }

    /// Refuses all who wait, closes what is free, and calls `done` once the last connection has come back.
    package func shutDown(_ done: @escaping () -> Void) {
        self.drained = done
        self.carryOut(self.machine.shutDown())
    }

    private func carryOut(_ actions: [PoolMachine.Action]) {
        for action in actions {
            switch action {
            case .open(let id): self.open(id)
            case .check(let id): self.check(id)
            case .close(let id): self.connections.removeValue(forKey: id)?.close()
            case .lease(let id, let waiter):
                guard let connection = self.connections[id], let body = self.waiters.removeValue(forKey: waiter)
                else { continue }
                body(.success(Lease(connection: connection, id: id)))
            case .refuse(let waiter, let reason):
                self.waiters.removeValue(forKey: waiter)?(
                    .failure(Refusal(reason: reason, lastFailure: self.lastFailure)))
            case .drained:
                self.drained?()
                self.drained = nil
            }
        }
        self.setTimer()
    }

    private func open(_ id: PoolMachine.ConnectionID) {
        let connection = self.make()
        self.connections[id] = connection
        connection.lost = { [weak self] in
            guard let self else { return }
            self.carryOut(self.machine.lost(id, at: self.loop.now))
        }
        connection.open { [weak self] result in
            guard let self else { return }
            switch result {
            case .success:
                self.lastFailure = nil
                self.carryOut(self.machine.opened(id, at: self.loop.now))
            case .failure(let failure):
                self.lastFailure = failure
                self.connections.removeValue(forKey: id)?.close()
                let isPermanent = Connection.isPermanent(failure)
                self.carryOut(self.machine.openFailed(id, isPermanent: isPermanent, at: self.loop.now))
            }
        }
    }

    private func check(_ id: PoolMachine.ConnectionID) {
        self.connections[id]?.check { [weak self] works in
            guard let self else { return }
            let now = self.loop.now
            self.carryOut(works ? self.machine.checked(id, at: now) : self.machine.lost(id, at: now))
        }
    }

    private func setTimer() {
        let deadline = self.machine.nextDeadline
        if let timer = self.timer {
            // One that fires too early is harmless: it sets the next.
            if let deadline, timer.deadline <= deadline { return }
            self.loop.cancel(timer.id)
            self.timer = nil
        }
        guard let deadline else { return }
        let id = self.loop.schedule(at: deadline) { [weak self] in
            guard let self else { return }
            self.timer = nil
            self.carryOut(self.machine.tick(at: self.loop.now))
        }
        self.timer = (deadline, id)
    }
}
