internal import PerdureConcurrency
internal import PerdureIO
public import PerdureState

/// A store in PostgreSQL: for services on more than one machine.
///
/// Rows are those of the eGo store, so services in Go may share the table. Acknowledged writes are on the server's disk, as
/// far as the server flushes its log (`fsync`); `synchronous_commit=off` is overruled for the store's own sessions. Writes that
/// wait at the same time, of any IDs, travel together in one statement and one round trip, and each gets its own answer; a lone
/// write waits for nobody. Reads travel together too.
///
/// A write whose answer was lost is sent again under the same write ID until its outcome is known. Several stores and several
/// processes may use one table: correctness comes from the conditions of writes.
///
/// Nothing is opened before ``connect()`` or the first use, and tables are only made by ``setup(_:)``. A table that eGo made
/// works as it is, except that states cannot be deleted and lost answers stay unknown until ``setup(_:)`` has added what that takes.
///
/// ```swift
/// let store = try PostgresStore(url: "postgres://ada@db.example/bank")
/// try await store.setup()
/// try await store.write(DurableState(persistenceID: "ada", version: 1, payload: payload), if: .absent)
/// await store.disconnect()
/// ```
public final class PostgresStore: StateStore, StateListing, StateBatching, StateTaskHosting {
    /// What events call this store.
    static let name = "postgres"

    /// How the server is reached and used.
    public let configuration: PostgresConfiguration

    /// What is at work while the store is connected.
    final class Works: Sendable {
        let loop: EventLoop
        let core: LoopBound<StoreCore>
        let intake: Intake
        /// Set before anything else happens on the loop.
        let runs: LoopBound<RunLines?>

        private let tasks: StoreExecutor

        init(_ configuration: PostgresConfiguration, _ tasks: StoreExecutor) throws(LoopFailure) {
            let loop = try EventLoop.start(named: "perdure-pg", busyPolling: configuration.busyPolling)
            self.tasks = tasks
            tasks.lend(loop)
            let entry = LoneEntry(to: loop)
            let core = LoopBound(StoreCore(configuration, on: loop, by: entry), on: loop)
            self.loop = loop
            self.core = core
            let runs = LoopBound<RunLines?>(nil, on: loop)
            self.runs = runs
            self.intake = Intake(by: entry) { intake in core.value.take(intake.fetch()) }
            loop.perform {
                runs.value = RunLines(core.value)
                core.value.pool.start()
            }
        }

        /// Lets what is under way finish, then ends everything and calls `done` on the loop.
        func end(_ done: @escaping @Sendable () -> Void) {
            self.intake.close()
            self.tasks.withdraw()
            let (loop, core, intake) = (self.loop, self.core, self.intake)
            loop.perform {
                core.value.take(intake.fetch())
                core.value.close {
                    loop.shutDown()
                    done()
                }
            }
        }
    }

    private enum Phase {
        case unopened
        case open(Works)
        case closed
    }

    private let phase = LockedState(Phase.unopened)
    let writeIDs = WriteIDGenerator()
    let clock = SystemClock()
    private let tasks = StoreExecutor()

    /// Makes a store; opens and starts nothing.
    ///
    /// - Throws: ``StoreError/Code/misconfigured`` when a setting is out of its range, with the rule in the message.
    public init(_ configuration: PostgresConfiguration) throws(StoreError) {
        if let violation = configuration.violation {
            throw StoreError(.misconfigured, operation: .connect, message: violation)
        }
        self.configuration = configuration
    }

    /// Makes a store of a URL; see ``PostgresConfiguration/init(url:)``.
    ///
    /// - Throws: ``StoreError/Code/misconfigured`` that says which part of the URL is wrong.
    public convenience init(url: String) throws(StoreError) {
        try self.init(PostgresConfiguration(url: url))
    }

    deinit {
        if case .open(let works) = self.phase.withLock({ $0 }) { works.end {} }
    }

    /// The largest payload that is written; see ``PostgresConfiguration/maximumPayloadByteCount``.
    public var maximumPayloadByteCount: Int { self.configuration.maximumPayloadByteCount }

