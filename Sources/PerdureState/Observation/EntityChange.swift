/// A change of an entity that is on disk.
public struct EntityChange<State: Sendable>: Sendable {
    /// Which entity changed.
    public let persistenceID: String
    /// The version that the change made. Versions of one entity come in order; a gap means that another process wrote in between, or
    /// that a write's outcome was unknown.
    public let version: UInt64
    /// The new state; nil when it was deleted.
    public let state: State?
    /// When it was written, in Unix milliseconds.
    public let timestamp: Int64
    /// How many changes this observer has lost just before this one, because its buffer was full.
    public internal(set) var missed: Int = 0
}

/// The changes of entities as they happen: each entity's in order, from the moment when the sequence was made.
///
/// The buffer is bounded: an observer that does not keep up loses the oldest changes, and is told how many. It never slows the
/// entities down. For one task; ends when the engine stops. To miss nothing, give the engine a ``StatePublisher``.
public struct EntityChanges<State: Sendable>: AsyncSequence, Sendable {
    /// What the sequence gives.
    public typealias Element = EntityChange<State>

    let subscription: Subscriptions<State>.Subscription

    /// Begins to take changes out.
    public func makeAsyncIterator() -> Iterator { Iterator(subscription: self.subscription) }

    /// Takes changes out of the buffer.
    public struct Iterator: AsyncIteratorProtocol {
        let subscription: Subscriptions<State>.Subscription

        /// The next change; nil when the engine has stopped or the task is cancelled.
        public mutating func next() async -> EntityChange<State>? { await self.subscription.next() }
    }
}
