/// Collects the behaviors that an engine serves.
@resultBuilder
public enum BehaviorsBuilder {
    /// One instance that serves every ID.
    public static func buildExpression<Behavior: DurableStateBehavior>(_ behavior: Behavior) -> [Behaviors] {
        [Behaviors(Behavior.self) { _ in behavior }]
    }

    /// Behaviors made for each ID.
    public static func buildExpression(_ behaviors: Behaviors) -> [Behaviors] { [behaviors] }

    /// All of them, in order.
    public static func buildBlock(_ parts: [Behaviors]...) -> [Behaviors] { parts.flatMap { $0 } }
}

/// A kind of behavior that an engine serves, with an instance made for each ID.
///
/// ```swift
/// StateEngine(store: store) {
///     BankAccount()                                        // one instance for all IDs
///     Behaviors(Aircraft.self) { id in Aircraft(tail: id) } // an instance that knows its ID
/// }
/// ```
public struct Behaviors: Sendable {
    let identity: ObjectIdentifier
    let makeKind: @Sendable (any StateStore, StateEngine.Configuration, Publishing) -> any AnyEntityKind

    /// Serves a behavior whose instances `make` makes, given a persistence ID; called each time an entity comes into memory.
    public init<Behavior: DurableStateBehavior>(
        _ type: Behavior.Type, make: @escaping @Sendable (_ id: String) -> Behavior
    ) {
        self.identity = ObjectIdentifier(type)
        self.makeKind = { store, configuration, publishing in
            EntityKind<Behavior>(store: store, configuration: configuration, publishing: publishing, makeBehavior: make)
        }
    }
}

/// What the engine does with entities of whatever kind.
protocol AnyEntityKind: AnyObject, Sendable {
    var liveCount: Int { get }
    func passivateIdle()
    /// Refuses new commands.
    func close()
    /// Waits, once closed, until the commands that came before are done; then ends the observers' sequences.
    func drain() async
}

extension EntityKind: AnyEntityKind {
    var liveCount: Int { self.host.liveCount }
    func passivateIdle() { self.host.passivateIdle() }
    func close() { _ = self.host.close() }
    func drain() async {
        let atWork = self.host.close()
        // Side by side, so that one that hangs does not keep the others in memory.
        await withTaskGroup(of: Void.self) { group in
            for entity in atWork { group.addTask { [host = self.host] in await host.drain(entity) } }
        }
        self.subscriptions.finish()
    }
}
