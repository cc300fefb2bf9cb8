extension RunPromise {
    /// Promise 10: pages and counts.
    static let listing: [RunPromise] = [filters, pages].flatMap { $0 }

    private static let pages: [RunPromise] = [
        RunPromise(10, "lists the newest first, runs of one time by the bytes of their IDs") { trial in
            for (suffix, age) in [
                ("b", 0), ("a", 0), ("old", -5), ("new", 5), ("B", 0), ("\u{e9}", 0), ("e\u{301}", 0),
            ] {
                try await trial.create(trial.request(suffix, createdAt: RunTrial.start + Int64(age)), trial.progress())
            }
            for limit in [1, 2, 3, 100] {
                let found = try await pages(trial, mine(trial), limit: limit)
                let expected = ["new", "B", "a", "b", "e\u{301}", "\u{e9}", "old"]
                try trial.expect(
                    found.map { IDKey($0) } == expected.map { IDKey($0) }, "\(expected)", found: "\(found)")
            }
        },
        RunPromise(10, "goes on from a cursor that was kept as text") { trial in
            for number in 0..<4 { try await trial.ready("\(number)") }
            let first = try await trial.store.runs(where: mine(trial), after: nil, limit: 2, now: RunTrial.start)
            let cursor = first.next.map { RunPage.Cursor($0.text) }
            let second = try await trial.store.runs(where: mine(trial), after: cursor, limit: 2, now: RunTrial.start)
            let found = second.runs.map { String($0.id.suffix(1)) }
            try trial.expect(found == ["2", "3"] && cursor != nil, "2 and 3", found: "\(found)")
        },
        RunPromise(10, "says where a listing ends") { trial in
            let none = try await trial.store.runs(where: mine(trial), after: nil, limit: 5, now: RunTrial.start)
            try trial.expect(none.runs.isEmpty && none.next == nil, "an empty last page", found: "another")
            for number in 0..<3 { try await trial.ready("\(number)") }
            let all = try await pages(trial, mine(trial), limit: 3)
            try trial.expect(all.count == 3, "3 runs", found: "\(all.count)")
        },
        RunPromise(10, "lists runs as they are, without what they own") { trial in
            var request = trial.request("a")
            (request.tags, request.context) = (["k": "v"], trial.value("context"))
            let record = try await trial.create(request, trial.progress(), steps: [trial.step("s")])
            let found = try await trial.store.runs(where: mine(trial), after: nil, limit: 5, now: RunTrial.start).runs
            let differences = found.first?.differences(from: record) ?? ["nothing found"]
            try trial.expect(differences.isEmpty && found.count == 1, "the run", found: "\(differences)")
        },
        RunPromise(10, "refuses pages of no size, and cursors of others") { trial in
            for limit in [0, -1, 1_001] {
                _ = try await trial.expectFailure(.invalidRequest, of: "a page of \(limit)") {
                    () async throws(StoreError) in
                    try await trial.store.runs(where: mine(trial), after: nil, limit: limit, now: RunTrial.start)
                }
            }
            for text in ["", "nonsense", "x/y"] {
                _ = try await trial.expectFailure(.invalidRequest, of: "the cursor \(text.debugDescription)") {
                    () async throws(StoreError) in
                    try await trial.store.runs(
                        where: mine(trial), after: RunPage.Cursor(text), limit: 5, now: RunTrial.start)
                }
            }
        },
        RunPromise(10, "lists every run exactly once that is there all the while") { trial in
            let count = 20 * trial.settings.rounds
            for number in 0..<count {
                try await trial.create(
                    trial.request("stays\(number)", createdAt: RunTrial.start + Int64(number % 7)), trial.progress())
            }
            _ = try await trial.concurrently(3) { number in
                guard number < 2 else {
                    for round in 0..<count {
                        let record = try await trial.create(
                            trial.request("goes\(round % 5)", createdAt: RunTrial.start + Int64(round % 9)),
                            trial.progress())
                        let commit = trial.change(record) { $0.status = .running }
                        _ = try await trial.store.commit(commit)
                        try await trial.store.delete(record.id, expectedRevision: 2, expectedFence: 0)
                    }
                    return
                }
                for round in 0..<trial.settings.rounds {
                    let found = try await pages(trial, mine(trial), limit: 3 + round * 4)
                    let stays = found.filter { $0.hasPrefix("stays") }
                    try trial.expect(
                        stays.count == count && Set(stays).count == count, "each of \(count) once",
                        found: "\(stays.count), \(Set(stays).count) different")
                }
            }
        },
        RunPromise(10, "lists every run exactly once while statuses change, by workflow") { trial in
            let count = 10 * trial.settings.rounds
            for number in 0..<count { try await trial.driven("\(number)", by: trial.worker()) }
            _ = try await trial.concurrently(2) { task in
                if task == 0 {
                    for number in 0..<count {
                        let record = try await trial.run(trial.id("\(number)"))
                        _ = try await trial.store.commit(
                            trial.change(record) { ($0.status, $0.owner) = (.completed, nil) })
                    }
                    return
                }
                for _ in 0..<3 {
                    let found = try await pages(trial, mine(trial), limit: 4)
                    try trial.expect(
                        found.count == count && Set(found).count == count, "each of \(count) once",
                        found: "\(found.count), \(Set(found).count) different")
                }
            }
        },
        RunPromise(10, "neither lists nor counts runs whose time is over") { trial in
            for (suffix, time) in [("over", 0), ("just over", 10), ("not yet", 11)] {
                var progress = trial.progress(.completed)
                progress.expiresAt = RunTrial.start + Int64(time)
                try await trial.create(trial.request(suffix), progress)
            }
            try await trial.ready("alive")
            let found = try await pages(trial, mine(trial), limit: 2, now: RunTrial.start + 10)
            try trial.expect(found == ["alive", "not yet"], "alive and not yet", found: "\(found)")
            let count = try await trial.store.countRuns(where: mine(trial), now: RunTrial.start + 10)
            try trial.expect(count == 2, "2", found: "\(count)")
            let over = try await trial.store.run(trial.id("over"))
            try trial.expect(over != nil, "to be found by ID until it is purged", found: "nothing")
        },
        RunPromise(10, "lists and counts across workflows and statuses") { trial in
            var filter = RunFilter()
            filter.resourceID = nil
            filter.tag = RunFilter.Tag(trial.prefix, "x")
            for number in 0..<9 {
                var request = trial.request("\(number)", workflow: trial.workflow("\(number % 3)"))
                request.tags = [trial.prefix: "x", "n": "\(number)"]
                try await trial.create(request, trial.progress(number % 2 == 0 ? .pending : .failed))
            }
            let found = try await pages(trial, filter, limit: 2)
            try trial.expect(found == (0..<9).map { "\($0)" }, "all nine", found: "\(found)")
            // Without any filter there may be others' runs as well.
            var everything: Set<String> = []
            var cursor: RunPage.Cursor?
            repeat {
                let page = try await trial.store.runs(
                    where: RunFilter(), after: cursor, limit: 1_000, now: RunTrial.start)
                everything.formUnion(page.runs.map(\.id))
                cursor = page.next
            } while cursor != nil
            try trial.expect(
                (0..<9).allSatisfy { everything.contains(trial.id("\($0)")) }, "all nine among all", found: "fewer")
            let count = try await trial.store.countRuns(where: RunFilter(), now: RunTrial.start)
            try trial.expect(count >= 9, "at least 9", found: "\(count)")
        },
    ]

    private static let filters: [RunPromise] = [
        filter("workflow", ["0", "3", "6"]) { trial, filter in filter.workflow = trial.workflow("0") },
        filter("one status", ["1", "5"]) { trial, filter in
            filter.workflow = nil
            filter.statuses = [.failed]
        },
        filter("several statuses", ["0", "1", "4", "5"]) { _, filter in filter.statuses = [.failed, .pending] },
        filter("all statuses", (0..<8).map { "\($0)" }) { _, filter in filter.statuses = Set(RunStatus.allCases) },
        filter("workflow and status", ["0"]) { trial, filter in
            filter.workflow = trial.workflow("0")
            filter.statuses = [.pending]
        },
        filter("resource", ["0", "2", "4", "6"]) { trial, filter in filter.resourceID = trial.prefix + "r0" },
        filter("resource and status", ["0", "4"]) { trial, filter in
            filter.resourceID = trial.prefix + "r0"
            filter.statuses = [.pending]
        },
        filter("resource and workflow", ["0", "6"]) { trial, filter in
            filter.resourceID = trial.prefix + "r0"
            filter.workflow = trial.workflow("0")
        },
        filter("another tag's value", ["1", "5"]) { _, filter in filter.tag = RunFilter.Tag("mod", "1") },
        filter("tag and status", ["5"]) { _, filter in
            filter.tag = RunFilter.Tag("mod", "1")
            filter.statuses = [.failed]
            filter.createdFrom = RunTrial.start + 5
        },
        filter("parent", ["2", "3"]) { trial, filter in filter.parent = trial.id("parent") },
        filter("parent and workflow", ["3"]) { trial, filter in
            filter.parent = trial.id("parent")
            filter.workflow = trial.workflow("0")
        },
        filter("the time from which on they were created", ["5", "6", "7"]) { _, filter in
            filter.createdFrom = RunTrial.start + 5
        },
        filter("the time before which they were created", ["0", "1"]) { _, filter in
            filter.createdBefore = RunTrial.start + 2
        },
        filter("a span of time", ["2", "3"]) { _, filter in
            filter.createdFrom = RunTrial.start + 2
            filter.createdBefore = RunTrial.start + 4
        },
        filter("everything at once", ["2"]) { trial, filter in
            filter.workflow = trial.workflow("2")
            filter.statuses = [.completed, .running]
            filter.resourceID = trial.prefix + "r0"

            filter.tag = RunFilter.Tag("mod", "2")
            filter.parent = trial.id("parent")

            filter.createdFrom = RunTrial.start + 2
            filter.createdBefore = RunTrial.start + 3
        },
        filter("something that no run has", []) { trial, filter in filter.workflow = trial.workflow("none") },
    ]

    private static func filter(
        _ what: String, _ expected: [String], _ set: @escaping @Sendable (RunTrial, inout RunFilter) -> Void
    ) -> RunPromise {
        RunPromise(10, "finds and counts runs by \(what)") { trial in
            for number in 0..<8 {
                var request = trial.request(
                    "\(number)", workflow: trial.workflow("\(number % 3)"), createdAt: RunTrial.start + Int64(number))
                request.resourceID = trial.prefix + "r\(number % 2)"
                request.tags = ["mod": "\(number % 4)", "all": trial.prefix]
                if number == 2 || number == 3 { request.parent = RunParent(runID: trial.id("parent"), step: "s") }
                let status = [RunStatus.pending, .failed, .completed, .parked][number % 4]
                try await trial.create(request, trial.progress(status))
            }
            var filter = RunFilter()
            set(trial, &filter)
            let wanted = filter
            // Others' runs may be there too; those that only this trial can have are looked at.
            func isMine(_ id: String) -> Bool { id.utf8.starts(with: trial.prefix.utf8) }
            for limit in [1, 2, 100] {
                var found: [String] = []
                var cursor: RunPage.Cursor?
                repeat {
                    let page = try await trial.store.runs(
                        where: wanted, after: cursor, limit: limit, now: RunTrial.start)
                    found += page.runs.map(\.id).filter(isMine).map { String($0.dropFirst(trial.prefix.count)) }
                    cursor = page.next
                } while cursor != nil
                try trial.expect(
                    found == expected.reversed(), "\(Array(expected.reversed()))",
                    found: "\(found) in pages of \(limit)")
            }
            let count = try await trial.store.countRuns(where: wanted, now: RunTrial.start)
            let isShared = wanted.workflow == nil && wanted.resourceID == nil && wanted.parent == nil
            try trial.expect(
                isShared ? count >= expected.count : count == expected.count, "\(expected.count)", found: "\(count)")
        }
    }

    private static func mine(_ trial: RunTrial) -> RunFilter {
        var filter = RunFilter()
        filter.workflow = trial.workflow()
        return filter
    }

    /// What the IDs of a whole listing end in.
    private static func pages(
        _ trial: RunTrial, _ filter: RunFilter, limit: Int, now: Int64 = RunTrial.start
    ) async throws -> [String] {
        var found: [String] = []
        var cursor: RunPage.Cursor?
        repeat {
            let page = try await trial.store.runs(where: filter, after: cursor, limit: limit, now: now)
            try trial.expect(page.runs.count <= limit, "at most \(limit)", found: "\(page.runs.count)")
            found += page.runs.map { run in
                String(decoding: Array(run.id.utf8.dropFirst(trial.prefix.utf8.count)), as: UTF8.self)
            }
            try trial.expect(found.count < 100_000, "an end", found: "none")
            cursor = page.next
        } while cursor != nil
        return found
    }
}
