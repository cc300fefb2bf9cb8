/// The latest state under one persistence ID: what a store keeps as one row.
public struct DurableState: Sendable, Hashable {
    /// The name under which the state is stored; see ``PersistenceID`` for the rule.
    public var persistenceID: String
    /// Counts the accepted changes from 1. A row that another program wrote may have version 0.
    public var version: UInt64
    /// The encoded state and its manifest.
    public var payload: StatePayload
    /// When the state was written, in Unix milliseconds; 0 where another program left it unknown. For people: no logic may depend on it.
    public var timestamp: Int64
    /// The shard of the ID, for programs that distribute work by shard.
    public var shard: UInt64

    /// Makes a state of all its fields.
    public init(
        persistenceID: String, version: UInt64, payload: StatePayload, timestamp: Int64 = 0, shard: UInt64 = 0
    ) {
        self.persistenceID = persistenceID
        self.version = version
        self.payload = payload
        self.timestamp = timestamp
        self.shard = shard
    }

    /// States are equal when every field is, IDs and manifests byte by byte.
    public static func == (left: DurableState, right: DurableState) -> Bool {
        left.version == right.version && left.timestamp == right.timestamp && left.shard == right.shard
            && left.persistenceID.utf8.elementsEqual(right.persistenceID.utf8) && left.payload == right.payload
    }
}
