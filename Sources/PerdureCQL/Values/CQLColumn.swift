/// A column of a result, or a marker of a statement.
public struct CQLColumn: Sendable, Hashable {
    /// The keyspace of its table.
    public var keyspace: String
    /// Its table.
    public var table: String
    /// Its name, or that of the marker.
    public var name: String
    /// Its type.
    public var type: CQLType

    /// Makes a description of a column.
    public init(keyspace: String = "", table: String = "", name: String, type: CQLType) {
        self.keyspace = keyspace
        self.table = table
        self.name = name
        self.type = type
    }
}
