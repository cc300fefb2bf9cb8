/// A statement that the servers of a cluster remember, and all there is to know of it.
///
/// Its ID depends on its text and keyspace only, so that it is the same on every node and after every restart.
public struct CQLPreparedStatement: Sendable, Hashable {
    /// What names it in EXECUTE.
    public var id: [UInt8]
    /// In version 5: what names the description of its result; sent with each EXECUTE.
    public var resultMetadataID: [UInt8]?
    /// Its markers, in order.
    public var markers: [CQLColumn]
    /// Which markers make the partition key, in the key's order; empty where not all of the key is bound.
    public var partitionKeyMarkers: [Int]
    /// The columns of its result; empty where it has none.
    public var columns: [CQLColumn]

    /// Makes a description of a prepared statement.
    public init(
        id: [UInt8], resultMetadataID: [UInt8]? = nil, markers: [CQLColumn], partitionKeyMarkers: [Int] = [],
        columns: [CQLColumn] = []
    ) {
        self.id = id
        self.resultMetadataID = resultMetadataID
        self.markers = markers
        self.partitionKeyMarkers = partitionKeyMarkers
        self.columns = columns
    }
}
