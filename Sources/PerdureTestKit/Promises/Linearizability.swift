internal import PerdureConcurrency

extension StatePromise {
    /// Promise 2: reads see every acknowledged write, whoever wrote it.
    static let linearizability: [StatePromise] = [
        StatePromise(2, "reads its own writes at once, a hundred times") { trial in
            let id = trial.id()
            try await trial.write(trial.state(id, 1), if: .absent)
            for version: UInt64 in 2...100 {
                try await trial.write(trial.state(id, version), if: .version(version - 1))
                try await trial.expectStored(trial.state(id, version))
            }
        },
        StatePromise(2, "reads in one task what another has written") { trial in
            let id = trial.id()
            try await trial.write(trial.state(id, 1), if: .absent)
            let written = LockedState<UInt64>(1)
            let last = UInt64(30 * trial.settings.rounds)
            _ = try await trial.concurrently(1 + trial.settings.writers) { number in
                if number == 0 {
                    // Also when a write fails: readers are not to wait for the rest.
                    defer { written.withLock { $0 = last } }
                    for version in 2...last {
                        try await trial.write(trial.state(id, version), if: .version(version - 1))
                        if version < last { written.withLock { $0 = version } }
                    }
                    return
                }
                for _ in 0..<100_000 {
                    // A store that never suspends would leave no thread to the writer.
                    await Task.yield()
                    let acknowledged = written.withLock { $0 }
                    if acknowledged == last { return }
                    let found = try await trial.read(id)?.version ?? 0
                    try trial.expect(
                        found >= acknowledged, "version \(acknowledged) or later, which was acknowledged before",
                        found: "version \(found)")
                }
            }
        },
        StatePromise(2, "never shows a reader an earlier version than before") { trial in
            let id = trial.id()
            try await trial.write(trial.state(id, 1), if: .absent)
            let isOver = LockedState(false)
            _ = try await trial.concurrently(1 + trial.settings.writers) { number in
                if number == 0 {
                    defer { isOver.withLock { $0 = true } }
                    for version: UInt64 in 2...UInt64(30 * trial.settings.rounds) {
                        try await trial.write(trial.state(id, version), if: .version(version - 1))
                    }
                    return
                }
                var latest: UInt64 = 0
                for _ in 0..<100_000 {
                    // A store that never suspends would leave no thread to the writer.
                    await Task.yield()
                    if isOver.withLock({ $0 }) { return }
                    let found = try await trial.read(id)?.version ?? 0
                    try trial.expect(
                        found >= latest, "version \(latest) or later, which was read before", found: "version \(found)")
                    latest = found
                }
            }
        },
        StatePromise(2, "sees a deletion at once") { trial in
            let id = trial.id()
            for life: UInt64 in 0..<20 {
                try await trial.write(trial.state(id, 2 * life + 1), if: .absent)
                try await trial.expectStored(trial.state(id, 2 * life + 1))
                try await trial.delete(id, if: .version(2 * life + 1))
                try await trial.expectAbsent(id)
            }
        },
        history("of reads and conditional writes", chanceOfAlways: 0, chanceOfDelete: 0),
        history("of reads, conditional writes and deletions", chanceOfAlways: 0, chanceOfDelete: 0.2),
        history("of reads, writes of every condition and deletions", chanceOfAlways: 0.2, chanceOfDelete: 0.2),
    ]

    /// Lets several tasks do what chance says to one ID, and asks whether an ideal store would have given the same answers.
    private static func history(
        _ kinds: String, chanceOfAlways: Double, chanceOfDelete: Double
    ) -> StatePromise {
        StatePromise(2, "gives linearizable histories \(kinds)") { trial in
            for round in 0..<(2 * trial.settings.rounds) {
                let id = trial.id("\(round)")
                let recorder = HistoryRecorder(trial.store, of: id)
                let freshVersion = LockedState<UInt64>(1_000)
                let tasks = min(5, trial.settings.writers)
                _ = try await trial.concurrently(tasks) { task in
                    var generator = trial.generator(stream: round << 16 + task)
                    var version: UInt64 = 0
                    for turn in 0..<15 {
                        let name = "task \(task) turn \(turn)"
                        var condition: WriteCondition = version == 0 ? .absent : .version(version)
                        if generator.chance(chanceOfAlways) { condition = .always }
                        let answer: StateHistory.Answer
                        if generator.chance(0.35) {
                            let found = await recorder.read()
                            version = found?.version ?? 0
                            continue
                        } else if generator.chance(chanceOfDelete) {
                            answer = await recorder.delete(if: condition)
                            if answer == .done { version = 0 }
                        } else {
                            var next = max(version, generator.chance(0.5) ? version : UInt64(turn)) + 1
                            if condition == .always, !trial.settings.repeatsVersions {
                                next = freshVersion.withLock { fresh in
                                    fresh += 1_000
                                    return fresh
                                }
                            }
                            answer = await recorder.write(trial.state(id, next, name), if: condition)
                            if answer == .done { version = next }
                        }
                        if case .conflict(let stored) = answer {
                            // Now and then a guess, which may be of a tombstone.
                            version = generator.chance(0.5) ? stored : 0
                        }
                    }
                }
                switch LinearizabilityChecker().verdict(on: recorder.history) {
                case .linearizable: continue
                case .undecided: throw trial.untested("the search for an explanation of a history took too long")
                case .impossible(let explained, let stuck):
                    throw trial.broken(
                        expected: "a history that an ideal store could have",
                        found: "answers that contradict each other: after \(explained) of"
                            + " \(recorder.history.operations.count) operations none of these can come next: "
                            + stuck.map { describe($0) }.joined(separator: "; "))
                }
            }
        }
    }
}

func describe(_ operation: StateHistory.Operation) -> String {
    let request =
        switch operation.request {
        case .read: "read"
        case .write(let state, let condition): "write of version \(state.version) if \(describe(condition))"
        case .delete(let condition): "delete if \(describe(condition))"
        }
    let answer =
        switch operation.answer {
        case .found(let state): state.map { "version \($0.version)" } ?? "nothing"
        case .done: "done"
        case .conflict(let stored): "conflict with \(stored)"
        case .notApplied: "not applied"
        case .unknown: "unknown"
        }
    return "[\(operation.began)-\(operation.ended)] \(request): \(answer)"
}