    /// Runs tasks on the event loop's thread, where answers arrive; see ``StateTaskHosting``.
    public var taskExecutor: any TaskExecutor { self.tasks }

    // MARK: Connection

    /// Connects, and sees that the tables are there.
    ///
    /// - Throws: ``StoreError/Code/misconfigured`` where there is no table, ``StoreError/Code/forbidden`` where the server
    ///   does not let us in, ``StoreError/Code/unavailable`` or ``StoreError/Code/timeout`` where it cannot be reached.
    public func connect() async throws(StoreError) {
        // Finding the tables is all.
        let limit = self.configuration.connectTimeout
        _ = try await self.transact(self.inquiry(.connect), within: limit, reopening: true) { _ in [] }
        self.configuration.observer?.observe(.storeConnected(store: Self.name))
    }

    /// Finishes what is under way, closes every connection and ends the event loop. Idempotent.
    ///
    /// Afterwards reading and writing throw ``StoreError/Code/closed`` until ``connect()`` or ``ping()`` is called.
    public func disconnect() async {
        let works: Works? = self.phase.withLock { phase in
            defer { phase = .closed }
            if case .open(let works) = phase { return works }
            return nil
        }
        guard let works else { return }
        await withUnsafeContinuation { continuation in works.end { continuation.resume() } }
        self.configuration.observer?.observe(.storeDisconnected(store: Self.name))
    }

    /// Asks the server for an answer; connects if not connected.
    ///
    /// - Throws: what keeps the server from answering, as ``connect()`` does.
    public func ping() async throws(StoreError) {
        let limit = self.configuration.connectTimeout
        _ = try await self.transact(self.inquiry(.ping), within: limit, reopening: true) { _ in
            [Exchange.Step(statement: StoreConnection.ping, parameters: ParameterBuffer())]
        }
    }

    /// What is at work; set to work if it is not, unless the store was disconnected and `reopening` is false.
    func works(for operation: StoreError.Operation, reopening: Bool = false) throws(StoreError) -> Works {
        do throws(LoopFailure) {
            let works = try self.phase.withLock { phase throws(LoopFailure) -> Works? in
                switch phase {
                case .open(let works): return works
                case .closed where !reopening: return nil
                case .unopened, .closed:
                    let works = try Works(self.configuration, self.tasks)
                    phase = .open(works)
                    return works
                }
            }
            if let works { return works }
        } catch {
            throw StoreError(.unavailable, operation: operation, message: "\(error)")
        }
        throw .disconnected(operation)
    }

    // MARK: States

    /// Stores `state` if `condition` holds; see ``StateStore/write(_:if:)``.
    ///
    /// - Throws: a ``StoreError`` whose outcome says whether the write may have happened. Unknown are only writes whose answer
    ///   was lost and could not be found out in time, unconditional ones without a trace, and those on a table without our columns.
    public func write(_ state: DurableState, if condition: WriteCondition) async throws(StoreError) {
        try self.checkWrite(state, if: condition)
        try self.checkVersion(condition, .write, state.persistenceID)
        try await self.submit(state, if: condition, .write)
    }

    /// Deletes the state under `id` if `condition` holds; see ``StateStore/delete(_:if:)``.
    ///
    /// - Throws: a ``StoreError`` whose outcome says whether the deletion may have happened; ``StoreError/Code/misconfigured``
    ///   on a table that has no tombstones.
    public func delete(_ id: String, if condition: WriteCondition) async throws(StoreError) {
        try self.checkID(id, for: .delete)
        try self.checkVersion(condition, .delete, id)
        let state = DurableState(persistenceID: id, version: 0, payload: StatePayload(manifest: "", bytes: []))
        try await self.submit(state, if: condition, .delete)
    }

