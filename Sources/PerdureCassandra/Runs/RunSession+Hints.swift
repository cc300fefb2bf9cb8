internal import PerdureCQLClient
internal import PerdureModel
internal import PerdureWorkflow

/// A hint as it was found.
struct FoundHint: Sendable {
    let hint: RunHint
    /// The stamp under which it was written.
    let writtenAt: Int64

    var id: String { self.hint.place.id.id }
}

extension RunSession {
    private func statements(of table: RunHint.Table) -> RunStatements.Hints {
        table == .listing ? self.statements.listing : self.statements.queue
    }

    // MARK: Writing

    /// Writes hints before what they are for; each partition of them is said to be in use first, or was a moment ago.
    func put(_ hints: [RunHint], stamp: Int64, _ call: Call) async throws(StoreError) {
        guard !hints.isEmpty else { return }
        var call = self.quorum(call)
        let now = self.now
        var parts: [Part] = []
        var registrations: [RunMemory.Registration] = []
        for hint in hints {
            let registration = RunMemory.Registration(scope: hint.scope, bucket: hint.bucket, shard: hint.shard)
            if self.memory.mustRegister(registration, at: now) {
                registrations.append(registration)
                parts.append { try $0.add(self.statements.putBucket) { try registration.bind(to: &$0, at: stamp) } }
            }
            let put = self.statements(of: hint.table).put
            parts.append { batch in
                try batch.add(put) { values in
                    try hint.bindKey(to: &values)
                    try values.bind(stamp)
                    try values.bind(optional: hint.limits?.resource?.id)
                    try values.bind(optional: hint.limits?.ofWorkflow.map { Int64($0) })
                    try values.bind(optional: hint.limits?.ofResource.map { Int64($0) })
                }
            }
        }
        call.timestamp = stamp
        for start in stride(from: 0, to: parts.count, by: 24) {
            _ = try await self.batch(&call, Array(parts[start..<min(start + 24, parts.count)]))
        }
        self.memory.note(registrations, at: now)
    }

    /// Takes hints away that were written until `stamp`.
    ///
    /// What fails is found stale and taken away by who follows it.
    func drop(_ hints: [RunHint], stamp: Int64) async {
        guard !hints.isEmpty else { return }
        var call = self.quorum(self.call(.list, nil))
        call.timestamp = max(0, stamp)
        let parts = hints.map { hint -> Part in
            let remove = self.statements(of: hint.table).remove
            return { try $0.add(remove) { try hint.bindKey(to: &$0) } }
        }
        for start in stride(from: 0, to: parts.count, by: 24) {
            _ = try? await self.batch(&call, Array(parts[start..<min(start + 24, parts.count)]))
        }
    }

    /// Sees whether a hint leads to where the run is, and takes it away where it cannot any more.
    ///
    /// A hint that is older than the head it does not fit is stale; a newer one may be of a change that is under way, until that
    /// must long be over.
    func holds(_ found: FoundHint, for head: RunHead?) async -> Bool {
        if let head, head.hints.contains(found.hint) { return true }
        let isOld = self.now - found.writtenAt > HintTimes.grace
        if isOld || head.map({ found.writtenAt <= $0.stamp }) ?? false {
            await self.drop([found.hint], stamp: found.writtenAt)
        }
        return false
    }

    // MARK: Reading

    /// Partitions of a scope that may have something, from a bucket on.
    fileprivate func partitions(
        of scope: IDKey, from bucket: Int64, limit: Int32, _ call: Call
    ) async throws(StoreError) -> [(partition: RunMemory.Registration, writtenAt: Int64)] {
        let result = try await self.perform(self.statements.buckets, self.quorum(call)) { values in
            try values.bind(scope.id)
            try values.bind(bucket)
            try values.bind(limit)
        }
        var found: [(partition: RunMemory.Registration, writtenAt: Int64)] = []
        for row in result {
            try self.decoded(call) { () throws(CQLProtocolError) in
                var columns = row.reader
                let partition = RunMemory.Registration(
                    scope: scope, bucket: try columns.next(), shard: try columns.next())
                found.append((partition, try columns.next(Int64?.self) ?? 0))
            }
        }
        return found
    }

