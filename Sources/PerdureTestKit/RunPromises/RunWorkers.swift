extension RunPromise {
    /// Promise 8: workers that are gone are out.
    static let workers: [RunPromise] = [
        RunPromise(8, "lists registered workers with all that they said") { trial in
            var worker = WorkerRecord(
                id: trial.worker("é"), name: trial.worker("name 'x'"), process: "p #1\n", beat: 7,
                leaseMilliseconds: 1 << 40, registeredAt: -1, renewedAt: 0)
            try await trial.store.register(worker)
            try await expectWorkers(trial, [worker])
            let isThere = try await trial.store.renew(worker.id, at: 99)
            (worker.beat, worker.renewedAt) = (8, 99)
            try trial.expect(isThere, "the worker to be there", found: "it is not")
            try await expectWorkers(trial, [worker])
        },
        RunPromise(8, "lists workers by ID, and none twice") { trial in
            let workers = ["c", "a", "b"].map { trial.record(of: trial.worker($0)) }
            for worker in workers + workers { try await trial.store.register(worker) }
            try await expectWorkers(trial, [workers[1], workers[2], workers[0]])
        },
        RunPromise(8, "lets a worker take the place of another of its name") { trial in
            let old = trial.record(of: trial.worker("1"), name: trial.worker("name"))
            let new = trial.record(of: trial.worker("2"), name: trial.worker("name"))
            let other = trial.record(of: trial.worker("3"), name: trial.worker("Name"))
            try await trial.store.register(old)
            try await trial.store.register(other)
            try await trial.store.register(new)
            try await expectWorkers(trial, [new, other])
            let isThere = try await trial.store.renew(old.id, at: 5)
            try trial.expect(!isThere, "the old one to be gone", found: "it was renewed")
        },
        RunPromise(8, "buries a worker that has not moved, and no other") { trial in
            let worker = trial.record(of: trial.worker())
            try await trial.store.register(worker)
            _ = try await trial.store.renew(worker.id, at: 1)
            let attempts: [(UInt64, Bool)] = [(1, false), (3, false), (2, true), (2, false)]
            for (beat, expected) in attempts {
                let isBuried = try await trial.store.bury(worker.id, beat: beat)
                try trial.expect(isBuried == expected, "\(expected) for beat \(beat)", found: "\(isBuried)")
            }
            let isThere = try await trial.store.renew(worker.id, at: 2)
            try trial.expect(!isThere, "a buried worker to stay buried", found: "it was renewed")
            try await expectWorkers(trial, [])
        },
        RunPromise(8, "lets one of many bury a worker") { trial in
            for round in 0..<3 * trial.settings.rounds {
                let worker = trial.record(of: trial.worker("\(round)"))
                try await trial.store.register(worker)
                let buried = try await trial.concurrently(trial.settings.writers) { _ in
                    try await trial.store.bury(worker.id, beat: 1)
                }
                try trial.expect(buried.count { $0 } == 1, "one", found: "\(buried.count { $0 })")
            }
        },
        RunPromise(8, "hands the runs of a buried worker on, with a higher fence and a count") { trial in
            let (gone, heir) = (trial.worker("1"), trial.worker("2"))
            try await trial.store.register(trial.record(of: gone))
            try await trial.store.register(trial.record(of: heir))
            let record = try await trial.driven("a", by: gone)
            _ = try await trial.store.post(trial.signal("m"), to: record.id)
            let none = try await trial.store.adopt(trial.claim(heir))
            try trial.expect(none.isEmpty, "nothing while it lives", found: "\(none.count) runs")
            _ = try await trial.store.bury(gone, beat: 1)
            let adopted = try await trial.store.adopt(trial.claim(heir, now: RunTrial.start + 3))
            try trial.expect(adopted.count == 1, "the run", found: "\(adopted.count) runs")
            guard let found = adopted.first else { return }
            try await trial.expect(record.id, is: found)
            let progress = found.run.progress
            try trial.expect(
                progress.owner == heir && progress.fence == 1 && progress.revision == 2 && progress.adoptions == 1
                    && progress.updatedAt == RunTrial.start + 3 && found.messages.count == 1,
                "owner, fence, revision, adoptions and mail", found: "\(progress)")
            let again = try await trial.store.adopt(trial.claim(heir))
            try trial.expect(again.isEmpty, "nothing more", found: "\(again.count) runs")
        },
        RunPromise(8, "lets a worker that is fenced off change nothing any more") { trial in
            let (gone, heir) = (trial.worker("1"), trial.worker("2"))
            try await trial.store.register(trial.record(of: heir))
            let record = try await trial.driven("a", by: gone)
            let adopted = try await trial.store.adopt(trial.claim(heir))
            try await trial.expectConflict(with: 2, trial.change(record))
            // Not even if it guesses the revision.
            var guess = trial.change(record) { $0.revision = 3 }
            guess.expectedRevision = 2
            guess.steps = [trial.step("ghost")]
            try await trial.expectConflict(with: 2, guess)
            await expectConflictOfDeletion(trial, record.id, 2, 0)
            guard let heirs = adopted.first else { throw trial.broken(expected: "an adoption", found: "none") }
            try await trial.expect(record.id, is: heirs)
            _ = try await trial.store.commit(trial.change(heirs.run))
        },
        RunPromise(8, "takes workers for gone that were never registered, and those whose name another took") { trial in
            let heir = trial.worker("heir")
            try await trial.store.register(trial.record(of: trial.worker("old"), name: heir))
            try await trial.driven("a", by: trial.worker("never"))
            try await trial.driven("b", by: trial.worker("old"))
            try await trial.store.register(trial.record(of: heir))
            let adopted = try await trial.store.adopt(trial.claim(heir))
            let ids = Set(adopted.map { IDKey($0.run.id) })
            try trial.expect(
                ids == [IDKey(trial.id("a")), IDKey(trial.id("b"))], "both runs", found: "\(ids.map(\.id))")
        },
        RunPromise(8, "adopts only running runs of the wanted workflows, as many as are wanted") { trial in
            let (gone, heir) = (trial.worker("1"), trial.worker("2"))
            for number in 0..<3 { try await trial.driven("\(number)", by: gone) }
            try await trial.driven("other", by: gone, workflow: trial.workflow("other"))
            try await trial.ready("free")
            var adopted: [RunSnapshot] = []
            for expected in [2, 1, 0] {
                let some = try await trial.store.adopt(trial.claim(heir, limit: 2))
                try trial.expect(some.count == expected, "\(expected) runs", found: "\(some.count)")
                adopted += some
            }
            let ids = Set(adopted.map { IDKey($0.run.id) })
            try trial.expect(
                ids == Set((0..<3).map { IDKey(trial.id("\($0)")) }), "the three runs", found: "\(ids.map(\.id))")
        },
        RunPromise(8, "gives each run of a dead worker to one of many") { trial in
            try await adoptTogether(trial, [trial.store])
        },
        RunPromise(8, "gives each run of a dead worker to one of two processes", needs: .secondStore) { trial in
            try await adoptTogether(trial, [trial.store, try await trial.secondStore()])
        },
        RunPromise(8, "gives up the runs of a worker that retires: ready, with a higher fence") { trial in
            let worker = trial.worker()
            try await trial.store.register(trial.record(of: worker))
            let record = try await trial.create(
                trial.request("a"), trial.progress(.running, wake: .never, owner: worker))
            let other = try await trial.driven("b", by: trial.worker("other"))
            try await trial.store.retire(worker, at: RunTrial.start + 8)
            try await expectWorkers(trial, [])
            let progress = try await trial.run(record.id).progress
            try trial.expect(
                progress.owner == nil && progress.wake == .now && progress.fence == 1 && progress.status == .running
                    && progress.adoptions == 0, "nobody's, ready, fence 1", found: "\(progress)")
            try await trial.expectConflict(with: progress.revision, trial.change(record))
            try await trial.expect(other.id, is: RunSnapshot(run: other, steps: [], state: [], messages: []))
            try await trial.expectClaim(trial.claim(trial.worker("2")), gives: ["a"])
        },
        RunPromise(8, "refuses an owner for runs that are not driven") { trial in
            for status in RunStatus.allCases where status != .running {
                let error = try await trial.expectFailure(.invalidRequest, of: "creating") {
                    () async throws(StoreError) in
                    try await trial.store.create(
                        RunCreation(
                            request: trial.request(), progress: trial.progress(status, owner: trial.worker())))
                }
                try trial.expect(error.outcome == .notApplied, "not applied", found: error)
            }
        },
    ]

    private static func adoptTogether(_ trial: RunTrial, _ stores: [any RunStore]) async throws {
        let count = 10 * trial.settings.rounds
        for number in 0..<count { try await trial.driven("\(number)", by: trial.worker("gone")) }
        let heirs = (0..<trial.settings.writers).map { trial.worker("\($0)") }
        for heir in heirs { try await trial.store.register(trial.record(of: heir)) }
        let adopted = try await trial.concurrently(heirs.count) { number in
            var ids: [String] = []
            for _ in 0..<count {
                let some = try await stores[number % stores.count].adopt(trial.claim(heirs[number], limit: 3))
                if some.isEmpty { break }
                ids += some.map(\.run.id)
            }
            return ids
        }.flatMap { $0 }
        try trial.expect(
            adopted.count == count && Set(adopted.map { IDKey($0) }).count == count, "each of \(count) runs once",
            found: "\(adopted.count) adoptions of \(Set(adopted.map { IDKey($0) }).count) runs")
    }

    private static func expectConflictOfDeletion(
        _ trial: RunTrial, _ id: String, _ revision: UInt64, _ fence: UInt64
    ) async {
        _ = await trial.answer { () async throws(StoreError) in
            try await trial.store.delete(id, expectedRevision: revision, expectedFence: fence)
        }
    }

    private static func expectWorkers(_ trial: RunTrial, _ expected: [WorkerRecord]) async throws {
        let found = try await trial.store.workers().filter { $0.id.utf8.starts(with: trial.prefix.utf8) }
        try trial.expect(found == expected, "\(expected)", found: "\(found)")
    }
}
