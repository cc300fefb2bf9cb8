public import PerdureCQL

/// A prepared statement, known to the whole cluster: each node learns it when it is first executed there, and again when
/// it forgot it.
///
/// Made by ``CQLClient/prepare(_:)``; belongs to the client that made it, and stays of use when that reconnects.
public final class CQLStatement: Sendable {
    /// The statement.
    public let text: String
    /// Its markers, in order.
    public let markers: [CQLColumn]
    /// The columns of its result as they were when it was prepared; empty where it has none.
    public let columns: [CQLColumn]
    /// Which markers make the partition key; empty where not all of the key is bound, so that any node may be asked.
    public let partitionKeyMarkers: [Int]
    let kind: StatementKind
    /// Counts the statements of a client: links to nodes find it by that.
    let number: Int

    init(_ text: String, _ prepared: CQLPreparedStatement, number: Int) {
        self.text = text
        self.markers = prepared.markers
        self.columns = prepared.columns
        self.partitionKeyMarkers = prepared.partitionKeyMarkers
        self.kind = StatementKind(text)
        self.number = number
    }

    /// Where the partition is that `values`, from `start` on, are about.
    func route(_ values: borrowing CQLBoundValues, from start: Int = 0) -> CQLLoadBalancing.Request {
        CQLLoadBalancing.Request(
            keyspace: self.markers.first?.keyspace,
            token: values.token(keyMarkers: self.partitionKeyMarkers, from: start),
            isConditional: self.kind.isConditional)
    }
}
