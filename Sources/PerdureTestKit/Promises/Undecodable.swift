extension StatePromise {
    /// Promise 8: what cannot be read is an error, never an empty state.
    static let undecodable: [StatePromise] = [
        StatePromise(
            8, "reports an unreadable row as an error that names the ID",
            .corruption { trial, corrupt in
                let id = trial.id()
                try await trial.write(trial.state(id, 3), if: .absent)
                try await corrupt(id)
                let error = try await trial.expectFailure(of: "reading the row") { () async throws(StoreError) in
                    try await trial.store.latestState(of: id)
                }
                try expectUnreadable(trial, error, id)
            }),
        StatePromise(
            8, "goes on reporting an unreadable row, and does not change it by reading",
            .corruption { trial, corrupt in
                let id = trial.id()
                try await trial.write(trial.state(id, 3), if: .absent)
                try await corrupt(id)
                for _ in 0..<3 {
                    let error = try await trial.expectFailure(of: "reading the row") { () async throws(StoreError) in
                        try await trial.store.latestState(of: id)
                    }
                    try expectUnreadable(trial, error, id)
                }
            }),
        StatePromise(
            8, "reads and writes the neighbours of an unreadable row",
            .corruption { trial, corrupt in
                let neighbours = ["a", "c"].map { trial.state(trial.id($0), 1) }
                for state in neighbours { try await trial.write(state, if: .absent) }
                try await trial.write(trial.state(trial.id("b"), 1), if: .absent)
                try await corrupt(trial.id("b"))
                for state in neighbours {
                    try await trial.expectStored(state)
                    let next = trial.state(state.persistenceID, 2)
                    try await trial.write(next, if: .version(1))
                    try await trial.expectStored(next)
                }
            }),
        StatePromise(
            8, "repairs an unreadable row with an unconditional write",
            .corruption { trial, corrupt in
                let id = trial.id()
                try await trial.write(trial.state(id, 3), if: .absent)
                try await corrupt(id)
                let repaired = trial.state(id, 4, "repaired")
                try await trial.write(repaired, if: .always)
                try await trial.expectStored(repaired)
            }),
        StatePromise(
            8, "reads the rest of a batch that has an unreadable row in it",
            .corruption { trial, corrupt in
                guard let store = trial.store as? any StateBatching else {
                    throw trial.untested("the store has no batches")
                }
                let states = ["a", "b", "c"].map { trial.state(trial.id($0), 1, $0) }
                for state in states { try await trial.write(state, if: .absent) }
                try await corrupt(states[1].persistenceID)
                let results = await store.latestStates(of: states.map(\.persistenceID))
                try trial.expect(results.count == 3, "3 results", found: "\(results.count)")
                for place in [0, 2] {
                    guard case .success(let found?) = results[place], found == states[place] else {
                        throw trial.broken(expected: "the state beside the unreadable row", found: "\(results[place])")
                    }
                }
                guard case .failure(let error) = results[1] else {
                    throw trial.broken(expected: "an error for the unreadable row", found: "\(results[1])")
                }
                try expectUnreadable(trial, error, states[1].persistenceID)
            }),
    ]

    private static func expectUnreadable(_ trial: Trial, _ error: StoreError, _ id: String) throws {
        try trial.expect(
            error.code == .corrupted || error.code == .undecodable, "corrupted or undecodable", found: error)
        try trial.expect(
            error.persistenceID?.utf8.elementsEqual(id.utf8) == true, "the ID in the error",
            found: error.persistenceID ?? "none")
        try trial.expect(error.outcome == .notApplied, "outcome not applied", found: error)
    }
}
