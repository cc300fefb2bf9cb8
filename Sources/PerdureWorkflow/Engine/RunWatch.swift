internal import PerdureConcurrency
internal import PerdureModel

/// Who waits for the end of which run: told of every hint that it may have ended.
final class RunWatch: Sendable {
    private let bells = LockedState<[IDKey: [Bell]]>([:])

    func add(_ bell: Bell, for runID: String) {
        self.bells.withLock { $0[IDKey(runID), default: []].append(bell) }
    }

    func remove(_ bell: Bell, for runID: String) {
        let key = IDKey(runID)
        self.bells.withLock { bells in
            bells[key]?.removeAll { $0 === bell }
            if bells[key]?.isEmpty ?? false { bells[key] = nil }
        }
    }

    func hint(_ runID: String) {
        let found = self.bells.withLock { bells in bells.isEmpty ? [] : bells[IDKey(runID)] ?? [] }
        for bell in found { bell.ring() }
    }

    /// Anything may have happened.
    func hintAll() {
        let found = self.bells.withLock { bells in bells.values.flatMap { $0 } }
        for bell in found { bell.ring() }
    }
}
