/// What an ideal store knows of one persistence ID, and what it answers: the contract as a pure function.
///
/// Written apart from any store, so that a mistake in one is not a mistake in the other.
struct RegisterModel: Hashable, Sendable {
    /// What is stored.
    var state: DurableState?
    /// The version that a write must exceed where nothing is stored: the tombstone's, 0 where there is none.
    var tombstone: UInt64 = 0

    private var storedVersion: UInt64 { self.state?.version ?? self.tombstone }

    private func holds(_ condition: WriteCondition) -> Bool {
        switch condition {
        case .always: true
        case .absent: self.state == nil
        case .version(let version): self.state?.version == version
        }
    }

    /// Does what is asked and returns what it has to say about it.
    mutating func answer(_ request: StateHistory.Request) -> StateHistory.Answer {
        switch request {
        case .read:
            return .found(self.state)
        case .write(let state, let condition):
            if !self.holds(condition) || condition == .absent && state.version <= self.tombstone {
                return .conflict(stored: self.storedVersion)
            }
            self = RegisterModel(state: state)
            return .done
        case .delete(let condition):
            if let state = self.state {
                if !self.holds(condition) { return .conflict(stored: state.version) }
                self = RegisterModel(state: nil, tombstone: state.version + 1)
                return .done
            }
            if case .version = condition { return .conflict(stored: self.tombstone) }
            return .done
        }
    }
}
