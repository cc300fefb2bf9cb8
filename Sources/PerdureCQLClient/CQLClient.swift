public import PerdureCQL

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

    /// Makes a client; opens and starts nothing.
    ///
    /// - Throws: ``CQLClientError/Code/misconfigured`` where a setting is out of its range, with the rule in the message.
    public init(_ configuration: CQLClientConfiguration) throws(CQLClientError) {
        if let violation = configuration.violation { throw CQLClientError(.misconfigured, message: violation) }
        self.configuration = configuration
    }

    /// Finds the nodes and connects to them. Idempotent.
    ///
    /// Returns when a node of the local data centre can be used and every other was tried.
    ///
    /// - Throws: ``CQLClientError`` that says of each contact point why it cannot be used. The client goes on trying in the
    ///   background until ``disconnect()``.
    public func connect() async throws(CQLClientError) {
        throw CQLClientError(.closed, message: "not built yet")
    }

    /// Lets what is under way finish, then closes every connection. Idempotent.
    ///
    /// Afterwards requests throw ``CQLClientError/Code/closed`` until ``connect()`` is called.
    public func disconnect() async {}

    /// Makes a statement known to the cluster.
    ///
    /// - Parameter text: The statement; it should name the keyspace of its tables.
    /// - Returns: The statement, to be kept and used again and again.
    /// - Throws: ``CQLClientError`` with the server's error where it cannot be prepared.
    public func prepare(_ text: String) async throws(CQLClientError) -> CQLStatement {
        throw CQLClientError(.closed, message: "not built yet")
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
        throw CQLClientError(.closed, message: "not built yet")
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
        throw CQLClientError(.closed, message: "not built yet")
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
        throw CQLClientError(.closed, message: "not built yet")
    }

    /// The nodes of the cluster as they are known now; empty before ``connect()``.
    public var nodes: [CQLNodeStatus] { [] }
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
