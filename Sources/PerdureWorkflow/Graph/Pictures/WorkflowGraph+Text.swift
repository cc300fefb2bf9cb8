extension WorkflowGraph {
    /// The definition as an indented tree.
    ///
    /// - Parameter statuses: where the steps of a run stand, by the IDs of their records; empty for the definition alone.
    /// - Returns: lines, each ended by a line feed.
    package func text(statuses: [String: StepStatus] = [:]) -> String {
        var lines = ["\(NodeWords.visible(self.name)), version \(NodeWords.visible(self.version))"]
        if !self.inputType.isEmpty { lines[0] += ": \(self.inputType) → \(self.typeName(of: self.exit))" }
        Self.draw(self.branches(of: GraphOutline.parts(of: self.nodes), statuses), behind: "", into: &lines)
        return lines.joined(separator: "\n") + "\n"
    }

    /// A line, and the lines that hang on it.
    private struct Branch {
        var line: String
        var branches: [Branch] = []
    }

    private func branches(of parts: [GraphOutline.Part], _ statuses: [String: StepStatus]) -> [Branch] {
        parts.map { part in
            switch part {
            case .step(let node): return Branch(line: self.line(of: self.nodes[node], statuses))
            case .fork(let rows):
                return Branch(
                    line: "side by side",
                    branches: rows.map { row in
                        let parts = self.branches(of: row, statuses)
                        return parts.count == 1 ? parts[0] : Branch(line: "in a row", branches: parts)
                    })
            }
        }
    }

    private static func draw(_ branches: [Branch], behind indent: String, into lines: inout [String]) {
        for (index, branch) in branches.enumerated() {
            let isLast = index == branches.count - 1
            lines.append(indent + (isLast ? "└─ " : "├─ ") + branch.line)
            self.draw(branch.branches, behind: indent + (isLast ? "   " : "│  "), into: &lines)
        }
    }

    private func line(of node: Node, _ statuses: [String: StepStatus]) -> String {
        let mark = statuses.isEmpty ? "" : "\(statuses[node.name]?.mark ?? "·") "
        var details = NodeWords.details(of: node)
        if let elements = NodeWords.elements(of: node, in: statuses) { details.append(elements) }
        return mark + NodeWords.visible(node.name) + (details.isEmpty ? "" : ": " + details.joined(separator: "; "))
    }
}

extension StepStatus {
    /// One character that says it.
    fileprivate var mark: String {
        switch self {
        case .pending: "·"
        case .running: "▶"
        case .waiting: "◷"
        case .retrying: "↻"
        case .completed: "✓"
        case .failed: "✗"
        case .skipped: "–"
        case .cancelled: "⊘"
        }
    }
}
