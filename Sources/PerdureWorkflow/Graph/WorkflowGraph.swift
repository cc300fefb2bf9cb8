internal import PerdureModel

/// A definition with all types taken away: named nodes, each after those whose outputs it takes.
package final class WorkflowGraph: Sendable {
    /// Stands for the run's input where a place of a node is meant.
    package static let input = -1

    package let name: String
    package let version: String
    /// In an order in which each comes after those it takes from: the order of declaration.
    package let nodes: [Node]
    /// The node whose output is the run's; ``input`` for a definition without nodes.
    package let exit: Int
    /// What holds for all steps and runs.
    package let configuration: WorkflowConfiguration
    /// The name of the input's type, without modules.
    package let inputType: String
    /// Why it cannot work, each reason in words; empty when it can.
    package let violations: [String]

    /// The structure of each node and of all before it: what kind it is, its name, what it gives, and where its inputs come from.
    package let hashes: [UInt64]
    /// The structure of the whole.
    package let hash: UInt64
    /// The nodes that come before each, in ascending order; ``input`` is none of them.
    package let ancestors: [[Int]]
    /// The place of each among those that are recorded; of a virtual node, that of the next that is.
    package let positions: [Int]
    /// How many nodes are recorded: what a run's progress is a share of.
    package let stepCount: Int

    private let indexes: [IDKey: Int]

    /// Makes a graph whose last node is its exit.
    package convenience init(
        name: String, version: String, nodes: [Node], configuration: WorkflowConfiguration = .init(),
        inputType: String = ""
    ) {
        self.init(
            name: name, version: version, nodes: nodes, exit: nodes.count - 1, configuration: configuration,
            inputType: inputType)
    }

    package init(
        name: String, version: String, nodes: [Node], exit: Int, configuration: WorkflowConfiguration = .init(),
        inputType: String = ""
    ) {
        self.name = name
        self.version = version
        self.nodes = nodes
        self.exit = exit
        self.configuration = configuration
        self.inputType = inputType
        self.violations = DefinitionRules.violations(
            workflow: name, version: version, nodes: nodes, configuration: configuration)
        self.hashes = StructureHash.hashes(of: nodes, inputType: inputType)
        self.hash = StructureHash.hash(of: self.hashes, exit: exit)
        self.ancestors = Self.ancestors(of: nodes)
        var positions: [Int] = []
        var indexes: [IDKey: Int] = [:]
        var stepCount = 0
        for (index, node) in nodes.enumerated() {
            positions.append(stepCount)
            if node.isVirtual { continue }
            stepCount += 1
            // Of two of one name, which is a violation, the first.
            if indexes[IDKey(node.name)] == nil { indexes[IDKey(node.name)] = index }
        }
        self.positions = positions
        self.indexes = indexes
        self.stepCount = stepCount
    }

    /// The place of the step of that name; nil when there is none. Names are compared by bytes.
    package func index(ofStep name: String) -> Int? { self.indexes[IDKey(name)] }

    private static func ancestors(of nodes: [Node]) -> [[Int]] {
        var all: [[Int]] = []
        for node in nodes {
            // What comes before a node lies before it, so this is in order, and needs no set.
            if node.inputs.count == 1, let input = node.inputs.first, all.indices.contains(input) {
                all.append(all[input] + [input])
                continue
            }
            var before: Set<Int> = []
            for input in node.inputs where input >= 0 && input < all.count {
                before.insert(input)
                before.formUnion(all[input])
            }
            all.append(before.sorted())
        }
        return all
    }
}
