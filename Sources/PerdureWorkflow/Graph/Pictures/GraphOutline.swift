/// A definition as it was written: parts in a row, some of them forks with branches.
enum GraphOutline {
    /// A part.
    enum Part {
        /// The step at a place.
        case step(Int)
        /// Branches side by side.
        case fork([[Part]])
    }

    /// The parts of a whole graph.
    static func parts(of nodes: [Node]) -> [Part] { self.parts(of: nodes, in: 0..<nodes.count) }

    /// The parts of a row of nodes, read from its end: there a fork shows by its gathering node.
    private static func parts(of nodes: [Node], in row: Range<Int>) -> [Part] {
        var parts: [Part] = []
        var end = row.upperBound
        while end > row.lowerBound {
            let last = end - 1
            if !nodes[last].isVirtual {
                parts.append(.step(last))
                end = last
            } else if let branches = self.branches(gatheredBy: last, of: nodes, in: row) {
                parts.append(.fork(branches.map { self.parts(of: nodes, in: $0) }))
                end = branches[0].lowerBound
            } else {
                // Not made by the builder; its branches are shown in a row.
                end = last
            }
        }
        return parts.reversed()
    }

    /// Where the branches of a fork lie: each behind the one before, the last one right before the node that gathers them.
    private static func branches(gatheredBy gather: Int, of nodes: [Node], in row: Range<Int>) -> [Range<Int>]? {
        let exits = nodes[gather].inputs
        guard let first = exits.first, exits.last == gather - 1, zip(exits, exits.dropFirst()).allSatisfy({ $0 < $1 })
        else { return nil }
        // What the second branch begins with is what the fork begins with.
        let entry = first + 1 < gather ? nodes[first + 1].inputs.first ?? WorkflowGraph.input : WorkflowGraph.input
        let start = max(entry + 1, row.lowerBound)
        guard start <= first else { return nil }
        return zip([start] + exits.dropLast().map { $0 + 1 }, exits).map { $0..<($1 + 1) }
    }
}
