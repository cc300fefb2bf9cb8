extension RunPromise {
    /// Promise 11: deleting and purging.
    static let removing: [RunPromise] = [
        RunPromise(11, "deletes a run with all that it owns") { trial in
            var request = trial.request("a")
            (request.tags, request.resourceID) = ([trial.prefix: "x"], trial.prefix)
            let record = try await trial.create(
                request, trial.progress(), steps: [trial.step("s")],
                state: [StateRecord(key: "k", step: "s", value: nil)])
            let other = try await trial.ready("b") { $0.tags = [trial.prefix: "x"] }
            _ = try await trial.store.post(trial.signal("m"), to: record.id)
            try await trial.store.delete(record.id, expectedRevision: 1, expectedFence: 0)
            let (run, snapshot) = (
                try await trial.store.run(record.id), try await trial.store.snapshot(of: record.id)
            )
            try trial.expect(run == nil && snapshot == nil, "nothing", found: "a run")
            var filter = RunFilter()
            filter.tag = RunFilter.Tag(trial.prefix, "x")
            let found = try await trial.store.runs(where: filter, after: nil, limit: 9, now: RunTrial.start).runs
            try trial.expect(found.map(\.id) == [other.id], "the other run alone", found: "\(found.count) runs")
            try await trial.expectClaim(trial.claim(trial.worker()), gives: ["b"])
            let post = try await trial.store.post(trial.signal("m"), to: record.id)
            try trial.expect(post == .notFound, "notFound", found: "\(post)")
        },
        RunPromise(11, "deletes only what has this revision and fence") { trial in
            var progress = trial.progress()
            progress.fence = 3
            let record = try await trial.create(trial.request(), progress)
            for (revision, fence) in [(2, 3), (0, 3), (1, 2), (1, 4)] as [(UInt64, UInt64)] {
                try await trial.expectConflict(with: 1, of: "deleting") { () async throws(StoreError) in
                    try await trial.store.delete(record.id, expectedRevision: revision, expectedFence: fence)
                }
            }
            try await trial.expect(record.id, is: RunSnapshot(run: record, steps: [], state: [], messages: []))
            try await trial.store.delete(record.id, expectedRevision: 1, expectedFence: 3)
            try await trial.expectConflict(with: 0, of: "deleting again") { () async throws(StoreError) in
                try await trial.store.delete(record.id, expectedRevision: 1, expectedFence: 3)
            }
        },
        RunPromise(11, "lets one of a change and a deletion through") { trial in
            for round in 0..<5 * trial.settings.rounds {
                let record = try await trial.driven("\(round)", by: trial.worker())
                let answers = try await trial.concurrently(2) { number in
                    await trial.answer { () async throws(StoreError) in
                        if number == 0 {
                            _ = try await trial.store.commit(trial.change(record))
                        } else {
                            try await trial.store.delete(record.id, expectedRevision: 1, expectedFence: 0)
                        }
                    }
                }
                try trial.expect(
                    answers.count { $0 == nil } == 1, "one of them", found: "\(answers.count { $0 == nil })")
                let found = try await trial.store.run(record.id)
                try trial.expect((found == nil) == (answers[1] == nil), "what they were told", found: "the other")
            }
        },
        RunPromise(11, "purges ended runs whose time is over, and nothing else", needs: .quiet) { trial in
            try await fill(trial)
            let count = try await trial.store.purgeRuns(expiredAt: past, limit: 100)
            try trial.expect(count == 3, "3 removed", found: "\(count)")
            for (suffix, isThere) in [
                ("over0", false), ("over1", false), ("over2", false), ("later", true), ("kept", true), ("alive", true),
            ] {
                let found = try await trial.store.snapshot(of: trial.id(suffix))
                try trial.expect((found != nil) == isThere, "\(suffix) to be there: \(isThere)", found: "otherwise")
            }
            let again = try await trial.store.purgeRuns(expiredAt: past, limit: 100)
            try trial.expect(again == 0, "nothing more", found: "\(again)")
        },
        RunPromise(11, "purges no more than it is told to, the oldest first", needs: .quiet) { trial in
            try await fill(trial)
            for (expected, left) in [
                (2, [false, false, true]), (1, [false, false, false]), (0, [false, false, false]),
            ] {
                let count = try await trial.store.purgeRuns(expiredAt: past, limit: 2)
                try trial.expect(count == expected, "\(expected) removed", found: "\(count)")
                for (number, isThere) in left.enumerated() {
                    let found = try await trial.store.run(trial.id("over\(number)"))
                    try trial.expect((found != nil) == isThere, "over\(number): \(isThere)", found: "otherwise")
                }
            }
        },
        RunPromise(11, "purges no run that was started again", needs: .quiet) { trial in
            try await fill(trial)
            let record = try await trial.run(trial.id("over1"))
            _ = try await trial.store.commit(trial.change(record) { ($0.status, $0.expiresAt) = (.running, nil) })
            let count = try await trial.store.purgeRuns(expiredAt: past, limit: 100)
            try trial.expect(count == 2, "2 removed", found: "\(count)")
            _ = try await trial.run(record.id)
        },
        RunPromise(11, "refuses a time of removal for runs that have not ended") { trial in
            for status in RunStatus.allCases where !status.isEnded {
                var progress = trial.progress(status)
                progress.expiresAt = RunTrial.start
                let creation = RunCreation(request: trial.request(), progress: progress)
                _ = try await trial.expectFailure(.invalidRequest, of: "creating") { () async throws(StoreError) in
                    try await trial.store.create(creation)
                }
            }
        },
    ]

    /// Long before anything that others store.
    private static let past: Int64 = -1_000_000

    private static func fill(_ trial: RunTrial) async throws {
        // What an earlier run of the suite may have left.
        _ = try await trial.store.purgeRuns(expiredAt: past, limit: 1_000)
        for (suffix, time) in [("over2", past), ("over0", past - 20), ("over1", past - 10), ("later", past + 1)] {
            var progress = trial.progress([RunStatus.completed, .failed, .cancelled][abs(Int(time)) % 3])
            progress.expiresAt = time
            try await trial.create(
                trial.request(suffix), progress, steps: [trial.step("s")],
                state: [StateRecord(key: "k", step: "s", value: nil)])
        }
        try await trial.create(trial.request("kept"), trial.progress(.completed))
        try await trial.ready("alive")
    }
}
