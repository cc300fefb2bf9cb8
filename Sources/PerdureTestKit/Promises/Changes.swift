internal import PerdureConcurrency

extension StatePromise {
    /// Promise 13: the feed tells every ID that changed, with what it is now.
    static let changes: [StatePromise] = [
        StatePromise(
            13, "tells what was written since a cursor, in the order of the writes",
            .changes { trial, store in
                var feed = try await Feed.atItsEnd(trial, store)
                let states = [3, 1, 2, 0, 4].map { trial.state(trial.id("\($0)"), 1, "state \($0)") }
                for state in states { try await trial.write(state, if: .absent) }
                try expectChanges(trial, try await feed.next(), states.map { .written($0) })
            }),
        StatePromise(
            13, "tells an ID that changed twice once, at the place of its latest change",
            .changes { trial, store in
                var feed = try await Feed.atItsEnd(trial, store)
                let (a, b) = (trial.id("a"), trial.id("b"))
                try await trial.write(trial.state(a, 1), if: .absent)
                try await trial.write(trial.state(b, 1), if: .absent)
                try await trial.write(trial.state(a, 2), if: .version(1))
                try expectChanges(
                    trial, try await feed.next(), [.written(trial.state(b, 1)), .written(trial.state(a, 2))])
            }),
        StatePromise(
            13, "tells deletions with the tombstone's version",
            .changes { trial, store in
                let (a, b) = (trial.id("a"), trial.id("b"))
                try await trial.write(trial.state(a, 4), if: .absent)
                var feed = try await Feed.atItsEnd(trial, store)
                try await trial.write(trial.state(b, 1), if: .absent)
                try await trial.delete(a, if: .version(4))
                try expectChanges(
                    trial, try await feed.next(),
                    [.written(trial.state(b, 1)), .deleted(persistenceID: a, version: 5)])
                try await trial.write(trial.state(a, 6), if: .absent)
                try expectChanges(trial, try await feed.next(), [.written(trial.state(a, 6))])
            }),
        StatePromise(
            13, "tells nothing twice and skips nothing whatever the size of the pages",
            .changes { trial, store in
                for limit in [1, 2, 3, 7] {
                    var feed = try await Feed.atItsEnd(trial, store)
                    feed.limit = limit
                    let states = (0..<7).map { trial.state(trial.id("\(limit)-\($0)"), 1) }
                    for state in states { try await trial.write(state, if: .absent) }
                    try expectChanges(trial, try await feed.next(), states.map { .written($0) })
                    try expectChanges(trial, try await feed.next(), [])
                }
            }),
        StatePromise(
            13, "tells nothing of writes that were refused",
            .changes { trial, store in
                let id = trial.id()
                try await trial.write(trial.state(id, 5), if: .absent)
                var feed = try await Feed.atItsEnd(trial, store)
                try await trial.expectConflict(with: 5, of: "writing over version 3") { () async throws(StoreError) in
                    try await trial.store.write(trial.state(id, 6), if: .version(3))
                }
                try await trial.expectConflict(with: 5, of: "deleting version 3") { () async throws(StoreError) in
                    try await trial.store.delete(id, if: .version(3))
                }
                try expectChanges(trial, try await feed.next(), [])
            }),
        StatePromise(
            13, "follows on from a cursor that was kept as text",
            .changes { trial, store in
                var feed = try await Feed.atItsEnd(trial, store)
                let state = trial.state(trial.id(), 1)
                try await trial.write(state, if: .absent)
                let text = String(decoding: Array(feed.cursor?.text.utf8 ?? "".utf8), as: UTF8.self)
                feed.cursor = StateChangePage.Cursor(text)
                try expectChanges(trial, try await feed.next(), [.written(state)])
            }),
        StatePromise(
            13, "refuses pages of no change and of more than 10,000",
            .changes { trial, store in
                for limit in [0, -1, 10_001] {
                    _ = try await trial.expectFailure(.invalidRequest, of: "asking for a page of \(limit)") {
                        () async throws(StoreError) in
                        try await store.changes(after: nil, limit: limit)
                    }
                }
            }),
        StatePromise(
            13, "tells a follower the last state of everything that concurrent writers wrote",
            .changes { trial, store in
                let writers = trial.settings.writers
                let versions = UInt64(10 * trial.settings.rounds)
                let start = try await Feed.atItsEnd(trial, store)
                let over = LockedState(0)
                let seen = try await trial.concurrently(writers + 1) { number -> [IDKey: UInt64] in
                    if number < writers {
                        defer { over.withLock { $0 += 1 } }
                        let id = trial.id("\(number)")
                        for version in 1...versions {
                            try await trial.write(
                                trial.state(id, version), if: version == 1 ? .absent : .version(version - 1))
                        }
                        return [:]
                    }
                    var (feed, seen) = (start, [IDKey: UInt64]())
                    feed.limit = 5
                    for _ in 0..<100_000 {
                        // A store that never suspends would leave no thread to the writers.
                        await Task.yield()
                        let isLast = over.withLock { $0 } == writers
                        for change in try await feed.next() {
                            guard case .written(let state) = change else { continue }
                            let before = seen.updateValue(state.version, forKey: IDKey(state.persistenceID)) ?? 0
                            try trial.expect(
                                state.version > before, "a version after \(before)", found: "\(state.version)")
                        }
                        if isLast { return seen }
                    }
                    throw trial.broken(expected: "an end of the feed", found: "none after 100,000 pages")
                }
                for writer in 0..<writers {
                    let last = seen.last?[IDKey(trial.id("\(writer)"))] ?? 0
                    try trial.expect(
                        last == versions, "version \(versions) as the last word on every ID", found: "version \(last)")
                }
            }),
    ]

    /// A follower of the changes of one trial; other trials may change the same store meanwhile.
    private struct Feed: Sendable {
        let trial: Trial
        let store: any StateChanges
        var cursor: StateChangePage.Cursor?
        var limit = 1_000

        /// Reads on until nothing is left, as far as this trial is concerned, and forgets it.
        static func atItsEnd(_ trial: Trial, _ store: any StateChanges) async throws -> Feed {
            var feed = Feed(trial: trial, store: store)
            _ = try await feed.next()
            return feed
        }

        /// What changed since, of this trial.
        mutating func next() async throws -> [StateChange] {
            var changes: [StateChange] = []
            // Others may change things as fast as they are read here: it ends with a page that is not full, or after many.
            for _ in 0..<10_000 {
                let page = try await self.store.changes(after: self.cursor, limit: self.limit)
                try self.trial.expect(
                    page.changes.count <= self.limit, "at most \(self.limit) changes in a page",
                    found: "\(page.changes.count)")
                self.cursor = page.next
                changes += page.changes.filter { change in
                    switch change {
                    case .written(let state): state.persistenceID.utf8.starts(with: self.trial.prefix.utf8)
                    case .deleted(let id, _): id.utf8.starts(with: self.trial.prefix.utf8)
                    }
                }
                if page.changes.isEmpty { break }
            }
            return changes
        }
    }

    private static func expectChanges(
        _ trial: Trial, _ found: [StateChange], _ expected: [StateChange]
    ) throws {
        try trial.expect(
            found == expected, "\(expected.count) changes: \(expected.map { describe($0) })",
            found: "\(found.count): \(found.map { describe($0) })")
    }
}

private func describe(_ change: StateChange) -> String {
    switch change {
    case .written(let state): "\(state.persistenceID.suffix(6)) at version \(state.version)"
    case .deleted(let id, let version): "\(id.suffix(6)) deleted with version \(version)"
    }
}
