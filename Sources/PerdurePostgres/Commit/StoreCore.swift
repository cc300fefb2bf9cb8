internal import PerdureConcurrency
internal import PerdureIO
internal import PerdureState

/// The store's side of the loop: lines of what waits, and lanes that take it to the server.
///
/// Only on the loop's thread.
final class StoreCore {
    typealias Lease = Pool<StoreConnection>.Lease

    let loop: EventLoop
    private let entry: LoneEntry
    let configuration: PostgresConfiguration
    let pool: Pool<StoreConnection>
    /// Counts the times at which what connections know about the tables became old.
    private(set) var layoutAge = 0

    private var writes = KeyedBatcher<IDKey, PendingWrite>(kinds: 2 * PendingWrite.Change.count)
    private var reads = Batcher<PendingRead>()
    private var transactions: [PendingTransaction] = []
    /// Lanes that have a connection or have asked for one.
    private var writeLanes = 0
    /// Lanes among them with writes that met somebody else's lock.
    private var slowLanes = 0
    private var readLanes = 0
    private var transactionLanes = 0
    private var asksForWrites = false
    private var asksForReads = false
    private var asksForTransactions = false
    private var postponed: [() -> Void] = []
    private var isClosing: (() -> Void)?
    private var isClosed = false
    /// Listeners that end with the store.
    private var listeners: [WeakListener] = []

    private struct WeakListener {
        weak var listener: ListenerCore?
    }

    /// The most rows of a batch, and about the most bytes.
    static let maximumRows = 512
    static let maximumBytes = 4 << 20
    /// How many must wait before another lane sets out beside those under way: smaller batches cost more than they gain.
    static let worthALane = 16

    init(_ configuration: PostgresConfiguration, on loop: EventLoop, by entry: LoneEntry) {
        self.loop = loop
        self.entry = entry
        self.configuration = configuration
        var settings = PoolConfiguration()
        settings.minimum = configuration.pool.minimumConnections
        settings.maximum = configuration.pool.maximumConnections
        settings.lifetime = configuration.pool.connectionLifetime
        settings.idleTime = configuration.pool.connectionIdleTime
        settings.checkInterval = configuration.pool.healthCheckInterval
        settings.openTimeout = configuration.connectTimeout
        self.pool = Pool(settings, on: loop, seed: .random(in: .min ... .max)) {
            StoreConnection(configuration, on: loop)
        }
    }

    // MARK: What comes in

    func take(_ contents: Intake.Contents) {
        for write in contents.writes {
            self.writes.append(write, key: write.key, kind: write.kind, weight: write.weight)
        }
        for read in contents.reads { self.reads.append(read) }
        self.transactions.append(contentsOf: contents.transactions)
        for errand in contents.errands { errand() }
        self.setOut()
    }

    /// What connections know about the tables is old: each looks again before its next use.
    func tablesChanged() { self.layoutAge += 1 }

    /// Sees to it that a listener ends with the store, whoever else holds it.
    func keep(_ listener: ListenerCore) {
        if self.isClosed { return listener.close() }
        self.listeners.removeAll { $0.listener == nil }
        self.listeners.append(WeakListener(listener: listener))
    }

    /// Lets everything under way and in line finish, then closes every connection and calls `done`.
    func close(_ done: @escaping () -> Void) {
        self.isClosing = done
        self.isClosed = true
        for entry in self.listeners { entry.listener?.close() }
        self.listeners = []
        self.setOut()
    }

    /// Does `body` once everything has been handed out that came at the same time, so that what it sends travels together.
    ///
    /// Errands and ends of transactions are followed by setting out; for whoever else asks, the loop sees to it.
    func postpone(_ body: @escaping () -> Void) {
        self.postponed.append(body)
        if self.postponed.count == 1 { _ = self.loop.schedule(at: self.loop.now) { self.setOut() } }
    }

    /// Sends lanes out for what waits.
    func setOut() {
        while !self.postponed.isEmpty {
            let bodies = self.postponed
            self.postponed = []
            for body in bodies { body() }
        }
        self.setOutForWrites()
        self.setOutForReads()
        self.setOutForTransactions()
        guard self.writes.isIdle, self.reads.isEmpty, self.transactions.isEmpty,
            self.writeLanes + self.readLanes + self.transactionLanes == 0
        else { return }
        self.entry.expectLoneCaller()
        if let done = self.isClosing {
            self.isClosing = nil
            self.pool.shutDown(done)
        }
    }

    // MARK: Writes

    private func setOutForWrites() {
        guard !self.asksForWrites, self.writes.readyCount > 0 else { return }
        // Lanes that wait for somebody else's lock hold nobody up.
        let lanes = self.writeLanes - self.slowLanes
        guard
            lanes == 0
                || lanes < self.configuration.pool.maximumWriteBatches && self.writes.readyCount >= Self.worthALane
        else { return }
        self.asksForWrites = true
        self.writeLanes += 1
        // The oldest have the least time left; whoever is late is sorted out when the time has come.
        let deadline = self.loop.now + self.configuration.writeTimeout
        self.pool.acquire(until: deadline) { answer in
            self.asksForWrites = false
            switch answer {
            case .success(let lease): self.startWriting(lease)
            case .failure(let refusal):
                self.writeLanes -= 1
                let late = self.writes.withdraw { refusal.reason != .deadline || $0.deadline <= self.loop.now }
                for write in late { self.fail(write, refusal) }
                self.setOut()
            }
        }
    }

