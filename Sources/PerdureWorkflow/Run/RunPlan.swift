internal import PerdureModel

/// A definition, prepared for being carried out: what would otherwise be looked up at each step.
final class RunPlan: Sendable {
    let graph: WorkflowGraph
    let nodes: [PlannedNode]
    /// The nodes that take the output of each; one that takes it twice is there twice.
    let successors: [[Int]]
    /// The retry policy of each node.
    let policies: [RetryPolicy]
    /// How long an attempt of each node may take.
    let timeouts: [Duration?]
    /// How long a run may take, in milliseconds.
    let runTimeout: Int64?
    /// How long an ended run is kept, in milliseconds.
    let retention: Int64?

    init(_ graph: WorkflowGraph) {
        self.graph = graph
        self.nodes = graph.nodes.map(PlannedNode.init)
        var successors = Array(repeating: [Int](), count: graph.nodes.count)
        for (index, node) in graph.nodes.enumerated() {
            for input in node.inputs where input >= 0 && input < index { successors[input].append(index) }
        }
        self.successors = successors
        let configuration = graph.configuration
        self.policies = graph.nodes.map { $0.settings.retry ?? configuration.retry }
        self.timeouts = graph.nodes.map { $0.settings.timeout ?? configuration.stepTimeout }
        self.runTimeout = configuration.runTimeout?.wholeMilliseconds
        self.retention = configuration.retention?.wholeMilliseconds
    }

    /// The workflows that a definition starts runs of, itself included, each once by name.
    static func family(of graph: WorkflowGraph) -> [WorkflowGraph] {
        var found: [WorkflowGraph] = []
        var names: Set<IDKey> = []
        var waiting = [graph]
        while let next = waiting.popLast() {
            guard names.insert(IDKey(next.name)).inserted else { continue }
            found.append(next)
            for node in next.nodes {
                if case .child(let child) = node.kind { waiting.append(child) }
            }
        }
        return found
    }
}

/// A node by reference: looking at one costs nothing, where copying a ``Node`` copies all its closures.
final class PlannedNode: Sendable {
    let name: String
    let kind: Node.Kind
    let inputs: [Int]
    let settings: StepSettings
    let isVirtual: Bool

    init(_ node: Node) {
        self.name = node.name
        self.kind = node.kind
        self.inputs = node.inputs
        self.settings = node.settings
        self.isVirtual = node.isVirtual
    }
}

extension Duration {
    /// In milliseconds, rounded up: a wait never ends early.
    ///
    /// Within what an `Int64` holds.
    var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = self.components
        if seconds > Int64.max / 2_000 { return .max / 2 }
        if seconds < Int64.min / 2_000 { return .min / 2 }
        let (whole, rest) = attoseconds.quotientAndRemainder(dividingBy: 1_000_000_000_000_000)
        return seconds * 1_000 + whole + (rest > 0 ? 1 : 0)
    }
}
