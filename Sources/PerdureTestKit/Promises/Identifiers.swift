extension StatePromise {
    /// Promise 10: every valid ID works and is told from every other, byte by byte; the rest is refused.
    static let identifiers: [StatePromise] =
        [
            ("number signs and slashes", "#a/b#c//#"),
            ("quotes and semicolons", #"'a"b`c';--"#),
            ("backslashes, percent signs and underscores", #"\a%b_c\%\_\\"#),
            ("braces, dollars, question marks and colons", "{a}$1?:b@c&d=e+f"),
            ("emoji", "🦆👩‍👩‍👧‍👦🏳️‍🌈"),
            ("letters of many scripts", "Ünïcödé Ελλάδα 日本語 العربية हिन्दी"),
            ("spaces inside and at its end", "a b  c "),
            ("tabs, line ends and control characters", "a\tb\nc\rd\u{1}e\u{7f}f"),
            ("the last code points of each length", "\u{7f}\u{7ff}\u{ffff}\u{10ffff}"),
            ("a byte order mark and joiners", "\u{feff}a\u{200d}b\u{2028}"),
        ].map { (what: String, suffix: String) in
            StatePromise(10, "takes an ID with \(what)") { trial in try await roundTrip(trial, trial.id(suffix)) }
        } + lengths
        + [
            distinct("composed and decomposed accents", ["caf\u{e9}", "cafe\u{301}"]),
            distinct("upper and lower case", ["Id", "iD", "ID", "id"]),
            distinct("spaces at the end", ["a", "a ", "a  ", "a\t"]),
            distinct("wildcards and what they stand for", ["a%", "a_", "ab", "abc", "a*", "a?"]),
            distinct("look-alikes of different code points", ["A", "\u{391}", "\u{410}", "\u{212b}", "\u{c5}"]),
            distinct("numbers with and without leading zeros", ["1", "01", "1.0", "1e0", "+1"]),
            distinct("code points that collations ignore", ["ab", "a\u{200b}b", "a\u{ad}b", "a\u{1}b"]),
        ] + refusals

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
                    throw trial.broken(expected: "reading \(id.debugDescription) to succeed", found: describe(error))
                }
            }
        },
    ]

    private static let refusals: [StatePromise] = [
        refused("an empty ID", rule: nil) { _ in "" },
        refused("an ID of 256 bytes", rule: "255") { trial in
            trial.prefix + String(repeating: "x", count: 256 - trial.prefix.utf8.count)
        },
        refused("an ID of 255 characters in 256 bytes", rule: "255") { trial in
            trial.prefix + String(repeating: "x", count: 254 - trial.prefix.utf8.count) + "é"
        },
        refused("an ID of 100,000 bytes", rule: "255") { trial in
            trial.prefix + String(repeating: "x", count: 100_000 - trial.prefix.utf8.count)
        },
        refused("an ID with NUL in it", rule: "NUL") { trial in trial.prefix + "a\0b" },
        refused("an ID that ends with NUL", rule: "NUL") { trial in trial.prefix + "a\0" },
    ]

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
        _ what: String, rule: String?, _ makeID: @escaping @Sendable (Trial) -> String
    ) -> StatePromise {
        StatePromise(10, "refuses \(what), with the rule in the error") { trial in
            let id = makeID(trial)
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
                try trial.expect(error.outcome == .notApplied, "outcome not applied", found: describe(error))
                let says = rule.map { error.message.contains($0) } ?? !error.message.isEmpty
                try trial.expect(says, "the rule in the error\(rule.map { " (\($0))" } ?? "")", found: error.message)
            }
        }
    }
}
