internal import PerdureConcurrency
internal import Synchronization

/// Keeps entities: loads them when they are needed, carries out their commands, and lets them leave memory.
///
/// ```swift
/// let engine = StateEngine(store: try SQLiteStore("bank.sqlite")) { BankAccount() }
/// let ada = engine.entity(BankAccount.self, "ada")
/// let account = try await ada.send(.deposit(10))   // on disk when this returns
/// print(account.state.balance, account.version)
/// ```
///
/// Nothing starts by itself. Commands work at once; ``run()``, in a task of yours, adds what needs time: passivation by idle time and
/// handing changes to publishers. It has the shape of `ServiceLifecycle.Service`.
public final class StateEngine: Sendable {
    /// The configuration that the engine was made with.
    public let configuration: Configuration

    private let kinds: [ObjectIdentifier: any AnyEntityKind]
    private let publishing: Publishing
    private let store: any StateStore
    private let lifecycle = LockedState(Lifecycle())

    private struct Lifecycle {
        var hasRun = false
        /// Handing changes to publishers; gives the number of those that were not.
        var publishing: Task<Int, Never>?
    }

    /// Makes an engine for `behaviors` on a store. Opens nothing and starts nothing.
    ///
    /// Two behaviors of one type, or no behavior at all, are mistakes in the program and trap.
    public init(
        store: any StateStore, configuration: Configuration = Configuration(), publishers: [any StatePublisher] = [],
        @BehaviorsBuilder behaviors: () -> [Behaviors]
    ) {
        configuration.check()
        self.store = store
        self.configuration = configuration
        let publishing = Publishing(publishers, configuration: configuration)
        self.publishing = publishing
        let behaviors = behaviors()
        precondition(!behaviors.isEmpty, "an engine needs at least one behavior")
        self.kinds = Dictionary(
            behaviors.map { ($0.identity, $0.makeKind(store, configuration, publishing)) },
            uniquingKeysWith: { _, _ in preconditionFailure("a behavior was given to the engine twice") })
    }

    // MARK: Entities

    /// The entity of `behavior` under `id`. Loads nothing: the first command does, and refuses an ID that breaks the rule of
    /// ``PersistenceID``.
    ///
    /// Asking for a behavior that the engine was not made with is a mistake in the program and traps.
    public func entity<Behavior: DurableStateBehavior>(_ behavior: Behavior.Type, _ id: String) -> Entity<Behavior> {
        let kind = self.kind(behavior)
        return Entity(kind: kind, turn: kind.host.find(id) ?? kind.host.makeRetired(id))
    }

    /// The changes of all entities of `behavior` from now on, each entity's in order.
    ///
    /// - Parameters:
    ///   - behavior: whose entities.
    ///   - buffer: how many changes wait for the observer before the oldest are lost; at least 1.
    /// - Returns: a sequence for one task; it ends when the engine stops.
    public func changes<Behavior: DurableStateBehavior>(
        of behavior: Behavior.Type, buffer: Int = 256
    ) -> EntityChanges<Behavior.State> {
        EntityChanges(subscription: self.kind(behavior).subscriptions.subscribe(to: nil, capacity: buffer))
    }

    /// How many entities are in memory.
    public var liveEntityCount: Int { self.kinds.values.reduce(0) { $0 + $1.liveCount } }

    private func kind<Behavior>(_ behavior: Behavior.Type) -> EntityKind<Behavior> {
        guard let kind = self.kinds[ObjectIdentifier(behavior)] as? EntityKind<Behavior> else {
            preconditionFailure("the engine does not serve \(behavior): add it where the engine is made")
        }
        return kind
    }

    // MARK: Running

