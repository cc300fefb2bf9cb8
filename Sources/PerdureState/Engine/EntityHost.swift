internal import PerdureConcurrency

/// Where the entities of one kind live: finding them, giving them their turn, storing their changes, letting them go.
///
/// Nothing here depends on the behavior, so that none of it is compiled again for each.
@usableFromInline
final class EntityHost: Sendable {
    @usableFromInline let configuration: StateEngine.Configuration
    // Copies of what every command looks at: cheaper to reach than through the whole configuration.
    @usableFromInline let observer: (any EventObserver)?
    @usableFromInline let hasObserver: Bool
    @usableFromInline let clock: any PerdureClock
    @usableFromInline let commandTimeout: Duration?
    @usableFromInline let isShared: Bool
    @usableFromInline let store: any StateStore
    /// The same, where a command may be carried out without a thought for anything but the state and its sender.
    @usableFromInline let storeAtOnce: (any ImmediateStateStore)?
    /// How many may wait for a turn where nobody who has one ever waits for anything.
    private let briefLimit: Int?
    private let publishing: Publishing
    @usableFromInline let hasPublishers: Bool
    private let directory: EntityDirectory
    /// Makes an entity of an ID, its shard, and the present moment.
    private let makeEntity: @Sendable (String, UInt64, UInt64) -> EntityTurn

    init(
        store: any StateStore, configuration: StateEngine.Configuration, publishing: Publishing,
        makeEntity: @escaping @Sendable (String, UInt64, UInt64) -> EntityTurn
    ) {
        self.store = store
        self.configuration = configuration
        self.observer = configuration.observer
        self.hasObserver = configuration.observer != nil
        self.clock = configuration.clock
        self.commandTimeout = configuration.commandTimeout
        self.isShared = configuration.sharing == .shared
        self.publishing = publishing
        self.hasPublishers = !publishing.isEmpty
        let isPlain = publishing.isEmpty && configuration.observer == nil && configuration.sharing == .exclusive
        self.storeAtOnce = isPlain ? store as? any ImmediateStateStore : nil
        self.briefLimit = self.storeAtOnce?.neverWaits == true ? configuration.maximumWaitingCommands : nil
        self.directory = EntityDirectory(limit: configuration.maximumLiveEntities)
        self.makeEntity = makeEntity
    }

    // MARK: Coming in

    /// Asks for the turn of `entity`; whoever does not get it goes on with ``enter(_:_:)``.
    @usableFromInline
    func knock(_ entity: EntityTurn) -> EntityTurn.Admission {
        Task.isCancelled ? .withdrawn : entity.take(at: self.directory.moment, briefLimit: self.briefLimit)
    }

    /// The entity under the ID of `known`, once its turn has come, or with the line that it is expected in; `answer` is what knocking
    /// gave.
    @usableFromInline
    func enter(
        _ known: EntityTurn, _ answer: EntityTurn.Admission
    ) async throws(CommandFailure) -> (EntityTurn, EntityLine?) {
        let limit = self.configuration.maximumWaitingCommands
        var entity = known
        var admission = answer
        while true {
            if case .ticket(let ticket) = admission { admission = await entity.wait(ticket, limit: limit) }
            switch admission {
            case .turn: return (entity, nil)
            case .line(let line): return (entity, line)
            case .retired:
                // It left memory, and may have come back as another object.
                guard let found = self.find(entity.id) else { throw .stopped }
                entity = found
                admission = self.knock(entity)
            case .crowded:
                throw .overloaded(
                    "\(limit) commands wait for \(entity.id.debugDescription) already, as many as maximumWaitingCommands allows"
                )
            case .withdrawn, .ticket: throw .cancelled
            }
        }
    }

    /// The entity under `id`, not read yet if it was not in memory; nil once the engine stops.
    func find(_ id: String) -> EntityTurn? {
        let found = self.directory.find(id) { self.make(id) }
        if let found, !found.evicted.isEmpty { self.letGo(found.evicted, .crowded) }
        return found?.entity
    }

    /// An entity under `id` that nobody will find; good for being told that the engine stopped.
    func makeRetired(_ id: String) -> EntityTurn {
        let entity = self.make(id)
        _ = entity.retireIfFree()
        return entity
    }

    private func make(_ id: String) -> EntityTurn {
        self.makeEntity(
            id, PersistenceID.shard(of: id, among: self.configuration.shardCount), self.directory.moment)
    }

    // MARK: The store

