internal import PerdureConcurrency

/// Where the entities of one kind live: finding them, giving them their turn, storing their changes, letting them go.
///
/// Nothing here depends on the behavior, so that none of it is compiled again for each.
@usableFromInline
final class EntityHost: Sendable {
    @usableFromInline let configuration: StateEngine.Configuration
    @usableFromInline let observer: (any EventObserver)?
    private let store: any StateStore
    private let publishing: Publishing
    private let directory: EntityDirectory
    private let makeEntity: @Sendable (String) -> EntityTurn

    init(
        store: any StateStore, configuration: StateEngine.Configuration, publishing: Publishing,
        makeEntity: @escaping @Sendable (String) -> EntityTurn
    ) {
        self.store = store
        self.configuration = configuration
        self.observer = configuration.observer
        self.publishing = publishing
        self.directory = EntityDirectory(limit: configuration.maximumLiveEntities)
        self.makeEntity = makeEntity
    }

    // MARK: Coming in

    /// The entity under `id` with its turn, if nobody has it; nil if one must wait.
    @usableFromInline
    func enterIfFree(_ id: String) -> EntityTurn? {
        guard !Task.isCancelled, let entity = self.find(id), case .turn = entity.take() else { return nil }
        return entity
    }

    /// The entity under `id`, once its turn has come.
    @usableFromInline
    func enter(_ id: String) async throws(CommandFailure) -> EntityTurn {
        let limit = self.configuration.maximumWaitingCommands
        while true {
            if Task.isCancelled { throw .cancelled }
            guard let entity = self.find(id) else { throw .stopped }
            var admission = entity.take()
            if case .line(let ticket) = admission { admission = await entity.wait(ticket, limit: limit) }
            switch admission {
            case .turn: return entity
            case .retired: continue
            case .crowded:
                throw .overloaded(
                    "\(limit) commands wait for \(id.debugDescription) already, as many as maximumWaitingCommands allows"
                )
            case .withdrawn, .line: throw .cancelled
            }
        }
    }

    private func find(_ id: String) -> EntityTurn? {
        let found = self.directory.find(id, at: self.configuration.clock.now) { self.makeEntity(id) }
        if let observer = self.observer, let found {
            for entity in found.evicted {
                observer.observe(.entityPassivated(persistenceID: entity.id, reason: .crowded))
            }
        }
        return found?.entity
    }

    // MARK: The store

    /// What is stored under `id`.
    func read(_ id: String) async throws(CommandFailure) -> DurableState? {
        do throws(StoreError) {
            return try await self.store.latestState(of: id)
        } catch {
            throw .store(error)
        }
    }

    /// What became of a write.
    @usableFromInline
    enum Verdict {
        case done
        /// Another process wrote first: read and handle again. `stored` is the version that is there.
        case conflict(stored: UInt64)
    }

    /// Stores a change over `version` and hands it to the publishers.
    ///
    /// After ``CommandFailure/store(_:)`` with an unknown outcome the state must be read before it is used again.
    @usableFromInline
    func write(
        _ change: StateChange, over version: UInt64, exists: Bool, conflicts: Int, progress: CommandProgress?
    ) async throws(CommandFailure) -> Verdict {
        if let progress, !progress.beginWriting() { throw .deadlineExceeded(.notApplied) }
        // A place with each publisher is taken before the write: what is stored can always be handed on.
        if let full = self.publishing.reserve() {
            throw .overloaded("publisher \(full.debugDescription) is behind and its buffer is full")
        }
        do throws(StoreError) {
            switch change {
            case .written(let state): try await self.store.write(state, if: exists ? .version(version) : .absent)
            case .deleted(let id, _): try await self.store.delete(id, if: .version(version))
            }
        } catch {
            self.publishing.release()
            return try await self.judge(error, on: change.persistenceID, conflicts: conflicts)
        }
        self.publishing.publish(change)
        return .done
    }

    /// Whether a failed write should be tried again.
    private func judge(
        _ error: StoreError, on id: String, conflicts: Int
    ) async throws(CommandFailure) -> Verdict {
        if error.outcome == .unknown {
            self.observer?.observe(.writeOutcomeUnknown(persistenceID: id, error: error))
            throw .store(error)
        }
        guard error.code == .conflict else { throw .store(error) }
        let conflicts = conflicts + 1
        let stored = error.storedVersion ?? 0
        self.observer?.observe(.writeConflicted(persistenceID: id, attempt: conflicts, storedVersion: stored))
        guard conflicts < self.configuration.maximumConflicts else {
            throw .contended(attempts: conflicts, last: error)
        }
        if conflicts >= 2 {
            // Whoever loses twice in a row fights with somebody: step aside for a moment, a random one.
            let most = min(64, 1 << (conflicts - 2))
            let pause = Duration.microseconds(Int.random(in: 0...(most * 500)))
            try? await self.configuration.clock.sleep(for: pause)
        }
        return .conflict(stored: stored)
    }

    // MARK: Leaving memory

    /// Takes the entity under `id` out of memory, behind the commands that wait for it.
    func passivate(_ id: String) async {
        if let entity = self.directory.peek(id) { await self.retire(entity) }
    }

    /// Takes out the entities that have been idle for too long.
    func passivateIdle() {
        guard let time = self.configuration.idleTimeBeforePassivation else { return }
        for entity in self.directory.removeIdle(since: self.configuration.clock.now - time) {
            self.observer?.observe(.entityPassivated(persistenceID: entity.id, reason: .idle))
        }
    }

    /// Refuses new commands, and waits until those that are waiting have been carried out.
    func drain() async {
        for entity in self.directory.close() { await self.retire(entity) }
    }

    var liveCount: Int { self.directory.count }

    private func retire(_ entity: EntityTurn) async {
        var admission = entity.take()
        if case .line(let ticket) = admission { admission = await entity.wait(ticket, limit: .max) }
        // Anything else: it left memory by itself, or the task was cancelled and goes without.
        guard case .turn = admission else { return }
        self.directory.remove(entity)
        entity.retireInTurn()
        self.observer?.observe(.entityPassivated(persistenceID: entity.id, reason: .stopped))
    }
}
