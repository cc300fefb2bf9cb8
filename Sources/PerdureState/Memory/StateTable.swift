internal import PerdureConcurrency

/// The contract of a state store as a plain value: the rows, and what each operation does to them.
struct StateTable {
    /// What is known of one ID.
    struct Row {
        var life: Life
        /// The number of the latest change, over all tables of the store.
        var sequence: UInt64

        /// Writes over what is known, in place.
        mutating func write(_ state: DurableState, if condition: WriteCondition, sequence: () -> UInt64) -> Verdict {
            switch (condition, self.life) {
            case (.always, _):
                break
            case (.absent, .deleted(let version)):
                if state.version <= version { return .conflict(stored: version) }
            case (.version(let expected), .alive(let stored)):
                if stored.version != expected { return .conflict(stored: stored.version) }
            case (.absent, .alive(let stored)):
                return .conflict(stored: stored.version)
            case (.version, .deleted(let version)):
                return .conflict(stored: version)
            }
            self.life = .alive(state)
            self.sequence = sequence()
            return .done
        }
    }

    enum Life {
        case alive(DurableState)
        case deleted(version: UInt64)
    }

    /// What became of a write or a delete.
    enum Verdict: Equatable {
        case done
        /// The condition does not hold; `stored` is the version that is there.
        case conflict(stored: UInt64)
    }

    private(set) var rows: [IDKey: Row] = [:]

    func latest(_ id: String) -> DurableState? {
        guard case .alive(let state)? = self.rows[IDKey(id)]?.life else { return nil }
        return state
    }

    mutating func write(_ state: DurableState, if condition: WriteCondition, sequence: () -> UInt64) -> Verdict {
        let key = IDKey(state.persistenceID)
        if let place = self.rows.index(forKey: key) {
            return self.rows.values[place].write(state, if: condition, sequence: sequence)
        }
        if case .version = condition { return .conflict(stored: 0) }
        self.rows[key] = Row(life: .alive(state), sequence: sequence())
        return .done
    }

    mutating func delete(_ id: String, if condition: WriteCondition, sequence: () -> UInt64) -> Verdict {
        let key = IDKey(id)
        switch (condition, self.rows[key]?.life) {
        case (.always, .alive(let stored)?):
            self.rows[key] = Row(life: .deleted(version: stored.version + 1), sequence: sequence())
            return .done
        case (.version(let expected), .alive(let stored)?) where stored.version == expected:
            self.rows[key] = Row(life: .deleted(version: stored.version + 1), sequence: sequence())
            return .done
        case (_, .alive(let stored)?):
            return .conflict(stored: stored.version)
        case (.version, .deleted(let version)?):
            return .conflict(stored: version)
        case (.version, nil):
            return .conflict(stored: 0)
        case (.always, _), (.absent, _):
            return .done
        }
    }
}
