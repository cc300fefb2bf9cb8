internal import PerdureConcurrency

/// The contract of a state store as a plain value: the rows, and what each operation does to them.
struct StateTable {
    /// What is known of one ID.
    struct Row {
        var life: Life
        /// The number of the latest change, over all tables of the store.
        var sequence: UInt64
    }

    enum Life {
        case alive(DurableState)
        case deleted(version: UInt64)
    }

    /// What became of a write or a delete.
    enum Verdict {
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
        let place = self.rows.index(forKey: key)
        if let place, let stored = Self.obstacle(to: state, if: condition, over: self.rows.values[place].life) {
            return .conflict(stored: stored)
        }
        if place == nil, case .version = condition { return .conflict(stored: 0) }
        let row = Row(life: .alive(state), sequence: sequence())
        if let place { self.rows.values[place] = row } else { self.rows[key] = row }
        return .done
    }

    /// The version that stands in the way of a write, if one does.
    private static func obstacle(to state: DurableState, if condition: WriteCondition, over life: Life) -> UInt64? {
        switch (condition, life) {
        case (.always, _): nil
        case (.absent, .deleted(let version)): state.version > version ? nil : version
        case (.version(let expected), .alive(let stored)): stored.version == expected ? nil : stored.version
        case (.absent, .alive(let stored)): stored.version
        case (.version, .deleted(let version)): version
        }
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
