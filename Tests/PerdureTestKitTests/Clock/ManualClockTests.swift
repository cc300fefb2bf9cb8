import PerdureConcurrency
import PerdureTestKit
import Testing

@Suite(.timeLimit(.minutes(10))) struct ManualClockTests {
    let clock = ManualClock()

    @Test func standsStillUntilMoved() {
        #expect(self.clock.now == .zero)
        self.clock.advance(by: .milliseconds(1_500))
        #expect(self.clock.now == .milliseconds(1_500))
        #expect(self.clock.unixMilliseconds == 1_700_000_001_500)
        self.clock.advance(to: .seconds(1))
        #expect(self.clock.now == .milliseconds(1_500))
    }

    @Test func setsTheWallClockWithoutTheOther() {
        self.clock.advance(by: .seconds(5))
        self.clock.setWallClock(to: 42)
        #expect(self.clock.unixMilliseconds == 42)
        #expect(self.clock.now == .seconds(5))
        self.clock.advance(by: .milliseconds(8))
        #expect(self.clock.unixMilliseconds == 50)
    }

    @Test func doesNotSleepWhenTheDeadlineHasPassed() async throws {
        self.clock.advance(by: .seconds(1))
        try await self.clock.sleep(until: .seconds(1))
        try await self.clock.sleep(for: .zero)
        try await self.clock.sleep(until: .zero)
    }

    @Test func wakesNobodyTooEarly() async throws {
        let sleeper = Task { [clock] in try await clock.sleep(for: .seconds(2)) }
        try await self.clock.waitForSleepers()
        self.clock.advance(by: .milliseconds(1_999))
        #expect(self.clock.sleeperCount == 1)
        self.clock.advance(by: .milliseconds(1))
        #expect(self.clock.sleeperCount == 0)
        try await sleeper.value
    }

    /// Those of one deadline are resumed in order too, but what they do next runs as the scheduler pleases.
    @MainActor @Test func resumesInTheOrderOfDeadlines() async throws {
        var order: [Int] = []
        let deadlines = [5, 3, 9, 3, 1, 9]
        var tasks: [Task<Void, any Error>] = []
        for (number, deadline) in deadlines.enumerated() {
            tasks.append(
                Task { @MainActor [clock] in
                    try await clock.sleep(until: .seconds(deadline))
                    order.append(number)
                })
            try await self.clock.waitForSleepers(number + 1)
        }
        self.clock.advance(to: .seconds(2))
        try await tasks[4].value
        #expect(order == [4])
        self.clock.advance(to: .seconds(4))
        for number in [1, 3] { try await tasks[number].value }
        #expect(Set(order) == [4, 1, 3])
        self.clock.advance(by: .seconds(60))
        for task in tasks { try await task.value }
        #expect(Set(order.suffix(3)) == [0, 2, 5])
    }

    @Test func goesFromSleeperToSleeper() async throws {
        #expect(self.clock.advanceToNextSleeper() == nil)
        #expect(self.clock.now == .zero)
        let tasks = [7, 4].map { seconds in Task { [clock] in try await clock.sleep(for: .seconds(seconds)) } }
        try await self.clock.waitForSleepers(2)
        #expect(self.clock.nextDeadline == .seconds(4))
        #expect(self.clock.advanceToNextSleeper() == .seconds(4))
        #expect(self.clock.sleeperCount == 1)
        #expect(self.clock.advanceToNextSleeper() == .seconds(7))
        #expect(self.clock.now == .seconds(7))
        for task in tasks { try await task.value }
    }

    @Test func endsTheSleepOfACancelledTask() async throws {
        let sleeper = Task { [clock] in try await clock.sleep(for: .seconds(1)) }
        try await self.clock.waitForSleepers()
        sleeper.cancel()
        await #expect(throws: CancellationError.self) { try await sleeper.value }
        #expect(self.clock.sleeperCount == 0)
        self.clock.advance(by: .seconds(2))
    }

    @Test func doesNotPutACancelledTaskToSleep() async throws {
        let sleeper = Task { [clock] in
            while !Task.isCancelled { await Task.yield() }
            try await clock.sleep(for: .seconds(1))
        }
        sleeper.cancel()
        await #expect(throws: CancellationError.self) { try await sleeper.value }
    }

    @Test func endsTheWaitForSleepersOfACancelledTask() async throws {
        let watcher = Task { [clock] in try await clock.waitForSleepers(3) }
        watcher.cancel()
        await #expect(throws: CancellationError.self) { try await watcher.value }
    }

    /// Sleepers, cancellations and moving hands all at once, with random schedules: everybody wakes, nobody twice.
    @Test(arguments: 0..<10 as Range<UInt64>) func losesNoWakeUp(seed: UInt64) async throws {
        let sleepers = 200
        let finished = try await withThrowingTaskGroup(of: Bool?.self) { group in
            for number in 0..<sleepers {
                group.addTask { [clock] in
                    var generator = SeededGenerator(seed: seed, stream: UInt64(number))
                    let deadline = Duration.milliseconds(Int.random(in: 0...1_000, using: &generator))
                    let yields = Int.random(in: 0...20, using: &generator)
                    let task = Task { try await clock.sleep(until: deadline) }
                    if generator.chance(0.3) {
                        for _ in 0..<yields { await Task.yield() }
                        task.cancel()
                    }
                    do {
                        try await task.value
                        return clock.now >= deadline
                    } catch {
                        return error is CancellationError
                    }
                }
            }
            group.addTask { [clock] in
                while clock.now < .seconds(2) {
                    clock.advance(by: .milliseconds(10))
                    await Task.yield()
                }
                return nil
            }
            return try await group.reduce(into: 0) { count, isRight in if isRight == true { count += 1 } }
        }
        #expect(finished == sleepers, "seed \(seed)")
        #expect(self.clock.sleeperCount == 0)
    }
}
