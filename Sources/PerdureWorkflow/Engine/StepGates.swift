internal import PerdureConcurrency
internal import PerdureModel

/// Where attempts wait whose step may be attempted only so many times at once under one key.
final class StepGates: Sendable {
    private struct Gate {
        var inside = 0
        var waiting = FIFO<Waiter>()
    }

    private final class Waiter: Sendable {
        let continuation: CheckedContinuation<Bool, Never>
        init(_ continuation: CheckedContinuation<Bool, Never>) { self.continuation = continuation }
    }

    private let gates = LockedState<[IDKey: Gate]>([:])

    /// Waits for a turn; false, and no turn was taken, when the task was cancelled before.
    func enter(_ key: String, limit: Int) async -> Bool {
        let key = IDKey(key)
        let isFree = self.gates.withLock { gates -> Bool in
            guard gates[key, default: Gate()].inside < limit else { return false }
            gates[key, default: Gate()].inside += 1
            return true
        }
        if isFree { return true }
        let slot = LockedState<Waiter?>(nil)
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let waiter = Waiter(continuation)
                slot.withLock { $0 = waiter }
                let answer = self.gates.withLock { gates -> Bool? in
                    if Task.isCancelled { return false }
                    if gates[key, default: Gate()].inside < limit {
                        gates[key, default: Gate()].inside += 1
                        return true
                    }
                    gates[key, default: Gate()].waiting.append(waiter)
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            let waiter = slot.withLock { $0 }
            let found = self.gates.withLock { gates -> Waiter? in
                gates[key]?.waiting.removeFirst { $0 === waiter }
            }
            found?.continuation.resume(returning: false)
        }
    }

    /// Gives a turn back: the next in line has it.
    func leave(_ key: String) {
        let key = IDKey(key)
        let next = self.gates.withLock { gates -> Waiter? in
            guard var gate = gates[key] else { return nil }
            let next = gate.waiting.popFirst()
            if next == nil { gate.inside -= 1 }
            gates[key] = gate.inside == 0 ? nil : gate
            return next
        }
        next?.continuation.resume(returning: true)
    }
}
