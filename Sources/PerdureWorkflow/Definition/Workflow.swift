internal import PerdureModel

/// A workflow's definition: named parts, each of which takes what the one before gives.
///
/// ```swift
/// let fulfilment = Workflow("fulfil-order", version: "1") {
///     Step("reserve") { (order: Order) in try await warehouse.reserve(order) }
///     Parallel {
///         Step("charge") { (it: Reservation) in try await bank.charge(it) }
///         Step("pack") { (it: Reservation) in try await floor.pack(it) }
///     }
///     Join("ship") { (receipt: Receipt, parcel: Parcel) in try await carrier.ship(parcel, paidBy: receipt) }
/// }
/// ```
///
/// A definition is data: making one runs nothing. What cannot be told by the types is told by ``violations``; an engine refuses a
/// workflow that has any.
public struct Workflow<Input: Codable & Sendable, Output: Codable & Sendable>: Sendable {
    package let graph: WorkflowGraph

    /// Makes a definition.
    ///
    /// - Parameters:
    ///   - name: what runs are listed by, and looked up by after a restart; keeps the rule of ``PersistenceID``.
    ///   - version: recorded with each run that is started; for people.
    ///   - configuration: what holds for all of its steps and runs.
    ///   - parts: what it consists of, in a row.
    public init(
        _ name: String, version: String = "1", configuration: WorkflowConfiguration = .init(),
        @FlowBuilder _ parts: () -> Flow<Input, Output>
    ) {
        self.graph = WorkflowGraph(
            name: name, version: version, nodes: parts().nodes, configuration: configuration,
            inputType: StoredTypeName.of(Input.self))
    }

    /// What runs are listed by.
    public var name: String { self.graph.name }
    /// The version of the definition.
    public var version: String { self.graph.version }
    /// What holds for all of its steps and runs.
    public var configuration: WorkflowConfiguration { self.graph.configuration }

    /// Why it cannot work, each reason in words; empty when it can.
    public var violations: [String] { self.graph.violations }
}
