extension RunPromise {
    /// Promise 6: failures say what became of the change.
    static let outcomes: [RunPromise] = [lost, told].flatMap { $0 }

    private static let told: [RunPromise] = [
        RunPromise(6, "says of conflicts what was asked, and that nothing was applied") { trial in
            let record = try await trial.driven(by: trial.worker())
            _ = try await trial.store.commit(trial.change(record))
            let write = try await trial.expectFailure(.conflict, of: "the change") { () async throws(StoreError) in
                try await trial.store.commit(trial.change(record))
            }
            let delete = try await trial.expectFailure(.conflict, of: "deleting") { () async throws(StoreError) in
                try await trial.store.delete(record.id, expectedRevision: 1, expectedFence: 0)
            }
            for (error, operation) in [(write, StoreError.Operation.write), (delete, .delete)] {
                try trial.expect(
                    error.outcome == .notApplied && error.operation == operation, "\(operation.rawValue), not applied",
                    found: "\(error.operation.rawValue), \(describe(error))")
                try trial.expect(
                    error.persistenceID?.utf8.elementsEqual(record.id.utf8) == true, "the ID in the error",
                    found: error.persistenceID ?? "none")
                try trial.expect(
                    !error.description.contains(record.id), "no ID in what strangers see", found: error.description)
            }
        },
        RunPromise(6, "never reports a conflict to the only writer of a run") { trial in
            _ = try await trial.concurrently(4 * trial.settings.writers) { number in
                var record = try await trial.driven("\(number)", by: trial.worker())
                for _ in 0..<10 {
                    let commit = trial.change(record)
                    let answer = await trial.answer { () async throws(StoreError) in
                        _ = try await trial.store.commit(commit)
                    }
                    if let answer { throw trial.broken(expected: "success", found: answer) }
                    record.progress = commit.progress
                }
            }
        },
        RunPromise(6, "reports closed and not applied after disconnecting", needs: .ownStore) { trial in
            let record = try await trial.driven(by: trial.worker())
            await trial.store.disconnect()
            let attempts: [@Sendable () async throws(StoreError) -> Void] = [
                { () async throws(StoreError) in _ = try await trial.store.commit(trial.change(record)) },
                { () async throws(StoreError) in _ = try await trial.store.run(record.id) },
                { () async throws(StoreError) in _ = try await trial.store.snapshot(of: record.id) },
                { () async throws(StoreError) in _ = try await trial.store.claim(trial.claim(trial.worker())) },
                { () async throws(StoreError) in _ = try await trial.store.post(trial.signal("m"), to: record.id) },
                { () async throws(StoreError) in
                    try await trial.store.delete(record.id, expectedRevision: 1, expectedFence: 0)
                },
                { () async throws(StoreError) in _ = try await trial.store.workers() },
                { () async throws(StoreError) in
                    _ = try await trial.store.create(
                        RunCreation(request: trial.request("b"), progress: trial.progress()))
                },
            ]
            for attempt in attempts {
                let error = try await trial.expectFailure(.closed, of: "the attempt", attempt)
                try trial.expect(error.outcome == .notApplied, "not applied", found: error)
            }
            try await trial.store.connect()
            try await trial.expect(record.id, is: RunSnapshot(run: record, steps: [], state: [], messages: []))
        },
        RunPromise(6, "connects and disconnects as often as one likes, and again by a ping", needs: .ownStore) {
            trial in
            let record = try await trial.ready()
            await trial.store.disconnect()
            await trial.store.disconnect()
            try await trial.store.ping()
            try await trial.store.connect()
            _ = try await trial.run(record.id)
        },
    ]

    private typealias LossOf = @Sendable (RunTrial, Loss) async throws -> Void

    private static let losses: [(what: String, body: LossOf)] = [
        ("a creation", lostCreation), ("a change", lostCommit), ("a post", lostPost), ("a deletion", lostDeletion),
        ("a claim", lostClaim), ("an adoption", lostAdoption),
        ("a change that posts to another run", lostCommitWithPost),
    ]

    private static let lost: [RunPromise] = losses.flatMap { (what: String, body: @escaping LossOf) -> [RunPromise] in
        let arrived: RunPromise =
            RunPromise(6, "resolves or admits it when the answer to \(what) is lost", needs: .lostAnswer) { trial in
                try await body(trial, Loss(trial: trial, wasApplied: true))
            }
        let vanished: RunPromise =
            RunPromise(6, "resolves or admits it when \(what) does not arrive", needs: .lostRequest) { trial in
                try await body(trial, Loss(trial: trial, wasApplied: false))
            }
        return [arrived, vanished]
    }

    /// What gets lost, and what must be so afterwards.
    private struct Loss: Sendable {
        let trial: RunTrial
        let wasApplied: Bool

        /// Makes a change that gets lost; returns whether it must be there afterwards.
        func happens(_ id: String, _ body: () async throws(StoreError) -> Void) async throws -> Bool {
            let lose = self.wasApplied ? self.trial.fixture.loseNextAnswer : self.trial.fixture.loseNextRequest
            try await lose?(self.trial.store, id)
            do throws(StoreError) {
                try await body()
                return true
            } catch {
                try self.trial.expect(error.code != .conflict, "no conflict with oneself", found: error)
                try self.trial.expect(
                    error.outcome == .unknown || !self.wasApplied, "no claim that nothing was applied",
                    found: error)
                return error.outcome == .unknown && self.wasApplied
            }
        }
    }

