internal import PerdureConcurrency
internal import PerdureModel

/// A store's inside: the lines in which reads and writes wait, and the threads that serve them.
///
/// Apart from ``SQLiteStore`` so that threads do not keep a forgotten store alive: they end when it goes.
final class SQLiteDatabase: Sendable {
    let path: String
    let configuration: SQLiteStore.Configuration
    let schema: Schema
    let faults: CommitFault.Plan?
    let writes = BatchQueue<WriteJob>()
    let reads = BatchQueue<ReadJob>()
    let watch = WriteWatch()
    /// Runs tasks on the writer's thread.
    let tasks = StoreExecutor()
    private let life = LockedState(Life())

    /// What events call this store.
    static let name = "sqlite"

    init(path: String, configuration: SQLiteStore.Configuration, schema: Schema, faults: CommitFault.Plan?) {
        self.path = path
        self.configuration = configuration
        self.schema = schema
        self.faults = faults
        self.tasks.lend(self.writes)
    }

    // MARK: Life

    private struct Life: Sendable {
        var phase = Phase.unused
        /// Those who wait for the phase to change.
        var waiting: [CheckedContinuation<Turn, Never>] = []
    }

    private enum Phase: Sendable {
        case unused, opening, open, closing, closed
    }

    /// What one who waits for the phase learns.
    private enum Turn: Sendable {
        case opened
        case closed
        case failed(StoreError)
        /// It is the caller's to open or to close.
        case yours
    }

    /// Makes sure that the file is open. With `reopening`, also after it was closed.
    func open(
        reopening: Bool, for operation: StoreError.Operation, of id: String? = nil
    ) async throws(StoreError) {
        while true {
            let turn: Turn = await withCheckedContinuation { continuation in
                let now: Turn? = self.life.withLock { life in
                    switch life.phase {
                    case .open:
                        return .opened
                    case .closing where !reopening, .closed where !reopening:
                        return .failed(.disconnected(operation))
                    case .unused, .closed:
                        life.phase = .opening
                        return .yours
                    case .opening, .closing:
                        life.waiting.append(continuation)
                        return nil
                    }
                }
                if let now { continuation.resume(returning: now) }
            }
            switch turn {
            case .opened:
                return
            case .closed:
                continue
            case .failed(let error):
                throw error.with(operation: operation, persistenceID: id)
            case .yours:
                do throws(StoreError) {
                    try await self.start()
                    self.change(to: .open, .opened)
                    return
                } catch {
                    self.change(to: .unused, .failed(error))
                    throw error.with(operation: operation, persistenceID: id)
                }
            }
        }
    }

    /// Finishes what waits, closes the file and ends the threads.
    func close() async {
        while true {
            let turn: Turn = await withCheckedContinuation { continuation in
                let now: Turn? = self.life.withLock { life in
                    switch life.phase {
                    case .unused, .closed:
                        life.phase = .closed
                        return .closed
                    case .open:
                        life.phase = .closing
                        life.waiting.append(continuation)
                        return .yours
                    case .opening, .closing:
                        life.waiting.append(continuation)
                        return nil
                    }
                }
                switch now {
                // The writer's thread says when all is closed.
                case .yours: self.endThreads()
                case let turn?: continuation.resume(returning: turn)
                case nil: break
                }
            }
            if case .closed = turn { return }
        }
    }

    /// Lets the threads finish what waits and end.
    func endThreads() {
        self.reads.close()
        self.writes.close()
    }

    private func change(to phase: Phase, _ turn: Turn) {
        let waiting = self.life.withLock { life in
            life.phase = phase
            defer { life.waiting = [] }
            return life.waiting
        }
        for continuation in waiting { continuation.resume(returning: turn) }
    }

    // MARK: Threads

    /// Opens the file on the writer's thread, which then serves it until the lines are closed.
    private func start() async throws(StoreError) {
        let result: Result<Void, StoreError> = await withCheckedContinuation { continuation in
            do throws(BlockingThread.StartFailure) {
                try BlockingThread.start(named: "perdure-sqlite-w") { self.serve(opened: continuation) }
            } catch {
                continuation.resume(returning: .failure(Self.noThread(error, .connect)))
            }
        }
        try result.get()
        self.configuration.observer?.observe(.storeConnected(store: Self.name))
    }

    static func noThread(
        _ failure: BlockingThread.StartFailure, _ operation: StoreError.Operation
    ) -> StoreError {
        StoreError(
            .unavailable, operation: operation, message: "\(failure); let the process have more threads or memory")
    }

    /// The writer's thread, from opening the file to closing it.
    private func serve(opened: CheckedContinuation<Result<Void, StoreError>, Never>) {
        let helpers = Latch()
        let session: Session
        do throws(StoreError) {
            session = try Session(self)
            self.writes.open()
            self.reads.open()
            do throws(BlockingThread.StartFailure) {
                try self.startHelpers(session, helpers)
            } catch {
                self.endThreads()
                helpers.wait()
                throw Self.noThread(error, .connect)
            }
        } catch {
            opened.resume(returning: .failure(error))
            return
        }
        opened.resume(returning: .success(()))
        self.commitBatches(session.writer)
        helpers.wait()
        session.writer.close()
        self.configuration.observer?.observe(.storeDisconnected(store: Self.name))
        self.change(to: .closed, .closed)
    }

    private func startHelpers(_ session: Session, _ helpers: Latch) throws(BlockingThread.StartFailure) {
        func start(_ name: String, _ body: @escaping @Sendable () -> Void) throws(BlockingThread.StartFailure) {
            helpers.enter()
            do throws(BlockingThread.StartFailure) {
                try BlockingThread.start(named: name) {
                    body()
                    helpers.leave()
                }
            } catch {
                helpers.leave()
                throw error
            }
        }
        for reader in session.readers {
            try start("perdure-sqlite-r") { self.answerReads(reader) }
        }
        try start("perdure-sqlite-t") { self.watch.run(self.writes, deadline: self.configuration.writeDeadline) }
    }

    private func commitBatches(_ writer: Writer) {
        let configuration = self.configuration
        let clock = SystemClock()
        let batch = WriteBatch()
        var verdicts: [WriteVerdict] = []
        while self.writes.nextBatch(
            into: &batch.jobs, maximumCount: configuration.maximumBatchCount,
            maximumWeight: configuration.maximumBatchByteCount, weight: \.weight)
        {
            batch.begin()
            self.watch.follow(batch)
            let start = configuration.observer == nil ? .zero : clock.now
            writer.commit(batch.jobs, into: &verdicts)
            self.watch.follow(nil)
            let count = batch.jobs.count
            batch.finish(verdicts)
            configuration.observer?.observe(
                .batchCommitted(store: Self.name, writes: count, took: clock.now - start))
            writer.tendLog()
        }
    }

    private func answerReads(_ reader: Reader) {
        var jobs: [ReadJob] = []
        // A share only, so that the other readers get theirs.
        while self.reads.nextBatch(into: &jobs, maximumCount: 32) {
            reader.answer(jobs)
            jobs.removeAll(keepingCapacity: true)
        }
        reader.close()
    }
}
