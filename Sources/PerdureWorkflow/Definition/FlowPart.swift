/// A part of a workflow: it takes an input and gives an output, and may consist of other parts.
///
/// Parts of your own are made of others, in a row as in a workflow:
///
/// ```swift
/// struct Payment: FlowPart {
///     let bank: Bank
///     var parts: Flow<Order, Receipt> {
///         Step("authorise") { (order: Order) in try await bank.authorise(order) }
///         Step("capture") { (hold: Hold) in try await bank.capture(hold) }
///     }
/// }
/// ```
public protocol FlowPart<Input, Output>: Sendable {
    /// What it takes.
    associatedtype Input: Codable & Sendable
    /// What it gives.
    associatedtype Output: Codable & Sendable

    /// The parts that it consists of.
    @FlowBuilder var parts: Flow<Input, Output> { get }
}

/// Parts in a row, each of which takes what the one before gives.
///
/// Made by a builder, never directly; the type in which a ``FlowPart`` of your own says what it consists of.
public struct Flow<Input: Codable & Sendable, Output: Codable & Sendable>: FlowPart {
    /// At least one. The last one's output is that of all.
    let nodes: [Node]

    init(nodes: [Node]) { self.nodes = nodes }

    init(_ node: Node) { self.nodes = [node] }

    public var parts: Flow<Input, Output> { return self }

    /// These parts, and then others.
    func followed<Next>(by next: Flow<Output, Next>) -> Flow<Input, Next> {
        Flow<Input, Next>(nodes: self.nodes + next.nodes.moved(by: self.nodes.count, input: self.nodes.count - 1))
    }
}

extension [Node] {
    /// The same nodes after `offset` others, with the output of the node at `input` as what they begin with.
    func moved(by offset: Int, input: Int) -> [Node] {
        self.map { node in
            var node = node
            node.inputs = node.inputs.map { $0 == WorkflowGraph.input ? input : $0 + offset }
            return node
        }
    }
}
