/// Names a value of a run's shared state, and says its type and what it is while nobody has set it.
///
/// ```swift
/// extension RunStateKey where Value == Int {
///     static let seats = RunStateKey("seats", default: 0)
/// }
/// ```
///
/// Keys are told apart by the bytes of their names. Two keys of one name and different types are a mistake: reading the one after
/// writing the other fails.
public struct RunStateKey<Value: Codable & Sendable>: Sendable {
    /// The name under which the value is stored.
    public let name: String
    /// What the value is while no earlier step has set it.
    public let defaultValue: Value

    /// Makes a key.
    public init(_ name: String, default defaultValue: Value) {
        self.name = name
        self.defaultValue = defaultValue
    }
}
