internal import PerdureModel

/// A value of the shared state, and who set it.
struct SharedValue: Sendable {
    let key: String
    let unit: StepUnit
    let value: RunValue?
}

/// Shared state: what a step sees depends on the definition, never on who was faster.
extension RunMachine {
    /// What a step set is recorded with its result.
    mutating func take(_ changes: [StateChange], of unit: StepUnit) {
        guard !changes.isEmpty else { return }
        let step = self.id(of: unit)
        for change in changes {
            self.shared.append(SharedValue(key: change.key, unit: unit, value: change.value))
            self.stateRecords.append(StateRecord(key: change.key, step: step, value: change.value))
        }
    }

    /// What a unit finds under a key, apart from what it set itself: of the steps before it that have set the key, what the one
    /// set that is declared last.
    ///
    /// Nil where nobody did, or where it was removed.
    mutating func sharedValue(_ key: String, seenBy unit: StepUnit) -> RunValue? {
        if self.shared.isEmpty { return nil }
        let ancestors = self.plan.graph.ancestors[unit.node]
        var found: SharedValue?
        for entry in self.shared {
            guard ancestors.contains(entry.unit.node), IDKey(entry.key) == IDKey(key) else { continue }
            if let other = found, (other.unit.node, other.unit.item) > (entry.unit.node, entry.unit.item) { continue }
            found = entry
        }
        return found?.value
    }

    /// What an earlier step gave; nil where there is no such step before this one.
    mutating func output(ofStep name: String, seenBy unit: StepUnit) -> RunValue? {
        guard let index = self.plan.graph.index(ofStep: name), self.plan.graph.ancestors[unit.node].contains(index),
            self.nodes[index].phase == .settled
        else { return nil }
        return self.output(of: index)
    }
}
