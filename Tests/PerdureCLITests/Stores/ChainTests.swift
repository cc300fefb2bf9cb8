import PerdureState
import PerdureStores
import Testing

@Suite(
    "A move through every store", .enabled(if: TestStore.allCases.allSatisfy(\.isThere), "not every server is there"))
struct ChainTests {
    @Test("SQLite → PostgreSQL → DynamoDB → Cassandra → SQLite ends byte-identical") func chain() async throws {
        try await withFolder { folder in
            let urls =
                [TestStore.sqlite, .postgres, .dynamodb, .cassandra].map { $0.url(in: folder, "a") }
                + [TestStore.sqlite.url(in: folder, "z")]
            for url in urls {
                let setup = try await ToolProcess.run(["store", "setup", "--store", url], in: folder)
                #expect(setup.status == 0, "\(setup.errors)")
            }
            let seed = UInt64.random(in: 0 ... .max)
            try await self.fill(urls[0], seed: seed)
            for (from, to) in zip(urls, urls.dropFirst()) {
                let copy = try await ToolProcess.run(["store", "copy", from, to, "--only", "states"], in: folder)
                #expect(
                    copy.output == "300 states; 300 written, 0 refused; both stores hold the same\n",
                    "\(copy.errors), seed \(seed)")
            }
            let ends = try await ToolProcess.shell(
                "cmp <($perdure state export -s \(urls[0]) 2>&1) <($perdure state export -s \(urls[4]) 2>&1) && echo same",
                in: folder)
            #expect(ends.output == "same\n", "\(ends.errors), seed \(seed)")
            // Nothing is left to be copied anywhere.
            let again = try await ToolProcess.run(["store", "copy", urls[0], urls[4], "--only", "states"], in: folder)
            #expect(again.output == "300 states; 0 written, 0 refused; both stores hold the same\n")
        }
    }

    /// States with all that may stand in one: any bytes, any version and shard, IDs with signs that mean something somewhere.
    private func fill(_ url: String, seed: UInt64) async throws {
        var random = seed
        func next() -> UInt64 {
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return random >> 33
        }
        let store = try ChosenStore(StoreURL(url)).states
        for number in 0..<300 {
            let size = number == 7 ? 600_000 : Int(next() % 300)
            let bytes = (0..<size).map { _ in UInt8(truncatingIfNeeded: next()) }
            let id = ["plain", "with#/'\" ;", "é😀", "tab\t"][number % 4] + "-\(number)"
            let state = DurableState(
                persistenceID: id, version: 1 + next() * next(),
                payload: StatePayload(manifest: "m.\(next() % 9)", bytes: bytes),
                timestamp: 1_700_000_000_000 + Int64(next()), shard: next())
            try await store.write(state, if: .absent)
        }
        await store.disconnect()
    }
}
