public import PerdureWorkflow

/// Handlers that take the place of those of a definition, by the names of the steps.
///
/// ```swift
/// var stubs = WorkflowStubs()
/// stubs.replace("charge") { (it: Reservation) in Receipt(total: 1) }
/// ```
///
/// The definition's structure stays as it is: its retries, time-outs and conditions too. In a loop the handler of an element is
/// replaced, in a wait for a signal the handler that gets it. Steps of children are replaced as well.
public struct WorkflowStubs: Sendable {
    private var handlers: [String: Node.Handler] = [:]

    /// No stubs.
    public init() {}

    /// Replaces the handler of the steps of that name.
    public mutating func replace<Input: Codable & Sendable, Output: Codable & Sendable>(
        _ step: String, _ handler: @escaping @Sendable (Input) async throws -> Output
    ) {
        self.handlers[step] = { value, _ in RunValue(try await handler(value.decoded(as: Input.self))) }
    }

    /// Replaces the handler of the steps of that name by one that is told about the run and the attempt.
    public mutating func replace<Input: Codable & Sendable, Output: Codable & Sendable>(
        _ step: String, _ handler: @escaping @Sendable (Input, StepContext) async throws -> Output
    ) {
        self.handlers[step] = { value, context in RunValue(try await handler(value.decoded(as: Input.self), context)) }
    }

    func applied(to graph: WorkflowGraph) -> WorkflowGraph {
        if self.handlers.isEmpty { return graph }
        return WorkflowGraph(
            name: graph.name, version: graph.version, nodes: graph.nodes.map(self.applied(to:)), exit: graph.exit,
            configuration: graph.configuration, inputType: graph.inputType)
    }

    private func applied(to node: Node) -> Node {
        let kind: Node.Kind
        switch (node.kind, self.handlers[node.name]) {
        case (.child(let graph), _): kind = .child(self.applied(to: graph))
        case (.step, let handler?): kind = .step(handler)
        case (.loop(let loop), let handler?):
            kind = .loop(
                .init(limit: loop.limit, elements: loop.elements, handler: handler, collect: loop.collect))
        case (.signal(let waiting), let handler?):
            kind = .signal(
                .init(name: waiting.name, timeout: waiting.timeout, isRequired: waiting.isRequired) {
                    value, _, context in
                    try await handler(value, context)
                })
        default: return node
        }
        return Node(
            name: node.name, kind: kind, inputs: node.inputs, settings: node.settings, outputType: node.outputType)
    }
}
