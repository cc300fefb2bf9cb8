public import PerdureCQL

/// Writes the statements of a batch; handed to a closure by ``CQLClient/batch(_:options:_:)``.
public struct CQLBatch: ~Copyable {
    init() {}

    /// Adds a prepared statement with its values.
    ///
    /// - Throws: ``CQLProtocolError`` where a value is missing or of another type than its marker; or what `bind` throws.
    public mutating func add(
        _ statement: CQLStatement, _ bind: (inout CQLBoundValues) throws -> Void = { _ in }
    ) throws {
    }
}
