/// What pictures say about nodes.
enum NodeWords {
    /// What a person wants to know of a step beside its name; nothing of a plain one.
    static func details(of node: Node) -> [String] {
        var words: [String] = []
        switch node.kind {
        case .step, .gather: break
        case .sleep(.duration(let duration)): words.append("waits \(self.text(duration))")
        case .sleep(.until): words.append("waits until a time that its input says")
        case .signal(let waiting):
            let limit = waiting.timeout.map { ", at most \(self.text($0))" } ?? ""
            words.append("waits for the signal \(self.visible(waiting.name))\(limit)")
        case .child(let graph): words.append("runs the workflow \(self.visible(graph.name))")
        case .loop(let loop):
            switch loop.limit {
            case 0: words.append("for each element")
            case 1: words.append("for each element, one by one")
            case let limit: words.append("for each element, \(limit) at once")
            }
        }
        if node.settings.condition != nil {
            words.append(
                node.settings.otherwise == nil
                    ? "only if its condition holds, else skipped" : "only if its condition holds, else its default")
        }
        if node.settings.outputAfterFailure != nil { words.append("goes on when it fails") }
        if node.settings.rerun == .atMostOnce { words.append("at most once") }
        return words
    }

    /// What a loop has done so far; nil where there are no records of elements.
    static func elements(of node: Node, in statuses: [String: StepStatus]) -> String? {
        guard case .loop = node.kind else { return nil }
        let elements = statuses.filter {
            let (name, item) = StepRecord.parts(ofID: $0.key)
            return item != nil && Array(name.utf8) == Array(node.name.utf8)
        }
        if elements.isEmpty { return nil }
        return "\(elements.values.count { $0.isEnded }) of \(elements.count) begun elements ended"
    }

    /// A duration as a person says it: `1 h 30 min`, `500 ms`.
    static func text(_ duration: Duration) -> String {
        if duration < .zero { return "-" + self.text(.zero - duration) }
        let (seconds, attoseconds) = duration.components
        let units: [(Int64, String)] = [
            (seconds / 86_400, "d"), (seconds / 3_600 % 24, "h"), (seconds / 60 % 60, "min"), (seconds % 60, "s"),
            (attoseconds / 1_000_000_000_000_000, "ms"), (attoseconds / 1_000_000_000_000 % 1_000, "µs"),
            (attoseconds / 1_000_000_000 % 1_000, "ns"),
        ]
        let words = units.filter { $0.0 != 0 }.map { "\($0.0) \($0.1)" }
        return words.isEmpty ? "0 s" : words.joined(separator: " ")
    }

    /// A text on one line: control characters as their numbers.
    static func visible(_ text: String) -> String {
        var visible = ""
        for scalar in text.unicodeScalars {
            if scalar.properties.generalCategory == .control {
                visible += "<U+\(String(scalar.value, radix: 16, uppercase: true))>"
            } else {
                visible.unicodeScalars.append(scalar)
            }
        }
        return visible
    }
}

extension WorkflowGraph {
    /// The name of the type that a node gives, or the input for ``input``; of a fork, those of its branches.
    func typeName(of node: Int) -> String {
        var node = node
        while self.nodes.indices.contains(node) {
            if !self.nodes[node].outputType.isEmpty { return self.nodes[node].outputType }
            if self.nodes[node].isVirtual {
                return "(" + self.nodes[node].inputs.map { self.typeName(of: $0) }.joined(separator: ", ") + ")"
            }
            // Inputs lie before the node, so this ends.
            node = min(self.nodes[node].inputs.first ?? Self.input, node - 1)
        }
        return self.inputType
    }
}
