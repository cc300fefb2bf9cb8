internal import PerdureConcurrency
internal import PerdureIO
internal import PerdureModel
public import PerdureState

/// A store in a table of Amazon DynamoDB, of the shape that eGo and its plugins use.
///
/// Every write is conditional in the service itself, so any number of processes may serve one table. Reads are consistent. A write
/// whose answer was lost is sent again under its own write ID, so that it never happens twice and never conflicts with itself.
/// Go services with eGo read what this store writes, up to 398.5 KiB, and this store reads what they write.
///
/// Nothing is opened before ``connect()`` or the first use, and no table is made but by ``setup(_:)``.
///
/// ```swift
/// let store = try DynamoDBStore(DynamoDBConfiguration(table: "states_store", region: "eu-central-1"))
/// try await store.setup()
/// try await store.write(DurableState(persistenceID: "ada", version: 1, payload: payload), if: .absent)
/// await store.disconnect()
/// ```
public final class DynamoDBStore: StateStore, StateListing, StateBatching, StateTaskHosting {
    private enum Phase {
        case idle
        case open(TableSession)
        case closed
    }

    private struct State {
        var phase = Phase.idle
        var opening: Task<Result<TableSession, StoreError>, Never>?
    }

    /// How the store was configured.
    public let configuration: DynamoDBConfiguration

    public var maximumPayloadByteCount: Int { self.configuration.maximumPayloadByteCount }

    private let environment: AWSEnvironment
    private let clock: any PerdureClock
    private let state = LockedState(State())
    private let tasks = StoreExecutor()

    /// Makes a store over a table; opens and starts nothing.
    ///
    /// - Throws: ``StoreError/Code/misconfigured`` when the configuration breaks a rule, with the rule in the message.
    public convenience init(_ configuration: DynamoDBConfiguration) throws(StoreError) {
        try self.init(configuration, environment: .process, clock: SystemClock())
    }

    /// Makes a store from a URL such as `dynamodb://eu-central-1/states_store`; see ``DynamoDBConfiguration/init(url:)``.
    ///
    /// - Throws: ``StoreError/Code/misconfigured`` that says what is wrong with it.
    public convenience init(url: String) throws(StoreError) {
        try self.init(DynamoDBConfiguration(url: url))
    }

    init(
        _ configuration: DynamoDBConfiguration, environment: AWSEnvironment, clock: any PerdureClock
    ) throws(StoreError) {
        if let violation = configuration.violation {
            throw StoreError(.misconfigured, operation: .connect, message: violation)
        }
        self.configuration = configuration
        self.environment = environment
        self.clock = clock
    }

    /// Runs tasks on the event loop's thread, where answers arrive; see ``StateTaskHosting``.
    public var taskExecutor: any TaskExecutor { self.tasks }

    // MARK: Connection

    /// Makes the store ready, and sees that the table is there and has the right key. Idempotent.
    ///
    /// Without the right to describe the table, that is left to the first request.
    ///
    /// - Throws: ``StoreError/Code/misconfigured`` for a missing table or a wrong key, and what keeps the service from answering.
    public func connect() async throws(StoreError) {
        let session = try await self.enter(.connect, reopens: true)
        defer { session.leave() }
        try await session.checkTable()
    }

    /// Waits for what is under way and closes the connections. Idempotent.
    ///
    /// Afterwards reading and writing throw ``StoreError/Code/closed`` until ``connect()`` or ``ping()`` is called.
    public func disconnect() async {
        let (session, opening) = self.state.withLock {
            state -> (TableSession?, Task<Result<TableSession, StoreError>, Never>?) in
            let phase = state.phase
            state.phase = .closed
            if case .open(let session) = phase { return (session, nil) }
            return (nil, state.opening)
        }
        if let session {
            await session.close()
            self.configuration.observer?.observe(.storeDisconnected(store: "dynamodb"))
        }
        // Whoever opens meanwhile finds the store closed, and closes what it has opened.
        _ = await opening?.value
    }

    public func ping() async throws(StoreError) {
        let session = try await self.enter(.ping, reopens: true)
        defer { session.leave() }
        _ = try await session.perform(
            .getItem(table: session.table, key: StateItem.key(TechnicalKey.nobody), isConsistent: false), .ping,
            deadline: session.deadline(.ping))
    }

    /// Makes the table if it is missing, sets what `setup` says, and waits until the table is active. Idempotent.
    ///
    /// - Throws: ``StoreError/Code/misconfigured`` when there is a table of the name whose key is another one.
    public func setup(_ setup: DynamoDBSetup = .init()) async throws(StoreError) {
        let session = try await self.enter(.setup, reopens: true)
        defer { session.leave() }
        try await session.setUp(setup)
    }

    /// Removes chunks of large payloads that nothing refers to: left behind by processes that ended in the middle of a write, and by
    /// programs that replaced a large state without knowing of its chunks.
    ///
    /// Scans the whole table. Chunks that are younger than `age`, an hour unless set, are left alone: somebody may just be writing them.
    ///
    /// - Returns: how many chunks were removed.
    /// - Throws: ``StoreError`` when the table cannot be read or written; what was removed by then stays removed.
    @discardableResult
    public func removeOrphanedChunks(olderThan age: Duration = .seconds(3_600)) async throws(StoreError) -> Int {
        let session = try await self.enter(.delete)
        defer { session.leave() }
        return try await session.removeOrphanedChunks(olderThan: age)
    }

    // MARK: States

    public func write(_ state: DurableState, if condition: WriteCondition) async throws(StoreError) {
        try self.checkWrite(state, if: condition)
        let session = try await self.enter(.write, state.persistenceID)
        defer { session.leave() }
        try await session.write(state, if: condition)
    }

