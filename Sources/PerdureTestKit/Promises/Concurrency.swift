extension StatePromise {
    /// Promise 4: of concurrent conditional changes against one version exactly one succeeds.
    static let concurrency: [StatePromise] = [
        StatePromise(4, "lets exactly one of several concurrent writers replace a version") { trial in
            try await contest(trial, before: .alive) { id, writer in
                .init(state: trial.state(id, 6, "writer \(writer)"), condition: .version(5))
            }
        },
        StatePromise(4, "lets exactly one of several concurrent writers create a state") { trial in
            try await contest(trial, before: .nothing) { id, writer in
                .init(state: trial.state(id, 1, "writer \(writer)"), condition: .absent)
            }
        },
        StatePromise(4, "lets exactly one of several concurrent writers bring a deleted state back") { trial in
            try await contest(trial, before: .deleted) { id, writer in
                .init(state: trial.state(id, 7, "writer \(writer)"), condition: .absent)
            }
        },
        StatePromise(4, "lets exactly one of several concurrent deletions of a version succeed") { trial in
            try await contest(trial, before: .alive) { id, _ in .init(state: nil, condition: .version(5)) }
        },
        StatePromise(4, "lets exactly one of concurrent writers and deleters of a version succeed") { trial in
            try await contest(trial, before: .alive) { id, writer in
                .init(
                    state: writer % 2 == 0 ? trial.state(id, 6, "writer \(writer)") : nil, condition: .version(5))
            }
        },
        StatePromise(4, "loses no increment of concurrent writers that read, write and try again") { trial in
            try await countTogether(trial, ids: [trial.id()])
        },
        StatePromise(4, "loses no increment when several IDs are written at the same time") { trial in
            try await countTogether(trial, ids: (0..<4).map { trial.id("\($0)") })
        },
    ]

    private enum Before { case nothing, alive, deleted }

    private struct Entry: Sendable {
        /// What is written; nil for a deletion.
        var state: DurableState?
        var condition: WriteCondition
    }

    /// Lets all writers make their attempts at once, in several rounds, and sees that one won each.
    private static func contest(
        _ trial: Trial, before: Before, entry: @escaping @Sendable (_ id: String, _ writer: Int) -> Entry
    ) async throws {
        // A store under load may refuse an attempt; that it refuses all of them in every round would prove nothing.
        var decided = 0
        for round in 0..<(4 * trial.settings.rounds) {
            let id = trial.id("\(round)")
            if before != .nothing { try await trial.write(trial.state(id, 5, "before"), if: .absent) }
            if before == .deleted { try await trial.delete(id, if: .version(5)) }
            let answers = try await trial.concurrently(trial.settings.writers) { writer -> StoreError? in
                let entry = entry(id, writer)
                return await trial.answer { () async throws(StoreError) in
                    if let state = entry.state {
                        try await trial.store.write(state, if: entry.condition)
                    } else {
                        try await trial.store.delete(id, if: entry.condition)
                    }
                }
            }
            let winners = answers.indices.filter { answers[$0] == nil }
            let doubtful = answers.contains { $0?.outcome == .unknown }
            let conflicts = answers.count { $0?.code == .conflict }
            try trial.expect(
                winners.count <= 1, "one of \(answers.count) writers to win", found: "\(winners.count) winners")
            try trial.expect(
                winners.count == 1 || doubtful || conflicts == 0, "one of \(answers.count) writers to win",
                found: "no winner, and \(conflicts) conflicts")
            guard let winner = winners.first else { continue }
            decided += 1
            if let state = entry(id, winner).state {
                try await trial.expectStored(state)
            } else {
                try await trial.expectAbsent(id)
            }
        }
        try trial.expect(decided > 0, "a winner in one of the rounds", found: "none in any")
    }

    /// Every writer adds to the counters again and again; in the end nothing is missing.
    private static func countTogether(_ trial: Trial, ids: [String]) async throws {
        let perWriter = 5 * trial.settings.rounds
        for id in ids { try await trial.write(trial.state(id, 1), if: .absent) }
        let counts = try await trial.concurrently(trial.settings.writers) { writer -> [Int] in
            var generator = trial.generator(stream: writer)
            var added = Array(repeating: 0, count: ids.count)
            for _ in 0..<perWriter {
                let place = Int.random(in: 0..<ids.count, using: &generator)
                try await addOne(trial, ids[place], writer: writer)
                added[place] += 1
            }
            return added
        }
        for (place, id) in ids.enumerated() {
            let expected = 1 + counts.reduce(0) { $0 + $1[place] }
            let found = try await trial.read(id)
            try trial.expect(
                found?.version == UInt64(expected), "version \(expected) after \(expected - 1) increments",
                found: describe(found))
        }
    }

    private static func addOne(_ trial: Trial, _ id: String, writer: Int) async throws {
        for _ in 0..<10_000 {
            guard let stored = try await trial.read(id) else {
                throw trial.broken(expected: "the counter", found: "no state")
            }
            do throws(StoreError) {
                try await trial.store.write(
                    trial.state(id, stored.version + 1, "writer \(writer)"), if: .version(stored.version))
                return
            } catch {
                switch (error.code, error.outcome) {
                case (.conflict, _):
                    let found = error.storedVersion ?? 0
                    try trial.expect(
                        found != stored.version, "a conflict with another version than the one expected",
                        found: "a conflict with version \(found) itself")
                case (_, .unknown):
                    throw trial.untested("the store could not tell the outcome of a write: \(describe(error))")
                case (_, .notApplied):
                    continue
                }
            }
        }
        throw trial.broken(expected: "a writer to succeed within 10,000 attempts", found: "none did")
    }
}