    /// The state stored under `id`, or nil when there is none.
    ///
    /// - Throws: a ``StoreError`` when it cannot be read; never because it is absent.
    public func latestState(of id: String) async throws(StoreError) -> DurableState? {
        try self.checkID(id, for: .read)
        try StoreError.checkNotCancelled(.read, id)
        let works = try self.works(for: .read)
        let deadline = self.clock.now + self.configuration.readTimeout
        let answer: PendingRead.Answer = await withUnsafeContinuation { continuation in
            let read = PendingRead(id, deadline: deadline, caller: .one(continuation))
            if !works.intake.leave({ $0.reads.append(read) }) { read.answer(.failure(.disconnected(.read, id))) }
        }
        return try answer.get()
    }

    /// A version that the columns cannot hold is stored nowhere: the condition cannot hold, and cannot be asked either.
    func checkVersion(
        _ condition: WriteCondition, _ operation: StoreError.Operation, _ id: String
    ) throws(StoreError) {
        guard case .version(let version) = condition, version > UInt64(Int64.max) else { return }
        throw StoreError(
            .invalidRequest, operation: operation, persistenceID: id,
            message: "this store holds versions up to \(Int64.max); the condition names version \(version)")
    }

    /// Puts a change in line and waits for its answer. Once in line it goes on to its end, whatever becomes of the caller.
    private func submit(
        _ state: DurableState, if condition: WriteCondition, _ operation: StoreError.Operation
    ) async throws(StoreError) {
        try StoreError.checkNotCancelled(operation, state.persistenceID)
        let works = try self.works(for: operation)
        let deadline = self.clock.now + self.configuration.writeTimeout
        let error: StoreError? = await withUnsafeContinuation { continuation in
            let write = PendingWrite(
                state, if: condition, operation, id: self.writeIDs.next(), deadline: deadline,
                caller: .one(continuation))
            if !works.intake.leave({ $0.writes.append(write) }) {
                write.answer(.disconnected(operation, state.persistenceID))
            }
        }
        if let error { throw error }
    }

    /// Runs a transaction on a free connection, sends it again as it allows, and returns its answer.
    ///
    /// The way in for parts of the store with statements of their own. Once in line it goes on to its end, whatever becomes of the
    /// caller. `onStates` makes the statements from those on the tables of states instead, which must be there then.
    ///
    /// - Throws: ``StoreError`` with the outcome of the whole transaction.
    func transact<Answer>(
        _ transaction: Transaction<Answer>, within limit: Duration, reopening: Bool = false,
        onStates: (@Sendable (StateStatements) -> [Exchange.Step])? = nil
    ) async throws(StoreError) -> Answer {
        try StoreError.checkNotCancelled(transaction.operation, transaction.persistenceID)
        return try await self.carryOut(transaction, within: limit, reopening: reopening, onStates: onStates).answer
    }

    /// As ``transact(_:within:reopening:onStates:)``, without a look at cancellation; says also whether an attempt's answer was lost
    /// before.
    func carryOut<Answer>(
        _ transaction: Transaction<Answer>, within limit: Duration, reopening: Bool = false,
        onStates: (@Sendable (StateStatements) -> [Exchange.Step])? = nil
    ) async throws(StoreError) -> (answer: Answer, isRepeated: Bool) {
        let works = try self.works(for: transaction.operation, reopening: reopening)
        let deadline = self.clock.now + limit
        let answer: Result<(answer: Answer, isRepeated: Bool), StoreError> = await withUnsafeContinuation {
            continuation in
            let pending = PendingTransaction(
                transaction, steps: onStates.map { .onStates($0) }, deadline: deadline
            ) { answer, end in
                switch end {
                case .done(let isRepeated): continuation.resume(returning: .success((answer, isRepeated)))
                case .failed(let error, _): continuation.resume(returning: .failure(error))
                }
            }
            if !works.intake.leave({ $0.transactions.append(pending) }) {
                pending.end(.disconnected(transaction.operation))
            }
        }
        return try answer.get()
    }

    /// A transaction that changes nothing and answers with the first column of its rows, which must be text.
    func inquiry(_ operation: StoreError.Operation) -> Transaction<[String]> {
        Transaction(operation: operation, repetition: .reading, steps: [], answer: []) { texts, _, rows in
            for row in 0..<rows.rowCount { texts.append(rows.text(row, 0)) }
        }
    }

