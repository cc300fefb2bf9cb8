package import PerdureModel

extension WorkflowGraph {
    /// Why a run with these records cannot go on by this definition, in words that a person can act upon; nil when it can.
    ///
    /// It can when each recorded step is still there and has the same structure, and all before it: then what was recorded is what this
    /// definition would have given. What follows, and how steps are carried out, may have changed.
    package func incompatibility(with records: [StepRecord]) -> String? {
        // The earliest says most: what follows differs because of it.
        let changed = records.filter { record in
            self.index(ofStep: record.stepName).map { self.hashes[$0] } != record.definitionHash
        }
        guard
            let first = changed.min(by: {
                ($0.position, $0.item ?? -1, IDKey($0.id)) < ($1.position, $1.item ?? -1, IDKey($1.id))
            })
        else { return nil }
        let name = first.stepName.debugDescription
        let reason =
            self.index(ofStep: first.stepName) == nil
            ? "which is not part of this definition"
            : "but in this definition it is of another kind, gives another type, or follows upon other steps"
        return """
            The run has recorded the step \(name), \(reason) (\(self.name.debugDescription), version \
            \(self.version.debugDescription)). Let a worker with the definition of before finish the run, or fork the run \
            from a step before \(name), or cancel it.
            """
    }

    /// The share of the steps that have ended, 0 to 1.
    ///
    /// A loop counts as one step, whatever became of its elements.
    package func progress(endedSteps count: Int) -> Double {
        self.stepCount == 0 ? 1 : min(max(Double(count) / Double(self.stepCount), 0), 1)
    }

    /// Where what a step sets comes among what others set: later wins.
    ///
    /// - Parameter id: the ID of a step's record, or of that of an element of a loop.
    /// - Returns: the step's place in the definition, and the element's number or -1; nil when there is no such step.
    package func precedence(ofRecord id: String) -> (node: Int, item: Int)? {
        let (name, item) = StepRecord.parts(ofID: id)
        return self.index(ofStep: name).map { ($0, item ?? -1) }
    }

    /// The shared state that follows from what steps have set.
    ///
    /// Of several that set one key the one that is declared last wins, of the elements of a loop the last.
    ///
    /// - Parameters:
    ///   - records: what was set; of steps that are not part of the definition nothing counts.
    ///   - node: a step, which sees only what was set by those before it; nil for the state after all.
    /// - Returns: the values that are set, by key; removed ones are not there.
    package func sharedState(_ records: [StateRecord], seenBy node: Int? = nil) -> [IDKey: RunValue] {
        var winners: [IDKey: (place: (node: Int, item: Int), value: RunValue?)] = [:]
        for record in records {
            guard let place = self.precedence(ofRecord: record.step) else { continue }
            if let node, !self.isAncestor(place.node, of: node) { continue }
            let key = IDKey(record.key)
            if let winner = winners[key], winner.place > place { continue }
            winners[key] = (place, record.value)
        }
        return winners.compactMapValues { $0.value }
    }

    /// Whether one node comes before another, on the way to it and not just beside it.
    package func isAncestor(_ node: Int, of other: Int) -> Bool {
        guard self.ancestors.indices.contains(other) else { return false }
        let before = self.ancestors[other]
        var (low, high) = (0, before.count)
        while low < high {
            let middle = (low + high) / 2
            if before[middle] < node { low = middle + 1 } else { high = middle }
        }
        return low < before.count && before[low] == node
    }
}

extension StepRecord {
    /// The name of the step that this is the record of, or one of whose elements.
    package var stepName: String { Self.parts(ofID: self.id).name }

    /// The ID of the record of an element of a loop.
    package static func id(ofStep name: String, item: Int) -> String { "\(name)[\(item)]" }

    /// A record's ID as the name of the step and, for an element of a loop, its number.
    package static func parts(ofID id: String) -> (name: String, item: Int?) {
        // Names have no bracket.
        guard id.utf8.last == UInt8(ascii: "]"), let bracket = id.utf8.firstIndex(of: UInt8(ascii: "[")),
            let item = Int(id[id.utf8.index(after: bracket)...].dropLast())
        else { return (id, nil) }
        return (String(id[..<bracket]), item)
    }
}
