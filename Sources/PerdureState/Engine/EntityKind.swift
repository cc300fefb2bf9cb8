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
    @inlinable
    func perform(
        _ command: Behavior.Command, on known: EntityTurn, progress: CommandProgress?
    ) async throws(Failure) -> CommandResult<Behavior> {
        let observer = self.host.observer
        let started = observer == nil ? .zero : self.host.clock.now
        do throws(Failure) {
            let turn: EntityTurn
            switch self.host.knock(known) {
            case .turn:
                turn = known
            case let answer:
                do throws(CommandFailure) { turn = try await self.host.enter(known, answer) } catch {
                    throw Failure(error)
                }
            }
            defer { turn.pass() }
            // The host's directory holds what this kind has made.
            let live = unsafeDowncast(turn, to: Live.self)
            var work = EntityWork(kind: self, live: live, progress: progress)
            let result = try await work.carryOut(command)
            if let observer {
                let took = self.host.clock.now - started
                observer.observe(.commandHandled(persistenceID: known.id, version: result.version, took: took))
            }
            return result
        } catch {
            if let observer {
                if case .rejected = error {
                } else {
                    observer.observe(.commandFailed(persistenceID: known.id, error: error))
                }
            }
            throw error
        }
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
