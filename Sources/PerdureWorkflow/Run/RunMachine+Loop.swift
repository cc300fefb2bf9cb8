/// Loops: a handler for each element of a list, some at once.
extension RunMachine {
    /// The elements are known: those that have no result begin, as many as may at once.
    mutating func open(_ index: Int, _ elements: [RunValue], _ now: Moment) {
        guard case .loop(let definition) = self.plan.nodes[index].kind else { return }
        var loop = self.loops[index] ?? LoopState()
        guard loop.items.count <= elements.count else {
            let message = "the list has \(elements.count) elements, but \(loop.items.count) are recorded"
            return self.unitFailed(
                StepUnit(node: index),
                RunFailure(.internalError, message: message, step: self.plan.nodes[index].name), now)
        }
        loop.items += Array(repeating: UnitState(), count: elements.count - loop.items.count)
        loop.elements = elements
        loop.isOpen = true
        self.loops[index] = loop
        self.nodes[index].isAdmitted = true
        self.nodes[index].startedAt = self.nodes[index].startedAt ?? now.wall
        self.nodes[index].phase = .waiting
        if loop.settledCount == elements.count {
            self.markDirty(StepUnit(node: index), canWait: true)
            return self.collect(index, definition, now)
        }
        if self.nodes[index].status != .running {
            self.nodes[index].status = .running
            self.markDirty(StepUnit(node: index), canWait: true)
        }
        for item in 0..<loop.items.count where loop.items[item].status == .retrying {
            self.loops[index]?.underWay += 1
            self.loops[index]?.items[item].phase = .waiting
            self.waits.append(StepUnit(node: index, item: item))
        }
        self.fill(index, definition.limit)
    }

    /// An item is not under way any more: another may begin.
    mutating func itemLeft(_ index: Int) {
        self.loops[index]?.underWay -= 1
        guard case .loop(let definition) = self.plan.nodes[index].kind else { return }
        self.fill(index, definition.limit)
    }

    private mutating func fill(_ index: Int, _ limit: Int) {
        guard self.nodes[index].phase == .waiting else { return }
        while let loop = self.loops[index], loop.underWay < limit, loop.next < loop.items.count {
            let item = loop.next
            self.loops[index]?.next += 1
            guard loop.items[item].phase == .blocked else { continue }
            self.loops[index]?.underWay += 1
            self.arm(StepUnit(node: index, item: item))
        }
    }

    /// An item's result is part of the coming commit; with the last one the loop is done.
    mutating func settleItem(_ unit: StepUnit, _ now: Moment) {
        self[unit].phase = .settled
        self.loops[unit.node]?.settledCount += 1
        guard let loop = self.loops[unit.node], loop.settledCount == loop.items.count,
            self.nodes[unit.node].phase == .waiting, case .loop(let definition) = self.plan.nodes[unit.node].kind
        else { return }
        self.collect(unit.node, definition, now)
    }

    private mutating func collect(_ index: Int, _ definition: Node.Loop, _ now: Moment) {
        let unit = StepUnit(node: index)
        do {
            let outputs = try self.itemOutputs(index)
            self.nodes[index].output = try definition.collect(outputs)
        } catch {
            let message = "the results of a loop cannot be put together: \(error)"
            return self.unitFailed(
                unit, RunFailure(.internalError, message: message, step: self.plan.nodes[index].name), now)
        }
        self.nodes[index].status = .completed
        self.nodes[index].completedAt = now.wall
        self.markDirty(unit, canWait: true)
        self.settle(index, now)
    }

    func itemOutputs(_ index: Int) throws -> [RunValue] {
        try (self.loops[index]?.items ?? []).map { item in
            guard let output = item.output else {
                throw RunFailureError(failure: RunFailure(.internalError, message: "an element has no result"))
            }
            return output
        }
    }

    /// The loop has failed: nothing more of it begins, and what is under way does not count.
    mutating func cancelItems(of index: Int, _ now: Moment) {
        for item in 0..<(self.loops[index]?.items.count ?? 0) {
            self.cancel(StepUnit(node: index, item: item), now)
        }
        self.loops[index]?.underWay = 0
    }
}

/// A failure on its way to be recorded.
struct RunFailureError: Error {
    let failure: RunFailure
}
