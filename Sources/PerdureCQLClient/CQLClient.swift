public import PerdureCQL
package import PerdureConcurrency

/// A client of a Cassandra cluster.
///
/// It finds the nodes of the cluster by asking one of them, keeps connections to all of the local data centre, and sends each
/// request to a node that holds its partition. Requests share connections: any number may be under way at once.
///
/// ```swift
/// let client = try CQLClient(CQLClientConfiguration(contactPoints: ["127.0.0.1"]))
/// try await client.connect()
/// let write = try await client.prepare("UPDATE bank.accounts SET balance = ? WHERE id = ?")
/// try await client.execute(write) { values in
///     try values.bind(Int64(100))
///     try values.bind("ada")
/// }
/// await client.disconnect()
/// ```
///
/// Every failed request says whether it may have happened (``CQLClientError/outcome``). Requests are tried again, at other
/// nodes too, where that cannot do anything twice that must happen once. Nothing is opened before ``connect()`` or the first
/// request; a request that comes while no node can be reached waits until one can, or until its time is over.
public final class CQLClient: Sendable {
    /// How the cluster is reached and used.
    public let configuration: CQLClientConfiguration

    private enum Phase {
        case unopened
        case open(Session)
        case closed
    }

    private let phase = LockedState(Phase.unopened)
    private let statements = LockedState(StatementIndex())
    private let tasks: StoreExecutor

    /// Makes a client; opens and starts nothing.
    ///
    /// - Throws: ``CQLClientError/Code/misconfigured`` where a setting is out of its range, with the rule in the message.
    public convenience init(_ configuration: CQLClientConfiguration) throws(CQLClientError) {
        try self.init(configuration, lentTo: StoreExecutor())
    }

    /// Makes a client on whose thread those tasks run that prefer `tasks`.
    package init(_ configuration: CQLClientConfiguration, lentTo tasks: StoreExecutor) throws(CQLClientError) {
        if let violation = configuration.violation { throw CQLClientError(.misconfigured, message: violation) }
        self.configuration = configuration
        self.tasks = tasks
    }

    /// Runs tasks on the thread on which the client's answers arrive, for work that must not wait for other threads to wake up.
    ///
    /// A task that prefers it (`withTaskExecutorPreference`) makes a request and goes on with the answer without leaving the
    /// thread. Such a task must never block and not compute for long: all other requests of the client wait meanwhile. While the
    /// client is not connected, and after it was disconnected, tasks run where they would without it.
    public var taskExecutor: any TaskExecutor { self.tasks }

    deinit {
        if case .open(let session) = self.phase.withLock({ $0 }) { session.end {} }
    }

    private func session(reopening: Bool = false) throws(CQLClientError) -> Session {
        let session = try self.phase.withLock { phase throws(CQLClientError) -> Session? in
            switch phase {
            case .open(let session): return session
            case .closed where !reopening: return nil
            case .unopened, .closed:
                let session = try Session(self.configuration, lentTo: self.tasks)
                phase = .open(session)
                return session
            }
        }
        guard let session else { throw .disconnected }
        return session
    }

    /// Finds the nodes and connects to them. Idempotent.
    ///
    /// Returns when a node of the local data centre can be used and every other was tried.
    ///
    /// - Throws: ``CQLClientError`` that says of each contact point why it cannot be used. The client goes on trying in the
    ///   background until ``disconnect()``.
    public func connect() async throws(CQLClientError) { try await self.session(reopening: true).connect() }

    /// Lets what is under way finish, then closes every connection. Idempotent.
    ///
    /// Afterwards requests throw ``CQLClientError/Code/closed`` until ``connect()`` is called.
    public func disconnect() async {
        let session: Session? = self.phase.withLock { phase in
            defer { phase = .closed }
            if case .open(let session) = phase { return session }
            return nil
        }
        guard let session else { return }
        await withUnsafeContinuation { continuation in session.end { continuation.resume() } }
    }

    /// Makes a statement known to the cluster.
    ///
    /// - Parameter text: The statement; it should name the keyspace of its tables.
    /// - Returns: The statement, to be kept and used again and again.
    /// - Throws: ``CQLClientError`` with the server's error where it cannot be prepared.
    public func prepare(_ text: String) async throws(CQLClientError) -> CQLStatement {
        if let statement = self.statements.withLock({ $0.find(text) }) { return statement }
        let execution = Execution(
            .prepare(text), values: CQLBoundValues(for: nil), options: CQLQueryOptions(),
            route: CQLLoadBalancing.Request(),
            timeout: self.configuration.requestTimeout,
            course: RequestCourse(
                policy: self.configuration.retry, isIdempotent: true, isConditional: false, isRead: true))
        switch try await self.session().perform(execution, endsOnCancellation: false) {
        case .prepared(let prepared, _): return self.statements.withLock { $0.add(text, prepared) }
        case .failure(let error): throw error
        case .frame, .done: throw CQLClientError(.unreadable, message: "something else than an answer to PREPARE")
        }
    }

    /// Executes a prepared statement.
    ///
    /// - Parameters:
    ///   - statement: What ``prepare(_:)`` gave.
    ///   - options: How it is to be done.
    ///   - bind: Binds a value to each marker, in order; called once, before anything is sent.
    /// - Returns: What the server answered.
    /// - Throws: ``CQLClientError``, whose outcome says whether a write may have happened. What `bind` throws comes as
    ///   ``CQLClientError/Code/invalidRequest`` with that error beneath.
    @discardableResult
    public func execute(
        _ statement: CQLStatement, options: CQLExecutionOptions = CQLExecutionOptions(),
        _ bind: (inout CQLBoundValues) throws -> Void = { _ in }
    ) async throws(CQLClientError) -> CQLResult {
        var values = CQLBoundValues(for: statement.markers)
        do {
            try bind(&values)
            _ = try values.checkedCount()
        } catch {
            throw CQLClientError(invalid: error)
        }
        values.forgetMarkers()
        let route = statement.route(values)
        return try await self.perform(.statement(statement), values, statement.kind, options, route)
    }

