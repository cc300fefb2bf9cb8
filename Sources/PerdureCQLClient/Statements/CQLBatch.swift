public import PerdureCQL

/// Writes the statements of a batch; handed to a closure by ``CQLClient/batch(_:options:_:)``.
public struct CQLBatch: ~Copyable {
    /// A statement, and where among the bytes its values are.
    struct Part {
        let statement: CQLStatement
        let valueCount: Int
        let bytes: Range<Int>
    }

    var values = CQLBoundValues(for: nil)
    var parts: [Part] = []
    var route = CQLLoadBalancing.Request()

    init() {}

    consuming func takeValues() -> CQLBoundValues { self.values }

    /// How many statements there are.
    public var count: Int { self.parts.count }

    /// Adds a prepared statement with its values.
    ///
    /// - Throws: ``CQLProtocolError`` where a value is missing or of another type than its marker; or what `bind` throws. The
    ///   batch is of no use then.
    public mutating func add(
        _ statement: CQLStatement, _ bind: (inout CQLBoundValues) throws -> Void = { _ in }
    ) throws {
        let start = self.values.byteCount
        self.values.begin(for: statement.markers)
        try bind(&self.values)
        let count = try self.values.checkedCount()
        let isConditional = self.route.isConditional || statement.kind.isConditional
        if self.parts.isEmpty { self.route = statement.route(self.values, from: start) }
        self.route.isConditional = isConditional
        self.parts.append(Part(statement: statement, valueCount: count, bytes: start..<self.values.byteCount))
    }
}
