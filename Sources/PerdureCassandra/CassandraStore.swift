internal import PerdureCQLClient
internal import PerdureConcurrency
internal import PerdureModel
public import PerdureState

/// A store in Apache Cassandra: for services that must scale writes over many machines.
///
/// Rows are those of the eGo store, so services in Go may share the table, whichever of its two keys it has. Writes with
/// conditions are lightweight transactions, and reads are serial, so that any number of processes may serve one table. A
/// write whose answer was lost is sent again under its own write ID until its outcome is known.
///
/// Nothing is opened before ``connect()`` or the first use, and tables are only made by ``setup(_:)``. A table that eGo made
/// works as it is, except that states cannot be deleted and lost answers stay unknown until ``setup(_:)`` has added what that takes.
///
/// ```swift
/// let store = try CassandraStore(url: "cassandra://10.0.0.1,10.0.0.2/bank?dc=eu-west")
/// try await store.setup()
/// try await store.write(DurableState(persistenceID: "ada", version: 1, payload: payload), if: .absent)
/// await store.disconnect()
/// ```
public final class CassandraStore: StateStore, StateListing, StateBatching, StateTaskHosting {
    /// What events call this store.
    static let name = "cassandra"

    /// How the cluster is reached and used.
    public let configuration: CassandraConfiguration

    /// The largest payload that is written; see ``CassandraConfiguration/maximumPayloadByteCount``.
    public var maximumPayloadByteCount: Int { self.configuration.maximumPayloadByteCount }

    private let clock: any PerdureClock
    private let opener: StoreOpener<StateSession>

    /// Makes a store; opens and starts nothing.
    ///
    /// - Throws: ``StoreError/Code/misconfigured`` when a setting is out of its range, with the rule in the message.
    public convenience init(_ configuration: CassandraConfiguration) throws(StoreError) {
        try self.init(configuration, clock: SystemClock())
    }

    /// Makes a store of a URL; see ``CassandraConfiguration/init(url:)``.
    ///
    /// - Throws: ``StoreError/Code/misconfigured`` that says which part of the URL is wrong.
    public convenience init(url: String) throws(StoreError) {
        try self.init(CassandraConfiguration(url: url))
    }

    init(_ configuration: CassandraConfiguration, clock: any PerdureClock) throws(StoreError) {
        if let violation = configuration.violation {
            throw StoreError(.misconfigured, operation: .connect, message: violation)
        }
        self.configuration = configuration
        self.clock = clock
        let timestamps = TimestampGenerator()
        self.opener = StoreOpener(Self.name, observer: configuration.observer) { tasks in
            do throws(StoreError) {
                return .success(try await StateSession.open(configuration, clock, timestamps, lentTo: tasks))
            } catch {
                return .failure(error)
            }
        }
    }

    /// Runs tasks on the event loop's thread, where answers arrive; see ``StateTaskHosting``.
    public var taskExecutor: any TaskExecutor { self.opener.tasks }

    // MARK: Connection

    /// Finds the nodes, connects to them, and sees that the tables are there and have a key that this store knows. Idempotent.
    ///
    /// - Throws: ``StoreError/Code/misconfigured`` where keyspace, table or columns are missing or wrong,
    ///   ``StoreError/Code/forbidden`` where the cluster does not let us in, and what keeps it from answering.
    public func connect() async throws(StoreError) {
        try await self.enter(.connect, reopens: true).leave()
    }

    /// Waits for what is under way and closes the connections. Idempotent.
    ///
    /// Afterwards reading and writing throw ``StoreError/Code/closed`` until ``connect()`` or ``ping()`` is called.
    public func disconnect() async { await self.opener.disconnect() }

    /// Reads a row that is not there, with as many replicas as every read asks; connects if not connected.
    public func ping() async throws(StoreError) {
        let session = try await self.enter(.ping, reopens: true)
        defer { session.leave() }
        // Longer than any ID may be.
        let nobody = String(repeating: ".", count: PersistenceID.maximumByteCount + 1)
        let call = Call(operation: .ping, deadline: session.deadline(.ping))
        _ = try await session.head(at: session.place(of: nobody), call)
    }

    /// Makes the keyspace and the tables, or brings them to this release's schema. Idempotent.
    ///
    /// A table that eGo made keeps its rows and gets our columns, which eGo does not mind. Cassandra does not like its schema to be
    /// changed from several places at once: call it from one.
    ///
    /// - Throws: ``StoreError/Code/forbidden`` where the role may not do it, ``StoreError/Code/misconfigured`` where there is a table
    ///   of the name with another key, or what keeps the cluster from answering.
    public func setup(_ setup: CassandraSetup = CassandraSetup()) async throws(StoreError) {
        if let violation = setup.violation {
            throw StoreError(.invalidRequest, operation: .setup, message: violation)
        }
        try StoreError.checkNotCancelled(.setup)
        try await SchemaWriter(configuration: self.configuration, setup: setup).run()
        // What is open goes by tables as they were.
        await self.opener.reset()
    }

