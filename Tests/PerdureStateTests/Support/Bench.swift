import PerdureTestKit
import Waiting

@testable import PerdureState

typealias TestStore = FaultyStateStore<InMemoryStateStore>

/// A store in memory that goes wrong as planned, and keeps a trace of what is asked of it.
func testStore(_ plan: FaultPlan = FaultPlan(), clock: any PerdureClock = SystemClock()) -> TestStore {
    FaultyStateStore(InMemoryStateStore(), plan: plan, clock: clock)
}

extension FaultyStateStore {
    func count(_ operation: StoreError.Operation) -> Int { self.trace.count { $0.operation == operation } }
}

extension Entity where Behavior == Account {
    /// Sends a command in a task of its own, and returns once it stands in the line, behind those that stand there already.
    func line(up command: Account.Command) async -> Task<CommandError<Account.Rejection>?, Never> {
        let before = self.turn.inLine
        let task = Task {
            await reason { () async throws(CommandError<Account.Rejection>) in try await self.send(command) }
        }
        _ = await eventually { self.turn.inLine > before }
        return task
    }

    /// Sends a command in a task of its own.
    func begin(_ command: Account.Command) -> Task<CommandError<Account.Rejection>?, Never> {
        Task { await reason { () async throws(CommandError<Account.Rejection>) in try await self.send(command) } }
    }

    /// Why the command fails; nil if it does not.
    func failure(of command: Account.Command) async -> CommandError<Account.Rejection>? {
        await reason { () async throws(CommandError<Account.Rejection>) in try await self.send(command) }
    }

    /// The same with a deadline.
    func failure(of command: Account.Command, within timeout: Duration) async -> CommandError<Account.Rejection>? {
        await reason { () async throws(CommandError<Account.Rejection>) in
            try await self.send(command, within: timeout)
        }
    }
}

extension CommandError {
    var storeError: StoreError? { if case .store(let error) = self { error } else { nil } }
    var isCancelled: Bool { if case .cancelled = self { true } else { false } }
    var isStopped: Bool { if case .stopped = self { true } else { false } }
    var isOverloaded: Bool { if case .overloaded = self { true } else { false } }
    /// The outcome of a missed deadline.
    var missedDeadline: StoreError.Outcome? { if case .deadlineExceeded(let outcome) = self { outcome } else { nil } }
}
