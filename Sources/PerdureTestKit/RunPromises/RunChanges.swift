extension RunPromise {
    /// Promise 2: reads see every acknowledged change.
    static let reading: [RunPromise] = [
        RunPromise(2, "finds nothing where nothing is") { trial in
            let snapshot = try await trial.store.snapshot(of: trial.id())
            let run = try await trial.store.run(trial.id())
            try trial.expect(snapshot == nil && run == nil, "nothing", found: "a run")
        },
        RunPromise(2, "shows a change as soon as it is acknowledged") { trial in
            _ = try await trial.concurrently(trial.settings.writers) { number in
                var record = try await trial.driven("\(number)", by: trial.worker())
                for revision: UInt64 in 2...12 {
                    let commit = trial.change(record)
                    _ = try await trial.store.commit(commit)
                    record.progress = commit.progress
                    let found = try await trial.run(record.id).progress.revision
                    try trial.expect(found == revision, "revision \(revision)", found: "\(found)")
                }
            }
        },
        RunPromise(2, "shows a change to another process as soon as it is acknowledged", needs: .secondStore) { trial in
            let second = try await trial.secondStore()
            var record = try await trial.driven(by: trial.worker())
            for revision: UInt64 in 2...8 {
                let writer = revision % 2 == 0 ? trial.store : second
                let reader = revision % 2 == 0 ? second : trial.store
                let commit = trial.change(record)
                _ = try await writer.commit(commit)
                record.progress = commit.progress
                let found = try await reader.snapshot(of: record.id)?.run.progress.revision
                try trial.expect(found == revision, "revision \(revision)", found: "\(String(describing: found))")
            }
        },
        RunPromise(2, "keeps runs when disconnected", needs: .ownStore) { trial in
            let record = try await trial.ready()
            await trial.store.disconnect()
            try await trial.store.connect()
            try await trial.expect(record.id, is: RunSnapshot(run: record, steps: [], state: [], messages: []))
        },
    ]

    /// Promise 3: one of several creations makes the run.
    static let creating: [RunPromise] = [
        RunPromise(3, "tells of a run that is there, and does not change it") { trial in
            let first = try await trial.create(trial.request(), trial.progress(), steps: [trial.step("a")])
            var other = trial.request(createdAt: 5)
            other.workflow = trial.workflow("other")
            other.tags = ["a": "b"]
            let verdict = try await trial.store.create(
                RunCreation(
                    request: other, progress: trial.progress(.running, owner: "x"), steps: [trial.step("b")],
                    state: [StateRecord(key: "k", step: "b", value: nil)]))
            guard case .exists(let found) = verdict else { throw trial.broken(expected: "exists", found: "\(verdict)") }
            let differences = found.differences(from: first)
            try trial.expect(differences.isEmpty, "the run that is there", found: "\(differences)")
            try await trial.expect(
                first.id, is: RunSnapshot(run: first, steps: [trial.step("a")], state: [], messages: []))
        },
        RunPromise(3, "makes one run of many creations at once") { trial in
            for round in 0..<trial.settings.rounds * 3 { try await race(trial, [trial.store], "\(round)") }
        },
        RunPromise(3, "makes one run of creations in two processes", needs: .secondStore) { trial in
            let stores = [trial.store, try await trial.secondStore()]
            for round in 0..<trial.settings.rounds * 3 { try await race(trial, stores, "\(round)") }
        },
        RunPromise(3, "makes a run anew once it is deleted, with nothing of the old one") { trial in
            let first = try await trial.create(
                trial.request(), trial.progress(), steps: [trial.step("a")],
                state: [StateRecord(key: "k", step: "a", value: nil)])
            _ = try await trial.store.post(trial.signal("m"), to: first.id)
            try await trial.store.delete(first.id, expectedRevision: 1, expectedFence: 0)
            let again = try await trial.create(trial.request(createdAt: 9), trial.progress())
            try await trial.expect(again.id, is: RunSnapshot(run: again, steps: [], state: [], messages: []))
        },
    ]

    private static func race(_ trial: RunTrial, _ stores: [any RunStore], _ suffix: String) async throws {
        let verdicts = try await trial.concurrently(trial.settings.writers) { number in
            var request = trial.request(suffix)
            request.priority = number
            return try await stores[number % stores.count].create(
                RunCreation(request: request, progress: trial.progress()))
        }
        let made = verdicts.indices.filter { if case .created = verdicts[$0] { true } else { false } }
        try trial.expect(made.count == 1, "one to make it", found: "\(made.count)")
        let found = try await trial.run(trial.id(suffix)).request.priority
        try trial.expect(found == made.first, "the run of who made it", found: "that of another")
        for case .exists(let record) in verdicts {
            try trial.expect(record.request.priority == found, "to be told of that run", found: "another")
        }
    }

    /// Promise 4: revision and fence.
    static let conflicts: [RunPromise] = [
        RunPromise(4, "refuses another revision, with the stored one") { trial in
            let record = try await trial.driven(by: trial.worker())
            _ = try await trial.store.commit(trial.change(record))
            for expected: UInt64 in [1, 3, 4, 1 << 40] {
                var commit = trial.change(record) { $0.revision = expected + 1 }
                commit.expectedRevision = expected
                commit.steps = [trial.step("never")]
                commit.state = [StateRecord(key: "never", step: "never", value: nil)]
                try await trial.expectConflict(with: 2, commit)
            }
            let found = try await trial.snapshot(record.id)
            try trial.expect(
                found.steps.isEmpty && found.state.isEmpty && found.run.progress.revision == 2, "nothing changed",
                found: "\(found.steps.count) steps")
        },
        RunPromise(4, "refuses another fence, with the stored revision") { trial in
            var request = trial.progress(.running, owner: trial.worker())
            request.fence = 5
            let record = try await trial.create(trial.request(), request)
            for fence: UInt64 in [0, 4, 6] {
                var commit = trial.change(record) { $0.fence = max(fence, 6) }
                commit.expectedFence = fence
                try await trial.expectConflict(with: 1, commit)
            }
            _ = try await trial.store.commit(trial.change(record))
        },
        RunPromise(4, "refuses a change of a run that is not there") { trial in
            let record = RunRecord(request: trial.request(), progress: trial.progress())
            try await trial.expectConflict(with: 0, trial.change(record))
            let found = try await trial.store.run(record.id)
            try trial.expect(found == nil, "no run", found: "one")
        },
        RunPromise(4, "refuses revisions and fences that do not follow") { trial in
            let record = try await trial.create(trial.request(), trial.progress())
            for change: @Sendable (inout RunProgress) -> Void in [{ $0.revision = 1 }, { $0.revision = 3 }] {
                let error = try await trial.expectFailure(.invalidRequest, of: "the change") {
                    () async throws(StoreError) in try await trial.store.commit(trial.change(record, change))
                }
                try trial.expect(error.outcome == .notApplied, "not applied", found: error)
            }
        },
        RunPromise(4, "lets one of many changes against one revision through") { trial in
            try await competeForRevisions(trial, [trial.store])
        },
        RunPromise(4, "lets one of many changes in two processes through", needs: .secondStore) { trial in
            try await competeForRevisions(trial, [trial.store, try await trial.secondStore()])
        },
        RunPromise(4, "does not take a message for a change") { trial in
            let record = try await trial.driven(by: trial.worker())
            _ = try await trial.store.post(trial.signal("m"), to: record.id)
            let receipt = try await trial.store.commit(trial.change(record))
            try trial.expect(receipt.inboxCount == 1, "1 message in the receipt", found: "\(receipt.inboxCount)")
        },
    ]

    private static func competeForRevisions(_ trial: RunTrial, _ stores: [any RunStore]) async throws {
        let record = try await trial.driven(by: trial.worker())
        let rounds = 5 * trial.settings.rounds
        // How many changes succeeded, and of how many the store could not tell, which a busy server may bring about.
        typealias Tally = (wins: Int, unknown: Int)
        let tallies = try await trial.concurrently(trial.settings.writers) { number -> Tally in
            var tally: Tally = (0, 0)
            let store = stores[number % stores.count]
            for round in 0..<rounds {
                while true {
                    let current = try await store.run(record.id) ?? record
                    if current.progress.revision > UInt64(rounds) { return tally }
                    var commit = trial.change(current)
                    commit.steps = [trial.step("\(current.progress.revision)", round, output: "\(number)")]
                    do throws(StoreError) {
                        _ = try await store.commit(commit)
                        tally.wins += 1
                        break
                    } catch {
                        if error.outcome == .unknown {
                            tally.unknown += 1
                            break
                        }
                        try trial.expect(error.code == .conflict, "success or conflict", found: error)
                    }
                }
            }
            return tally
        }
        let found = try await trial.snapshot(record.id)
        let (wins, unknown) = tallies.reduce((0, 0)) { ($0.0 + $1.wins, $0.1 + $1.unknown) }
        let count = found.steps.count
        try trial.expect(
            found.run.progress.revision == UInt64(count + 1) && wins <= count && count <= wins + unknown,
            "as many revisions and steps as changes succeeded (\(wins), and perhaps \(unknown) more)",
            found: "revision \(found.run.progress.revision), \(count) steps")
    }

    /// Promise 5: whole or not at all.
    static let atomicity: [RunPromise] = [
        RunPromise(5, "stores all parts of a change together") { trial in
            let record = try await trial.driven("a", by: trial.worker())
            let other = try await trial.driven("b", by: trial.worker())
            _ = try await trial.store.post(trial.signal("m"), to: record.id)
            var commit = trial.change(record) { $0.inboxSeen = 1 }
            commit.steps = [trial.step("s")]
            commit.state = [StateRecord(key: "k", step: "s", value: trial.value("v"))]
            commit.consumed = [("m", "s")]
            commit.posts = [(other.id, trial.signal("from a"))]
            let receipt = try await trial.store.commit(commit)
            try trial.expect(receipt.inboxCount == 1, "1 in the receipt", found: "\(receipt.inboxCount)")
            var message = trial.signal("m")
            (message.number, message.consumedBy) = (1, "s")
            try await trial.expect(
                record.id,
                is: RunSnapshot(
                    run: RunRecord(request: record.request, progress: commit.progress, inboxCount: 1),
                    steps: commit.steps, state: commit.state, messages: [message]))
            var post = trial.signal("from a")
            post.number = 1
            var target = other
            target.inboxCount = 1
            try await trial.expect(other.id, is: RunSnapshot(run: target, steps: [], state: [], messages: [post]))
        },
        RunPromise(5, "posts nothing with a change that is refused") { trial in
            let record = try await trial.driven("a", by: trial.worker())
            let other = try await trial.driven("b", by: trial.worker())
            _ = try await trial.store.commit(trial.change(record))
            var commit = trial.change(record)
            commit.posts = [(other.id, trial.signal("m"))]
            try await trial.expectConflict(with: 2, commit)
            try await trial.expect(other.id, is: RunSnapshot(run: other, steps: [], state: [], messages: []))
        },
        RunPromise(5, "drops posts to runs that are gone or ended, and keeps the rest of the change") { trial in
            let record = try await trial.driven("a", by: trial.worker())
            let ended = try await trial.create(trial.request("b"), trial.progress(.completed, wake: .never))
            var commit = trial.change(record)
            commit.posts = [
                (trial.id("never"), trial.signal("m")), (ended.id, trial.signal("m")),
                (record.id, trial.signal("self")),
            ]
            let receipt = try await trial.store.commit(commit)
            try trial.expect(receipt.inboxCount == 1, "its own message in the receipt", found: "\(receipt.inboxCount)")
            try await trial.expect(ended.id, is: RunSnapshot(run: ended, steps: [], state: [], messages: []))
            let found = try await trial.store.run(trial.id("never"))
            try trial.expect(found == nil, "no run to appear", found: "one")
        },
        RunPromise(5, "shows no change by half") { trial in
            let record = try await trial.driven(by: trial.worker())
            let count = 10 * trial.settings.rounds
            _ = try await trial.concurrently(3) { number in
                var current = record
                for _ in 0..<count {
                    if number == 0 {
                        var commit = trial.change(current)
                        let revision = commit.progress.revision
                        commit.steps = (0..<4).map { trial.step("s\($0)", $0, output: "\(revision)") }
                        commit.state = [StateRecord(key: "k", step: "s", value: trial.value("\(revision)"))]
                        _ = try await trial.store.commit(commit)
                        current.progress = commit.progress
                        continue
                    }
                    let found = try await trial.snapshot(record.id)
                    let values = found.steps.map(\.output) + found.state.map(\.value)
                    let bytes = Set(try values.map { try $0?.bytes ?? [] })
                    let expected = try trial.value("\(found.run.progress.revision)").bytes
                    try trial.expect(
                        found.run.progress.revision == 1 ? values.isEmpty : bytes == [expected] && values.count == 5,
                        "everything of revision \(found.run.progress.revision)", found: "\(bytes.count) mixed values")
                }
            }
        },
        RunPromise(5, "keeps many runs' changes apart when they come together") { trial in
            let count = 8 * trial.settings.writers
            _ = try await trial.concurrently(count) { number in
                var record = try await trial.driven("\(number)", by: trial.worker())
                for step in 0..<5 {
                    var commit = trial.change(record)
                    commit.steps = [trial.step("s\(step)", step, output: "\(number) \(step)")]
                    // A neighbour that fails spoils nobody else's change.
                    if number % 3 == 0 {
                        var wrong = commit
                        (wrong.expectedRevision, wrong.progress.revision) = (77, 78)
                        try await trial.expectConflict(with: record.progress.revision, wrong)
                    }
                    _ = try await trial.store.commit(commit)
                    record.progress = commit.progress
                }
                let steps = (0..<5).map { trial.step("s\($0)", $0, output: "\(number) \($0)") }
                try await trial.expect(record.id, is: RunSnapshot(run: record, steps: steps, state: [], messages: []))
            }
        },
    ]
}
