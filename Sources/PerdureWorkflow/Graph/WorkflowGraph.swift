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

    package init(name: String, version: String, nodes: [Node], exit: Int) {
        self.name = name
        self.version = version
        self.nodes = nodes
        self.exit = exit
    }
}
