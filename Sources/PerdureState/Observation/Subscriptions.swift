internal import PerdureConcurrency
internal import Synchronization

/// Those who observe the entities of one kind.
final class Subscriptions<State: Sendable>: Sendable {
    /// One observer's buffer. The list does not keep it: it ends with the observer's sequence.
    final class Subscription: Sendable {
        private let buffer: BoundedBuffer<EntityChange<State>>
        let persistenceID: IDKey?

        init(persistenceID: IDKey?, capacity: Int) {
            self.persistenceID = persistenceID
            self.buffer = BoundedBuffer(capacity: capacity)
        }

        func send(_ change: EntityChange<State>) {
            if let persistenceID, persistenceID != IDKey(change.persistenceID) { return }
            self.buffer.push(change)
        }

        func next() async -> EntityChange<State>? {
            guard let (next, lost) = await self.buffer.take() else { return nil }
            var change = next
            change.missed = lost
            return change
        }

        func finish() { self.buffer.finish() }
    }

    private struct Weak: Sendable { weak var subscription: Subscription? }

    private struct Members {
        var members: [Weak] = []
        var isFinished = false
    }

    private let members = LockedState(Members())
    /// So that entities nobody observes pay for one load only.
    private let count = Atomic<Int>(0)

    /// Nobody can send any more.
    deinit { self.finish() }

    var isEmpty: Bool { self.count.load(ordering: .acquiring) == 0 }

    /// A subscription to the changes of one entity, or of all.
    func subscribe(to persistenceID: String?, capacity: Int) -> Subscription {
        let subscription = Subscription(persistenceID: persistenceID.map { IDKey($0) }, capacity: capacity)
        let isFinished = self.members.withLock { members in
            members.members.removeAll { $0.subscription == nil }
            if !members.isFinished { members.members.append(Weak(subscription: subscription)) }
            self.count.store(members.members.count, ordering: .releasing)
            return members.isFinished
        }
        if isFinished { subscription.finish() }
        return subscription
    }

    /// Hands a change to all.
    func send(_ change: EntityChange<State>) {
        let subscriptions = self.members.withLock { members in
            let subscriptions = members.members.compactMap(\.subscription)
            if subscriptions.count < members.members.count {
                // Some have left: commands shall not pay for them any more.
                members.members.removeAll { $0.subscription == nil }
                self.count.store(members.members.count, ordering: .releasing)
            }
            return subscriptions
        }
        for subscription in subscriptions { subscription.send(change) }
    }

    /// Ends every sequence, once what is in its buffer has been taken.
    func finish() {
        let subscriptions = self.members.withLock { members in
            defer { members.members = [] }
            members.isFinished = true
            self.count.store(0, ordering: .releasing)
            return members.members.compactMap(\.subscription)
        }
        for subscription in subscriptions { subscription.finish() }
    }
}
