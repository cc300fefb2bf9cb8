import PerdureSQLite
import Testing

/// The in-memory store says what every operation means; SQLite must give the same answers to the same questions.
@Suite struct SameAsMemoryTests {
    /// A generator whose every run can be repeated.
    private struct Seeded: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            self.state &+= 0x9e37_79b9_7f4a_7c15
            var z = self.state
            z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
            z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
            return z ^ (z >> 31)
        }
    }

    /// What a store answered, in words.
    private static func answer(_ body: () async throws -> String) async -> String {
        do { return try await body() } catch let error as StoreError {
            return
                "\(error.code) \(error.outcome) \(error.storedVersion.map(String.init) ?? "-") \(error.persistenceID ?? "-")"
        } catch { return "\(error)" }
    }

    private static func condition(_ random: inout Seeded, below version: UInt64) -> WriteCondition {
        switch Int.random(in: 0..<6, using: &random) {
        case 0: .always
        case 1: .absent
        default: .version(UInt64.random(in: 0...version, using: &random))
        }
    }

    @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8] as [UInt64])
    func answersTheSame(seed: UInt64) async throws {
        var random = Seeded(state: seed)
        // Canonically equivalent IDs, an ID that is another's beginning, quotes and emoji.
        let ids = ["a", "ab", "caf\u{e9}", "cafe\u{301}", "o'#/\"", "🛫"]
        try await withStore { sqlite in
            let memory = InMemoryStateStore()
            for step in 0..<400 {
                let id = ids.randomElement(using: &random) ?? "a"
                let condition = Self.condition(&random, below: 5)
                let version = UInt64.random(in: 0...6, using: &random)
                let choice = Int.random(in: 0..<10, using: &random)
                let limit = Int.random(in: 1...4, using: &random)
                let padding = [0, 10, 5_000].randomElement(using: &random) ?? 0
                func run(on store: some StateStore & StateListing & StateBatching) async -> String {
                    await Self.answer {
                        switch choice {
                        case 0...4:
                            try await store.write(sample(id, version, padding: padding), if: condition)
                            return "written"
                        case 5, 6:
                            try await store.delete(id, if: condition)
                            return "deleted"
                        case 7:
                            return "\(String(describing: try await store.latestState(of: id)))"
                        case 8:
                            let writes = ids.map { StateWrite(sample($0, version), if: condition) }
                            let results = await store.write(
                                writes + [StateWrite(sample(id, version + 1), if: condition)])
                            var words: [String] = []
                            for result in results { words.append(await Self.answer { "\(try result.get())" }) }
                            return words.joined(separator: "; ")
                        default:
                            var pages: [[String]] = []
                            var cursor: StateIDPage.Cursor?
                            repeat {
                                let page = try await store.persistenceIDs(
                                    withPrefix: String(id.prefix(1)), after: cursor, limit: limit)
                                pages.append(page.ids)
                                cursor = page.next
                            } while cursor != nil
                            return "\(pages)"
                        }
                    }
                }
                let expected = await run(on: memory)
                let found = await run(on: sqlite)
                #expect(
                    expected == found, "seed \(seed), step \(step), choice \(choice), \(id), \(version), \(condition)")
            }
            for id in ids {
                let expected = try await memory.latestState(of: id)
                let found = try await sqlite.latestState(of: id)
                #expect(expected == found, "seed \(seed), \(id)")
            }
        }
    }
}
