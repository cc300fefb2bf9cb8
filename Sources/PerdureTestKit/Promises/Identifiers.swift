extension StatePromise {
    /// Promise 10: every valid ID works and is told from every other, byte by byte; the rest is refused.
    static let identifiers: [StatePromise] =
        PromiseIDs.unusual.map { (what: String, suffix: String) in
            StatePromise(10, "takes an ID with \(what)") { trial in try await roundTrip(trial, trial.id(suffix)) }
        } + lengths
        + PromiseIDs.alike.map { distinct($0.what, $0.suffixes) } + refusals

    private static let lengths: [StatePromise] = [
        StatePromise(10, "takes IDs of 255 bytes and tells them apart by the last one") { trial in
            let fill = String(repeating: "x", count: 254 - trial.prefix.utf8.count)
            let states = ["y", "z"].map { trial.state(trial.id(fill + $0), 1, $0) }
            for state in states { try await trial.write(state, if: .absent) }
            for state in states { try await trial.expectStored(state) }
            try await trial.expectAbsent(trial.id(fill))
        },
        StatePromise(10, "takes an ID of 255 bytes in fewer characters") { trial in
            let room = 255 - trial.prefix.utf8.count
            let suffix = String(repeating: "🦆", count: room / 4) + String(repeating: "x", count: room % 4)
            try await roundTrip(trial, trial.id(suffix))
        },
        StatePromise(10, "reads IDs of a single byte") { trial in
            // Others may use them, so nothing is written.
            for id in ["#", "'", "%", "\\", " ", "\u{1}"] {
                do throws(StoreError) {
                    _ = try await trial.store.latestState(of: id)
                } catch {
                    throw trial.broken(expected: "reading \(id.debugDescription) to succeed", found: error)
                }
            }
        },
    ]

    private static let refusals: [StatePromise] = PromiseIDs.refused.map { refused($0.what, rule: $0.rule, $0.makeID) }

    private static func roundTrip(_ trial: Trial, _ id: String) async throws {
        try await trial.expectAbsent(id)
        let (first, second) = (trial.state(id, 1), trial.state(id, 2))
        try await trial.write(first, if: .absent)
        try await trial.expectStored(first)
        try await trial.write(second, if: .version(1))
        try await trial.expectStored(second)
        try await trial.expectConflict(with: 2, of: "writing over version 1 again") { () async throws(StoreError) in
            try await trial.store.write(second, if: .version(1))
        }
        try await trial.delete(id, if: .version(2))
        try await trial.expectAbsent(id)
    }

    private static func distinct(_ what: String, _ suffixes: [String]) -> StatePromise {
        StatePromise(10, "tells IDs apart that differ in \(what)") { trial in
            let states = suffixes.enumerated().map { trial.state(trial.id($1), UInt64($0 + 1), "state \($0)") }
            for state in states {
                try await trial.expectAbsent(state.persistenceID)
                try await trial.write(state, if: .absent)
            }
            for state in states { try await trial.expectStored(state) }
            for state in states.dropFirst() { try await trial.delete(state.persistenceID, if: .always) }
            if let first = states.first { try await trial.expectStored(first) }
        }
    }

    private static func refused(
        _ what: String, rule: String?, _ makeID: @escaping @Sendable (_ prefix: String) -> String
    ) -> StatePromise {
        StatePromise(10, "refuses \(what), with the rule in the error") { trial in
            let id = makeID(trial.prefix)
            let read = try await trial.expectFailure(.invalidRequest, of: "reading") { () async throws(StoreError) in
                try await trial.store.latestState(of: id)
            }
            let write = try await trial.expectFailure(.invalidRequest, of: "writing") { () async throws(StoreError) in
                try await trial.store.write(trial.state(id, 1), if: .always)
            }
            let delete = try await trial.expectFailure(.invalidRequest, of: "deleting") { () async throws(StoreError) in
                try await trial.store.delete(id, if: .always)
            }
            for error in [read, write, delete] {
                try trial.expect(error.outcome == .notApplied, "outcome not applied", found: error)
                let says = rule.map { error.message.contains($0) } ?? !error.message.isEmpty
                try trial.expect(says, "the rule in the error\(rule.map { " (\($0))" } ?? "")", found: error.message)
            }
        }
    }
}
