internal import PerdureConcurrency
public import PerdureState

/// A store in a file of SQLite's: for one machine, and meant for production on it.
///
/// Acknowledged writes are on the disk: the write-ahead log is flushed with every commit (`synchronous=FULL`). Writes that wait at
/// the same time, of any IDs, are committed together, and each gets its own answer; a lone write waits for nobody. Reads have
/// connections of their own, never wait for writes, and see every acknowledged one.
///
/// Several stores and several processes may use one file. It must lie on a local disk: network file systems do not lock as
/// SQLite needs it.
///
/// Nothing is opened before ``connect()`` or the first use. A new or empty file is set up then; one with an older schema is
/// refused until ``setup()`` is called.
///
/// ```swift
/// let store = try SQLiteStore("bank.sqlite")
/// try await store.write(DurableState(persistenceID: "ada", version: 1, payload: payload), if: .absent)
/// await store.disconnect()
/// ```
public final class SQLiteStore: StateStore, StateListing, StateBatching, StateTaskHosting {
    /// The schema that this release writes, counted from 1.
    public static var schemaVersion: Int { Schema.current.version }

    public var maximumPayloadByteCount: Int { self.database.configuration.maximumPayloadByteCount }

    let database: SQLiteDatabase

    /// Makes a store over the file at `path`; opens and starts nothing.
    ///
    /// - Throws: ``StoreError/Code/invalidRequest`` when the path or the configuration breaks a rule, with the rule in the message.
    public convenience init(_ path: String, configuration: Configuration = .init()) throws(StoreError) {
        try self.init(path, configuration: configuration, faults: nil)
    }

    init(
        _ path: String, configuration: Configuration = .init(), schema: Schema = .current,
        faults: CommitFault.Plan?
    ) throws(StoreError) {
        func refuse(_ message: String) -> StoreError {
            StoreError(.invalidRequest, operation: .connect, message: message)
        }
        if path.isEmpty { throw refuse("the path of a database must not be empty") }
        if path.utf8.contains(0) { throw refuse("the path of a database must not contain NUL (U+0000)") }
        if path == ":memory:" {
            throw refuse("\":memory:\" is no file; InMemoryStateStore keeps states in memory")
        }
        if let violation = configuration.violation { throw refuse(violation) }
        self.database = SQLiteDatabase(path: path, configuration: configuration, schema: schema, faults: faults)
    }

    deinit { self.database.endThreads() }

    /// Runs tasks on the writer's thread, where a lone write costs little more than the file's own flush; see ``StateTaskHosting``.
    public var taskExecutor: any TaskExecutor { self.database.tasks }

    // MARK: Connection

    public func connect() async throws(StoreError) {
        try await self.database.open(reopening: true, for: .connect)
    }

    /// Finishes what waits, moves the log into the file, closes it and ends the threads. Idempotent.
    ///
    /// Afterwards reading and writing throw ``StoreError/Code/closed`` until ``connect()`` or ``ping()`` is called.
    public func disconnect() async { await self.database.close() }

    public func ping() async throws(StoreError) {
        try StoreError.checkNotCancelled(.ping, nil)
        try await self.database.open(reopening: true, for: .ping)
        let answer = try await self.read(.ping) { ReadJob(request: .ping($0)) }
        try answer.get()
    }

    // MARK: States

    public func write(_ state: DurableState, if condition: WriteCondition) async throws(StoreError) {
        try self.checkWrite(state, if: condition)
        try StoreError.checkNotCancelled(.write, state.persistenceID)
        try await self.submit(.write(state, condition)).check(.write, state.persistenceID, condition)
    }

    public func delete(_ id: String, if condition: WriteCondition) async throws(StoreError) {
        try self.checkID(id, for: .delete)
        try StoreError.checkNotCancelled(.delete, id)
        try await self.submit(.delete(id, condition)).check(.delete, id, condition)
    }

    public func latestState(of id: String) async throws(StoreError) -> DurableState? {
        try self.checkID(id, for: .read)
        try StoreError.checkNotCancelled(.read, id)
        return try await self.read(.read, of: id) { ReadJob(request: .state(id, $0)) }.get()
    }

    // MARK: Lines

    /// Puts a write in line and waits for its verdict. Once in line it goes on to its end, whatever becomes of the caller.
    func submit(_ work: WriteJob.Work) async throws(StoreError) -> WriteVerdict {
        let database = self.database
        while true {
            let verdict: WriteVerdict? = await withUnsafeContinuation {
                (continuation: UnsafeContinuation<WriteVerdict?, Never>) in
                let job = WriteJob(work: work, arrival: database.watch.now, answer: .one(continuation))
                if !database.writes.submit(job, weight: job.weight) { continuation.resume(returning: nil) }
            }
            if let verdict { return verdict }
            try await database.open(reopening: false, for: work.operation, of: work.id)
        }
    }

    /// Puts a read in line and waits for its answer.
    func read<Answer: Sendable>(
        _ operation: StoreError.Operation, of id: String? = nil,
        _ job: (UnsafeContinuation<Answer?, Never>) -> ReadJob
    ) async throws(StoreError) -> Answer {
        let database = self.database
        while true {
            let answer: Answer? = await withUnsafeContinuation { continuation in
                if !database.reads.submit(job(continuation)) { continuation.resume(returning: nil) }
            }
            if let answer { return answer }
            try await database.open(reopening: false, for: operation, of: id)
        }
    }
}
