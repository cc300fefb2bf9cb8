extension StatePromise {
    /// Promise 11: every ID is listed once, by prefix and page by page.
    static let listing: [StatePromise] = [
        StatePromise(
            11, "lists the IDs with a prefix, each once",
            .listing { trial, store in
                let ids = try await fill(trial, (0..<25).map { "id-\($0)" })
                try await expectListing(trial, store, prefix: trial.prefix, limit: 1_000, ids)
            }),
        StatePromise(
            11, "lists every ID once whatever the size of the pages",
            .listing { trial, store in
                let ids = try await fill(trial, (0..<12).map { "id-\($0)" })
                for limit in [1, 2, 5, 6, 11, 12, 13] {
                    try await expectListing(trial, store, prefix: trial.prefix, limit: limit, ids)
                }
            }),
        StatePromise(
            11, "lists in the same order every time",
            .listing { trial, store in
                _ = try await fill(trial, ["b", "a", "é", "#", "B", "aa", " ", "🦆"])
                let once = try await list(trial, store, prefix: trial.prefix, limit: 3)
                let again = try await list(trial, store, prefix: trial.prefix, limit: 2)
                try trial.expect(
                    once.map(Bytes.init) == again.map(Bytes.init), "the same order", found: "\(once) and then \(again)")
            }),
        StatePromise(
            11, "takes wildcards in a prefix literally",
            .listing { trial, store in
                _ = try await fill(trial, ["a%b", "axb", "a_b", #"a\b"#, "a*b", "a?b", "a[b", "a'b"])
                for prefix in ["a%", "a_", #"a\"#, "a*", "a?", "a[", "a'"] {
                    try await expectListing(
                        trial, store, prefix: trial.prefix + prefix, limit: 100, [trial.prefix + prefix + "b"])
                }
            }),
        StatePromise(
            11, "compares prefixes byte by byte",
            .listing { trial, store in
                _ = try await fill(trial, ["caf\u{e9}-1", "cafe\u{301}-1", "CAF\u{c9}-1", "cafe-1"])
                try await expectListing(
                    trial, store, prefix: trial.prefix + "caf\u{e9}", limit: 100, [trial.prefix + "caf\u{e9}-1"])
                try await expectListing(
                    trial, store, prefix: trial.prefix + "cafe", limit: 100,
                    [trial.prefix + "cafe-1", trial.prefix + "cafe\u{301}-1"])
                try await expectListing(
                    trial, store, prefix: trial.prefix + "CAF", limit: 100, [trial.prefix + "CAF\u{c9}-1"])
            }),
        StatePromise(
            11, "lists an ID that is the prefix, and those that go on with the highest code points",
            .listing { trial, store in
                let ids = try await fill(trial, ["p", "p\u{1}", "p\u{ffff}", "p\u{10ffff}", "p\u{10ffff}\u{10ffff}"])
                _ = try await fill(trial, ["o\u{10ffff}", "q", "P"])
                try await expectListing(trial, store, prefix: trial.prefix + "p", limit: 2, ids)
            }),
        StatePromise(
            11, "lists nothing where nothing is",
            .listing { trial, store in
                try await expectListing(trial, store, prefix: trial.prefix, limit: 10, [])
            }),
        StatePromise(
            11, "does not list what was deleted, and lists again what came back",
            .listing { trial, store in
                let ids = try await fill(trial, ["a", "b", "c"])
                try await trial.delete(ids[1], if: .always)
                try await expectListing(trial, store, prefix: trial.prefix, limit: 2, [ids[0], ids[2]])
                try await trial.write(trial.state(ids[1], 3), if: .absent)
                try await expectListing(trial, store, prefix: trial.prefix, limit: 2, ids)
            }),
        StatePromise(
            11, "goes on from a cursor that was kept as text",
            .listing { trial, store in
                let ids = try await fill(trial, ["#", "'", "é", "🦆", " ", "%"])
                var found: [String] = []
                var cursor: StateIDPage.Cursor?
                for _ in 0..<20 {
                    let page = try await store.persistenceIDs(withPrefix: trial.prefix, after: cursor, limit: 1)
                    found += page.ids
                    guard let next = page.next else { break }
                    cursor = StateIDPage.Cursor(String(decoding: Array(next.text.utf8), as: UTF8.self))
                }
                try expectSame(trial, found, ids)
            }),
        StatePromise(
            11, "refuses pages of no ID and of more than 10,000",
            .listing { trial, store in
                for limit in [0, -1, 10_001] {
                    _ = try await trial.expectFailure(.invalidRequest, of: "asking for a page of \(limit)") {
                        () async throws(StoreError) in
                        try await store.persistenceIDs(withPrefix: trial.prefix, after: nil, limit: limit)
                    }
                }
                _ = try await store.persistenceIDs(withPrefix: trial.prefix, after: nil, limit: 10_000)
            }),
        StatePromise(
            11, "lists what stays exactly once while neighbours come and go",
            .listing { trial, store in
                let ids = try await fill(trial, (0..<20).map { "stays-\($0)" })
                _ = try await trial.concurrently(3) { task in
                    if task == 0 {
                        for _ in 0..<(5 * trial.settings.rounds) {
                            let found = try await list(trial, store, prefix: trial.prefix, limit: 3)
                            try expectSame(trial, found.filter { $0.contains("stays") }, ids)
                        }
                        return
                    }
                    var generator = trial.generator(stream: task)
                    for _ in 0..<(30 * trial.settings.rounds) {
                        // They come and go before, between and after those that stay, and change those that stay.
                        let place = Int.random(in: 0..<20, using: &generator)
                        let id = trial.id(["a-\(place)", "stay-\(place)", "z-\(place)"][place % 3])
                        try await trial.write(trial.state(id, 1), if: .always)
                        try await trial.write(trial.state(ids[place], 2), if: .always)
                        if generator.chance(0.7) { try await trial.delete(id, if: .always) }
                    }
                }
            }),
    ]

    /// Writes a state under each of these endings and returns the IDs.
    private static func fill(_ trial: Trial, _ suffixes: [String]) async throws -> [String] {
        let ids = suffixes.map { trial.id($0) }
        for id in ids { try await trial.write(trial.state(id, 1), if: .absent) }
        return ids
    }

    /// All pages of a listing; each is checked against its limit.
    private static func list(
        _ trial: Trial, _ store: any StateListing, prefix: String, limit: Int
    ) async throws -> [String] {
        var ids: [String] = []
        var cursor: StateIDPage.Cursor?
        for _ in 0..<1_000 {
            let page = try await store.persistenceIDs(withPrefix: prefix, after: cursor, limit: limit)
            try trial.expect(
                page.ids.count <= limit, "at most \(limit) IDs in a page", found: "\(page.ids.count)")
            ids += page.ids
            guard let next = page.next else { return ids }
            cursor = next
        }
        throw trial.broken(expected: "a listing that ends", found: "a thousand pages")
    }

    private static func expectListing(
        _ trial: Trial, _ store: any StateListing, prefix: String, limit: Int, _ ids: [String]
    ) async throws {
        try expectSame(trial, try await list(trial, store, prefix: prefix, limit: limit), ids)
    }

    /// Compares IDs in any order, by their bytes.
    private static func expectSame(_ trial: Trial, _ found: [String], _ expected: [String]) throws {
        let (found, expected) = (found.map(Bytes.init).sorted(), expected.map(Bytes.init).sorted())
        if found == expected { return }
        let foundOnce = Set(found)
        let missing = Set(expected).subtracting(foundOnce).map(\.words)
        let surplus = foundOnce.subtracting(expected).map(\.words)
        throw trial.broken(
            expected: "\(expected.count) IDs, each once",
            found: "\(found.count), of them \(found.count - foundOnce.count) repeated;"
                + " missing: \(missing.sorted().prefix(5)); too many: \(surplus.sorted().prefix(5))")
    }
}

/// An ID that is compared by its bytes.
private struct Bytes: Hashable, Comparable {
    let bytes: [UInt8]
    init(_ id: String) { self.bytes = Array(id.utf8) }
    var words: String { String(decoding: self.bytes, as: UTF8.self).debugDescription }
    static func < (left: Bytes, right: Bytes) -> Bool { left.bytes.lexicographicallyPrecedes(right.bytes) }
}
