internal import EngineCases
internal import Glibc
internal import PerdureConcurrency
internal import Processes
internal import Waiting
internal import WorkflowZoo

/// The worker processes: one in each place, now this, now another.
final class Herd: Sendable {
    private struct Worker {
        var process: RunningProcess
        var stopFile: String
        var name: String
        var end: Task<ChildProcess, any Error>
        let hasEnded: LockedState<Bool>
    }

    private struct State {
        var workers: [Int: Worker] = [:]
        var generation = 0
        var ledgers: [Ledger] = []
        var failures: [String] = []
    }

    private let chaos: Chaos
    private let state = LockedState(State())

    init(_ chaos: Chaos) { self.chaos = chaos }

    var count: Int { self.chaos.workerCount }

    /// The name of the worker in a place.
    func name(_ place: Int) -> String { self.state.withLock { $0.workers[place]?.name ?? "" } }

    /// Starts a worker in a place, which starts these runs; as who was there before, or as a stranger.
    func start(_ place: Int, runs: Range<Int>, asStranger: Bool = false) throws {
        let (name, path) = self.state.withLock { state -> (String, String) in
            state.generation += 1
            let path = "\(self.chaos.folder)/ledger\(state.generation)"
            state.ledgers.append(Ledger(path))
            return (asStranger ? "stranger\(state.generation)" : "worker\(place)", path)
        }
        let process = try RunningProcess.start(
            "chaos-worker",
            [
                self.chaos.place, self.chaos.tables, path, name, "\(Self.milliseconds(self.chaos.lease))",
                "\(runs.lowerBound)", "\(runs.upperBound)",
            ])
        let hasEnded = LockedState(false)
        let end = Task {
            defer { hasEnded.withLock { $0 = true } }
            return try await process.end()
        }
        let worker = Worker(process: process, stopFile: "\(path).stop", name: name, end: end, hasEnded: hasEnded)
        self.state.withLock { $0.workers[place] = worker }
    }

    func send(_ signal: Int32, to place: Int) {
        self.state.withLock { $0.workers[place]?.process }?.send(signal)
    }

    /// Ends the worker in a place, in peace or not, and waits for its end.
    func end(_ place: Int, inPeace: Bool) async throws {
        guard let worker = self.state.withLock({ $0.workers.removeValue(forKey: place) }) else { return }
        var isToBeKilled = true
        if inPeace {
            _ = Ledger(worker.stopFile).writer()
            // One that does not end in peace ends all the same.
            let patience = ContinuousClock.now + .seconds(300)
            isToBeKilled = try await !poll(while: { ContinuousClock.now < patience }) {
                worker.hasEnded.withLock { $0 }
            }
        }
        if isToBeKilled { worker.process.send(SIGKILL) }
        let end = try await worker.end.value
        if inPeace, end.status != 0 || !end.isFinished {
            self.state.withLock { $0.failures.append("ended with \(end) when it was asked to stop") }
        } else if end.signal != nil, end.signal != SIGKILL {
            self.state.withLock { $0.failures.append("ended with \(end)") }
        } else if end.lines.contains(where: { $0.hasPrefix("failed") }) {
            self.state.withLock { $0.failures.append("\(end.lines)") }
        }
    }

    /// Ends all in peace; returns what went wrong with any, ever.
    func end() async throws -> [String] {
        for place in 0..<self.count { try await self.end(place, inPeace: true) }
        return self.state.withLock { $0.failures }
    }

    func killAll() {
        for worker in self.state.withLock({ $0.workers.values.map(\.process) }) { worker.send(SIGKILL) }
    }

    /// What all workers that ever were have told.
    var lines: [String] { self.state.withLock { $0.ledgers }.flatMap(\.lines) }

    static func milliseconds(_ duration: Duration) -> Int64 {
        duration.components.seconds * 1_000 + duration.components.attoseconds / 1_000_000_000_000_000
    }
}
