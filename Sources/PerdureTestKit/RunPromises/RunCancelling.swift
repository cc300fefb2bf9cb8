extension RunPromise {
    /// Promise 12: cancelling leaves nothing half done.
    static let cancelling: [RunPromise] = [
        RunPromise(12, "makes changes of a caller that is cancelled already") { trial in
            let worker = trial.worker()
            try await cancelled {
                let record = try await trial.driven("a", by: worker)
                _ = try await trial.store.commit(trial.change(record))
                _ = try await trial.store.post(trial.signal("m"), to: record.id)
                try await trial.store.register(trial.record(of: worker))
                _ = try await trial.store.renew(worker, at: 1)
                try await trial.ready("b")
                let claimed = try await trial.store.claim(trial.claim(worker))
                try trial.expect(claimed.runs.count == 1, "the claim", found: "\(claimed.runs.count)")
                try await trial.store.retire(worker, at: 2)
            }
            let found = try await trial.run(trial.id("a"))
            try trial.expect(
                found.progress.revision >= 2 && found.inboxCount == 1 && found.progress.owner == nil, "all of it",
                found: "\(found.progress)")
        },
        RunPromise(12, "makes changes whole, whenever their caller is cancelled") { trial in
            _ = try await trial.concurrently(4 * trial.settings.writers) { number in
                var generator = trial.generator(stream: number)
                let yields = Int.random(in: 0...20, using: &generator)
                let task = Task { () async throws -> RunRecord in
                    var record = try await trial.driven("\(number)", by: trial.worker())
                    for place in 0..<3 {
                        var commit = trial.change(record)
                        commit.steps = [trial.step("a\(place)"), trial.step("b\(place)")]
                        _ = try await trial.store.commit(commit)
                        record.progress = commit.progress
                    }
                    return record
                }
                for _ in 0..<yields { await Task.yield() }
                task.cancel()
                let record = try await task.value
                let found = try await trial.snapshot(record.id)
                try trial.expect(
                    found.run.progress.revision == 4 && found.steps.count == 6, "3 whole changes",
                    found: "revision \(found.run.progress.revision), \(found.steps.count) steps")
            }
        },
    ]

    private static func cancelled(_ body: @escaping @Sendable () async throws -> Void) async throws {
        try await Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try await body()
        }.value
    }
}
