internal import PerdureModel

/// A task that drives a run, as far as it can be cancelled.
///
/// `@unchecked Sendable`: touched only under the lock of the run's driver.
final class Lane: @unchecked Sendable {
    var task: Task<Void, Never>?
    var isCancelled = false
}

/// A piece of work under way: what a handler asks of its run goes through here.
///
/// `@unchecked Sendable`: what changes is touched only under the lock of the run's driver.
final class Attempt: StepContextSource, @unchecked Sendable {
    let driver: RunDriver
    let work: StepWork
    let lane: Lane
    var changes: [StateChange] = []
    var wasCancelled = false

    init(_ driver: RunDriver, _ work: StepWork, _ lane: Lane) {
        self.driver = driver
        self.work = work
        self.lane = lane
    }

    var request: RunRequest { self.driver.request }
    var observer: (any EventObserver)? { self.driver.core.observer }
    var isCancelled: Bool { self.driver.state.withLock { _ in self.wasCancelled } }

    var remainingTime: Duration? {
        let now = self.driver.core.clock.now
        return self.driver.state.withLock { state in
            guard let execution = state.machine.executing.first(where: { $0.token == self.work.token }) else {
                return .zero
            }
            return execution.deadline.map { max($0 - now, .zero) }
        }
    }

    func output(ofStep name: String) -> RunValue? {
        self.driver.state.withLock { $0.machine.output(ofStep: name, seenBy: self.work.unit) }
    }

    func state(_ key: String) -> RunValue? {
        self.driver.state.withLock { state in
            if let own = self.changes.last(where: { IDKey($0.key) == IDKey(key) }) { return own.value }
            return state.machine.sharedValue(key, seenBy: self.work.unit)
        }
    }

    func setState(_ key: String, to value: RunValue?) {
        self.driver.state.withLock { _ in
            self.changes.removeAll { IDKey($0.key) == IDKey(key) }
            self.changes.append(StateChange(key: key, value: value))
        }
    }
}
