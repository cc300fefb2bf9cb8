extension StatePromise {
    /// Promise 12: a batch has a result for each, and none spoils its neighbours.
    static let batching: [StatePromise] = [
        StatePromise(
            12, "reads a batch with each state at the place of its ID",
            .batching { trial, store in
                let states = (0..<10).map { trial.state(trial.id("\($0)"), UInt64($0) + 1, "state \($0)") }
                for state in states where state.version % 3 != 0 { try await trial.write(state, if: .absent) }
                let asked = states.reversed() + [states[4], states[4]]
                let results = await store.latestStates(of: asked.map(\.persistenceID))
                try trial.expect(results.count == asked.count, "\(asked.count) results", found: "\(results.count)")
                for (state, result) in zip(asked, results) {
                    let expected: DurableState? = state.version % 3 != 0 ? state : nil
                    let found = try value(trial, result, of: "reading")
                    try trial.expect(found == expected, describe(expected), found: describe(found))
                }
            }),
        StatePromise(
            12, "writes a batch with a result for each",
            .batching { trial, store in
                let states = (0..<10).map { trial.state(trial.id("\($0)"), 1, "state \($0)") }
                let results = await store.write(states.map { StateWrite($0, if: .absent) })
                try trial.expect(results.count == states.count, "\(states.count) results", found: "\(results.count)")
                for result in results { try value(trial, result, of: "writing") }
                for state in states { try await trial.expectStored(state) }
            }),
        StatePromise(
            12, "takes empty batches",
            .batching { trial, store in
                let (reads, writes) = (await store.latestStates(of: []), await store.write([]))
                try trial.expect(
                    reads.isEmpty && writes.isEmpty, "no results", found: "\(reads.count) and \(writes.count)")
            }),
        StatePromise(
            12, "spoils no neighbour of a write whose condition does not hold",
            .batching { trial, store in
                let states = (0..<5).map { trial.state(trial.id("\($0)"), 1, "state \($0)") }
                let stored = trial.state(states[2].persistenceID, 9, "before")
                try await trial.write(stored, if: .absent)
                let results = await store.write(states.map { StateWrite($0, if: .absent) })
                try trial.expect(results.count == 5, "5 results", found: "\(results.count)")
                for place in [0, 1, 3, 4] {
                    try value(trial, results[place], of: "writing")
                    try await trial.expectStored(states[place])
                }
                try expectFailure(trial, results[2], .conflict)
                if case .failure(let error) = results[2] {
                    try trial.expect(error.storedVersion == 9, "a conflict with version 9", found: error)
                }
                try await trial.expectStored(stored)
            }),
        StatePromise(
            12, "spoils no neighbour of an ID, a version or a payload that is refused",
            .batching { trial, store in
                try trial.expectLimitToFitMemory()
                let limit = trial.store.maximumPayloadByteCount
                let good = ["a", "b", "c", "d"].map { trial.state(trial.id($0), 1) }
                let noID = trial.state("", 1)
                let noVersion = trial.state(trial.id("version"), 0)
                var large = trial.state(trial.id("large"), 1)
                large.payload.bytes = Array(repeating: 1, count: limit + 1)
                let writes = [good[0], noID, good[1], noVersion, good[2], large, good[3]]
                let results = await store.write(writes.map { StateWrite($0, if: .absent) })
                try trial.expect(results.count == writes.count, "\(writes.count) results", found: "\(results.count)")
                for place in [0, 2, 4, 6] {
                    try value(trial, results[place], of: "writing")
                    try await trial.expectStored(writes[place])
                }
                try expectFailure(trial, results[1], .invalidRequest)
                try expectFailure(trial, results[3], .invalidRequest)
                try expectFailure(trial, results[5], .payloadTooLarge)
                let reads = await store.latestStates(of: [good[0].persistenceID, "", good[1].persistenceID])
                try trial.expect(reads.count == 3, "3 results", found: "\(reads.count)")
                try expectFailure(trial, reads[1], .invalidRequest)
                for place in [0, 2] {
                    let found = try value(trial, reads[place], of: "reading")
                    try trial.expect(found == good[place / 2], describe(good[place / 2]), found: describe(found))
                }
            }),
        StatePromise(
            12, "writes an ID that stands in a batch more than once in its order",
            .batching { trial, store in
                let (id, other) = (trial.id("twice"), trial.id("other"))
                let writes: [StateWrite] = [
                    StateWrite(trial.state(id, 1, "first"), if: .absent),
                    StateWrite(trial.state(other, 1), if: .absent),
                    StateWrite(trial.state(id, 2, "second"), if: .version(1)),
                    StateWrite(trial.state(id, 2, "too late"), if: .version(1)),
                    StateWrite(trial.state(id, 3, "third"), if: .version(2)),
                ]
                let results = await store.write(writes)
                try trial.expect(results.count == writes.count, "\(writes.count) results", found: "\(results.count)")
                for place in [0, 1, 2, 4] { try value(trial, results[place], of: "writing") }
                try expectFailure(trial, results[3], .conflict)
                try await trial.expectStored(trial.state(id, 3, "third"))
                try await trial.expectStored(trial.state(other, 1))
            }),
        StatePromise(
            12, "takes three hundred writes and reads in one batch",
            .batching { trial, store in
                let states = (0..<300).map { trial.state(trial.id("\($0)"), UInt64($0) + 1, "state \($0)") }
                for result in await store.write(states.map { StateWrite($0, if: .absent) }) {
                    try value(trial, result, of: "writing")
                }
                let results = await store.latestStates(of: states.map(\.persistenceID))
                try trial.expect(results.count == states.count, "\(states.count) results", found: "\(results.count)")
                for (state, result) in zip(states, results) {
                    let found = try value(trial, result, of: "reading")
                    try trial.expect(found == state, describe(state), found: describe(found, besides: state))
                }
            }),
        StatePromise(
            12, "lets one batch win each ID when batches meet from both ends",
            .batching { trial, store in
                let ids = (0..<20).map { trial.id("\($0)") }
                for id in ids { try await trial.write(trial.state(id, 1), if: .absent) }
                let answers = try await trial.concurrently(trial.settings.writers) { writer in
                    let order = writer % 2 == 0 ? ids : ids.reversed()
                    let results = await store.write(
                        order.map { StateWrite(trial.state($0, 2, "writer \(writer)"), if: .version(1)) })
                    return writer % 2 == 0 ? results : results.reversed()
                }
                for (place, id) in ids.enumerated() {
                    let results = answers.compactMap { place < $0.count ? $0[place] : nil }
                    try trial.expect(
                        results.count == answers.count, "\(answers.count) results", found: "\(results.count)")
                    let winners = results.indices.filter { if case .success = results[$0] { true } else { false } }
                    try trial.expect(winners.count <= 1, "one winner", found: "\(winners.count)")
                    if let winner = winners.first {
                        try await trial.expectStored(trial.state(id, 2, "writer \(winner)"))
                    } else {
                        let isExcused = results.contains {
                            if case .failure(let error) = $0 { error.code != .conflict } else { false }
                        }
                        try trial.expect(isExcused, "one winner", found: "conflicts only")
                    }
                }
            }),
    ]

    @discardableResult
    private static func value<Value>(
        _ trial: Trial, _ result: Result<Value, StoreError>, of attempt: String
    ) throws -> Value {
        switch result {
        case .success(let value): return value
        case .failure(let error): throw trial.broken(expected: "\(attempt) to succeed", found: error)
        }
    }

    private static func expectFailure<Value>(
        _ trial: Trial, _ result: Result<Value, StoreError>, _ code: StoreError.Code
    ) throws {
        switch result {
        case .success: throw trial.broken(expected: "\(code)", found: "success")
        case .failure(let error):
            try trial.expect(
                error.code == code && error.outcome == .notApplied, "\(code), not applied", found: error)
        }
    }
}
