import PerdureModel

@testable import PerdureWorkflow

/// What must come of a run, found the simple way: one step after the other, in the order of the definition.
struct NaiveRun {
    /// What each step, and each element of a loop, is given.
    private(set) var inputs: [String: String] = [:]
    /// The run's output; nil where it fails.
    private(set) var output: String?
    /// How many steps are recorded at most, elements of loops included.
    private(set) var stepCount = 0

    init(_ graph: WorkflowGraph, input: String, _ fates: MachineWorld.Fates) {
        var outputs: [String?] = []
        var hasFailed = false
        for node in graph.nodes {
            let places = node.inputs.map { $0 < 0 ? input : outputs[$0] }
            guard !places.contains(where: { $0 == nil }) else {
                outputs.append(nil)
                continue
            }
            let given = places.map { $0 ?? "" }
            if case .gather = node.kind {
                outputs.append("[\(given.joined(separator: ","))]")
                continue
            }
            self.stepCount += 1
            let own = given[0]
            if node.settings.condition != nil, !fates.holds(node.name) {
                let otherwise = try? node.settings.otherwise?.decoded(as: String.self)
                outputs.append(otherwise ?? own)
                continue
            }
            var output: String?
            switch node.kind {
            case .sleep: output = own
            case .loop:
                let count = fates.elementCount(node.name)
                let items = (0..<count).map { item -> String? in
                    self.attempt("\(node.name)[\(item)]", "\(own)#\(item)", node, fates)
                }
                self.stepCount += count
                output = items.contains { $0 == nil } ? nil : items.map { $0 ?? "" }.joined(separator: ";")
            case .step, .signal, .child, .gather:
                output = self.attempt(node.name, own, node, fates)
            }
            if output == nil {
                output = try? node.settings.outputAfterFailure?.decoded(as: String.self)
                if output == nil { hasFailed = true }
            }
            outputs.append(output)
        }
        self.output = hasFailed ? nil : graph.exit < 0 ? input : outputs[graph.exit]
    }

    private mutating func attempt(
        _ id: String, _ input: String, _ node: Node, _ fates: MachineWorld.Fates
    ) -> String? {
        self.inputs[id] = input
        let attempts = node.settings.retry?.maximumAttempts ?? 1
        return (0..<attempts).contains { !fates.fails(id, afterFailures: $0) } ? fates.output(id, input) : nil
    }
}