    /// Removes chunks of large payloads that nothing refers to: left behind by processes that ended in the middle of a write, and by
    /// programs that replaced a large state without knowing of its chunks.
    ///
    /// Goes through all chunks. Those that are younger than `age` are left alone: somebody may just be writing them.
    ///
    /// - Returns: how many payloads were removed.
    /// - Throws: ``StoreError`` when the tables cannot be read or written; what was removed by then stays removed.
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

    /// A page of the IDs that begin with `prefix`, in the order of the partitions on the ring.
    ///
    /// Cassandra has no index over all IDs: each page goes through the table from the cursor on. Rows that the same ID has under
    /// several shards are listed each.
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

    /// The states of `ids`, each at the place of its ID; nil where there is none. Each is a request of its own, 64 at a time.
    public func latestStates(of ids: [String]) async -> [Result<DurableState?, StoreError>] {
        var results = ids.map { id -> Result<DurableState?, StoreError> in
            do throws(StoreError) { try self.checkID(id, for: .read) } catch { return .failure(error) }
            return .success(nil)
        }
        let valid = ids.indices.filter { if case .success = results[$0] { true } else { false } }
        guard !valid.isEmpty else { return results }
        do throws(StoreError) {
            let session = try await self.enter(.read)
            defer { session.leave() }
            for (index, result) in zip(valid, await session.latestStates(of: valid.map { ids[$0] })) {
                results[index] = result
            }
        } catch {
            for index in valid { results[index] = .failure(error.with(persistenceID: ids[index])) }
        }
        return results
    }

    /// Writes each state if its condition holds; the results stand at the places of the writes.
    ///
    /// Each is a request of its own, 64 at a time: a batch of Cassandra's stands or falls as one.
    public func write(_ writes: [StateWrite]) async -> [Result<Void, StoreError>] {
        var results = writes.map { write -> Result<Void, StoreError> in
            do throws(StoreError) { try self.checkWrite(write.state, if: write.condition) } catch {
                return .failure(error)
            }
            return .success(())
        }
        let valid = writes.indices.filter { if case .success = results[$0] { true } else { false } }
        guard !valid.isEmpty else { return results }
        do throws(StoreError) {
            let session = try await self.enter(.write)
            defer { session.leave() }
            for (index, result) in zip(valid, await session.write(valid.map { writes[$0] })) { results[index] = result }
        } catch {
            for index in valid {
                results[index] = .failure(error.with(persistenceID: writes[index].state.persistenceID))
            }
        }
        return results
    }

    // MARK: Opening

    /// The session to work with, told that an operation more is under way.
    func enter(
        _ operation: StoreError.Operation, _ id: String? = nil, reopens: Bool = false, heedsCancellation: Bool = true
    ) async throws(StoreError) -> StateSession {
        try await self.opener.enter(operation, id, reopens: reopens, heedsCancellation: heedsCancellation)
    }
}

extension StateSession {
    fileprivate static func open(
        _ configuration: CassandraConfiguration, _ clock: any PerdureClock, _ timestamps: TimestampGenerator,
        lentTo tasks: StoreExecutor
    ) async throws(StoreError) -> StateSession {
        let client = try await CQLClient.connected(configuration, .connect, lentTo: tasks)
        do throws(StoreError) {
            let reader = SchemaReader(client: client, names: configuration.names, timeout: configuration.connectTimeout)
            let findings: SchemaFindings
            do throws(CQLClientError) { findings = try await reader.findings() } catch {
                throw error.storeError(.connect)
            }
            let layout = try findings.layout(configuration)
            let statements: StateStatements
            do throws(CQLClientError) { statements = try await StateStatements(client, layout) } catch {
                throw error.storeError(.connect)
            }
            return StateSession(client, configuration, layout, statements, clock: clock, timestamps: timestamps)
        } catch {
            await client.disconnect()
            throw error
        }
    }
}

extension CQLClient {
    /// A client that is connected.
    static func connected(
        _ configuration: CassandraConfiguration, _ operation: StoreError.Operation,
        lentTo tasks: StoreExecutor = StoreExecutor()
    ) async throws(StoreError) -> CQLClient {
        do throws(CQLClientError) {
            let client = try CQLClient(configuration.client, lentTo: tasks)
            do throws(CQLClientError) { try await client.connect() } catch {
                await client.disconnect()
                throw error
            }
            return client
        } catch {
            throw error.storeError(operation)
        }
    }
}
