internal import PerdureConcurrency
internal import PerdureIO
internal import PerdureState

/// The store's side of the loop: lines of what waits, and lanes that take it to the server.
///
/// Only on the loop's thread.
final class StoreCore {
    typealias Lease = Pool<StoreConnection>.Lease

    let loop: EventLoop
    let configuration: PostgresConfiguration
    let pool: Pool<StoreConnection>
    /// Counts the times at which what connections know about the tables became old.
    private(set) var layoutAge = 0

    private var writes = KeyedBatcher<IDKey, PendingWrite>(kinds: 2 * PendingWrite.Change.count)
    private var reads = Batcher<PendingRead>()
    private var inquiries: [Inquiry] = []
    /// Lanes that have a connection or have asked for one.
    private var writeLanes = 0
    /// Lanes among them with writes that met somebody else's lock.
    private var slowLanes = 0
    private var readLanes = 0
    private var inquiryLanes = 0
    private var asksForWrites = false
    private var asksForReads = false
    private var asksForInquiries = false
    private var isClosing: (() -> Void)?

    /// The most rows of a batch, and about the most bytes.
    static let maximumRows = 512
    static let maximumBytes = 4 << 20
    /// How many must wait before another lane sets out beside those under way: smaller batches cost more than they gain.
    static let worthALane = 16

    init(_ configuration: PostgresConfiguration, on loop: EventLoop) {
        self.loop = loop
        self.configuration = configuration
        var settings = PoolConfiguration()
        settings.minimum = configuration.pool.minimumConnections
        settings.maximum = configuration.pool.maximumConnections
        settings.lifetime = configuration.pool.connectionLifetime
        settings.idleTime = configuration.pool.connectionIdleTime
        settings.checkInterval = configuration.pool.healthCheckInterval
        settings.openTimeout = configuration.connectTimeout
        self.pool = Pool(settings, on: loop, seed: .random(in: .min ... .max)) {
            StoreConnection(configuration, on: loop) { _ in }
        }
    }

    // MARK: What comes in

    func take(_ contents: Intake.Contents) {
        for write in contents.writes {
            self.writes.append(write, key: write.key, kind: write.kind, weight: write.weight)
        }
        for read in contents.reads { self.reads.append(read) }
        self.inquiries.append(contentsOf: contents.inquiries)
        self.setOut()
    }

    /// What connections know about the tables is old: each looks again before its next use.
    func tablesChanged() { self.layoutAge += 1 }

    /// Lets everything under way and in line finish, then closes every connection and calls `done`.
    func close(_ done: @escaping () -> Void) {
        self.isClosing = done
        self.setOut()
    }

    /// Sends lanes out for what waits.
    func setOut() {
        self.setOutForWrites()
        self.setOutForReads()
        self.setOutForInquiries()
        if let done = self.isClosing, self.writes.isIdle, self.reads.isEmpty, self.inquiries.isEmpty,
            self.writeLanes + self.readLanes + self.inquiryLanes == 0
        {
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

    // MARK: Other questions

    private func setOutForInquiries() {
        guard !self.asksForInquiries, let first = self.inquiries.first else { return }
        self.asksForInquiries = true
        self.inquiryLanes += 1
        self.pool.acquire(until: first.deadline) { answer in
            self.asksForInquiries = false
            switch answer {
            case .success(let lease):
                InquiryLane(self, lease, self.inquiries.removeFirst()).start()
                self.setOutForInquiries()
            case .failure(let refusal):
                self.inquiryLanes -= 1
                let now = self.loop.now
                let late = self.inquiries.filter { refusal.reason != .deadline || $0.deadline <= now }
                self.inquiries.removeAll { refusal.reason != .deadline || $0.deadline <= now }
                for inquiry in late { inquiry.answer(StoreError(refusal, operation: inquiry.operation)) }
                self.setOut()
            }
        }
    }

    func inquiryEnded(_ lease: Lease, isReusable: Bool, again: Inquiry?) {
        self.inquiryLanes -= 1
        if let again { self.inquiries.append(again) }
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
