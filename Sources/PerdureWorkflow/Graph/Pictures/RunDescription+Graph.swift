extension RunDescription {
    /// The shape of the run as far as it can be told without its definition: of the steps of which something is recorded.
    ///
    /// What is declared first comes first. Steps of which one began before the other had ended lie side by side; of a step that
    /// was tried again, only the last attempt tells.
    package var recordedGraph: WorkflowGraph {
        var nodes: [Node] = []
        var entry = WorkflowGraph.input
        for rows in Self.layers(of: self.units) {
            var exits: [Int] = []
            for row in rows {
                var previous = entry
                for unit in row {
                    nodes.append(Node(name: unit.name, kind: unit.kind, inputs: [previous]))
                    previous = nodes.count - 1
                }
                exits.append(previous)
            }
            if exits.count > 1 {
                nodes.append(Node(name: "", kind: .gather { $0.first ?? RunValue(bytes: []) }, inputs: exits))
            }
            entry = nodes.count - 1
        }
        let request = self.run.request
        return WorkflowGraph(name: request.workflow, version: request.version, nodes: nodes)
    }

    /// Where the steps stand, by the IDs of their records, for pictures of ``recordedGraph``; of a loop that is under way, by its name.
    package var stepStatuses: [String: StepStatus] {
        var statuses = Dictionary(self.steps.map { ($0.id, $0.status) }, uniquingKeysWith: { first, _ in first })
        for step in self.steps where step.item != nil && statuses[step.stepName] == nil {
            statuses[step.stepName] = .running
        }
        return statuses
    }

    /// A step, or a loop with all its elements.
    private struct Unit {
        let name: String
        let position: Int
        var isLoop: Bool
        /// When it began; never for a step that only has an edited input.
        var start: Int64
        var end: Int64

        init(_ step: StepRecord) {
            self.name = step.stepName
            self.position = step.position
            self.isLoop = step.item != nil
            self.start = step.startedAt ?? step.completedAt ?? .max
            self.end = step.item == nil ? step.completedAt ?? .max : .max
        }

        var kind: Node.Kind {
            if !self.isLoop { return .step { value, _ in value } }
            return .loop(
                Node.Loop(
                    limit: 0, elements: { _ in [] }, handler: { value, _ in value },
                    collect: { $0.first ?? RunValue(bytes: []) }))
        }
    }

    private var units: [Unit] {
        var units: [Unit] = []
        for step in self.steps.sorted(by: { ($0.position, $0.item ?? -1) < ($1.position, $1.item ?? -1) }) {
            let unit = Unit(step)
            guard let last = units.last, last.position == unit.position, step.item != nil else {
                units.append(unit)
                continue
            }
            units[units.count - 1].isLoop = true
            units[units.count - 1].start = min(last.start, unit.start)
        }
        return units
    }

    /// One layer after the other; in each, rows side by side.
    private static func layers(of units: [Unit]) -> [[[Unit]]] {
        var layers: [[Unit]] = []
        for unit in units {
            // It lies beside everything that had not ended when it began.
            let first = layers.firstIndex { layer in layer.contains { $0.end > unit.start } } ?? layers.count
            layers = Array(layers[..<first]) + [layers[first...].flatMap { $0 } + [unit]]
        }
        return layers.map { layer in
            var rows: [[Unit]] = []
            for unit in layer {
                if let last = rows.last?.last, last.position + 1 == unit.position, last.end <= unit.start {
                    rows[rows.count - 1].append(unit)
                } else {
                    rows.append([unit])
                }
            }
            return rows
        }
    }
}