    /// The wall clock's time, for a state's timestamp.
    @usableFromInline var unixMilliseconds: Int64 { self.clock.unixMilliseconds }

    /// What is stored under `id`.
    func read(_ id: String) async throws(CommandFailure) -> DurableState? {
        do throws(StoreError) {
            return try await self.store.latestState(of: id)
        } catch {
            throw Self.failure(error)
        }
    }

    /// A store that refuses to begin for a cancelled caller is no failure of the store.
    private static func failure(_ error: StoreError) -> CommandFailure {
        error.code == .cancelled && error.outcome == .notApplied ? .cancelled : .store(error)
    }

    /// Takes what a change needs besides the store: the right to write, and a place with each publisher, so that what is stored can
    /// always be handed on.
    @usableFromInline
    func prepareWrite(_ progress: CommandProgress?) throws(CommandFailure) {
        if let full = self.publishing.reserve() {
            throw .overloaded("publisher \(full.debugDescription) is behind and its buffer is full")
        }
        if let progress, !progress.beginWriting() {
            self.publishing.release()
            throw .deadlineExceeded(.notApplied)
        }
    }

    /// Hands a stored change to the publishers.
    @usableFromInline
    func publish(_ change: StateChange) { self.publishing.publish(change) }

    /// After a write failed, the `conflicts`-th time for this command: throws unless another process wrote first and the command
    /// should be handled again.
    @usableFromInline
    func judge(_ error: StoreError, on id: String, conflicts: Int) async throws(CommandFailure) {
        self.publishing.release()
        if error.outcome == .unknown {
            self.observer?.observe(.writeOutcomeUnknown(persistenceID: id, error: error))
            throw .store(error)
        }
        guard error.code == .conflict else { throw Self.failure(error) }
        let stored = error.storedVersion ?? 0
        self.observer?.observe(.writeConflicted(persistenceID: id, attempt: conflicts, storedVersion: stored))
        guard conflicts < self.configuration.maximumConflicts else {
            throw .contended(attempts: conflicts, last: error)
        }
        if conflicts >= 2 {
            // Whoever loses twice in a row fights with somebody: step aside for a moment, a random one.
            let most = min(64, 1 << (conflicts - 2))
            let pause = Duration.microseconds(Int.random(in: 0...(most * 500)))
            try? await self.clock.sleep(for: pause)
        }
    }

    /// Tells the observer of an answer.
    @usableFromInline
    func noteHandled(_ id: String, version: UInt64, since started: Duration) {
        self.observer?.observe(.commandHandled(persistenceID: id, version: version, took: self.clock.now - started))
    }

    // MARK: Leaving memory

    /// Takes the entity under `id` out of memory, behind the commands that wait for it.
    func passivate(_ id: String) async {
        guard let entity = self.directory.peek(id) else { return }
        var admission = entity.take(at: self.directory.moment)
        if case .ticket(let ticket) = admission { admission = await entity.wait(ticket, limit: .max) }
        // Anything else: it left memory by itself, or the task was cancelled and goes without.
        guard case .turn = admission else { return }
        entity.forget()
        // Where others wait, the next of them reads the state again in the same place, so that none overtakes another.
        if !self.directory.retireInTurn(entity) { entity.pass() }
        self.observer?.observe(.entityPassivated(persistenceID: entity.id, reason: .stopped))
    }

    /// Takes out the entities that have been idle for too long.
    func passivateIdle() {
        guard let time = self.configuration.idleTimeBeforePassivation else { return }
        self.letGo(self.directory.removeIdle(for: time, now: self.clock.now), .idle)
    }

    /// Refuses new commands; gives the entities that still work on those that came before.
    func close() -> [EntityTurn] {
        let (idle, atWork) = self.directory.close()
        self.letGo(idle, .stopped)
        return atWork
    }

    /// Waits until all that `entity` was told before ``close()`` is done.
    func drain(_ entity: EntityTurn) async {
        await entity.waitUntilFree()
        if self.directory.remove(entity) { self.letGo([entity], .stopped) }
    }

    var liveCount: Int { self.directory.count }

    /// The last of entities that have left memory: whoever keeps an ``Entity`` keeps the object, but not the state.
    private func letGo(_ entities: [EntityTurn], _ reason: PerdureEvent.PassivationReason) {
        for entity in entities {
            entity.forget()
            self.observer?.observe(.entityPassivated(persistenceID: entity.id, reason: reason))
        }
    }
}
