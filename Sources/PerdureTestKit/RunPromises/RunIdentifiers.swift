extension RunPromise {
    /// Promise 13: every valid ID works and is told from every other; the rest is refused.
    static let identifiers: [RunPromise] = [unusual, alike, refused, others].flatMap { $0 }

    private static let unusual: [RunPromise] = PromiseIDs.unusual.map { (what: String, suffix: String) in
        RunPromise(13, "takes an ID with \(what)") { trial in try await roundTrip(trial, trial.id(suffix)) }
    }

    private static let alike: [RunPromise] = PromiseIDs.alike.map { (what: String, suffixes: [String]) in
        RunPromise(13, "tells IDs apart that differ in \(what)") { trial in
            for (number, suffix) in suffixes.enumerated() {
                var request = trial.request(suffix)
                request.priority = number
                try await trial.create(request, trial.progress())
            }
            for (number, suffix) in suffixes.enumerated() {
                let found = try await trial.run(trial.id(suffix)).request.priority
                try trial.expect(found == number, "\(number)", found: "\(found)")
            }
        }
    }

    private static let refused: [RunPromise] = PromiseIDs.refused.map { id in
        RunPromise(13, "refuses \(id.what), with the rule in the error") { trial in
            try await expectRefusal(trial, id.makeID(trial.prefix), id.rule)
        }
    }

    private static let others: [RunPromise] = [
        RunPromise(13, "takes an ID of 255 bytes in fewer characters") { trial in
            let room = 255 - trial.prefix.utf8.count
            let suffix = String(repeating: "🦆", count: room / 4) + String(repeating: "x", count: room % 4)
            try await roundTrip(trial, trial.id(suffix))
        },
        RunPromise(13, "takes the same IDs for messages, and refuses the same") { trial in
            let record = try await trial.driven(by: trial.worker())
            let keys =
                PromiseIDs.unusual.map { IDKey($0.suffix) } + PromiseIDs.alike.flatMap { $0.suffixes.map { IDKey($0) } }
            let ids = Set(keys).sorted().map(\.id)
            for id in ids {
                let verdict = try await trial.store.post(trial.signal(id), to: record.id)
                try trial.expect(verdict == .posted, "posted", found: "\(verdict) for \(id.debugDescription)")
            }
            let found = try await trial.snapshot(record.id).messages.map { IDKey($0.id) }
            try trial.expect(found == ids.map { IDKey($0) }, "all of them", found: "\(found.count)")
            for id in ["", String(repeating: "x", count: 256), "a\0b"] {
                _ = try await trial.expectFailure(.invalidRequest, of: "posting") { () async throws(StoreError) in
                    try await trial.store.post(trial.signal(id), to: record.id)
                }
            }
        },
        RunPromise(13, "refuses NUL in names, keys and tags") { trial in
            let changes: [@Sendable (inout RunRequest) -> Void] = [
                { $0.workflow = "a\0" }, { $0.version = "\0" }, { $0.resourceID = "\0a" }, { $0.tags = ["a\0": "b"] },
                { $0.tags = ["a": "\0b"] }, { $0.forkedFrom = "\0" },
            ]
            for change in changes {
                var request = trial.request()
                change(&request)
                let creation = RunCreation(request: request, progress: trial.progress())
                _ = try await trial.expectFailure(.invalidRequest, of: "creating") { () async throws(StoreError) in
                    try await trial.store.create(creation)
                }
            }
            let record = try await trial.ready()
            for place in 0..<3 {
                var commit = trial.change(record)
                switch place {
                case 0: commit.steps = [trial.step("a\0b")]
                case 1: commit.state = [StateRecord(key: "a\0b", step: "a", value: nil)]
                default: commit.state = [StateRecord(key: "a", step: "a\0b", value: nil)]
                }
                let refused = commit
                _ = try await trial.expectFailure(.invalidRequest, of: "the change") { () async throws(StoreError) in
                    try await trial.store.commit(refused)
                }
            }
        },
    ]

    private static func roundTrip(_ trial: RunTrial, _ id: String) async throws {
        let request = RunRequest(
            id: id, workflow: trial.workflow(), version: "1", input: trial.value("i"), createdAt: RunTrial.start)
        let record = try await trial.create(request, trial.progress())
        try await trial.expect(id, is: RunSnapshot(run: record, steps: [], state: [], messages: []))
        let claimed = try await trial.store.claim(trial.claim(trial.worker())).runs.first?.run
        guard let claimed else { throw trial.broken(expected: "to be claimed", found: "it was not") }
        _ = try await trial.store.post(trial.signal("m"), to: id)
        _ = try await trial.store.commit(trial.change(claimed))
        var filter = RunFilter()
        filter.workflow = trial.workflow()
        let page = try await trial.store.runs(where: filter, after: nil, limit: 1, now: RunTrial.start)
        try trial.expect(
            page.runs.map { IDKey($0.id) } == [IDKey(id)], "to be listed", found: "\(page.runs.count) runs")
        try await trial.store.delete(id, expectedRevision: 3, expectedFence: 1)
        let found = try await trial.store.run(id)
        try trial.expect(found == nil, "to be deleted", found: "it is there")
    }

    private static func expectRefusal(_ trial: RunTrial, _ id: String, _ rule: String?) async throws {
        let request = RunRequest(
            id: id, workflow: trial.workflow(), version: "1", input: trial.value("i"), createdAt: RunTrial.start)
        let record = RunRecord(request: request, progress: trial.progress())
        let attempts: [@Sendable () async throws(StoreError) -> Void] = [
            { () async throws(StoreError) in
                _ = try await trial.store.create(RunCreation(request: request, progress: record.progress))
            },
            { () async throws(StoreError) in _ = try await trial.store.commit(trial.change(record)) },
            { () async throws(StoreError) in _ = try await trial.store.run(id) },
            { () async throws(StoreError) in _ = try await trial.store.snapshot(of: id) },
            { () async throws(StoreError) in _ = try await trial.store.post(trial.signal("m"), to: id) },
            { () async throws(StoreError) in
                try await trial.store.delete(id, expectedRevision: 1, expectedFence: 0)
            },
        ]
        for attempt in attempts {
            let error = try await trial.expectFailure(.invalidRequest, of: "the attempt", attempt)
            try trial.expect(error.outcome == .notApplied, "not applied", found: error)
            let says = rule.map { error.message.contains($0) } ?? !error.message.isEmpty
            try trial.expect(says, "the rule in the error", found: error.message)
        }
    }
}