    /// What lies in some partitions after a place, at most so many of each.
    fileprivate func hints(
        _ table: RunHint.Table, _ scope: HintScope, in partitions: [RunMemory.Registration], after place: HintPlace,
        limit: Int32, _ call: Call
    ) async throws(StoreError) -> [FoundHint] {
        let result = try await self.perform(self.statements(of: table).read, self.quorum(call)) { values in
            try values.bind(scope.key.id)
            try values.bind(Array(Set(partitions.map(\.bucket))))
            try values.bind(Array(Set(partitions.map(\.shard))))
            try place.bind(to: &values)
            try values.bind(limit)
        }
        var found: [FoundHint] = []
        found.reserveCapacity(result.count)
        for row in result {
            try self.decoded(call) { () throws(CQLProtocolError) in
                var columns = row.reader
                let bucket: Int64 = try columns.next()
                _ = try columns.next(Int32.self)
                let place = HintPlace(
                    first: try columns.next(), second: try columns.next(), third: try columns.next(),
                    id: IDKey(try columns.next()))
                // A row that is half gone has no time.
                guard let writtenAt = try columns.next(Int64?.self) else { return }
                let limits = RunLimits(
                    resource: try columns.next(String?.self).map { IDKey($0) },
                    ofWorkflow: try columns.next(Int64?.self).map { Int($0) },
                    ofResource: try columns.next(Int64?.self).map { Int($0) })
                found.append(
                    FoundHint(hint: RunHint(table, scope, bucket: bucket, place, limits: limits), writtenAt: writtenAt))
            }
        }
        return found
    }

    /// Says of partitions that nothing is in them, unless somebody has said otherwise a short while ago.
    fileprivate func unregister(
        _ partitions: [(partition: RunMemory.Registration, writtenAt: Int64)]
    ) async {
        let now = self.now
        for (partition, writtenAt) in partitions where now - writtenAt > HintTimes.grace {
            var call = self.quorum(self.call(.list, nil))
            // Whoever registers it again at the same time, does so under a later one.
            call.timestamp = max(0, writtenAt)
            _ = try? await self.perform(self.statements.removeBucket, call) { values in
                try values.bind(partition.scope.id)
                try values.bind(partition.bucket)
                try values.bind(partition.shard)
            }
        }
    }
}

/// Goes through the hints of a scope, some at a time.
///
/// Where buckets follow the order of places, so do the hints; otherwise (`isOneGroup`) all partitions are looked at side by side.
struct HintReader {
    let table: RunHint.Table
    let scope: HintScope
    /// How many hints are read of a partition at once; more each time.
    private var limit: Int32
    private let isOneGroup: Bool
    private var nextBucket: Int64
    private var place: HintPlace
    private var group: [(partition: RunMemory.Registration, writtenAt: Int64)] = []
    private var buffer = ArraySlice<FoundHint>()
    private(set) var isAtEnd = false

    /// Whether there is nothing any more.
    var isExhausted: Bool { self.isAtEnd && self.buffer.isEmpty }

    /// How many partitions are looked at side by side.
    private static let width: Int32 = 128

    init(
        _ table: RunHint.Table, _ scope: HintScope, from bucket: Int64 = .min, after place: HintPlace = .start,
        isOneGroup: Bool = false, limit: Int
    ) {
        self.table = table
        self.scope = scope
        self.nextBucket = bucket
        self.place = place
        self.isOneGroup = isOneGroup
        self.limit = Int32(min(max(limit, 16), 1_000))
    }

