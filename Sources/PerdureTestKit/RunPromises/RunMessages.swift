extension RunPromise {
    /// Promise 9: messages are taken once, and wake.
    static let messages: [RunPromise] = [
        RunPromise(9, "counts messages and takes one of the same ID once") { trial in
            let record = try await trial.driven(by: trial.worker())
            let posts: [(String, PostVerdict)] = [
                ("b", .posted), ("a", .posted), ("b", .duplicate), ("e\u{301}", .posted), ("\u{e9}", .posted),
                ("a", .duplicate),
            ]
            for (id, expected) in posts {
                let verdict = try await trial.store.post(trial.signal(id, "of \(id)"), to: record.id)
                try trial.expect(verdict == expected, "\(expected)", found: "\(verdict)")
            }
            let found = try await trial.snapshot(record.id)
            try trial.expect(
                found.messages.map { IDKey($0.id) } == ["b", "a", "e\u{301}", "\u{e9}"].map { IDKey($0) }
                    && found.messages.map(\.number) == [1, 2, 3, 4] && found.run.inboxCount == 4,
                "4 messages in their order", found: "\(found.messages.map(\.id)) \(found.run.inboxCount)")
        },
        RunPromise(9, "stores a message of one ID once, however many post it at once") { trial in
            let record = try await trial.driven(by: trial.worker())
            for round in 0..<3 * trial.settings.rounds {
                let verdicts = try await trial.concurrently(trial.settings.writers) { _ in
                    try await trial.store.post(trial.signal("m\(round)"), to: record.id)
                }
                try trial.expect(
                    verdicts.count { $0 == .posted } == 1 && verdicts.count { $0 == .duplicate } == verdicts.count - 1,
                    "one", found: "\(verdicts)")
            }
        },
        RunPromise(9, "loses none of many messages, and numbers them without a gap") { trial in
            let record = try await trial.driven(by: trial.worker())
            let count = 10
            _ = try await trial.concurrently(trial.settings.writers) { number in
                for place in 0..<count {
                    _ = try await trial.store.post(trial.signal("\(number)-\(place)"), to: record.id)
                }
            }
            let numbers = try await trial.snapshot(record.id).messages.map(\.number)
            let all = trial.settings.writers * count
            try trial.expect(numbers == (1...UInt64(all)).map { $0 }, "1 to \(all)", found: "\(numbers.count) numbers")
        },
        RunPromise(9, "says that a run has ended, or is not there") { trial in
            for status in RunStatus.allCases {
                let record = try await trial.create(trial.request(status.rawValue), trial.progress(status))
                let verdict = try await trial.store.post(trial.signal("m"), to: record.id)
                try trial.expect(
                    verdict == (status.isEnded ? .ended(status) : .posted), "what is so", found: "\(verdict)")
                let count = try await trial.snapshot(record.id).messages.count
                try trial.expect(count == (status.isEnded ? 0 : 1), "a message unless ended", found: "\(count)")
            }
            let verdict = try await trial.store.post(trial.signal("m"), to: trial.id("none"))
            try trial.expect(verdict == .notFound, "notFound", found: "\(verdict)")
        },
        RunPromise(9, "takes a message again for the same one after its run has ended") { trial in
            let record = try await trial.driven(by: trial.worker())
            _ = try await trial.store.post(trial.signal("m"), to: record.id)
            _ = try await trial.store.commit(trial.change(record) { ($0.status, $0.owner) = (.completed, nil) })
            let verdict = try await trial.store.post(trial.signal("m"), to: record.id)
            try trial.expect(verdict == .duplicate, "duplicate", found: "\(verdict)")
        },
        RunPromise(9, "notes which step took a message") { trial in
            let record = try await trial.driven(by: trial.worker())
            for id in ["a", "b"] { _ = try await trial.store.post(trial.signal(id), to: record.id) }
            var commit = trial.change(record)
            commit.consumed = [("b", "wait"), ("never there", "wait")]
            _ = try await trial.store.commit(commit)
            let found = try await trial.snapshot(record.id).messages.map(\.consumedBy)
            try trial.expect(found == [nil, "wait"], "only b taken", found: "\(found)")
        },
        RunPromise(9, "wakes a run that nobody drives, whatever it waits for") { trial in
            for (number, status) in [RunStatus.pending, .running].enumerated() {
                for (other, wake) in [RunWake.never, .at(RunTrial.start + 1_000), .now].enumerated() {
                    let suffix = "\(number)\(other)"
                    let record = try await trial.create(trial.request(suffix), trial.progress(status, wake: wake))
                    _ = try await trial.store.post(trial.signal("m"), to: record.id)
                    let found = try await trial.run(record.id).progress
                    try trial.expect(
                        found.wake == .now && found.revision == 1, "awake, and not changed otherwise", found: "\(found)"
                    )
                    let claimed = try await trial.expectClaim(trial.claim(trial.worker()), gives: [suffix])
                    try trial.expect(
                        claimed.runs.first?.messages.count == 1 && claimed.runs.first?.run.inboxCount == 1,
                        "the message with it", found: "none")
                }
            }
        },
        RunPromise(9, "does not wake runs that are held back") { trial in
            for status in [RunStatus.paused, .parked] {
                let record = try await trial.create(
                    trial.request(status.rawValue), trial.progress(status, wake: .never))
                _ = try await trial.store.post(trial.signal("m"), to: record.id)
                try await trial.expectClaim(trial.claim(trial.worker()), gives: [])
                // But once it is resumed, whoever resumed it not knowing of the message.
                _ = try await trial.store.commit(trial.change(record) { $0.status = .running })
                try await trial.expectClaim(trial.claim(trial.worker()), gives: [status.rawValue])
            }
        },
        RunPromise(9, "wakes a run that its worker lays to sleep without having seen a message") { trial in
            for (number, wake) in [RunWake.never, .at(RunTrial.start + 1_000)].enumerated() {
                let record = try await trial.driven("\(number)", by: trial.worker())
                _ = try await trial.store.post(trial.signal("m"), to: record.id)
                let receipt = try await trial.store.commit(
                    trial.change(record) { ($0.owner, $0.wake) = (nil, wake) })
                try trial.expect(receipt.inboxCount == 1, "1 in the receipt", found: "\(receipt.inboxCount)")
                try await trial.expectClaim(trial.claim(trial.worker("2")), gives: ["\(number)"])
            }
        },
        RunPromise(9, "lets a run sleep that has seen its messages") { trial in
            let record = try await trial.driven("a", by: trial.worker())
            _ = try await trial.store.post(trial.signal("m"), to: record.id)
            _ = try await trial.store.commit(
                trial.change(record) { ($0.owner, $0.wake, $0.inboxSeen) = (nil, .never, 1) })
            try await trial.expectClaim(trial.claim(trial.worker("2")), gives: [])
            _ = try await trial.store.post(trial.signal("n"), to: record.id)
            try await trial.expectClaim(trial.claim(trial.worker("2")), gives: ["a"])
        },
        RunPromise(9, "lets no run sleep through a message that comes while it lies down") { trial in
            try await postWhileLyingDown(trial, [trial.store])
        },
        RunPromise(9, "lets no run sleep through a message from another process", needs: .secondStore) { trial in
            try await postWhileLyingDown(trial, [trial.store, try await trial.secondStore()])
        },
        RunPromise(9, "wakes runs by what other runs' changes post") { trial in
            let child = try await trial.driven("child", by: trial.worker())
            let parent = try await trial.create(trial.request("parent"), trial.progress(.running, wake: .never))
            var commit = trial.change(child) { ($0.status, $0.owner) = (.completed, nil) }
            commit.posts = [
                (
                    parent.id,
                    RunMessage(id: "end", kind: .childEnded(runID: child.id, .completed, nil), postedAt: RunTrial.start)
                )
            ]
            _ = try await trial.store.commit(commit)
            let claimed = try await trial.expectClaim(trial.claim(trial.worker("2")), gives: ["parent"])
            try trial.expect(claimed.runs.first?.messages.count == 1, "with the message", found: "none")
        },
        RunPromise(9, "tells a worker of the mail that it has not seen, and of no other") { trial in
            let worker = trial.worker()
            let record = try await trial.driven("a", by: worker)
            let quiet = try await trial.driven("b", by: worker)
            let foreign = try await trial.driven("c", by: trial.worker("other"))
            _ = quiet
            for id in ["m", "n"] { _ = try await trial.store.post(trial.signal(id), to: record.id) }
            _ = try await trial.store.post(trial.signal("m"), to: foreign.id)
            try await expectMail(trial, worker, [RunMail(runID: record.id, inboxCount: 2)])
            let seen = trial.change(record) { $0.inboxSeen = 1 }
            let receipt = try await trial.store.commit(seen)
            try trial.expect(receipt.inboxCount == 2, "2 in the receipt", found: "\(receipt.inboxCount)")
            try await expectMail(trial, worker, [RunMail(runID: record.id, inboxCount: 2)])
            _ = try await trial.store.commit(
                trial.change(RunRecord(request: record.request, progress: seen.progress)) { $0.inboxSeen = 2 })
            try await expectMail(trial, worker, [])
            try await expectMail(trial, trial.worker("nobody"), [])
        },
        RunPromise(9, "hands mail on with the run") { trial in
            let record = try await trial.driven("a", by: trial.worker("gone"))
            _ = try await trial.store.post(trial.signal("m"), to: record.id)
            let adopted = try await trial.store.adopt(trial.claim(trial.worker()))
            try trial.expect(adopted.first?.run.inboxCount == 1, "1 message", found: "none")
            try await expectMail(trial, trial.worker(), [RunMail(runID: record.id, inboxCount: 1)])
            try await expectMail(trial, trial.worker("gone"), [])
        },
    ]

    private static func expectMail(_ trial: RunTrial, _ worker: String, _ expected: [RunMail]) async throws {
        let found = try await trial.store.mail(for: worker)
        try trial.expect(found == expected, "\(expected)", found: "\(found)")
    }

    private static func postWhileLyingDown(_ trial: RunTrial, _ stores: [any RunStore]) async throws {
        for round in 0..<10 * trial.settings.rounds {
            let record = try await trial.driven("\(round)", by: trial.worker())
            _ = try await trial.concurrently(2) { number in
                var generator = trial.generator(stream: round * 2 + number)
                for _ in 0..<Int.random(in: 0...3, using: &generator) { await Task.yield() }
                let store = stores[number % stores.count]
                if number == 0 {
                    _ = try await store.post(trial.signal("m"), to: record.id)
                } else {
                    _ = try await store.commit(trial.change(record) { ($0.owner, $0.wake) = (nil, .never) })
                }
            }
            try await trial.expectClaim(trial.claim(trial.worker("2")), gives: ["\(round)"])
        }
    }
}
