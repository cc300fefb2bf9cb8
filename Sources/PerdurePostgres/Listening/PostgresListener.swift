internal import PerdureConcurrency
internal import PerdureIO
package import PerdureState

/// Hears what other sessions of the database notify, on a connection of its own beside the store's pool.
///
/// A hint, never a record: what is notified while the connection is away is lost, and ``Signal/listening`` says when that may have
/// been. Who waits for something looks for it whenever it comes, and then waits for notifications.
package final class PostgresListener: Sendable {
    /// What a listener has to say.
    package enum Signal: Sendable {
        /// From now on everything is heard. What was notified before was not: look for yourself.
        case listening
        /// Somebody notified.
        case notification(channel: String, payload: String)
        /// Nothing is heard for a while: the connection broke, or could not be made. The next attempt comes by itself.
        case interrupted(StoreError)
        /// So many signals were dropped because nobody took them: look for yourself.
        case overflowed(count: Int)
    }

    private let core: LoopBound<ListenerCore>
    private let buffer: BoundedBuffer<Signal>

    init(_ core: LoopBound<ListenerCore>, _ buffer: BoundedBuffer<Signal>) {
        self.core = core
        self.buffer = buffer
    }

    deinit { self.close() }

    /// What was heard, in order; ends after ``close()`` and when the store is disconnected, and for a cancelled task.
    ///
    /// Meant for one task at a time: each signal is given out once.
    package var signals: Signals { Signals(buffer: self.buffer) }

    /// Stops listening and lets the connection go. Idempotent; returns at once.
    package func close() {
        let core = self.core
        core.loop.perform { core.value.close() }
    }

    /// The signals of a listener, one by one.
    package struct Signals: AsyncSequence, AsyncIteratorProtocol, Sendable {
        fileprivate let buffer: BoundedBuffer<Signal>
        /// Taken already, and told after how many were lost before it.
        private var next: Signal?

        fileprivate init(buffer: BoundedBuffer<Signal>) { self.buffer = buffer }

        package func makeAsyncIterator() -> Signals { self }

        package mutating func next() async -> Signal? {
            if let next = self.next.take() { return next }
            guard let (signal, lost) = await self.buffer.take() else { return nil }
            guard lost > 0 else { return signal }
            self.next = signal
            return .overflowed(count: lost)
        }
    }

    /// Checks the name of a channel: 1 to 63 bytes, without NUL.
    static func violation(inChannel channel: String) -> String? {
        let count = channel.utf8.count
        guard (1...63).contains(count) else { return "a channel's name has 1 to 63 bytes; this one has \(count)" }
        return channel.utf8.contains(0) ? "a channel's name has no NUL (U+0000)" : nil
    }
}

extension PostgresStore {
    /// Begins to listen; see ``PostgresListener``.
    ///
    /// - Parameters:
    ///   - channels: the names of channels, exactly; 1 to 63 bytes each.
    ///   - capacity: how many signals wait for who takes them; beyond it the oldest are dropped, which is told.
    /// - Returns: a listener that goes on until it is closed, let go of, or the store is disconnected.
    /// - Throws: ``StoreError/Code/invalidRequest`` for a name that no channel has, ``StoreError/Code/closed`` after ``disconnect()``.
    package func listen(to channels: [String], capacity: Int = 256) throws(StoreError) -> PostgresListener {
        for channel in channels {
            if let violation = PostgresListener.violation(inChannel: channel) {
                throw StoreError(.invalidRequest, operation: .connect, message: violation)
            }
        }
        let works = try self.works(for: .connect)
        let buffer = BoundedBuffer<PostgresListener.Signal>(capacity: capacity)
        let core = LoopBound(
            ListenerCore(self.configuration, channels: channels, on: works.loop, buffer: buffer), on: works.loop)
        works.loop.perform {
            works.core.value.keep(core.value)
            core.value.start()
        }
        return PostgresListener(core, buffer)
    }
}

extension Exchange.Step {
    /// Notifies everybody who listens to `channel`, once the transaction that it is a step of is committed.
    ///
    /// The same notification twice in a transaction is heard once. Commits with notifications go one after the other, in the whole
    /// cluster of databases: notify where somebody waits, not with every write.
    ///
    /// - Parameters:
    ///   - channel: 1 to 63 bytes, no NUL.
    ///   - payload: fewer than 8,000 bytes, no NUL.
    /// - Returns: a step for any transaction.
    static func notify(_ channel: String, payload: String = "") -> Exchange.Step {
        var parameters = ParameterBuffer()
        parameters.append(channel)
        parameters.append(payload)
        return Exchange.Step(
            statement: Statement(name: "perdure_notify", sql: "SELECT pg_notify($1::text, $2::text)"),
            parameters: parameters)
    }
}
