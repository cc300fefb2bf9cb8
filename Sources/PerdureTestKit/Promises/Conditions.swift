/// What is known under an ID before a promise of this table tries something.
private enum Life: String, CaseIterable {
    /// Nothing was ever written.
    case never = "never written"
    /// Version 5 is stored.
    case alive = "at version 5"
    /// Version 5 was deleted: the tombstone has version 6.
    case deleted = "deleted at version 5"
}

private enum Attempt {
    case write(UInt64, if: WriteCondition)
    case delete(if: WriteCondition)

    var words: String {
        switch self {
        case .write(let version, .always): "writing version \(version) unconditionally"
        case .write(let version, .absent): "writing version \(version) if absent"
        case .write(let version, .version(let replaced)): "writing version \(version) over version \(replaced)"
        case .delete(.always): "deleting unconditionally"
        case .delete(.absent): "deleting if absent"
        case .delete(.version(let deleted)): "deleting version \(deleted)"
        }
    }
}

private enum Outcome {
    /// It succeeds, and the write is stored or the ID is absent.
    case done
    case conflict(UInt64)
}

extension StatePromise {
    /// Promise 3: every condition on every life of an ID; the rows about tombstones and deletions are promise 6.
    static let conditions: [StatePromise] =
        [
            row(.never, .write(1, if: .always), .done),
            row(.never, .write(9, if: .always), .done),
            row(.alive, .write(6, if: .always), .done),
            row(.alive, .write(5, if: .always), .done),
            row(.alive, .write(2, if: .always), .done),
            row(.never, .write(1, if: .absent), .done),
            row(.never, .write(9, if: .absent), .done),
            row(.alive, .write(6, if: .absent), .conflict(5)),
            row(.alive, .write(1, if: .absent), .conflict(5)),
            row(.alive, .write(6, if: .version(5)), .done),
            row(.alive, .write(9, if: .version(5)), .done),
            row(.alive, .write(6, if: .version(4)), .conflict(5)),
            row(.alive, .write(5, if: .version(4)), .conflict(5)),
            row(.alive, .write(7, if: .version(6)), .conflict(5)),
            row(.never, .write(6, if: .version(5)), .conflict(0)),
            row(.never, .write(1, if: .version(0)), .conflict(0)),
            // Tombstones.
            row(.deleted, .write(7, if: .absent), .done),
            row(.deleted, .write(100, if: .absent), .done),
            row(.deleted, .write(6, if: .absent), .conflict(6)),
            row(.deleted, .write(1, if: .absent), .conflict(6)),
            row(.deleted, .write(6, if: .version(5)), .conflict(6)),
            row(.deleted, .write(7, if: .version(6)), .conflict(6)),
            row(.deleted, .write(7, if: .always), .done),
            row(.deleted, .write(1, if: .always), .done),
            // Deletions.
            row(.never, .delete(if: .always), .done),
            row(.never, .delete(if: .absent), .done),
            row(.never, .delete(if: .version(5)), .conflict(0)),
            row(.alive, .delete(if: .always), .done),
            row(.alive, .delete(if: .absent), .conflict(5)),
            row(.alive, .delete(if: .version(5)), .done),
            row(.alive, .delete(if: .version(4)), .conflict(5)),
            row(.alive, .delete(if: .version(6)), .conflict(5)),
            row(.deleted, .delete(if: .always), .done),
            row(.deleted, .delete(if: .absent), .done),
            row(.deleted, .delete(if: .version(5)), .conflict(6)),
            row(.deleted, .delete(if: .version(6)), .conflict(6)),
        ] + versionRules

    /// One row of the table: brings an ID to life, makes the attempt, and looks at the answer and at everything that is there
    /// afterwards, the tombstone's version included.
    private static func row(_ life: Life, _ attempt: Attempt, _ outcome: Outcome) -> StatePromise {
        let isAboutDeleting = if case .delete = attempt { true } else { life == .deleted }
        let result =
            switch outcome {
            case .done: "succeeds"
            case .conflict(let version): "is a conflict with version \(version) and changes nothing"
            }
        return StatePromise(
            isAboutDeleting ? 6 : 3, "\(attempt.words) on an ID \(life.rawValue) \(result)"
        ) { trial in
            let id = trial.id()
            let before = trial.state(id, 5, "before")
            if life != .never { try await trial.write(before, if: .absent) }
            if life == .deleted { try await trial.delete(id, if: .version(5)) }

            func make() async throws(StoreError) {
                switch attempt {
                case .write(let version, let condition):
                    try await trial.store.write(trial.state(id, version, "after"), if: condition)
                case .delete(let condition):
                    try await trial.store.delete(id, if: condition)
                }
            }
            switch outcome {
            case .conflict(let stored):
                try await trial.expectConflict(with: stored, of: attempt.words, make)
            case .done:
                if let answer = await trial.answer(to: make) {
                    throw trial.broken(expected: "\(attempt.words) to succeed", found: answer)
                }
            }

            // What is there now, and what an ID that looks absent still remembers.
            var stored: DurableState? = life == .alive ? before : nil
            var tombstone: UInt64 = life == .deleted ? 6 : 0
            if case .done = outcome {
                switch attempt {
                case .write(let version, _): stored = trial.state(id, version, "after")
                case .delete:
                    if let alive = stored { tombstone = alive.version + 1 }
                    stored = nil
                }
            }
            if let stored {
                try await trial.expectStored(stored)
            } else {
                try await trial.expectAbsent(id)
                if tombstone > 0 {
                    try await trial.expectConflict(with: tombstone, of: "writing the tombstone's version") {
                        () async throws(StoreError) in
                        try await trial.store.write(trial.state(id, tombstone, "stale"), if: .absent)
                    }
                }
                let next = trial.state(id, tombstone + 1, "next life")
                try await trial.write(next, if: .absent)
                try await trial.expectStored(next)
            }
        }
    }

    private static let versionRules: [StatePromise] = [
        StatePromise(3, "refuses to store version 0") { trial in
            let id = trial.id()
            for condition in [WriteCondition.always, .absent] {
                _ = try await trial.expectFailure(.invalidRequest, of: "writing version 0") {
                    () async throws(StoreError) in
                    try await trial.store.write(trial.state(id, 0), if: condition)
                }
            }
            try await trial.expectAbsent(id)
        },
        StatePromise(3, "refuses to replace a version by itself or by an earlier one") { trial in
            let state = trial.state(trial.id(), 5, "before")
            try await trial.write(state, if: .absent)
            for version: UInt64 in [5, 4, 1] {
                _ = try await trial.expectFailure(.invalidRequest, of: "replacing version 5 by version \(version)") {
                    () async throws(StoreError) in
                    try await trial.store.write(trial.state(state.persistenceID, version, "after"), if: .version(5))
                }
            }
            try await trial.expectStored(state)
        },
        StatePromise(3, "counts a state on through fifty conditional writes") { trial in
            let id = trial.id()
            try await trial.write(trial.state(id, 1), if: .absent)
            for version: UInt64 in 1..<50 {
                try await trial.write(trial.state(id, version + 1), if: .version(version))
            }
            try await trial.expectStored(trial.state(id, 50))
            for version: UInt64 in [1, 25, 48, 49] {
                try await trial.expectConflict(with: 50, of: "writing over version \(version)") {
                    () async throws(StoreError) in
                    try await trial.store.write(trial.state(id, 51, "stale"), if: .version(version))
                }
            }
            try await trial.expectStored(trial.state(id, 50))
        },
    ]
}
