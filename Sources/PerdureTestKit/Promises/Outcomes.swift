extension StatePromise {
    /// Promise 5: a failed write says whether it may have happened, and nobody conflicts with themselves.
    static let outcomes: [StatePromise] = [
        StatePromise(5, "says of a conflict that nothing was applied") { trial in
            let state = trial.state(trial.id(), 5, "before")
            try await trial.write(state, if: .absent)
            let attempts: [(String, @Sendable () async throws(StoreError) -> Void)] = [
                (
                    "writing over another version",
                    { () async throws(StoreError) in
                        try await trial.store.write(trial.state(state.persistenceID, 9, "after"), if: .version(8))
                    }
                ),
                (
                    "creating what is there",
                    { () async throws(StoreError) in
                        try await trial.store.write(trial.state(state.persistenceID, 6, "after"), if: .absent)
                    }
                ),
                (
                    "deleting another version",
                    { () async throws(StoreError) in
                        try await trial.store.delete(state.persistenceID, if: .version(4))
                    }
                ),
            ]
            for (name, attempt) in attempts {
                let error = try await trial.expectFailure(.conflict, of: name, attempt)
                try trial.expect(error.outcome == .notApplied, "outcome not applied", found: error)
                try trial.expect(
                    error.persistenceID?.utf8.elementsEqual(state.persistenceID.utf8) == true,
                    "the ID in the error", found: error.persistenceID ?? "none")
            }
            try await trial.expectStored(state)
        },
        StatePromise(5, "names in the error what was being done") { trial in
            let id = trial.id()
            try await trial.write(trial.state(id, 1), if: .absent)
            let write = try await trial.expectFailure(of: "creating what is there") { () async throws(StoreError) in
                try await trial.store.write(trial.state(id, 2), if: .absent)
            }
            try trial.expect(write.operation == .write, "operation write", found: write.operation.rawValue)
            let delete = try await trial.expectFailure(of: "deleting another version") { () async throws(StoreError) in
                try await trial.store.delete(id, if: .version(7))
            }
            try trial.expect(delete.operation == .delete, "operation delete", found: delete.operation.rawValue)
            let read = try await trial.expectFailure(of: "reading an empty ID") { () async throws(StoreError) in
                try await trial.store.latestState(of: "")
            }
            try trial.expect(read.operation == .read, "operation read", found: read.operation.rawValue)
        },
        StatePromise(5, "never reports a conflict to the only writer of an ID") { trial in
            _ = try await trial.concurrently(4 * trial.settings.writers) { writer in
                let id = trial.id("\(writer)")
                try await trial.write(trial.state(id, 1), if: .absent)
                for version: UInt64 in 1...10 {
                    let answer = await trial.answer { () async throws(StoreError) in
                        try await trial.store.write(trial.state(id, version + 1), if: .version(version))
                    }
                    guard let answer else { continue }
                    try trial.expect(answer.code != .conflict, "no conflict", found: answer)
                    return
                }
                try await trial.expectStored(trial.state(id, 11))
            }
        },
        StatePromise(
            5, "resolves or admits it when the answer to a write is lost",
            .lostAnswer { trial, lose in
                let id = trial.id()
                try await trial.write(trial.state(id, 1), if: .absent)
                try await lose(id)
                try await expectOwnOutcome(
                    trial, before: trial.state(id, 1), after: trial.state(id, 2), wasApplied: true
                ) {
                    () async throws(StoreError) in
                    try await trial.store.write(trial.state(id, 2), if: .version(1))
                }
            }),
        StatePromise(
            5, "resolves or admits it when the answer to a first write is lost",
            .lostAnswer { trial, lose in
                let id = trial.id()
                try await lose(id)
                try await expectOwnOutcome(trial, before: nil, after: trial.state(id, 1), wasApplied: true) {
                    () async throws(StoreError) in
                    try await trial.store.write(trial.state(id, 1), if: .absent)
                }
            }),
        StatePromise(
            5, "resolves or admits it when the answer to a write over a tombstone is lost",
            .lostAnswer { trial, lose in
                let id = trial.id()
                try await trial.write(trial.state(id, 1), if: .absent)
                try await trial.delete(id, if: .version(1))
                try await lose(id)
                try await expectOwnOutcome(trial, before: nil, after: trial.state(id, 3), wasApplied: true) {
                    () async throws(StoreError) in
                    try await trial.store.write(trial.state(id, 3), if: .absent)
                }
            }),
        StatePromise(
            5, "resolves or admits it when the answer to a deletion is lost",
            .lostAnswer { trial, lose in
                let id = trial.id()
                try await trial.write(trial.state(id, 4), if: .absent)
                try await lose(id)
                try await expectOwnOutcome(trial, before: trial.state(id, 4), after: nil, wasApplied: true) {
                    () async throws(StoreError) in
                    try await trial.store.delete(id, if: .version(4))
                }
                try await trial.expectConflict(with: 5, of: "writing the tombstone's version") {
                    () async throws(StoreError) in
                    try await trial.store.write(trial.state(id, 5), if: .absent)
                }
            }),
        StatePromise(
            5, "resolves or admits it when a write does not arrive",
            .lostRequest { trial, lose in
                let id = trial.id()
                try await trial.write(trial.state(id, 1), if: .absent)
                try await lose(id)
                try await expectOwnOutcome(
                    trial, before: trial.state(id, 1), after: trial.state(id, 2), wasApplied: false
                ) {
                    () async throws(StoreError) in
                    try await trial.store.write(trial.state(id, 2), if: .version(1))
                }
            }),
        StatePromise(
            5, "resolves or admits it when a deletion does not arrive",
            .lostRequest { trial, lose in
                let id = trial.id()
                try await trial.write(trial.state(id, 1), if: .absent)
                try await lose(id)
                try await expectOwnOutcome(trial, before: trial.state(id, 1), after: nil, wasApplied: false) {
                    () async throws(StoreError) in
                    try await trial.store.delete(id, if: .version(1))
                }
            }),
        StatePromise(
            5, "reports closed and not applied after disconnecting",
            .ownStore { trial in
                let state = trial.state(trial.id(), 1)
                try await trial.write(state, if: .absent)
                await trial.store.disconnect()
                let id = state.persistenceID
                let write = try await trial.expectFailure(.closed, of: "writing") { () async throws(StoreError) in
                    try await trial.store.write(trial.state(id, 2), if: .version(1))
                }
                let delete = try await trial.expectFailure(.closed, of: "deleting") { () async throws(StoreError) in
                    try await trial.store.delete(id, if: .always)
                }
                let read = try await trial.expectFailure(.closed, of: "reading") { () async throws(StoreError) in
                    try await trial.store.latestState(of: id)
                }
                for error in [write, delete, read] {
                    try trial.expect(error.outcome == .notApplied, "outcome not applied", found: error)
                }
                try await trial.store.connect()
                try await trial.expectStored(state)
            }),
        StatePromise(
            5, "connects and disconnects as often as one likes, and again by a ping",
            .ownStore { trial in
                let state = trial.state(trial.id(), 1)
                try await trial.store.connect()
                try await trial.store.connect()
                try await trial.write(state, if: .absent)
                await trial.store.disconnect()
                await trial.store.disconnect()
                try await trial.store.ping()
                try await trial.expectStored(state)
                try await trial.store.ping()
                _ = try await trial.concurrently(trial.settings.writers) { _ in try await trial.store.connect() }
                try await trial.expectStored(state)
            }),
        StatePromise(
            5, "answers what is under way when it is disconnected",
            .ownStore { trial in
                let writers = trial.settings.writers
                let answers = try await trial.concurrently(writers + 1) { writer -> StoreError? in
                    if writer == writers {
                        await trial.store.disconnect()
                        return nil
                    }
                    return await trial.answer { () async throws(StoreError) in
                        try await trial.store.write(trial.state(trial.id("\(writer)"), 1), if: .absent)
                    }
                }
                try await trial.store.connect()
                for writer in 0..<writers {
                    let id = trial.id("\(writer)")
                    switch answers[writer] {
                    case nil: try await trial.expectStored(trial.state(id, 1))
                    case let error? where error.outcome == .notApplied: try await trial.expectAbsent(id)
                    case _?: break
                    }
                }
            }),
    ]

    /// Makes a change of which the answer or the request gets lost, and compares what the store says with what is there.
    private static func expectOwnOutcome(
        _ trial: Trial, before: DurableState?, after: DurableState?, wasApplied: Bool,
        _ change: () async throws(StoreError) -> Void
    ) async throws {
        let id = before?.persistenceID ?? after?.persistenceID ?? ""
        func expectApplied(_ isApplied: Bool) async throws {
            if let state = isApplied ? after : before {
                try await trial.expectStored(state)
            } else {
                try await trial.expectAbsent(id)
            }
        }
        do throws(StoreError) {
            try await change()
        } catch {
            try trial.expect(error.code != .conflict, "no conflict with its own change", found: error)
            switch error.outcome {
            case .unknown: return try await expectApplied(wasApplied)
            case .notApplied:
                try trial.expect(!wasApplied, "no claim that nothing was applied", found: error)
                return try await expectApplied(false)
            }
        }
        try await expectApplied(true)
    }
}