    private static let lostCreation: LossOf = { trial, loss in
        let request = trial.request()
        let isThere = try await loss.happens(request.id) { () async throws(StoreError) in
            let verdict = try await trial.store.create(
                RunCreation(request: request, progress: trial.progress(), steps: [trial.step("a")]))
            if case .exists = verdict {
                throw StoreError(.conflict, operation: .write, message: "the creation met itself")
            }
        }
        guard isThere else {
            let found = try await trial.store.run(request.id)
            return try trial.expect(found == nil, "no run", found: "one")
        }
        let record = RunRecord(request: request, progress: trial.progress())
        try await trial.expect(
            record.id, is: RunSnapshot(run: record, steps: [trial.step("a")], state: [], messages: []))
    }

    private static let lostCommit: LossOf = { trial, loss in
        var record = try await trial.driven(by: trial.worker())
        // The second leaves the run without an owner, which is another path in many a store.
        for number in 1...2 {
            var commit = trial.change(record) { if number == 2 { ($0.owner, $0.wake) = (nil, .at(9)) } }
            commit.steps = [trial.step("s", 0, output: "\(number)")]
            commit.state = [StateRecord(key: "k", step: "s", value: trial.value("\(number)"))]
            let isThere = try await loss.happens(record.id) { () async throws(StoreError) in
                _ = try await trial.store.commit(commit)
            }
            if !isThere {
                return try await trial.expect(
                    record.id, is: RunSnapshot(run: record, steps: [], state: [], messages: []))
            }
            record.progress = commit.progress
            try await trial.expect(
                record.id, is: RunSnapshot(run: record, steps: commit.steps, state: commit.state, messages: []))
        }
    }

    private static let lostCommitWithPost: LossOf = { trial, loss in
        let record = try await trial.driven("a", by: trial.worker())
        var other = try await trial.create(trial.request("b"), trial.progress(.running, wake: .never))
        var commit = trial.change(record)
        commit.posts = [(other.id, trial.signal("m"))]
        let isThere = try await loss.happens(record.id) { () async throws(StoreError) in
            _ = try await trial.store.commit(commit)
        }
        guard isThere else { return }
        var message = trial.signal("m")
        message.number = 1
        other.inboxCount = 1
        other.progress.wake = .now
        try await trial.expect(other.id, is: RunSnapshot(run: other, steps: [], state: [], messages: [message]))
    }

    private static let lostPost: LossOf = { trial, loss in
        let record = try await trial.driven(by: trial.worker())
        let isThere = try await loss.happens(record.id) { () async throws(StoreError) in
            let verdict = try await trial.store.post(trial.signal("m"), to: record.id)
            if verdict != .posted { throw StoreError(.conflict, operation: .write, message: "the post met itself") }
        }
        let found = try await trial.snapshot(record.id)
        try trial.expect(
            found.messages.count == (isThere ? 1 : 0) && found.run.inboxCount == (isThere ? 1 : 0),
            isThere ? "the message, once" : "no message", found: "\(found.messages.count) of \(found.run.inboxCount)")
    }

    private static let lostDeletion: LossOf = { trial, loss in
        let record = try await trial.driven(by: trial.worker())
        let isGone = try await loss.happens(record.id) { () async throws(StoreError) in
            try await trial.store.delete(record.id, expectedRevision: 1, expectedFence: 0)
        }
        let found = try await trial.store.run(record.id)
        try trial.expect((found == nil) == isGone, isGone ? "no run" : "the run", found: "the other")
    }

    private static let lostClaim: LossOf = { trial, loss in
        let worker = trial.worker()
        let record = try await trial.ready()
        try await expectTaken(trial, loss, record, worker) { () async throws(StoreError) in
            try await trial.store.claim(trial.claim(worker)).runs
        }
    }

    private static let lostAdoption: LossOf = { trial, loss in
        let worker = trial.worker()
        let record = try await trial.driven(by: trial.worker("gone"))
        try await expectTaken(trial, loss, record, worker) { () async throws(StoreError) in
            try await trial.store.adopt(trial.claim(worker))
        }
    }

    /// A run that a worker took without knowing would stay where it is for ever: a store that knows must say.
    private static func expectTaken(
        _ trial: RunTrial, _ loss: Loss, _ record: RunRecord, _ worker: String,
        _ take: @Sendable () async throws(StoreError) -> [RunSnapshot]
    ) async throws {
        var taken: [RunSnapshot]?
        let mayBeTaken = try await loss.happens(worker) { () async throws(StoreError) in taken = try await take() }
        let found = try await trial.run(record.id).progress
        if let taken {
            try trial.expect(
                taken.map(\.run.progress.revision) == [found.revision] && found.owner == worker,
                "the run that the worker has now", found: "\(taken.count) runs, owner \(found.owner ?? "nobody")")
        } else {
            try trial.expect((found.owner == worker) == mayBeTaken, "what the error says", found: "something else")
        }
    }
}
