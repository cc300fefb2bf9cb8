extension WorkflowGraph {
    /// The definition as a flowchart of Mermaid, which many web pages draw.
    ///
    /// - Parameter statuses: where the steps of a run stand, by the IDs of their records; empty for the definition alone.
    /// - Returns: lines, each ended by a line feed.
    package func mermaid(statuses: [String: StepStatus] = [:]) -> String {
        var lines = ["flowchart TD"]
        lines.append("    input([\(Self.label([self.name, self.inputType]))])")
        for (index, node) in self.nodes.enumerated() where self.isDrawn(index) {
            lines.append("    s\(index)\(Self.shape(of: node, statuses))")
        }
        let output = self.exit == Self.input ? self.inputType : self.typeName(of: self.exit)
        lines.append("    output([\(Self.label([output]))])")
        for (index, node) in self.nodes.enumerated() where self.isDrawn(index) {
            let arrow = node.settings.condition == nil ? "-->" : "-.->|\"if its condition holds\"|"
            for source in node.inputs.flatMap({ self.sources($0) }) { lines.append("    \(source) \(arrow) s\(index)") }
        }
        for source in self.sources(self.exit) { lines.append("    \(source) --> output") }
        for status in StepStatus.allCases {
            let steps = self.nodes.indices.filter {
                !self.nodes[$0].isVirtual && statuses[self.nodes[$0].name] == status
            }
            if steps.isEmpty { continue }
            let name = status.rawValue.lowercased()
            lines.append("    classDef \(name) \(status.style)")
            lines.append("    class \(steps.map { "s\($0)" }.joined(separator: ",")) \(name)")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Whether a node has a shape: all do but those that gather a fork for one part only, to which the branches lead directly.
    private func isDrawn(_ index: Int) -> Bool {
        guard self.nodes[index].isVirtual else { return true }
        return self.nodes.count { $0.inputs.contains(index) } + (self.exit == index ? 1 : 0) > 1
    }

    /// The shapes from which lines go where a node's output goes.
    private func sources(_ index: Int) -> [String] {
        guard self.nodes.indices.contains(index) else { return ["input"] }
        if self.isDrawn(index) { return ["s\(index)"] }
        // Inputs lie before the node, so this ends.
        return self.nodes[index].inputs.filter { $0 < index }.flatMap { self.sources($0) }
    }

    private static func shape(of node: Node, _ statuses: [String: StepStatus]) -> String {
        var lines = [node.name] + NodeWords.details(of: node)
        if let elements = NodeWords.elements(of: node, in: statuses) { lines.append(elements) }
        let label = self.label(lines)
        return switch node.kind {
        case .step: "[\(label)]"
        case .gather: "((\" \"))"
        case .sleep: "(\(label))"
        case .signal: "{{\(label)}}"
        case .child: "[[\(label)]]"
        case .loop: "[/\(label)/]"
        }
    }

    /// Lines of text in quotes, with what means something to Mermaid or HTML as entities.
    private static func label(_ lines: [String]) -> String {
        let texts = lines.filter { !$0.isEmpty }.map { line in
            var text = ""
            for scalar in NodeWords.visible(line).unicodeScalars {
                switch scalar {
                case "\"", "#", "<", ">", "&", "`", ";", "\\": text += "#\(scalar.value);"
                default: text.unicodeScalars.append(scalar)
                }
            }
            return text
        }
        return "\"\(texts.isEmpty ? " " : texts.joined(separator: "<br/>"))\""
    }
}

extension StepStatus {
    fileprivate var style: String {
        switch self {
        case .pending: "fill:#f6f8fa,stroke:#8c959f,color:#57606a"
        case .running: "fill:#ddf4ff,stroke:#0969da,color:#0a3069"
        case .waiting: "fill:#fbefff,stroke:#8250df,color:#3e1f79"
        case .retrying: "fill:#fff8c5,stroke:#bf8700,color:#4d2d00"
        case .completed: "fill:#dafbe1,stroke:#1a7f37,color:#044f1e"
        case .failed: "fill:#ffebe9,stroke:#cf222e,color:#82071e"
        case .skipped: "fill:#f6f8fa,stroke:#8c959f,color:#57606a,stroke-dasharray:4"
        case .cancelled: "fill:#eaeef2,stroke:#57606a,color:#24292f,stroke-dasharray:4"
        }
    }
}
