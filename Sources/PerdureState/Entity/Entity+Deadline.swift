internal import PerdureConcurrency

extension Entity {
    /// Carries out a command as ``send(_:)`` does, but answers after `timeout` at the latest.
    ///
    /// A command that is late before its write has begun is withdrawn and leaves nothing behind. Later it goes on without its sender:
    /// the write is never broken off, and the error says that the change may have happened.
    ///
    /// - Returns: the state, its version, and the behavior's reply.
    /// - Throws: ``CommandError/deadlineExceeded(_:)`` when the time is over, otherwise as ``send(_:)``.
    @discardableResult
    public func send(
        _ command: Behavior.Command, within timeout: Duration
    ) async throws(CommandError<Behavior.Rejection>) -> CommandResult<Behavior> {
        typealias Answer = Result<CommandResult<Behavior>, CommandError<Behavior.Rejection>>
        let race = Race<Answer>()
        let progress = CommandProgress()
        let (kind, turn) = (self.kind, self.turn)
        let clock = kind.host.clock
        let deadline = clock.now + timeout
        // The command needs a task of its own: it may have to go on when its sender no longer waits.
        let work = Task {
            do throws(CommandError<Behavior.Rejection>) {
                race.finish(.success(try await kind.perform(command, on: turn, progress: progress)))
            } catch {
                race.finish(.failure(error))
            }
        }
        let timer = Task {
            guard (try? await clock.sleep(until: deadline)) != nil else { return }
            let outcome = progress.withdraw()
            race.finish(.failure(.deadlineExceeded(outcome)))
            // A store may break off what a cancelled task asked for; a write must not be.
            if outcome == .notApplied { work.cancel() }
        }
        let answer = await withTaskCancellationHandler {
            await race.result
        } onCancel: {
            work.cancel()
        }
        timer.cancel()
        return try answer.get()
    }
}

/// How far a command with a deadline has come: while it writes, it cannot be withdrawn.
@usableFromInline
final class CommandProgress: Sendable {
    private enum Stage { case pending, writing, writingWithoutSender, withdrawn }
    private let stage = LockedState(Stage.pending)

    /// Called before anything is written; false when the command must not be carried out any more.
    func beginWriting() -> Bool {
        self.stage.withLock { stage in
            if stage == .withdrawn { return false }
            stage = .writing
            return true
        }
    }

    /// Called when nothing was written after all. A command whose sender has left is not tried again.
    func endWriting() {
        self.stage.withLock { stage in stage = stage == .writing ? .pending : .withdrawn }
    }

    /// Keeps the command from writing, if it has not begun to; says whether it may have an effect.
    func withdraw() -> StoreError.Outcome {
        self.stage.withLock { stage in
            switch stage {
            case .pending, .withdrawn:
                stage = .withdrawn
                return .notApplied
            case .writing, .writingWithoutSender:
                stage = .writingWithoutSender
                return .unknown
            }
        }
    }
}

/// Whichever of several finishes first.
final class Race<Value: Sendable>: Sendable {
    private enum State {
        case open
        case awaited(CheckedContinuation<Value, Never>)
        case finished(Value)
    }
    private let state = LockedState(State.open)

    /// Offers a result; only the first one counts.
    func finish(_ value: Value) {
        let waiter = self.state.withLock { state -> CheckedContinuation<Value, Never>? in
            switch state {
            case .open:
                state = .finished(value)
                return nil
            case .awaited(let waiter):
                state = .finished(value)
                return waiter
            case .finished:
                return nil
            }
        }
        waiter?.resume(returning: value)
    }

    /// The first result; may be awaited once.
    var result: Value {
        get async {
            await withCheckedContinuation { continuation in
                let value = self.state.withLock { state -> Value? in
                    if case .finished(let value) = state { return value }
                    state = .awaited(continuation)
                    return nil
                }
                if let value { continuation.resume(returning: value) }
            }
        }
    }
}
