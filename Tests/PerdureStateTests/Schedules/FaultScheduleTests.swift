import PerdureState
import PerdureTestKit
import Testing

/// Engines that share a store, disturbed in every way that a plan of faults, deadlines and cancellations can think of, and judged by a
/// model of what they promise.
///
/// `PERDURE_SCHEDULE=seed` runs one schedule alone, many times, as threads may take turns differently; `PERDURE_SCHEDULES=n`
/// changes the number, `PERDURE_SCHEDULES_SEED=seed` the seed of the first.
@Suite struct FaultScheduleTests {
    private struct Tally: Sendable {
        var schedules = 0
        var commands = 0
        var faults = 0
        var changesAtOnce = 0
        var violations: [String] = []
    }

    @Test func everySeededScheduleKeepsThePromises() async throws {
        let alone = Environment["PERDURE_SCHEDULE"].flatMap { UInt64($0) }
        let first = alone ?? Environment.seed("PERDURE_SCHEDULES_SEED")
        let count = Environment["PERDURE_SCHEDULES"].flatMap { Int($0) } ?? (alone == nil ? 3_000 : 200)
        // A few at a time, so that the machine's threads are shared in ever different ways.
        let tally = try await withThrowingTaskGroup(of: Tally.self) { group in
            var total = Tally()
            var next = 0
            for _ in 0..<4 where next < count {
                group.addTask { [next] in try await Self.run(alone ?? first + UInt64(next)) }
                next += 1
            }
            while let part = try await group.next() {
                total.schedules += part.schedules
                total.commands += part.commands
                total.faults += part.faults
                total.changesAtOnce += part.changesAtOnce
                total.violations += part.violations
                if next < count {
                    group.addTask { [next] in try await Self.run(alone ?? first + UInt64(next)) }
                    next += 1
                }
            }
            return total
        }
        print(
            "\(tally.schedules) schedules, \(tally.commands) commands, \(tally.changesAtOnce) changes at once,"
                + " \(tally.faults) faults, \(tally.violations.count) violations, seed \(first)")
        for violation in tally.violations.prefix(20) { print(violation) }
        #expect(tally.violations.isEmpty)
        #expect(tally.schedules == count)
        #expect(tally.faults > 0)
        #expect(tally.changesAtOnce > 0 || alone != nil)
    }

    private static func run(_ seed: UInt64) async throws -> Tally {
        let run = try await ScheduleRun(Schedule(seed: seed))
        let judge = ScheduleJudge(run)
        return Tally(
            schedules: 1, commands: run.calls.count, faults: run.trace.count { $0.fault != nil && !$0.isLate },
            changesAtOnce: run.changesAtOnce,
            violations: judge.violations.map { "PERDURE_SCHEDULE=\(seed): \($0)" })
    }
}
