import PerdureSQLite
import Processes
import Testing

/// Several processes on one file, all adding 1 to the same numbers: what was acknowledged must add up.
@Suite struct CompetitionTests {
    @Test(arguments: [2, 3])
    func losesNoUpdate(processes: Int) async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/states.sqlite"
            let ids = ["left", "right"]
            let times = 60
            let runs = try await withThrowingTaskGroup(of: [ChildProcess].self) { group in
                for _ in 0..<processes {
                    group.addTask {
                        var runs: [ChildProcess] = []
                        for id in ids {
                            runs.append(try await ChildProcess.crashChild(["count", path, id, "\(times)"]))
                        }
                        return runs
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            for run in runs { #expect(run.isFinished && run.violations.isEmpty, "\(run.lines.suffix(3))") }
            let store = try SQLiteStore(path)
            for id in ids {
                let state = try await store.latestState(of: id)
                #expect(state.map { String(decoding: $0.payload.bytes, as: UTF8.self) } == "\(processes * times)")
                #expect(state?.version == UInt64(processes * times))
                // Each number was acknowledged to exactly one of them.
                let acknowledged = runs.flatMap(\.lines).filter { $0.hasPrefix(id) }
                #expect(Set(acknowledged).count == processes * times)
            }
            await store.disconnect()
        }
    }

    /// One of them is killed in the middle: it takes nothing with it that it had acknowledged, and hinders nobody.
    @Test(arguments: [1, 7, 20, 41])
    func outlivesAKilledOne(lines: Int) async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/states.sqlite"
            async let survivor = ChildProcess.crashChild(["count", path, "shared", "80"])
            async let victim = ChildProcess.crashChild(["count", path, "shared", "100000"], killAfterLines: lines)
            let (lived, died) = try await (survivor, victim)
            #expect(lived.isFinished && lived.violations.isEmpty, "\(lived.lines.suffix(3))")
            #expect(died.signal == 9)
            let store = try SQLiteStore(path)
            let state = try await store.latestState(of: "shared")
            let number = state.flatMap { Int(String(decoding: $0.payload.bytes, as: UTF8.self)) } ?? 0
            let acknowledged = (lived.lines + died.lines).filter { $0.hasPrefix("shared") }
            #expect(Set(acknowledged).count == acknowledged.count, "a number was acknowledged twice")
            // At most one more than acknowledged: the write under way when it died.
            #expect((acknowledged.count...acknowledged.count + 1).contains(number))
            #expect(state?.version == UInt64(number))
            await store.disconnect()
        }
    }
}