    public func delete(_ id: String, if condition: WriteCondition) async throws(StoreError) {
        try self.checkID(id, for: .delete)
        let session = try await self.enter(.delete, id)
        defer { session.leave() }
        try await session.delete(id, if: condition)
    }

    public func latestState(of id: String) async throws(StoreError) -> DurableState? {
        try self.checkID(id, for: .read)
        let session = try await self.enter(.read, id)
        defer { session.leave() }
        return try await session.latestState(of: id)
    }

    // MARK: Capabilities

    /// A page of the IDs that begin with `prefix`, in the table's own order, read consistently.
    ///
    /// DynamoDB has no index over all IDs: each page scans the table from the cursor on, and costs capacity for all that it looks at.
    /// With ``DynamoDBConfiguration/listingSegments`` several parts of the table are scanned at once, and a page has some IDs of each;
    /// the order is the same whenever limit and setting are.
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
        let session = try await self.enter(.list)
        defer { session.leave() }
        return try await session.persistenceIDs(withPrefix: prefix, after: cursor?.text, limit: limit)
    }

    /// The states of `ids`, each at the place of its ID; nil where there is none. A hundred IDs share a request.
    public func latestStates(of ids: [String]) async -> [Result<DurableState?, StoreError>] {
        await self.latestStates(ofValid: ids) { (ids) throws(StoreError) in
            let session = try await self.enter(.read)
            defer { session.leave() }
            return await session.latestStates(of: ids)
        }
    }

    /// Writes each state if its condition holds; the results stand at the places of the writes.
    ///
    /// Unconditional writes share requests, 25 at a time; conditional ones are requests of their own, several under way at once.
    public func write(_ writes: [StateWrite]) async -> [Result<Void, StoreError>] {
        await self.writeValid(writes) { (writes) throws(StoreError) in
            let session = try await self.enter(.write)
            defer { session.leave() }
            return await session.write(writes)
        }
    }

    // MARK: Opening

    /// The session to work with, told that an operation more is under way.
    func enter(
        _ operation: StoreError.Operation, _ id: String? = nil, reopens: Bool = false
    ) async throws(StoreError) -> TableSession {
        if Task.isCancelled {
            throw StoreError(
                .cancelled, operation: operation, persistenceID: id,
                message: "the caller's task was cancelled before anything was sent")
        }
        // Bounded, should others connect and disconnect all the time.
        for _ in 0..<1_000 {
            enum Next { case use(TableSession), wait(Task<Result<TableSession, StoreError>, Never>), closed }
            let next: Next = self.state.withLock { state in
                switch state.phase {
                case .open(let session): return .use(session)
                case .closed:
                    guard reopens else { return .closed }
                    state.phase = .idle
                case .idle: break
                }
                let opening = state.opening ?? Task.detached { await self.open() }
                state.opening = opening
                return .wait(opening)
            }
            switch next {
            case .use(let session): if session.enter() { return session }
            case .wait(let opening):
                do throws(StoreError) { _ = try await opening.value.get() } catch {
                    throw error.with(operation: operation, persistenceID: id)
                }
            case .closed:
                throw StoreError(
                    .closed, operation: operation, persistenceID: id,
                    message: "the store was disconnected; call connect() to use it again")
            }
        }
        throw StoreError(
            .closed, operation: operation, persistenceID: id, message: "the store is being disconnected again and again"
        )
    }

    private func open() async -> Result<TableSession, StoreError> {
        let result = await self.makeSession()
        let isWanted = self.state.withLock { state in
            state.opening = nil
            guard case .success(let session) = result, case .idle = state.phase else { return false }
            state.phase = .open(session)
            return true
        }
        if isWanted {
            self.configuration.observer?.observe(.storeConnected(store: "dynamodb"))
        } else if case .success(let session) = result {
            await session.close()
        }
        return result
    }

    private func makeSession() async -> Result<TableSession, StoreError> {
        let configuration = self.configuration
        let transport: HTTPTransport
        do throws(LoopFailure) {
            transport = try HTTPTransport.start(
                named: "perdure-dynamo",
                TransportSettings(
                    maximumConnections: configuration.maximumConnections, connectTimeout: configuration.connectTimeout,
                    authoritiesFile: configuration.authoritiesFile), lentTo: self.tasks)
        } catch {
            return .failure(StoreError(.unavailable, operation: .connect, message: error.description))
        }
        let fetcher = HTTPFetcher(transport: transport, clock: self.clock)
        let place: ServiceEndpoint
        do throws(StoreError) {
            place = try await ServiceEndpoint.resolve(configuration, self.environment, fetcher)
        } catch {
            transport.shutDown()
            return .failure(error)
        }
        let source: any CredentialsSource
        switch configuration.credentials {
        case .fixed(let credentials): source = FixedCredentials(credentials: credentials)
        case .automatic, .profile:
            var profile: String?
            if case .profile(let name) = configuration.credentials { profile = name }
            let isLocal = URLParts.isLocal(place.endpoint.host)
            source = CredentialsChain(
                environment: self.environment, fetcher: fetcher, region: place.region, profile: profile,
                fallback: isLocal ? AWSCredentials(accessKeyID: "local", secretAccessKey: "local") : nil)
        }
        let client = DynamoDBClient(
            DynamoDBClient.Settings(
                endpoint: place.endpoint, region: place.region, retries: configuration.retries,
                attemptTimeout: configuration.attemptTimeout, observer: configuration.observer, clock: self.clock),
            on: transport, credentials: CredentialsCache(source, clock: self.clock))
        return .success(TableSession(client, on: transport, configuration))
    }
}
