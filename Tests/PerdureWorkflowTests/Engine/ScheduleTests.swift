import Glibc
import PerdureTestKit
import Testing

/// Ways in which a store can fail an engine, each with a run of the zoo that must end as its model says: hundreds, or as many thousands
/// as `PERDURE_SCHEDULES` says.
///
/// In real time: what is late is late by some milliseconds, and engines wait between attempts.
@Suite(.timeLimit(.minutes(10))) struct ScheduleTests {
    private static let scheduleCount = getenv("PERDURE_SCHEDULES").flatMap { Int(String(cString: $0)) } ?? 200

    @Test("refused, lost, late and cut off, with and without a crash, or a worker that was only slow")
    func schedules() async throws {
        let seed = SeededGenerator.printedSeed("fault schedules")
        let found = try await withThrowingTaskGroup(of: Schedule.Findings.self) { group in
            var found: [Schedule.Findings] = []
            for number in 0..<Self.scheduleCount {
                if number >= 48, let one = try await group.next() { found.append(one) }
                group.addTask { try await Schedule(seed: seed, number: number).findings() }
            }
            for try await one in group { found.append(one) }
            return found
        }
        let faults = found.reduce(0) { $0 + $1.faults }
        let (crashes, stops) = (found.count(where: \.hasCrashed), found.count(where: \.wasStopped))
        let violations = found.flatMap(\.violations)
        print(
            "fault schedules: \(Self.scheduleCount) schedules, \(faults) faults, \(crashes) crashes, \(stops) stops, \(violations.count) violations, seed \(seed)"
        )
        #expect(violations.isEmpty, "\(violations.prefix(10))")
        #expect(faults > Self.scheduleCount && min(crashes, stops) > Self.scheduleCount / 20)
    }
}