    private func startWriting(_ lease: Lease) {
        var batch: [PendingWrite] = []
        let kind = self.writes.take(
            into: &batch, maximumCount: Self.maximumRows, maximumWeight: Self.maximumBytes)
        guard let kind, let change = PendingWrite.Change(rawValue: kind % PendingWrite.Change.count) else {
            self.writeLanes -= 1
            self.pool.release(lease, isReusable: true)
            return
        }
        let isSlow = kind >= PendingWrite.Change.count
        if isSlow { self.slowLanes += 1 }
        WriteLane(self, lease, change, isSlow ? batch.reversed().map { [$0] } : [batch], isSlow: isSlow).start()
        // With what is left, perhaps another.
        self.setOutForWrites()
    }

    /// A lane is home.
    func writingEnded(_ lease: Lease, isReusable: Bool, isSlow: Bool) {
        self.writeLanes -= 1
        if isSlow { self.slowLanes -= 1 }
        self.pool.release(lease, isReusable: isReusable)
        self.setOut()
    }

    /// A write has its answer.
    func end(_ write: PendingWrite, with error: StoreError?) {
        self.writes.finish(write.key)
        write.answer(error)
    }

    /// A write has to be sent again.
    func again(_ write: PendingWrite) {
        self.writes.restore(
            write, key: write.key, kind: write.kind, weight: write.weight, atFront: !write.travelsAlone)
    }

    /// A write has to be looked for again after a while.
    func again(_ write: PendingWrite, after wait: Duration) {
        _ = self.loop.schedule(at: self.loop.now + wait) {
            self.again(write)
            self.setOut()
        }
    }

    private func fail(_ write: PendingWrite, _ refusal: Pool<StoreConnection>.Refusal) {
        write.answer(
            StoreError(
                refusal, operation: write.operation, persistenceID: write.persistenceID,
                outcome: write.mayHaveHappened ? .unknown : .notApplied))
    }

    // MARK: Reads

    private func setOutForReads() {
        guard !self.asksForReads, !self.reads.isEmpty else { return }
        guard
            self.readLanes == 0
                || self.readLanes < self.configuration.pool.maximumConnections && self.reads.count >= Self.worthALane
        else { return }
        self.asksForReads = true
        self.readLanes += 1
        self.pool.acquire(until: self.loop.now + self.configuration.readTimeout) { answer in
            self.asksForReads = false
            switch answer {
            case .success(let lease):
                var batch: [PendingRead] = []
                self.reads.take(into: &batch, maximumCount: Self.maximumRows)
                ReadLane(self, lease, batch).start()
                self.setOutForReads()
            case .failure(let refusal):
                self.readLanes -= 1
                let late = self.reads.withdraw { refusal.reason != .deadline || $0.deadline <= self.loop.now }
                for read in late {
                    read.answer(.failure(StoreError(refusal, operation: .read, persistenceID: read.id)))
                }
                self.setOut()
            }
        }
    }

    func readingEnded(_ lease: Lease, isReusable: Bool, again: [PendingRead]) {
        self.readLanes -= 1
        for read in again { self.reads.append(read) }
        self.pool.release(lease, isReusable: isReusable)
        self.setOut()
    }

    // MARK: Transactions

    /// Puts a transaction in line and sends it out if there is a connection for it.
    func add(_ transaction: PendingTransaction) {
        self.transactions.append(transaction)
        self.setOutForTransactions()
    }

    private func setOutForTransactions() {
        guard !self.asksForTransactions, let first = self.transactions.first else { return }
        self.asksForTransactions = true
        self.transactionLanes += 1
        self.pool.acquire(until: first.deadline) { answer in
            self.asksForTransactions = false
            switch answer {
            case .success(let lease):
                TransactionLane(self, lease, self.transactions.removeFirst()).start()
                self.setOutForTransactions()
            case .failure(let refusal):
                self.transactionLanes -= 1
                let now = self.loop.now
                let late = self.transactions.filter { refusal.reason != .deadline || $0.deadline <= now }
                self.transactions.removeAll { refusal.reason != .deadline || $0.deadline <= now }
                for transaction in late { transaction.end(StoreError(refusal, operation: transaction.operation)) }
                self.setOut()
            }
        }
    }

    func transactionEnded(_ lease: Lease, isReusable: Bool, again: PendingTransaction?) {
        self.transactionLanes -= 1
        if let again { self.transactions.append(again) }
        self.pool.release(lease, isReusable: isReusable)
        self.setOut()
    }

    // MARK: Tables

    /// Sees to it that the connection knows the tables, then calls `body` with the statements, or with why there are none.
    func withStatements(
        on connection: StoreConnection, for operation: StoreError.Operation, deadline: Duration,
        _ body: @escaping (Result<StateStatements, StoreError>, _ isUsable: Bool) -> Void
    ) {
        if connection.layoutAge == self.layoutAge, let statements = connection.statements {
            return body(.success(statements), true)
        }
        let age = self.layoutAge
        connection.findTables(deadline: deadline) { end in
            switch end {
            case .done:
                connection.layoutAge = age
                if let statements = connection.statements { return body(.success(statements), true) }
                body(.failure(StoreError(connection.layout, operation: operation)), true)
            case .refused(let fault): body(.failure(StoreError(fault, operation: operation)), true)
            case .lost(let fault), .notSent(let fault):
                body(.failure(StoreError(fault, operation: operation)), false)
            }
        }
    }
}
