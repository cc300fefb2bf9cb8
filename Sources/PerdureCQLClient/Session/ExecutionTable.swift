/// The requests under way: adding and removing one costs the same however many there are.
struct ExecutionTable {
    private var slots: [Execution?] = []
    private var free: [Int] = []

    var isEmpty: Bool { self.free.count == self.slots.count }
    var count: Int { self.slots.count - self.free.count }

    mutating func add(_ execution: Execution) {
        if let slot = self.free.popLast() {
            execution.slot = slot
            self.slots[slot] = execution
        } else {
            execution.slot = self.slots.count
            self.slots.append(execution)
        }
    }

    mutating func remove(_ execution: Execution) {
        let slot = execution.slot
        guard self.slots.indices.contains(slot), self.slots[slot] === execution else { return }
        self.slots[slot] = nil
        self.free.append(slot)
    }

    func forEach(_ body: (Execution) -> Void) {
        for case let execution? in self.slots { body(execution) }
    }
}
