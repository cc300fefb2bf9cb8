import PerdureConcurrency
import PerdureState
import PerdureTestKit

/// What one run of a schedule showed to those outside: commands with their answers, and what observers and publishers saw.
struct ScheduleRun: Sendable {
    /// A command and its answer, with the order of beginnings and ends.
    struct Call: Sendable {
        var id: String
        var engine: Int
        var command: Account.Command
        var began: Int
        var ended: Int
        var answer: Result<CommandResult<Account>, CommandError<Account.Rejection>>
    }

    /// A change as an observer saw it.
    struct Seen: Sendable {
        var id: String
        var version: UInt64
        var state: Account.State?
        var missed: Int
    }

    let schedule: Schedule
    var calls: [Call] = []
    /// For each engine.
    var observed: [[Seen]] = []
    /// For each engine; empty where it has no publisher.
    var published: [[StateChange]] = []
    /// What really happened in the store.
    var trace: [FaultTrace] = []
    /// How many of them an engine made at once.
    var changesAtOnce = 0
    var stored: [String: DurableState] = [:]

    /// Carries out a schedule.
    init(_ schedule: Schedule) async throws {
        self.schedule = schedule
        let memory = InMemoryStateStore()
        let faulty = FaultyStateStore(memory, plan: schedule.plan)
        // Engines that tell nobody but the sender make some changes at once.
        let store = PromptStore(faulty, seed: schedule.seed)
        let publishers = (0..<schedule.engines).map { _ in ListPublisher() }
        let engines = publishers.map { publisher in
            bank(store, publishers: schedule.hasPublisher ? [publisher] : []) { configuration in
                configuration.sharing = schedule.isShared ? .shared : .exclusive
                configuration.maximumLiveEntities = schedule.maximumLiveEntities
                configuration.maximumConflicts = schedule.maximumConflicts
                configuration.maximumWaitingCommands = schedule.maximumWaitingCommands
                configuration.clock = HastyClock()
            }
        }
        let changes = engines.map { $0.changes(of: Account.self, buffer: 1_000) }
        let log = LockedState((time: 0, calls: [Call]()))
        await withTaskGroup(of: Void.self) { group in
            for sender in schedule.senders {
                group.addTask {
                    let entity = engines[sender.engine].entity(Account.self, sender.id)
                    for step in sender.steps {
                        guard let command = step.command else {
                            await entity.passivate()
                            continue
                        }
                        let began = log.withLock { log in
                            log.time += 1
                            return log.time
                        }
                        let answer = await step.carryOut(on: entity)
                        log.withLock { log in
                            log.time += 1
                            log.calls.append(
                                Call(
                                    id: sender.id, engine: sender.engine, command: command, began: began,
                                    ended: log.time, answer: answer))
                        }
                    }
                }
            }
        }
        for engine in engines { try await engine.stop() }
        await faulty.landLateWrites()
        self.calls = log.withLock { $0.calls }
        for changes in changes {
            var seen: [Seen] = []
            for await change in changes {
                seen.append(
                    Seen(
                        id: change.persistenceID, version: change.version, state: change.state, missed: change.missed))
            }
            self.observed.append(seen)
        }
        self.published = publishers.map(\.changes)
        self.trace = store.trace
        self.changesAtOnce = store.countAtOnce
        for id in Set(schedule.senders.map(\.id)) { self.stored[id] = try await memory.latestState(of: id) }
    }
}

extension Schedule.Step {
    var command: Account.Command? {
        switch self {
        case .send(let command), .sendWithin(let command, _), .sendCancelled(let command, _): command
        case .passivate: nil
        }
    }

    fileprivate func carryOut(
        on entity: Entity<Account>
    ) async -> Result<CommandResult<Account>, CommandError<Account.Rejection>> {
        typealias Answer = Result<CommandResult<Account>, CommandError<Account.Rejection>>
        switch self {
        case .sendWithin(let command, let steps):
            return await outcome { () async throws(CommandError<Account.Rejection>) in
                try await entity.send(command, within: .microseconds(steps))
            }
        case .sendCancelled(let command, let steps):
            let task = Task { () -> Answer in
                await outcome { () async throws(CommandError<Account.Rejection>) in try await entity.send(command) }
            }
            for _ in 0..<steps { await Task.yield() }
            task.cancel()
            return await task.value
        case .send(let command):
            return await outcome { () async throws(CommandError<Account.Rejection>) in try await entity.send(command) }
        case .passivate:
            return .failure(.cancelled)
        }
    }
}

/// Keeps what it is given.
final class ListPublisher: StatePublisher {
    let name = "list"
    private let list = LockedState((changes: [StateChange](), closed: 0))

    func publish(_ change: StateChange) async throws { self.list.withLock { $0.changes.append(change) } }
    func close() async { self.list.withLock { $0.closed += 1 } }

    var changes: [StateChange] { self.list.withLock { $0.changes } }
    var closed: Int { self.list.withLock { $0.closed } }
}
