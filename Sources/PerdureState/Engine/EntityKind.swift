internal import PerdureConcurrency

/// The entities of one behavior, with what depends on it: the codec, the handler, the observers.
@usableFromInline
final class EntityKind<Behavior: DurableStateBehavior>: Sendable {
    @usableFromInline typealias Failure = CommandError<Behavior.Rejection>
    @usableFromInline typealias Live = LiveEntity<Behavior>

    @usableFromInline let host: EntityHost
    let subscriptions = Subscriptions<Behavior.State>()

    init(
        store: any StateStore, configuration: StateEngine.Configuration, publishing: Publishing,
        makeBehavior: @escaping @Sendable (String) -> Behavior
    ) {
        let knownCodec = LockedState<(any StateCodec<Behavior.State>)?>(nil)
        self.host = EntityHost(store: store, configuration: configuration, publishing: publishing) {
            id, shard, moment in
            let behavior = makeBehavior(id)
            let codec = knownCodec.withLock { known in
                let codec = known ?? behavior.codec
                known = codec
                return codec
            }
            return LiveEntity(id: id, shard: shard, moment: moment, behavior: behavior, codec: codec)
        }
    }

    /// Carries out a command on the entity that was last `known` under its ID, from its place in the line to its answer.
    ///
    /// Inlinable so that it is compiled for each behavior where that is known: as unspecialized generic code, an
    /// uncontended command in memory takes 3 µs instead of a third of one (`script/bench entity-memory-1`).
    @inlinable @inline(__always)
    func perform(
        _ command: Behavior.Command, on known: EntityTurn, progress: CommandProgress?
    ) async throws(Failure) -> CommandResult<Behavior> {
        let admission = self.host.knock(known)
        if case .turn = admission, progress == nil, let result = try self.answerAtOnce(command, on: known) {
            return result
        }
        return try await self.perform(command, on: known, admission, progress)
    }

    /// Answers a command of who has the turn, and ends the turn, if that needs no waiting: the state is in memory, and the store
    /// takes the new one at once. Otherwise nil: nothing has happened, and the turn goes on.
    ///
    /// The straight line of ``EntityWork/carryOut(_:)``, which knows all that can happen; there is nothing to await in it, and
    /// nobody but the sender to be told (``EntityHost/storeAtOnce``).
    @inlinable
    func answerAtOnce(
        _ command: Behavior.Command, on turn: EntityTurn
    ) throws(Failure) -> CommandResult<Behavior>? {
        guard let store = self.host.storeAtOnce else { return nil }
        // The host's directory holds what this kind has made.
        let live = unsafeDowncast(turn, to: Live.self)
        guard case .current(let state, let version, let exists) = live.memory else { return nil }
        let effect: ReplyEffect<Behavior.State, Behavior.Reply>
        do throws(Behavior.Rejection) { effect = try live.behavior.handle(command, in: state) } catch {
            live.pass()
            throw .rejected(error)
        }
        switch effect.change {
        case .persist(let next):
            let payload: StatePayload
            do { payload = try live.codec.encode(next) } catch {
                live.pass()
                throw live.encodingFailed(error)
            }
            let timestamp = self.host.unixMilliseconds
            let written = DurableState(
                persistenceID: live.id, version: version + 1, payload: payload, timestamp: timestamp,
                shard: live.shard)
            guard store.writeAtOnce(written, if: exists ? .version(version) : .absent) else { return nil }
            live.memory = .current(next, version: version + 1, exists: true)
            if self.isObserved { self.announce(live.id, version: version + 1, state: next, timestamp: timestamp) }
            live.pass()
            return CommandResult(state: next, version: version + 1, reply: effect.reply)
        case .delete where exists:
            guard store.deleteAtOnce(live.id, if: .version(version)) else { return nil }
            let initial = live.behavior.initialState
            live.memory = .current(initial, version: version + 1, exists: false)
            self.announce(live.id, version: version + 1, state: nil, timestamp: self.host.unixMilliseconds)
            live.pass()
            return CommandResult(state: initial, version: version + 1, reply: effect.reply)
        case .none, .delete:
            live.pass()
            return CommandResult(state: state, version: version, reply: effect.reply)
        }
    }

    /// Carries out a command after knocking gave `admission`.
    @inlinable
    func perform(
        _ command: Behavior.Command, on known: EntityTurn, _ admission: EntityTurn.Admission,
        _ progress: CommandProgress?
    ) async throws(Failure) -> CommandResult<Behavior> {
        let started = self.host.hasObserver ? self.host.clock.now : .zero
        do throws(Failure) {
            var (turn, line): (EntityTurn, EntityLine?) = (known, nil)
            switch admission {
            case .turn: break
            case .line(let way): line = way
            default:
                do throws(CommandFailure) { (turn, line) = try await self.host.enter(known, admission) } catch {
                    throw Failure(error)
                }
                if line == nil, progress == nil, !Task.isCancelled,
                    let result = try self.answerAtOnce(command, on: turn)
                {
                    return result
                }
            }
            if let line, let result = try await self.answer(command, on: turn, progress, in: line) { return result }
            defer { turn.pass() }
            let live = unsafeDowncast(turn, to: Live.self)
            var work = EntityWork(kind: self, live: live, progress: progress)
            let result = try await work.carryOut(command)
            if self.host.hasObserver { self.host.noteHandled(known.id, version: result.version, since: started) }
            return result
        } catch {
            if self.host.hasObserver { self.noteFailed(known.id, error) }
            throw error
        }
    }

    /// Waits in `line` for the turn, and answers there if that needs no waiting; otherwise nil, with the turn in hand.
    @inlinable
    func answer(
        _ command: Behavior.Command, on turn: EntityTurn, _ progress: CommandProgress?, in line: isolated EntityLine
    ) async throws(Failure) -> CommandResult<Behavior>? {
        if Task.isCancelled {
            turn.pass()
            throw Failure(.cancelled)
        }
        return progress == nil ? try self.answerAtOnce(command, on: turn) : nil
    }

    /// Tells the observer of a failure. A rejection is an answer.
    @usableFromInline
    func noteFailed(_ id: String, _ error: Failure) {
        if case .rejected = error { return }
        self.host.observer?.observe(.commandFailed(persistenceID: id, error: error))
    }

    /// Whether anybody would hear ``announce(_:version:state:timestamp:)``.
    @usableFromInline var isObserved: Bool { !self.subscriptions.isEmpty }

    /// Tells observers of a change that is stored; `state` is nil for a deletion.
    @usableFromInline
    func announce(_ id: String, version: UInt64, state: Behavior.State?, timestamp: Int64) {
        self.subscriptions.send(
            EntityChange(persistenceID: id, version: version, state: state, timestamp: timestamp))
    }
}
