/// Two to six branches that all take the same input and run at the same time.
///
/// Its output is that of all branches, in the order of declaration, for a ``Join`` or for a step that takes ``Outputs2`` (and so on).
///
/// ```swift
/// Parallel {
///     Step("charge") { (it: Reservation) in try await bank.charge(it) }
///     Branch {
///         Step("pick") { (it: Reservation) in try await floor.pick(it) }
///         Step("pack") { (goods: Goods) in try await floor.pack(goods) }
///     }
/// }
/// ```
///
/// When a branch fails for good the others are cancelled, and the run fails.
public struct Parallel<Input: Codable & Sendable, Output: Codable & Sendable>: FlowPart {
    public let parts: Flow<Input, Output>

    /// A fork of branches.
    public init(@ForkBuilder _ branches: () -> Flow<Input, Output>) { self.parts = branches() }
}

/// Several parts in a row as one part: above all as a branch of a ``Parallel``.
public struct Branch<Input: Codable & Sendable, Output: Codable & Sendable>: FlowPart {
    public let parts: Flow<Input, Output>

    /// Parts in a row.
    public init(@FlowBuilder _ parts: () -> Flow<Input, Output>) { self.parts = parts() }
}
