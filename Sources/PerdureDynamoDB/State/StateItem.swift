internal import PerdureModel
internal import PerdureState

/// What the table's items look like: attributes as eGo names them, and ours beside them.
///
/// | attribute | type | whose |
/// |---|---|---|
/// | `PersistenceID` | S, the hash key | everybody's |
/// | `VersionNumber`, `Timestamp`, `ShardNumber` | N | everybody's, always there |
/// | `StatePayload`, `StateManifest` | B, S | everybody's, always there |
/// | `WriteID` | B, 16 bytes | ours: the write that made the item |
/// | `Chunks` | M | ours: where the payload is when it is too large for one item |
/// | `ItemKind` | S | ours, on items that are no states: `tombstone`, `chunk` |
/// | `ExpiresAt` | N, Unix seconds | ours: the TTL attribute, on tombstones and on chunks that nobody refers to yet |
enum StateItem {
    static let id = "PersistenceID"
    static let version = "VersionNumber"
    static let payload = "StatePayload"
    static let manifest = "StateManifest"
    static let timestamp = "Timestamp"
    static let shard = "ShardNumber"
    static let writeID = "WriteID"
    static let chunks = "Chunks"
    static let kind = "ItemKind"
    static let expiry = "ExpiresAt"

    /// The largest payload that goes into one item: DynamoDB's 400 KB less what the other attributes may take.
    static let inlineLimit = 400 * 1_024 - 1_536

    /// What stands in `StateManifest` when the payload is in chunks: a name that no other program takes for one of its types.
    static let chunkedManifest = "perdure.chunked"

    /// The item of a state. With `chunks` the payload is elsewhere, and only its place is in the item.
    static func item(
        _ state: DurableState, writeID: WriteID, chunks: ChunkSet?, unit: StoredTimestamp.Unit
    ) -> Item {
        var item = Item()
        item.attributes.reserveCapacity(8)
        item.append(Self.id, .string(state.persistenceID))
        item.append(Self.version, .number(state.version))
        item.append(Self.payload, .binary(chunks == nil ? state.payload.bytes : []))
        item.append(Self.manifest, .string(chunks == nil ? state.payload.manifest : Self.chunkedManifest))
        item.append(Self.timestamp, .number(StoredTimestamp.stored(milliseconds: state.timestamp, as: unit)))
        item.append(Self.shard, .number(state.shard))
        item.append(Self.writeID, .binary(writeID.bytes))
        if let chunks { item.append(Self.chunks, .map(chunks.item(manifest: state.payload.manifest))) }
        return item
    }

    static func key(_ id: String) -> Item { [Self.id: .string(id)] }
}

/// The state in an item, as far as one item has it.
struct StoredState: Sendable {
    var state: DurableState
    /// Where the payload is, when it is not in the item.
    var chunks: ChunkSet?

    /// Reads an item of ours, of eGo's, or of the first plugin's, which has neither version nor shard, and its time as text.
    ///
    /// - Throws: ``AnswerFlaw`` that names the attribute that is missing or of the wrong type.
    init(_ item: Item, id: String) throws(AnswerFlaw) {
        func flaw(_ name: String, _ value: AttributeValue?, _ expected: String) -> AnswerFlaw {
            AnswerFlaw("the attribute \(name) is \(value.map { "of type \($0.type)" } ?? "missing"), not \(expected)")
        }
        func number(_ name: String) throws(AnswerFlaw) -> UInt64 {
            switch item[name] {
            case nil, .null: return 0
            case .number(let digits)?, .string(let digits)?:
                guard let number = UInt64(digits) else { throw AnswerFlaw("the attribute \(name) is no whole number") }
                return number
            case let value?: throw flaw(name, value, "N")
            }
        }
        var manifest = item[StateItem.manifest]
        guard let payload = item[StateItem.payload]?.bytes else {
            throw flaw(StateItem.payload, item[StateItem.payload], "B")
        }
        if let value = item[StateItem.chunks] {
            let chunks = try ChunkSet(value)
            self.chunks = chunks
            manifest = .string(chunks.manifest)
        }
        guard let manifest = manifest?.text else { throw flaw(StateItem.manifest, manifest, "S") }
        var timestamp: Int64 = 0
        switch item[StateItem.timestamp] {
        case .number(let digits)?, .string(let digits)?:
            // The first plugin's texts are whatever its clock gave; the column is for people.
            timestamp = Int64(digits).map { StoredTimestamp.milliseconds(fromStored: $0) } ?? 0
        default: break
        }
        self.state = DurableState(
            persistenceID: id, version: try number(StateItem.version),
            payload: StatePayload(manifest: manifest, bytes: payload), timestamp: timestamp,
            shard: try number(StateItem.shard))
    }
}

/// What a write has to know of the item that is there: small, and readable where the item is not.
struct StoredHead: Sendable {
    /// The version as it is stored, of whatever type; nil when the attribute is missing.
    var rawVersion: AttributeValue?
    var writeID: [UInt8]?
    var chunks: AttributeValue?

    init(_ item: Item) {
        self.rawVersion = item[StateItem.version]
        self.writeID = item[StateItem.writeID]?.bytes
        self.chunks = item[StateItem.chunks]
    }

    /// The version, 0 where there is none or none that can be read.
    var version: UInt64 {
        switch self.rawVersion {
        case .number(let digits)?, .string(let digits)?: UInt64(digits) ?? 0
        default: 0
        }
    }
}
