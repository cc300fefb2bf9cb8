extension StatePromise {
    /// Promise 6, beyond the table in `Conditions.swift`: lives that follow each other.
    static let deleting: [StatePromise] = [
        StatePromise(6, "keeps a stale writer of an earlier life from hitting a newer one") { trial in
            let id = trial.id()
            try await trial.write(trial.state(id, 1, "first life"), if: .absent)
            try await trial.delete(id, if: .version(1))
            let second = trial.state(id, 3, "second life")
            try await trial.write(second, if: .absent)
            for version: UInt64 in [1, 2] {
                try await trial.expectConflict(with: 3, of: "writing over version \(version)") {
                    () async throws(StoreError) in
                    try await trial.store.write(trial.state(id, version + 1, "stale"), if: .version(version))
                }
                try await trial.expectConflict(with: 3, of: "deleting version \(version)") {
                    () async throws(StoreError) in
                    try await trial.store.delete(id, if: .version(version))
                }
            }
            try await trial.expectStored(second)
        },
        StatePromise(6, "counts on through five lives") { trial in
            let id = trial.id()
            var version: UInt64 = 0
            for _ in 0..<5 {
                let state = trial.state(id, version + 1)
                try await trial.write(state, if: .absent)
                try await trial.expectStored(state)
                try await trial.delete(id, if: .version(version + 1))
                try await trial.expectAbsent(id)
                version += 2
            }
            try await trial.expectConflict(with: 10, of: "writing version 10 if absent") {
                () async throws(StoreError) in
                try await trial.store.write(trial.state(id, 10), if: .absent)
            }
        },
        StatePromise(6, "keeps the tombstone's version when a deleted ID is deleted again") { trial in
            let id = trial.id()
            try await trial.write(trial.state(id, 7), if: .absent)
            for condition in [WriteCondition.version(7), .always, .absent, .always] {
                try await trial.delete(id, if: condition)
                try await trial.expectAbsent(id)
            }
            try await trial.expectConflict(with: 8, of: "writing version 8 if absent") { () async throws(StoreError) in
                try await trial.store.write(trial.state(id, 8), if: .absent)
            }
            try await trial.write(trial.state(id, 9), if: .absent)
        },
        StatePromise(6, "deletes one ID and no other") { trial in
            let (one, other) = (trial.state(trial.id("one"), 1), trial.state(trial.id("one more"), 1))
            try await trial.write(one, if: .absent)
            try await trial.write(other, if: .absent)
            try await trial.delete(one.persistenceID, if: .always)
            try await trial.expectAbsent(one.persistenceID)
            try await trial.expectStored(other)
        },
        StatePromise(6, "deletes the greatest version, or refuses to and changes nothing") { trial in
            let state = trial.state(trial.id(), UInt64(Int64.max))
            try await trial.write(state, if: .absent)
            let answer = await trial.answer { () async throws(StoreError) in
                try await trial.store.delete(state.persistenceID, if: .version(UInt64(Int64.max)))
            }
            if let answer {
                try trial.expect(
                    answer.outcome == .notApplied && answer.code != .conflict, "success or a refusal",
                    found: answer)
                try await trial.expectStored(state)
            } else {
                try await trial.expectAbsent(state.persistenceID)
            }
            try await trial.write(trial.state(state.persistenceID, 1), if: .always)
        },
        StatePromise(6, "brings a deleted ID back with another manifest and payload") { trial in
            let id = trial.id()
            try await trial.write(trial.state(id, 1, "a rather long first payload"), if: .absent)
            try await trial.delete(id, if: .always)
            let second = trial.state(id, 3, "2", manifest: "check.v2")
            try await trial.write(second, if: .absent)
            try await trial.expectStored(second)
        },
    ]
}
