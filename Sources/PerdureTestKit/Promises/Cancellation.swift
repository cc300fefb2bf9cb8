extension StatePromise {
    /// Promise 9: whatever is cancelled when, what is stored is what the answers say.
    static let cancellation: [StatePromise] = [
        StatePromise(9, "does or refuses a write whose task was cancelled before") { trial in
            let id = trial.id()
            try await trial.write(trial.state(id, 1), if: .absent)
            try await expectConsistent(trial, before: trial.state(id, 1), after: trial.state(id, 2)) {
                () async throws(StoreError) in
                try await trial.store.write(trial.state(id, 2), if: .version(1))
            }
        },
        StatePromise(9, "does or refuses a deletion whose task was cancelled before") { trial in
            let id = trial.id()
            try await trial.write(trial.state(id, 1), if: .absent)
            try await expectConsistent(trial, before: trial.state(id, 1), after: nil) { () async throws(StoreError) in
                try await trial.store.delete(id, if: .version(1))
            }
        },
        StatePromise(9, "reads or refuses to read when the task was cancelled before") { trial in
            let state = trial.state(trial.id(), 1)
            try await trial.write(state, if: .absent)
            let answer = await cancelled { () async -> Result<DurableState?, StoreError> in
                do throws(StoreError) {
                    return .success(try await trial.store.latestState(of: state.persistenceID))
                } catch {
                    return .failure(error)
                }
            }
            switch answer {
            case .success(let found): try trial.expect(found == state, describe(state), found: describe(found))
            case .failure(let error):
                try trial.expect(error.code == .cancelled, "the state or cancelled", found: error)
            }
            try await trial.expectStored(state)
        },
        StatePromise(9, "stores what its answers say when writes are cancelled at random moments") { trial in
            for round in 0..<trial.settings.rounds { try await cancelAtRandom(trial, round: round) }
        },
        StatePromise(9, "finishes the writes of others when one task is cancelled") { trial in
            let writers = 2 * trial.settings.writers
            _ = try await trial.concurrently(writers) { writer in
                let id = trial.id("\(writer)")
                guard writer % 2 == 0 else {
                    let task = Task { try? await trial.store.write(trial.state(id, 1), if: .absent) }
                    task.cancel()
                    _ = await task.value
                    return
                }
                try await trial.write(trial.state(id, 1), if: .absent)
                try await trial.expectStored(trial.state(id, 1))
            }
            for writer in stride(from: 0, to: writers, by: 2) {
                try await trial.expectStored(trial.state(trial.id("\(writer)"), 1))
            }
        },
        StatePromise(9, "goes on working after many cancelled calls") { trial in
            for number in 0..<(20 * trial.settings.rounds) {
                let id = trial.id("\(number % 5)")
                _ = await cancelled { try? await trial.store.write(trial.state(id, 1), if: .always) }
                _ = await cancelled { try? await trial.store.latestState(of: id) }
                _ = await cancelled { try? await trial.store.delete(id, if: .always) }
            }
            let state = trial.state(trial.id("after"), 1)
            try await trial.write(state, if: .absent)
            try await trial.expectStored(state)
        },
    ]

    /// Runs `body` in a task that is cancelled already.
    private static func cancelled<Value: Sendable>(_ body: @escaping @Sendable () async -> Value) async -> Value {
        await Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return await body()
        }.value
    }

    private static func expectConsistent(
        _ trial: Trial, before: DurableState, after: DurableState?,
        _ change: @escaping @Sendable () async throws(StoreError) -> Void
    ) async throws {
        let answer = await cancelled { await trial.answer(to: change) }
        if let answer {
            try trial.expect(answer.code == .cancelled, "success or cancelled", found: answer)
            try trial.expect(answer.outcome == .notApplied, "outcome not applied", found: answer)
        }
        if let expected = answer == nil ? after : before {
            try await trial.expectStored(expected)
        } else {
            try await trial.expectAbsent(before.persistenceID)
        }
    }

    /// Many tasks each write two versions of an ID of their own and get cancelled anywhere in between.
    private static func cancelAtRandom(_ trial: Trial, round: Int) async throws {
        let answers = try await trial.concurrently(8 * trial.settings.writers) { number -> [StoreError?] in
            var generator = trial.generator(stream: round << 16 + number)
            let (yields, id) = (Int.random(in: 0...30, using: &generator), trial.id("\(round)-\(number)"))
            let task = Task { () async -> [StoreError?] in
                var answers: [StoreError?] = []
                for version: UInt64 in 1...2 {
                    let answer = await trial.answer { () async throws(StoreError) in
                        try await trial.store.write(
                            trial.state(id, version), if: version == 1 ? .absent : .version(version - 1))
                    }
                    answers.append(answer)
                    if answer != nil { break }
                }
                return answers
            }
            for _ in 0..<yields { await Task.yield() }
            task.cancel()
            return await task.value
        }
        for (number, answers) in answers.enumerated() {
            let id = trial.id("\(round)-\(number)")
            let acknowledged = UInt64(answers.count { $0 == nil })
            let failure = answers.compactMap { $0 }.last
            if let failure {
                try trial.expect(
                    failure.code != .conflict, "no conflict for the only writer of an ID", found: failure)
            }
            let found = try await trial.read(id)
            let isUnknown = failure?.outcome == .unknown
            let version = found?.version ?? 0
            try trial.expect(
                version == acknowledged || isUnknown && version == acknowledged + 1,
                "version \(acknowledged), as the answers say", found: describe(found))
            if let found { try trial.expect(found == trial.state(id, version), "that state", found: describe(found)) }
        }
    }
}
