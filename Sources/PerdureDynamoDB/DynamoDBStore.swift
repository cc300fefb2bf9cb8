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
    /// How the store was configured.
    public let configuration: DynamoDBConfiguration

    public var maximumPayloadByteCount: Int { self.configuration.maximumPayloadByteCount }

    let opener: TableOpener

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
        self.opener = try TableOpener(configuration, environment: environment, clock: clock)
        self.configuration = configuration
    }

    /// Runs tasks on the event loop's thread, where answers arrive; see ``StateTaskHosting``.
    public var taskExecutor: any TaskExecutor { self.opener.tasks }

    // MARK: Connection

    /// Makes the store ready, and sees that the table is there and has the right key. Idempotent.
    ///
    /// Without the right to describe the table, that is left to the first request.
    ///
    /// - Throws: ``StoreError/Code/misconfigured`` for a missing table or a wrong key, and what keeps the service from answering.
    public func connect() async throws(StoreError) {
        let session = try await self.opener.enter(.connect, reopens: true)
        defer { session.leave() }
        try await session.checkTable(.states)
    }

    /// Waits for what is under way and closes the connections. Idempotent.
    ///
    /// Afterwards reading and writing throw ``StoreError/Code/closed`` until ``connect()`` or ``ping()`` is called.
    public func disconnect() async {
        await self.opener.disconnect()
    }

    public func ping() async throws(StoreError) {
        try await self.opener.ping(StateItem.key(TechnicalKey.nobody))
    }

    /// Makes the table if it is missing, sets what `setup` says, and waits until the table is active. Idempotent.
    ///
    /// - Throws: ``StoreError/Code/misconfigured`` when there is a table of the name whose key is another one.
    public func setup(_ setup: DynamoDBSetup = .init()) async throws(StoreError) {
        let session = try await self.opener.enter(.setup, reopens: true)
        defer { session.leave() }
        try await session.setUp(setup, .states)
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
        let session = try await self.opener.enter(.delete)
        defer { session.leave() }
        return try await session.removeOrphanedChunks(olderThan: age)
    }

    // MARK: States

    public func write(_ state: DurableState, if condition: WriteCondition) async throws(StoreError) {
        try self.checkWrite(state, if: condition)
        let session = try await self.opener.enter(.write, state.persistenceID)
        defer { session.leave() }
        try await session.write(state, if: condition)
    }

    public func delete(_ id: String, if condition: WriteCondition) async throws(StoreError) {
        try self.checkID(id, for: .delete)
        let session = try await self.opener.enter(.delete, id)
        defer { session.leave() }
        try await session.delete(id, if: condition)
    }

    public func latestState(of id: String) async throws(StoreError) -> DurableState? {
        try self.checkID(id, for: .read)
        let session = try await self.opener.enter(.read, id)
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
        let session = try await self.opener.enter(.list)
        defer { session.leave() }
        return try await session.persistenceIDs(withPrefix: prefix, after: cursor?.text, limit: limit)
    }

    /// The states of `ids`, each at the place of its ID; nil where there is none. A hundred IDs share a request.
    public func latestStates(of ids: [String]) async -> [Result<DurableState?, StoreError>] {
        await self.latestStates(ofValid: ids) { (ids) throws(StoreError) in
            let session = try await self.opener.enter(.read)
            defer { session.leave() }
            return await session.latestStates(of: ids)
        }
    }

    /// Writes each state if its condition holds; the results stand at the places of the writes.
    ///
    /// Unconditional writes share requests, 25 at a time; conditional ones are requests of their own, several under way at once.
    public func write(_ writes: [StateWrite]) async -> [Result<Void, StoreError>] {
        await self.writeValid(writes) { (writes) throws(StoreError) in
            let session = try await self.opener.enter(.write)
            defer { session.leave() }
            return await session.write(writes)
        }
    }
}
