internal import PerdureConcurrency
internal import Synchronization

/// Those who observe the entities of one kind.
final class Subscriptions<State: Sendable>: Sendable {
    /// One observer's buffer. The list does not keep it: it ends with the observer's sequence.
    final class Subscription: Sendable {
        private let buffer: BoundedBuffer<EntityChange<State>>
        /// Changes lost since the last one that was taken; they are reported with the next.
        private let missed = Atomic<Int>(0)
        let persistenceID: IDKey?

        init(persistenceID: IDKey?, capacity: Int) {
            self.persistenceID = persistenceID
            self.buffer = BoundedBuffer(capacity: capacity)
        }

        func send(_ change: EntityChange<State>) {
            if let persistenceID, persistenceID != IDKey(change.persistenceID) { return }
            if self.buffer.push(change) != nil { self.missed.add(1, ordering: .relaxed) }
        }

        func next() async -> EntityChange<State>? {
            var change = await self.buffer.next()
            change?.missed = self.missed.exchange(0, ordering: .relaxed)
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
        let subscriptions = self.members.withLock { $0.members.compactMap(\.subscription) }
        for subscription in subscriptions { subscription.send(change) }
    }

    /// Ends every sequence, once what is in its buffer has been taken.
    func finish() {
        let subscriptions = self.members.withLock { members in
            defer { members.members = [] }
            members.isFinished = true
            return members.members.compactMap(\.subscription)
        }
        self.count.store(0, ordering: .releasing)
        for subscription in subscriptions { subscription.finish() }
    }
}
