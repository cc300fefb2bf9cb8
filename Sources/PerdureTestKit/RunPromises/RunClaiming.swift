extension RunPromise {
    /// Promise 7: runs are claimed in turn.
    static let claiming: [RunPromise] = [
        RunPromise(7, "gives a due run to a worker: running, owned, fenced and counted") { trial in
            let worker = trial.worker()
            let record = try await trial.create(
                trial.request("a"), trial.progress(), steps: [trial.step("s")],
                state: [StateRecord(key: "k", step: "s", value: nil)])
            let claimed = try await trial.expectClaim(trial.claim(worker, now: RunTrial.start + 5), gives: ["a"])
            var expected = record
            (expected.progress.status, expected.progress.owner) = (.running, worker)
            (expected.progress.fence, expected.progress.revision) = (1, 2)
            (expected.progress.startedAt, expected.progress.updatedAt) = (RunTrial.start + 5, RunTrial.start + 5)
            guard let snapshot = claimed.runs.first else { return }
            try await trial.expect(record.id, is: snapshot)
            let differences = snapshot.differences(
                from: RunSnapshot(
                    run: expected, steps: [trial.step("s")], state: [StateRecord(key: "k", step: "s", value: nil)],
                    messages: []))
            try trial.expect(differences.isEmpty, "that run", found: "\(differences)")
            try await trial.expectClaim(trial.claim(trial.worker("2")), gives: [])
        },
        RunPromise(7, "keeps the time at which a run was first begun") { trial in
            var progress = trial.progress(.running)
            progress.startedAt = 5
            try await trial.create(trial.request("a"), progress)
            let claimed = try await trial.expectClaim(trial.claim(trial.worker()), gives: ["a"])
            let found = claimed.runs.first?.run.progress.startedAt
            try trial.expect(found == 5, "5", found: "\(String(describing: found))")
        },
        RunPromise(7, "gives higher priorities first, then older ones, then by ID") { trial in
            for (suffix, priority, age) in [
                ("d", 0, 5), ("b", 7, 9), ("f", -3, 0), ("c", 0, 1), ("a", 7, 2), ("e", 0, 5),
            ] {
                try await trial.ready(suffix) { request in
                    request.priority = priority
                    request.createdAt = RunTrial.start + Int64(age)
                }
            }
            try await trial.expectClaim(trial.claim(trial.worker(), limit: 2), gives: ["a", "b"])
            try await trial.expectClaim(trial.claim(trial.worker()), gives: ["c", "d", "e", "f"])
        },
        RunPromise(7, "gives runs whose time has come before those that can begin at once") { trial in
            try await trial.ready("now") { $0.priority = 9 }
            for (suffix, time) in [("late", 20), ("early", 10), ("future", 31)] {
                try await trial.create(
                    trial.request(suffix), trial.progress(.running, wake: .at(RunTrial.start + Int64(time))))
            }
            let claimed = try await trial.expectClaim(
                trial.claim(trial.worker(), now: RunTrial.start + 30), gives: ["early", "late", "now"])
            try trial.expect(
                claimed.nextWake == RunTrial.start + 31, "the next to be due in 31 ms",
                found: "\(String(describing: claimed.nextWake))")
        },
        RunPromise(7, "gives a run at its very millisecond, and not before") { trial in
            try await trial.create(trial.request("a"), trial.progress(wake: .at(RunTrial.start + 10)))
            try await trial.create(trial.request("b"), trial.progress(.running, wake: .at(RunTrial.start + 11)))
            let early = try await trial.expectClaim(trial.claim(trial.worker(), now: RunTrial.start + 9), gives: [])
            try trial.expect(
                early.nextWake == RunTrial.start + 10, "due in 10 ms", found: "\(String(describing: early.nextWake))")
            let first = try await trial.expectClaim(trial.claim(trial.worker(), now: RunTrial.start + 10), gives: ["a"])
            try trial.expect(
                first.nextWake == RunTrial.start + 11, "due in 11 ms", found: "\(String(describing: first.nextWake))")
            let last = try await trial.expectClaim(trial.claim(trial.worker(), now: RunTrial.start + 11), gives: ["b"])
            try trial.expect(last.nextWake == nil, "nothing more to come", found: "something")
        },
        RunPromise(7, "says when the next run of the wanted workflows is due, and of no others") { trial in
            for (suffix, workflow, time) in [("a", "1", 50), ("b", "2", 40), ("c", "3", 30)] {
                try await trial.create(
                    trial.request(suffix, workflow: trial.workflow(workflow)),
                    trial.progress(.running, wake: .at(RunTrial.start + Int64(time))))
            }
            let claimed = try await trial.expectClaim(
                trial.claim(trial.worker(), workflows: [trial.workflow("1"), trial.workflow("2")]), gives: [])
            try trial.expect(
                claimed.nextWake == RunTrial.start + 40, "40 ms", found: "\(String(describing: claimed.nextWake))")
        },
        RunPromise(7, "forgets a time that a run no longer waits for") { trial in
            var record = try await trial.create(
                trial.request("a"), trial.progress(.running, wake: .at(RunTrial.start + 5)))
            for wake in [RunWake.at(RunTrial.start + 50), .never] {
                let commit = trial.change(record) { $0.wake = wake }
                _ = try await trial.store.commit(commit)
                record.progress = commit.progress
                let claimed = try await trial.expectClaim(
                    trial.claim(trial.worker(), now: RunTrial.start + 10), gives: [])
                let expected: Int64? = wake == .never ? nil : RunTrial.start + 50
                try trial.expect(
                    claimed.nextWake == expected, "\(String(describing: expected))",
                    found: "\(String(describing: claimed.nextWake))")
            }
        },
        RunPromise(7, "gives nothing that waits for something else, is owned, held back or ended") { trial in
            try await trial.create(trial.request("never"), trial.progress(wake: .never))
            try await trial.driven("owned", by: trial.worker("other"))
            for status in RunStatus.allCases where status != .pending && status != .running {
                try await trial.create(trial.request(status.rawValue), trial.progress(status))
            }
            let claimed = try await trial.expectClaim(trial.claim(trial.worker()), gives: [])
            try trial.expect(claimed.nextWake == nil, "nothing to come", found: "something")
        },
        RunPromise(7, "gives runs of the wanted workflows only, by their bytes") { trial in
            for (suffix, workflow) in [("a", "caf\u{e9}"), ("b", "cafe\u{301}"), ("c", "Caf\u{e9}"), ("d", "")] {
                try await trial.create(
                    trial.request(suffix, workflow: trial.workflow(workflow)), trial.progress())
            }
            try await trial.expectClaim(trial.claim(trial.worker(), workflows: []), gives: [])
            try await trial.expectClaim(
                trial.claim(trial.worker(), workflows: [trial.workflow("cafe\u{301}"), trial.workflow("none")]),
                gives: ["b"])
            try await trial.expectClaim(
                trial.claim(trial.worker(), workflows: [trial.workflow("Caf\u{e9}"), trial.workflow("")]),
                gives: ["c", "d"])
        },
        RunPromise(7, "gives no more than was asked for, and refuses claims for nothing") { trial in
            for number in 0..<5 { try await trial.ready("\(number)") }
            try await trial.expectClaim(trial.claim(trial.worker(), limit: 1), gives: ["0"])
            try await trial.expectClaim(trial.claim(trial.worker(), limit: 3), gives: ["1", "2", "3"])
            _ = try await trial.expectFailure(.invalidRequest, of: "a claim for none") { () async throws(StoreError) in
                try await trial.store.claim(trial.claim(trial.worker(), limit: 0))
            }
        },
        RunPromise(7, "gives a run again that its worker has given up") { trial in
            let worker = trial.worker()
            let record = try await trial.driven("a", by: worker)
            let commit = trial.change(record) { ($0.owner, $0.wake) = (nil, .now) }
            _ = try await trial.store.commit(commit)
            let claimed = try await trial.expectClaim(trial.claim(trial.worker("2")), gives: ["a"])
            try trial.expect(
                claimed.runs.first?.run.progress.revision == 3, "revision 3",
                found: "\(String(describing: claimed.runs.first?.run.progress.revision))")
        },
        RunPromise(7, "gives each run to one of many workers") { trial in
            try await claimTogether(trial, [trial.store])
        },
        RunPromise(7, "gives each run to one of the workers of two processes", needs: .secondStore) { trial in
            try await claimTogether(trial, [trial.store, try await trial.secondStore()])
        },
        RunPromise(7, "gives no run to somebody while another changes it") { trial in
            for round in 0..<5 * trial.settings.rounds {
                let record = try await trial.ready("\(round)")
                let results = try await trial.concurrently(2) { number -> Bool in
                    if number == 0 {
                        let claimed = try await trial.store.claim(trial.claim(trial.worker()))
                        return claimed.runs.contains { IDKey($0.run.id) == IDKey(record.id) }
                    }
                    do throws(StoreError) {
                        _ = try await trial.store.commit(
                            trial.change(record) { ($0.status, $0.wake) = (.cancelled, .never) })
                        return true
                    } catch {
                        return false
                    }
                }
                try trial.expect(results.count { $0 } == 1, "one of the two", found: "\(results)")
            }
        },
    ]

    private static func claimTogether(_ trial: RunTrial, _ stores: [any RunStore]) async throws {
        let count = 20 * trial.settings.rounds
        for number in 0..<count { try await trial.ready("\(number)") }
        let taken = try await trial.concurrently(trial.settings.writers) { number -> [String] in
            var taken: [String] = []
            var empty = 0
            while empty < 2 {
                let claim = trial.claim(trial.worker("\(number)"), limit: 3)
                let runs = try await stores[number % stores.count].claim(claim).runs
                empty = runs.isEmpty ? empty + 1 : 0
                taken += runs.map(\.run.id)
                for run in runs {
                    try trial.expect(
                        run.run.progress.owner == claim.worker && run.run.progress.fence == 1, "owned and fenced",
                        found: "\(run.run.progress.owner ?? "nobody")")
                }
            }
            return taken
        }.flatMap { $0 }
        try trial.expect(
            taken.count == count && Set(taken.map { IDKey($0) }).count == count, "each of \(count) runs once",
            found: "\(taken.count) claims of \(Set(taken.map { IDKey($0) }).count) runs")
    }

    /// Promise 7: limits hold, in all processes together.
    static let limits: [RunPromise] = [
        RunPromise(7, "begins no more runs of a workflow than it may have") { trial in
            for number in 0..<5 { try await trial.ready("\(number)") { $0.workflowLimit = 2 } }
            let first = try await trial.expectClaim(trial.claim(trial.worker()), gives: ["0", "1"])
            try await trial.expectClaim(trial.claim(trial.worker()), gives: [])
            guard let run = first.runs.first?.run else { return }
            _ = try await trial.store.commit(trial.change(run) { ($0.status, $0.owner) = (.completed, nil) })
            try await trial.expectClaim(trial.claim(trial.worker()), gives: ["2"])
        },
        RunPromise(7, "counts runs that sleep, and takes them up again beyond the limit") { trial in
            let first = try await trial.create(
                trial.request("asleep"), trial.progress(.running, wake: .at(RunTrial.start + 9)))
            _ = first
            try await trial.ready("waits") { $0.workflowLimit = 1 }
            try await trial.expectClaim(trial.claim(trial.worker()), gives: [])
            try await trial.expectClaim(trial.claim(trial.worker(), now: RunTrial.start + 9), gives: ["asleep"])
        },
        RunPromise(7, "begins no more runs of a resource than it may have") { trial in
            for (suffix, resource) in [("a1", "a"), ("a2", "a"), ("b1", "b"), ("a3", "a"), ("b2", "b")] {
                try await trial.ready(suffix) { ($0.resourceID, $0.resourceLimit) = (resource, 1) }
            }
            let first = try await trial.expectClaim(trial.claim(trial.worker()), gives: ["a1", "b1"])
            try await trial.expectClaim(trial.claim(trial.worker()), gives: [])
            guard let run = first.runs.first?.run else { return }
            _ = try await trial.store.commit(trial.change(run) { ($0.status, $0.owner) = (.failed, nil) })
            try await trial.expectClaim(trial.claim(trial.worker()), gives: ["a2"])
        },
        RunPromise(7, "counts a resource in each workflow by itself") { trial in
            for (suffix, workflow) in [("1", "x"), ("2", "y"), ("3", "x")] {
                try await trial.ready(suffix) {
                    ($0.workflow, $0.resourceID, $0.resourceLimit) = (trial.workflow(workflow), "r", 1)
                }
            }
            try await trial.expectClaim(
                trial.claim(trial.worker(), workflows: [trial.workflow("x"), trial.workflow("y")]), gives: ["1", "2"])
        },
        RunPromise(7, "goes by the limit that each run brings") { trial in
            try await trial.driven("0", by: trial.worker())
            try await trial.ready("1") { ($0.priority, $0.workflowLimit) = (3, 1) }
            try await trial.ready("2") { ($0.priority, $0.workflowLimit) = (2, 3) }
            try await trial.ready("3") { ($0.priority, $0.workflowLimit) = (1, 2) }
            try await trial.ready("4")
            try await trial.expectClaim(trial.claim(trial.worker()), gives: ["2", "4"])
        },
        RunPromise(7, "passes over runs at their limit to those that may begin") { trial in
            for number in 0..<40 {
                try await trial.ready("\(number)") {
                    ($0.priority, $0.resourceID, $0.resourceLimit) = (9, "full", 1)
                }
            }
            try await trial.ready("free") { ($0.resourceID, $0.resourceLimit) = ("free", 1) }
            try await trial.expectClaim(trial.claim(trial.worker(), limit: 2), gives: ["0", "free"])
        },
        RunPromise(7, "keeps runs of both limits to both") { trial in
            for number in 0..<6 {
                try await trial.ready("\(number)") {
                    ($0.workflowLimit, $0.resourceID, $0.resourceLimit) = (3, "\(number / 3)", 2)
                }
            }
            let first = try await trial.expectClaim(trial.claim(trial.worker()), gives: ["0", "1", "3"])
            guard let run = first.runs.first?.run else { return }
            _ = try await trial.store.commit(trial.change(run) { ($0.status, $0.owner) = (.cancelled, nil) })
            try await trial.expectClaim(trial.claim(trial.worker()), gives: ["2"])
        },
        RunPromise(7, "lets the next begin when one of the limit is deleted") { trial in
            let first = try await trial.driven("0", by: trial.worker())
            try await trial.ready("1") { ($0.workflowLimit, $0.resourceID, $0.resourceLimit) = (1, "r", 1) }
            try await trial.expectClaim(trial.claim(trial.worker()), gives: [])
            try await trial.store.delete(first.id, expectedRevision: 1, expectedFence: 0)
            try await trial.expectClaim(trial.claim(trial.worker()), gives: ["1"])
        },
        RunPromise(7, "passes a place on when the run that was next in turn is cancelled") { trial in
            let first = try await trial.ready("0") { ($0.resourceID, $0.resourceLimit) = ("r", 1) }
            let second = try await trial.ready("1") { ($0.resourceID, $0.resourceLimit) = ("r", 1) }
            try await trial.ready("2") { ($0.resourceID, $0.resourceLimit) = ("r", 1) }
            let claimed = try await trial.expectClaim(trial.claim(trial.worker()), gives: ["0"])
            _ = first
            try await trial.expectClaim(trial.claim(trial.worker()), gives: [])
            _ = try await trial.store.commit(
                trial.change(second) { ($0.status, $0.wake) = (.cancelled, .never) })
            guard let run = claimed.runs.first?.run else { return }
            _ = try await trial.store.commit(trial.change(run) { ($0.status, $0.owner) = (.completed, nil) })
            try await trial.expectClaim(trial.claim(trial.worker()), gives: ["2"])
        },
        RunPromise(7, "holds delayed runs to their limits too") { trial in
            for number in 0..<3 {
                var request = trial.request("\(number)")
                request.workflowLimit = 1
                try await trial.create(request, trial.progress(wake: .at(RunTrial.start + Int64(number))))
            }
            try await trial.expectClaim(trial.claim(trial.worker(), now: RunTrial.start + 9), gives: ["0"])
            try await trial.expectClaim(trial.claim(trial.worker(), now: RunTrial.start + 9), gives: [])
        },
        RunPromise(7, "refuses limits below 1") { trial in
            for limits in [(0, nil), (nil, 0), (-1, 5)] as [(Int?, Int?)] {
                var request = trial.request()
                (request.workflowLimit, request.resourceLimit) = limits
                _ = try await trial.expectFailure(.invalidRequest, of: "creating") { () async throws(StoreError) in
                    try await trial.store.create(RunCreation(request: request, progress: trial.progress()))
                }
            }
        },
        RunPromise(7, "keeps to limits among many workers") { trial in
            try await workWithinLimits(trial, [trial.store])
        },
        RunPromise(7, "keeps to limits among the workers of two processes", needs: .secondStore) { trial in
            try await workWithinLimits(trial, [trial.store, try await trial.secondStore()])
        },
    ]

    private static func workWithinLimits(_ trial: RunTrial, _ stores: [any RunStore]) async throws {
        let count = 10 * trial.settings.rounds
        for number in 0..<count {
            try await trial.ready("\(number)") {
                ($0.workflowLimit, $0.resourceID, $0.resourceLimit) = (3, "\(number % 3)", 2)
            }
        }
        var running = RunFilter()
        (running.workflow, running.statuses) = (trial.workflow(), [.running])
        let filter = running
        let done = try await trial.concurrently(trial.settings.writers) { number -> Int in
            let store = stores[number % stores.count]
            var (done, idle) = (0, 0)
            while idle < 200 {
                let runs = try await store.claim(trial.claim(trial.worker("\(number)"), limit: 2)).runs
                if runs.isEmpty {
                    idle += 1
                    if try await store.countRuns(where: filter, now: RunTrial.start) == 0 { idle += 50 }
                    await Task.yield()
                }
                let busy = try await store.countRuns(where: filter, now: RunTrial.start)
                try trial.expect(busy <= 3, "at most 3 at once", found: "\(busy)")
                for run in runs {
                    _ = try await store.commit(
                        trial.change(run.run) { ($0.status, $0.owner, $0.wake) = (.completed, nil, .never) })
                    done += 1
                }
            }
            return done
        }.reduce(0, +)
        try trial.expect(done == count, "all \(count) runs to have their turn", found: "\(done)")
    }
}
