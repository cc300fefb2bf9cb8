/// A store to verify, and what only its author can do to it.
///
/// Only ``makeStore`` is needed. A promise that needs something else is reported as not tested where that is missing.
public struct StateStoreFixture: Sendable {
    /// Does something to the row of an ID behind the store's back.
    public typealias Interference = @Sendable (_ store: any StateStore, _ id: String) async throws -> Void

    /// What the report calls the store.
    public var name: String

    /// Opens a store; may be called often, and from several tasks.
    ///
    /// The stores may share their data, with each other and with a running service: every promise uses IDs of its own and
    /// deletes what it wrote. Disconnecting one must not disconnect another. The suite disconnects each that it made.
    public var makeStore: @Sendable () async throws -> any StateStore

    /// Makes the stored row of the ID unreadable, such as by putting text where a number belongs.
    public var corruptRow: Interference?

    /// Arranges that the next write or delete of the ID is applied, but that its answer never arrives.
    public var loseNextAnswer: Interference?

    /// Arranges that the next write or delete of the ID never reaches the place where the data is.
    public var loseNextRequest: Interference?

    /// Describes a store by how to open it, and by what can be done to it.
    public init(
        _ name: String,
        makeStore: @escaping @Sendable () async throws -> any StateStore,
        corruptRow: Interference? = nil,
        loseNextAnswer: Interference? = nil,
        loseNextRequest: Interference? = nil
    ) {
        self.name = name
        self.makeStore = makeStore
        self.corruptRow = corruptRow
        self.loseNextAnswer = loseNextAnswer
        self.loseNextRequest = loseNextRequest
    }
}
