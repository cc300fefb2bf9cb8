public import PerdureCQL

/// What a request gave: rows, or none.
///
/// Goes through its rows in order. Rows share the bytes that came from the server and are decoded when they are asked for.
public struct CQLResult: Sendable {
    /// The rows; nil where the statement has none to give, as most writes.
    public let rows: CQLRows?
    /// What the server wants to be known, for people.
    public let warnings: [String]
    /// The ID of the request's trace, if it asked for one.
    public let tracingID: CQLUUID?
    /// The node that answered.
    public let node: CQLEndpoint
    /// The schema is another now.
    let isSchemaChange: Bool

    /// Where the next page begins; nil on the last page.
    public var pagingState: [UInt8]? { self.rows?.pagingState }

    /// Of a conditional write: whether its condition held, from the column `[applied]`; nil for anything else.
    public var wasApplied: Bool? {
        guard let rows = self.rows, rows.columns?.first?.name == "[applied]", let row = rows.first else { return nil }
        return try? row.decode(Bool.self, at: 0)
    }
}

extension CQLResult: Sequence {
    /// Goes through the rows in order.
    public struct Iterator: IteratorProtocol, Sendable {
        var rows: CQLRows.Iterator?

        /// The next row, or nil after the last.
        public mutating func next() -> CQLRow? { self.rows?.next() }
    }

    /// Goes through the rows in order.
    public func makeIterator() -> Iterator { Iterator(rows: self.rows?.makeIterator()) }
    /// The number of rows in this page.
    public var count: Int { self.rows?.count ?? 0 }
    /// The number of rows in this page.
    public var underestimatedCount: Int { self.count }
    /// Whether there are no rows.
    public var isEmpty: Bool { self.count == 0 }
    /// The first row, if there is one.
    public var first: CQLRow? { self.rows?.first }
}