    // MARK: Batches

    /// The states of `ids`, each at the place of its ID; nil where there is none.
    public func latestStates(of ids: [String]) async -> [Result<DurableState?, StoreError>] {
        await self.latestStates(ofValid: ids) { (ids) throws(StoreError) in
            try StoreError.checkNotCancelled(.read, nil)
            let works = try self.works(for: .read)
            let deadline = self.clock.now + self.configuration.readTimeout
            return await withUnsafeContinuation { continuation in
                let gathering = Gathering<PendingRead.Answer>(count: ids.count, continuation)
                let reads = ids.enumerated().map { index, id in
                    PendingRead(id, deadline: deadline, caller: .place(gathering, index))
                }
                if !works.intake.leave({ $0.reads.append(contentsOf: reads) }) {
                    for read in reads { read.answer(.failure(.disconnected(.read, read.id))) }
                }
            }
        }
    }

    /// Writes each state if its condition holds; the results stand at the places of the writes.
    ///
    /// They wait in line side by side and mostly travel together; still each succeeds or fails by itself.
    public func write(_ writes: [StateWrite]) async -> [Result<Void, StoreError>] {
        await self.writeValid(writes) { (writes) throws(StoreError) in
            try StoreError.checkNotCancelled(.write, nil)
            let works = try self.works(for: .write)
            let deadline = self.clock.now + self.configuration.writeTimeout
            let answers: [StoreError?] = await withUnsafeContinuation { continuation in
                let gathering = Gathering<StoreError?>(count: writes.count, continuation)
                let pending = writes.enumerated().map { index, write in
                    PendingWrite(
                        write.state, if: write.condition, .write, id: self.writeIDs.next(), deadline: deadline,
                        caller: .place(gathering, index))
                }
                if !works.intake.leave({ $0.writes.append(contentsOf: pending) }) {
                    for write in pending { write.answer(.disconnected(.write, write.persistenceID)) }
                }
            }
            return answers.map { error in error.map { .failure($0) } ?? .success(()) }
        }
    }

    // MARK: Listing

    /// A page of the IDs that begin with `prefix` and come after `cursor`, in byte order.
    ///
    /// - Parameters:
    ///   - prefix: compared by bytes; empty for all.
    ///   - cursor: the `next` of the page before; nil for the first.
    ///   - limit: the most IDs in a page, 1 to 10,000.
    /// - Returns: the page, and where the next begins.
    /// - Throws: ``StoreError`` when the page cannot be read, ``StoreError/Code/invalidRequest`` for a limit out of range.
    public func persistenceIDs(
        withPrefix prefix: String, after cursor: StateIDPage.Cursor?, limit: Int
    ) async throws(StoreError) -> StateIDPage {
        try self.checkLimit(limit)
        let after = cursor?.text ?? ""
        // No ID has NUL or more than 255 bytes, so nothing can begin so.
        guard prefix.utf8.count <= PersistenceID.maximumByteCount, !prefix.utf8.contains(0) else {
            return StateIDPage(ids: [], next: nil)
        }
        guard !after.utf8.contains(0) else {
            throw StoreError(
                .invalidRequest, operation: .list, message: "\(after.debugDescription) is not a cursor of this listing")
        }
        var ids = try await self.transact(self.inquiry(.list), within: self.configuration.readTimeout) { statements in
            var parameters = ParameterBuffer()
            parameters.append(prefix)
            parameters.append(after)
            // The last character of all, so often that no ID with the prefix comes after it.
            parameters.append(prefix + String(repeating: "\u{10FFFF}", count: 64))
            parameters.append(Int64(limit + 1))
            return [Exchange.Step(statement: statements.list, parameters: parameters)]
        }
        guard ids.count > limit else { return StateIDPage(ids: ids, next: nil) }
        ids.removeLast()
        return StateIDPage(ids: ids, next: ids.last.map { StateIDPage.Cursor($0) })
    }
}
