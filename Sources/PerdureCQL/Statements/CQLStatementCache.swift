/// The statements that a node remembers, as a machine: prepares each once however many ask, and again when the node
/// forgot it.
///
/// A waiter is whatever the caller hands in to be woken later; it comes back exactly once: with ``Lookup/ready(_:)`` it is
/// not kept, and with ``Lookup/prepare`` or ``Lookup/wait`` it comes back from ``prepared(_:_:)`` or ``failed(_:)``.
public struct CQLStatementCache<Waiter> {
    /// What names a statement: its text and the keyspace that it was prepared in.
    public struct Key: Sendable, Hashable {
        /// The text.
        public var text: String
        /// The keyspace of table names that do not say theirs.
        public var keyspace: String?

        /// Makes a key.
        public init(_ text: String, keyspace: String? = nil) {
            self.text = text
            self.keyspace = keyspace
        }

        /// Compares bytes, as servers do: texts that only look the same are different statements.
        public static func == (left: Key, right: Key) -> Bool {
            left.text.utf8.elementsEqual(right.text.utf8)
                && left.keyspace.map { Array($0.utf8) } == right.keyspace.map { Array($0.utf8) }
        }

        /// Hashes what every text that is equal to this one has in common.
        public func hash(into hasher: inout Hasher) { hasher.combine(self.text) }
    }

    /// What to do for a statement.
    public enum Lookup: Sendable, Hashable {
        /// Execute it.
        case ready(CQLPreparedStatement)
        /// Send PREPARE, then call ``CQLStatementCache/prepared(_:_:)`` or ``CQLStatementCache/failed(_:)``.
        case prepare
        /// Nothing: another one prepares it just now.
        case wait
    }

    fileprivate enum Entry {
        case ready(CQLPreparedStatement, lastUse: UInt64)
        case preparing([Waiter])
    }

    private var entries: [Key: Entry] = [:]
    private var uses: UInt64 = 0
    private let capacity: Int

    /// Makes an empty cache.
    ///
    /// - Parameter capacity: How many statements are kept; those not used for longest go first. A program has few
    ///   statements: when it has more than this it probably puts values into their texts.
    public init(capacity: Int = 1000) { self.capacity = max(1, capacity) }

    /// How many statements are there or on their way.
    public var count: Int { self.entries.count }

    /// Asks for a statement.
    ///
    /// - Returns: What to do; the waiter is kept unless the statement is ready.
    public mutating func statement(_ key: Key, for waiter: @autoclosure () -> Waiter) -> Lookup {
        self.uses += 1
        switch self.entries[key] {
        case .ready(let statement, _):
            self.entries[key] = .ready(statement, lastUse: self.uses)
            return .ready(statement)
        case .preparing(var waiters):
            self.entries[key] = nil  // so that appending does not copy
            waiters.append(waiter())
            self.entries[key] = .preparing(waiters)
            return .wait
        case nil:
            self.entries[key] = .preparing([waiter()])
            return .prepare
        }
    }

    /// A node does not know a statement any more (the error `unprepared`).
    ///
    /// - Parameters:
    ///   - key: The statement.
    ///   - id: The ID that was executed: where the cache has another by now, that one is ready.
    ///   - waiter: Who executed it.
    /// - Returns: What to do; the waiter is kept unless the statement is ready.
    public mutating func forgotten(
        _ key: Key, id: [UInt8], for waiter: @autoclosure () -> Waiter
    ) -> Lookup {
        if case .ready(let statement, _) = self.entries[key], statement.id == id { self.entries[key] = nil }
        return self.statement(key, for: waiter())
    }

    /// PREPARE was answered.
    ///
    /// - Returns: Who waited for it; they execute it now.
    public mutating func prepared(_ key: Key, _ statement: CQLPreparedStatement) -> [Waiter] {
        let waiters = self.waiters(key)
        self.uses += 1
        self.entries[key] = .ready(statement, lastUse: self.uses)
        self.evict()
        return waiters
    }

    /// PREPARE failed.
    ///
    /// - Returns: Who waited for it; they fail. The next to ask prepares it anew.
    public mutating func failed(_ key: Key) -> [Waiter] {
        let waiters = self.waiters(key)
        if case .preparing = self.entries[key] { self.entries[key] = nil }
        return waiters
    }

    /// A result came with other columns than the statement had (``CQLRows/newMetadataID``).
    public mutating func changed(_ key: Key, id: [UInt8], columns: [CQLColumn], metadataID: [UInt8]) {
        guard case .ready(var statement, let lastUse) = self.entries[key], statement.id == id else { return }
        statement.columns = columns
        statement.resultMetadataID = metadataID
        self.entries[key] = .ready(statement, lastUse: lastUse)
    }

    private func waiters(_ key: Key) -> [Waiter] {
        if case .preparing(let waiters) = self.entries[key] { waiters } else { [] }
    }

    private mutating func evict() {
        while self.entries.count > self.capacity {
            var oldest: (key: Key, lastUse: UInt64)?
            for case (let key, .ready(_, let lastUse)) in self.entries where lastUse < oldest?.lastUse ?? .max {
                oldest = (key, lastUse)
            }
            guard let oldest else { return }
            self.entries[oldest.key] = nil
        }
    }
}

extension CQLStatementCache: Sendable where Waiter: Sendable {}
extension CQLStatementCache.Entry: Sendable where Waiter: Sendable {}