    /// Connects the store, then lets idle entities leave memory and hands changes to publishers, until the task is cancelled.
    ///
    /// Cancelling is the way to stop: the engine then refuses new commands, carries out those that wait, hands the last changes
    /// to the publishers and returns. The store stays connected: who made it disconnects it. May be called once, and again
    /// only where connecting failed.
    ///
    /// - Throws: ``StoreError`` when the store cannot be connected, ``StopIncomplete`` when not everything was done within
    ///   ``Configuration/drainTimeout``.
    public func run() async throws {
        let isFirst = self.lifecycle.withLock { lifecycle in
            defer { lifecycle.hasRun = true }
            return !lifecycle.hasRun
        }
        precondition(isFirst, "run() was called twice on one engine; make another engine")
        do {
            try await self.store.connect()
        } catch  where !Task.isCancelled {
            // Nothing has begun: whoever runs the engine may try again.
            self.lifecycle.withLock { $0.hasRun = false }
            throw error
        } catch {
            // Cancelled before it was connected: stopping is all there is to do.
        }
        self.startPublishing()
        let idle = self.configuration.idleTimeBeforePassivation
        let pause = idle.map { max(.milliseconds(10), min($0 / 4, .seconds(10))) } ?? .seconds(3_600)
        while (try? await self.configuration.clock.sleep(for: pause)) != nil {
            for kind in self.kinds.values { kind.passivateIdle() }
        }
        // This task is cancelled; what is left must be able to wait.
        try await Task { try await self.stop() }.value
    }

    /// Refuses new commands, carries out those that wait, and hands the last changes to the publishers.
    ///
    /// ``run()`` does it when its task is cancelled; call it where nothing runs. Can be called again, also after it failed.
    ///
    /// - Throws: ``StopIncomplete`` when not everything was done within ``Configuration/drainTimeout``; what is under way goes on.
    public func stop() async throws {
        let deadline = self.configuration.clock.now + self.configuration.drainTimeout
        for kind in self.kinds.values { kind.close() }
        let entitiesDone = await self.done(before: deadline) { engine in
            await withTaskGroup(of: Void.self) { group in
                for kind in engine.kinds.values { group.addTask { await kind.drain() } }
            }
        }
        guard entitiesDone else { throw StopIncomplete(liveEntities: self.liveEntityCount, undeliveredChanges: 0) }
        // Without run() nothing was handed on yet: now is the last occasion.
        let publishing = self.startPublishing()
        self.publishing.finish()
        guard await self.done(before: deadline, { _ in _ = await publishing.value }) else {
            let undelivered = self.publishing.undelivered
            publishing.cancel()
            throw StopIncomplete(liveEntities: 0, undeliveredChanges: undelivered)
        }
        let undelivered = await publishing.value
        guard undelivered == 0 else { throw StopIncomplete(liveEntities: 0, undeliveredChanges: undelivered) }
    }

    @discardableResult
    private func startPublishing() -> Task<Int, Never> {
        self.lifecycle.withLock { lifecycle in
            if let task = lifecycle.publishing { return task }
            let task = Task { [publishing] in await publishing.run() }
            lifecycle.publishing = task
            return task
        }
    }

    /// Whether `work` ended before `deadline`; otherwise it goes on alone.
    private func done(
        before deadline: Duration, _ work: @escaping @Sendable (StateEngine) async -> Void
    ) async -> Bool {
        let race = Race<Bool>()
        let clock = self.configuration.clock
        Task {
            await work(self)
            race.finish(true)
        }
        let timer = Task {
            guard (try? await clock.sleep(until: deadline)) != nil else { return }
            race.finish(false)
        }
        defer { timer.cancel() }
        return await race.result
    }
}

extension StateEngine {
    /// Stopping took too long.
    ///
    /// Nothing that was answered is lost.
    public struct StopIncomplete: Error, Sendable, CustomStringConvertible {
        /// Entities that still carry out commands; ``StateEngine/stop()`` can be called again to wait for them.
        public let liveEntities: Int
        /// Changes on disk that a publisher did not take.
        public let undeliveredChanges: Int

        /// What is left, in words.
        public var description: String {
            if self.liveEntities > 0 {
                "\(self.liveEntities) entities were still at work when the time to stop was over; stop() can be called again"
            } else if self.undeliveredChanges > 0 {
                "\(self.undeliveredChanges) changes were not taken by a publisher before the engine stopped"
            } else {
                "a publisher was still at work when the time to stop was over"
            }
        }
    }
}

extension Entity {
    /// The changes of this entity from now on, in order; ends when the engine stops.
    ///
    /// `buffer` is how many changes wait for the observer before the oldest are lost; at least 1.
    public func changes(buffer: Int = 256) -> EntityChanges<Behavior.State> {
        EntityChanges(subscription: self.kind.subscriptions.subscribe(to: self.id, capacity: buffer))
    }
}