    /// The next hint, which stays; nil at the end.
    mutating func peek(_ session: RunSession, _ call: Call) async throws(StoreError) -> FoundHint? {
        while self.buffer.isEmpty, !self.isAtEnd { try await self.refill(session, call) }
        return self.buffer.first
    }

    mutating func next(_ session: RunSession, _ call: Call) async throws(StoreError) -> FoundHint? {
        let next = try await self.peek(session, call)
        self.buffer = self.buffer.dropFirst()
        return next
    }

    private mutating func refill(_ session: RunSession, _ call: Call) async throws(StoreError) {
        var call = call
        call.deadline = session.session.deadline(.list)
        if self.group.isEmpty {
            try await self.nextGroup(session, call)
            if self.group.isEmpty { return self.isAtEnd = true }
        }
        let found = try await session.hints(
            self.table, self.scope, in: self.group.map(\.partition), after: self.place, limit: self.limit, call)
        var counts: [RunMemory.Registration: (count: Int32, last: HintPlace)] = [:]
        for hint in found {
            let key = RunMemory.Registration(
                scope: hint.hint.scope, bucket: hint.hint.bucket, shard: hint.hint.shard)
            let before = counts[key]
            counts[key] = ((before?.count ?? 0) + 1, max(before?.last ?? .start, hint.hint.place))
        }
        if self.place == .start { await session.unregister(self.group.filter { counts[$0.partition] == nil }) }
        // Beyond the last of a partition that has more, something of it may come in between.
        let horizon = counts.values.filter { $0.count >= self.limit }.map(\.last).min()
        let ready = found.filter { found in horizon.map { found.hint.place <= $0 } ?? true }
        self.buffer = ready.sorted { $0.hint.place < $1.hint.place }[...]
        self.limit = min(self.limit * 4, 1_000)
        if let horizon {
            self.place = horizon
        } else {
            self.nextBucket = (self.group.last?.partition.bucket ?? .max - 1) + 1
            self.group = []
            self.place = .start
            if self.isOneGroup { self.isAtEnd = true }
        }
    }

    private mutating func nextGroup(_ session: RunSession, _ call: Call) async throws(StoreError) {
        let width = self.isOneGroup ? 4 * Self.width : Self.width
        self.group = try await session.partitions(
            of: self.scope.key, from: self.nextBucket, limit: width, call)
        // The last bucket may have more shards; but one has fewer than this.
        if self.group.count == width, let last = self.group.last?.partition.bucket,
            self.group.first?.partition.bucket != last
        {
            self.group.removeAll { $0.partition.bucket == last }
        }
    }
}

extension RunMemory.Registration {
    fileprivate func bind(to values: inout CQLBoundValues, at now: Int64) throws(CQLProtocolError) {
        try values.bind(self.scope.id)
        try values.bind(self.bucket)
        try values.bind(self.shard)
        try values.bind(now)
    }
}

extension RunHint {
    fileprivate func bindKey(to values: inout CQLBoundValues) throws(CQLProtocolError) {
        try values.bind(self.scope.id)
        try values.bind(self.bucket)
        try values.bind(self.shard)
        try self.place.bind(to: &values)
    }
}

extension HintPlace {
    fileprivate func bind(to values: inout CQLBoundValues) throws(CQLProtocolError) {
        try values.bind(self.first)
        try values.bind(self.second)
        try values.bind(self.third)
        try values.bind(self.id.id)
    }
}

extension CQLBoundValues {
    /// Binds a value, or nothing: a null would leave a tombstone.
    mutating func bind<Value: CQLEncodable>(optional value: Value?) throws(CQLProtocolError) {
        if let value { try self.bind(value) } else { self.bindUnset() }
    }

    /// Binds a value that replaces another.
    mutating func bind<Value: CQLEncodable>(_ value: Value?, over old: Value?) throws(CQLProtocolError) {
        if value == nil, old != nil { self.bindNull() } else { try self.bind(optional: value) }
    }
}