    /// Sends a query as text, for what is asked once: schema, system tables.
    ///
    /// After a change of the schema it returns when all nodes that are up have it.
    ///
    /// - Parameters:
    ///   - text: The query; values belong into markers, not into the text.
    ///   - options: How it is to be done.
    ///   - bind: Binds a value to each marker, in order.
    /// - Returns: What the server answered.
    /// - Throws: ``CQLClientError``; ``CQLClientError/Code/schemaDisagreement`` where the schema was changed, and not all nodes had it
    ///   in time.
    @discardableResult
    public func query(
        _ text: String, options: CQLExecutionOptions = CQLExecutionOptions(),
        _ bind: (inout CQLBoundValues) throws -> Void = { _ in }
    ) async throws(CQLClientError) -> CQLResult {
        var values = CQLBoundValues(for: nil)
        do {
            try bind(&values)
            _ = try values.checkedCount()
        } catch {
            throw CQLClientError(invalid: error)
        }
        let kind = StatementKind(text)
        let route = CQLLoadBalancing.Request(isConditional: kind.isConditional)
        let result = try await self.perform(.text(text), values, kind, options, route)
        if result.isSchemaChange { try await self.awaitSchemaAgreement() }
        return result
    }

    /// Sends several writes in one.
    ///
    /// It goes to a node that holds the partition of the first statement.
    ///
    /// - Parameters:
    ///   - kind: How the statements belong together.
    ///   - options: How it is to be done; pages do not apply.
    ///   - add: Adds the statements; called once, before anything is sent.
    /// - Returns: What the server answered.
    /// - Throws: ``CQLClientError``, whose outcome says whether the writes may have happened.
    @discardableResult
    public func batch(
        _ kind: CQLBatchKind, options: CQLExecutionOptions = CQLExecutionOptions(),
        _ add: (inout CQLBatch) throws -> Void
    ) async throws(CQLClientError) -> CQLResult {
        var batch = CQLBatch()
        do { try add(&batch) } catch { throw CQLClientError(invalid: error) }
        var statement = StatementKind.write
        statement.isConditional = batch.route.isConditional
        batch.values.forgetMarkers()
        let (parts, route) = (batch.parts, batch.route)
        return try await self.perform(.batch(kind, parts), batch.takeValues(), statement, options, route)
    }

    /// Waits until all nodes that are up have the same schema.
    ///
    /// - Throws: ``CQLClientError/Code/schemaDisagreement`` where they have not within
    ///   ``CQLClientConfiguration/schemaAgreementTimeout``.
    public func awaitSchemaAgreement() async throws(CQLClientError) {
        let execution = Execution(
            .agreement, values: CQLBoundValues(for: nil), options: CQLQueryOptions(), route: CQLLoadBalancing.Request(),
            timeout: self.configuration.schemaAgreementTimeout,
            course: RequestCourse(
                policy: self.configuration.retry, isIdempotent: true, isConditional: false, isRead: true))
        if case .failure(let error) = try await self.session().perform(execution, endsOnCancellation: true) {
            throw error
        }
    }

    private func perform(
        _ content: Execution.Content, _ values: consuming CQLBoundValues, _ kind: StatementKind,
        _ options: CQLExecutionOptions, _ route: CQLLoadBalancing.Request
    ) async throws(CQLClientError) -> CQLResult {
        if options.heedsCancellation, Task.isCancelled { throw .cancelled }
        let session = try self.session()
        let execution = Execution(
            content, values: values, options: options.resolved(self.configuration), route: route,
            timeout: options.timeout ?? self.configuration.requestTimeout,
            course: RequestCourse(
                policy: self.configuration.retry, isIdempotent: options.isIdempotent ?? kind.isRead,
                isConditional: kind.isConditional, isRead: kind.isRead))
        switch await session.perform(execution, endsOnCancellation: options.endsOnCancellation) {
        case .frame(let frame, let node, let columns):
            do throws(CQLProtocolError) {
                let result = try CQLResult(frame, columns: columns, from: node)
                if case .statement(let statement) = content, let id = result.rows?.newMetadataID,
                    let columns = result.rows?.columns
                {
                    session.changed(statement, at: node, columns: columns, metadataID: id)
                }
                return result
            } catch {
                throw CQLClientError(.unreadable(error), outcome: kind.isRead ? .notApplied : .unknown, node: node)
            }
        case .failure(let error): throw error
        case .prepared, .done: throw CQLClientError(.unreadable, message: "an answer to something else")
        }
    }

    /// The nodes of the cluster as they are known now; empty before ``connect()``.
    public var nodes: [CQLNodeStatus] {
        guard case .open(let session) = self.phase.withLock({ $0 }) else { return [] }
        return session.nodes.withLock { $0 }
    }
}

/// What a client knows of a node.
public struct CQLNodeStatus: Sendable, Hashable {
    /// The node, as the cluster describes it.
    public var node: CQLNode
    /// Whether the cluster counts it as up.
    public var isUp: Bool
    /// How many open connections lead to it.
    public var connectionCount: Int
}
