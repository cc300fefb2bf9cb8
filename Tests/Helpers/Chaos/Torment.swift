internal import Glibc
internal import PerdureConcurrency
internal import PerdureTestKit
internal import PerdureWorkflow

/// What chance does to the workers.
final class Torment: Sendable {
    private let herd: Herd
    private let feeder: Feeder
    private let store: any RunStore
    private let generator: LockedState<SeededGenerator>
    private let counts = LockedState(ChaosReport())
    private let lease: Duration

    init(_ herd: Herd, _ feeder: Feeder, _ store: any RunStore, seed: UInt64, lease: Duration) {
        self.lease = lease
        self.herd = herd
        self.feeder = feeder
        self.store = store
        self.generator = LockedState(SeededGenerator(seed: seed))
    }

    var report: ChaosReport { self.counts.withLock { $0 } }

    /// Torments them so long, and until they have met the worst at least once: on a busy machine one thing alone may take all the time.
    func run(for duration: Duration) async throws {
        let end = ContinuousClock.now + duration
        while ContinuousClock.now < end || self.report.kills + self.report.pauses == 0 {
            try await Task.sleep(for: .milliseconds(self.random(50...350)))
            let place = self.random(0...self.herd.count - 1)
            switch self.random(0...99) {
            case 0..<35: try await self.kill(place)
            case 35..<75: try await self.pausePastTheLease(place)
            case 75..<85: try await self.pauseShortly(place)
            case 85..<93: try await self.endInPeace(place)
            default: try await self.killAll()
            }
        }
    }

    private func random(_ range: ClosedRange<Int>) -> Int {
        self.generator.withLock { Int.random(in: range, using: &$0) }
    }

    private func kill(_ place: Int) async throws {
        try await self.herd.end(place, inPeace: false)
        self.counts.withLock { $0.kills += 1 }
        try await self.restart(place)
    }

    private func killAll() async throws {
        for place in 0..<self.herd.count { self.herd.send(SIGKILL, to: place) }
        for place in 0..<self.herd.count { try await self.herd.end(place, inPeace: false) }
        self.counts.withLock { $0.kills += self.herd.count }
        for place in 0..<self.herd.count { try await self.restart(place) }
    }

    private func endInPeace(_ place: Int) async throws {
        try await self.herd.end(place, inPeace: true)
        self.counts.withLock { $0.peacefulEnds += 1 }
        try await self.restart(place)
    }

    /// Every other comes back under the name that it had.
    private func restart(_ place: Int) async throws {
        try await Task.sleep(for: .milliseconds(self.random(0...100)))
        try self.herd.start(place, runs: self.feeder.reserve(3), asStranger: self.random(0...1) == 0)
    }

    private func pauseShortly(_ place: Int) async throws {
        self.herd.send(SIGSTOP, to: place)
        try await Task.sleep(for: .milliseconds(self.random(20...150)))
        self.herd.send(SIGCONT, to: place)
        self.counts.withLock { $0.shortPauses += 1 }
    }

    /// Stops a worker until others have all its runs, and lets it go on then: whatever it still records would show.
    private func pausePastTheLease(_ place: Int) async throws {
        let name = self.herd.name(place)
        self.herd.send(SIGSTOP, to: place)
        defer { self.herd.send(SIGCONT, to: place) }
        var hadHeirs = false
        // Bounded: a process can be stopped while it has the only lock of the store.
        for _ in 0..<100 {
            try await Task.sleep(for: self.lease * 0.06)
            guard let taken = try? await self.isDispossessed(name) else { continue }
            if taken {
                hadHeirs = true
                break
            }
        }
        let isWithout = !hadHeirs
        self.counts.withLock { report in
            report.pauses += 1
            if isWithout { report.pausesWithoutHeirs += 1 }
        }
    }

    /// Whether the worker of that name is taken for dead, and none of its runs is its own any more.
    private func isDispossessed(_ name: String) async throws -> Bool {
        guard try await !self.store.workers().contains(where: { $0.name == name }) else { return false }
        let runs = try await self.feeder.runningRuns()
        guard !runs.contains(where: { $0.progress.owner?.hasPrefix("\(name)-") ?? false }) else { return false }
        for run in runs { self.feeder.saw(run) }
        return true
    }
}
