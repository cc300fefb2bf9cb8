/// A run store to verify, and what only its author can do to it.
///
/// Only ``makeStore`` is needed. A promise that needs something else is reported as not tested where that is missing.
public struct RunStoreFixture: Sendable {
    /// Arranges something for the next change of a run, or of a worker, of that ID.
    public typealias Interference = @Sendable (_ store: any RunStore, _ id: String) async throws -> Void

    /// What the report calls the store.
    public var name: String

    /// Opens a store; may be called often, and from several tasks.
    ///
    /// The stores may share their data: every promise uses IDs and workflows of its own, and deletes what it wrote. The suite
    /// disconnects each that it made.
    public var makeStore: @Sendable () async throws -> any RunStore

    /// Opens another store over the same data as the given one, as another process would.
    public var makeSecondStore: (@Sendable (_ first: any RunStore) async throws -> any RunStore)?

    /// Arranges that the next change of the ID is applied, but that its answer never arrives.
    public var loseNextAnswer: Interference?

    /// Arranges that the next change of the ID never reaches the place where the data is.
    public var loseNextRequest: Interference?

    /// Describes a store by how to open it, and by what can be done to it.
    public init(
        _ name: String,
        makeStore: @escaping @Sendable () async throws -> any RunStore,
        makeSecondStore: (@Sendable (_ first: any RunStore) async throws -> any RunStore)? = nil,
        loseNextAnswer: Interference? = nil,
        loseNextRequest: Interference? = nil
    ) {
        self.name = name
        self.makeStore = makeStore
        self.makeSecondStore = makeSecondStore
        self.loseNextAnswer = loseNextAnswer
        self.loseNextRequest = loseNextRequest
    }
}
