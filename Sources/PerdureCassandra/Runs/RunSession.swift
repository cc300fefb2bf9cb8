internal import PerdureCQLClient
internal import PerdureConcurrency
internal import PerdureModel
internal import PerdureState
internal import PerdureWorkflow

/// What a connected store knows of runs beside what is stored: statements, and what spares it reading.
final class RunMemory: Sendable {
    let statements = LockedState<RunStatements?>(nil)
    let turns = PartitionTurns()
    /// Claims of one workflow only get in each other's way.
    let claimTurns = PartitionTurns()
    private let heads = LockedState<[IDKey: RunHead]>([:])
    /// Which partitions of hints were said to be in use, and when, in microseconds.
    private let registered = LockedState<[Registration: Int64]>([:])
    let workers = LockedState<[IDKey: KnownWorker]>([:])
    /// When each workflow was last looked through for messages on their way.
    let sweeps = LockedState<[IDKey: Duration]>([:])

    struct Registration: Hashable, Sendable {
        let scope: IDKey
        let bucket: Int64
        let shard: Int32
    }

    struct KnownWorker: Sendable {
        var shard: Int32
        var beat: UInt64
    }

    /// The head of a run as it was seen last; whether it still is so, the conditions of a change find out.
    func head(of id: String) -> RunHead? { self.heads.withLock { $0[IDKey(id)] } }

    func note(_ head: RunHead) {
        self.heads.withLock { heads in
            // Only runs that this process drives are asked for again and again.
            if head.progress.owner == nil { return heads[IDKey(head.id)] = nil }
            if heads.count >= 20_000 { heads.removeAll(keepingCapacity: true) }
            // What a run was asked with is kept only for its hints.
            var light = head
            light.record.request.input = Self.nothing
            light.record.request.context = nil
            light.record.progress.output = nil
            heads[IDKey(head.id)] = light
        }
    }

    private static let nothing = RunValue(bytes: [])

    func forget(_ id: String) { self.heads.withLock { $0[IDKey(id)] = nil } }

    /// Whether a partition of hints must be said to be in use, which it must every now and then.
    func mustRegister(_ registration: Registration, at now: Int64) -> Bool {
        self.registered.withLock { registered in
            guard let last = registered[registration] else { return true }
            return now - last > HintTimes.registrationLife
        }
    }

    func note(_ registrations: [Registration], at now: Int64) {
        self.registered.withLock { registered in
            if registered.count > 20_000 { registered.removeAll(keepingCapacity: true) }
            for registration in registrations { registered[registration] = now }
        }
    }
}

/// Times around hints, in microseconds.
enum HintTimes {
    /// After so long a partition of hints is said to be in use once more, before anything more is written to it.
    static let registrationLife: Int64 = 30_000_000
    /// So old are hints, and words about partitions in use, that are taken away although somebody may just be working on what
    /// they are for. Much longer than a write may take and than clocks differ.
    static let grace: Int64 = 180_000_000
}

/// One operation on runs at work: the connection, and what is known of runs.
///
/// The operations of the contract are extensions of it.
struct RunSession: Sendable {
    let session: StateSession
    let memory: RunMemory
    let statements: RunStatements

    init(_ session: StateSession) async throws(StoreError) {
        self.session = session
        self.memory = session.runs
        if let statements = self.memory.statements.withLock({ $0 }) {
            self.statements = statements
            return
        }
        do throws(CQLClientError) {
            let statements = try await RunStatements(session.client, session.configuration.names)
            self.statements = statements
            session.runs.statements.withLock { $0 = statements }
        } catch {
            throw error.storeError(.connect)
        }
    }

    var configuration: CassandraConfiguration { self.session.configuration }
    /// In microseconds.
    var now: Int64 { self.session.clock.unixMilliseconds * 1_000 }

    /// A request of an operation. What was begun is seen to its end: whether the caller was cancelled is asked once, before it begins.
    func call(_ operation: StoreError.Operation, _ id: String?) -> Call {
        var call = Call(operation: operation, id: id, deadline: self.session.deadline(operation))
        call.heedsCancellation = false
        return call
    }

    // MARK: Batches

    typealias Part = (inout CQLBatch) throws -> Void

    /// Sends writes as one: conditional ones of one partition, or plain ones.
    func batch(_ call: inout Call, _ parts: [Part]) async throws(StoreError) -> CQLResult {
        try await self.session.perform(&call) { options throws(CQLClientError) in
            try await self.session.client.batch(.unlogged, options: options) { batch in
                for part in parts { try part(&batch) }
            }
        }
    }

    func perform(
        _ statement: CQLStatement, _ call: Call, _ bind: (inout CQLBoundValues) throws -> Void
    ) async throws(StoreError) -> CQLResult {
        try await self.session.perform(statement, once: call, bind)
    }

    func decoded<Value>(
        _ call: Call, _ body: () throws(CQLProtocolError) -> Value
    ) throws(StoreError) -> Value {
        try self.session.decoded(call.operation, call.id, mayHaveHappened: call.mayHaveHappened, body)
    }

    // MARK: Reading

    /// The partition of a run decides; everything about runs is read where it is decided.
    func serial(_ call: Call) -> Call {
        var call = call
        call.consistency = self.configuration.serialConsistency
        return call
    }

    /// Hints, and values in sets: so many replicas that readers meet writers.
    func quorum(_ call: Call) -> Call {
        var call = call
        call.consistency = self.configuration.chunkConsistency
        return call
    }

    /// The head as the static columns have it.
    func head(of id: String, _ call: Call) async throws(StoreError) -> RunHead? {
        let result = try await self.perform(self.statements.head, self.serial(call)) { try $0.bind(id) }
        guard let row = result.first else { return nil }
        return try self.decoded(call) { () throws(CQLProtocolError) in
            var columns = row.reader
            _ = try columns.next(String.self)
            return try RunHead(id, &columns)
        }
    }

    /// A run with all that it owns or only with what was asked for and came out, and its head.
    func rows(
        _ statement: CQLStatement, of id: String, _ call: Call
    ) async throws(StoreError) -> (head: RunHead, snapshot: RunSnapshot)? {
        var broken: RunHead?
        // Values in sets go with their run: one that is missing is of a run that is gone.
        for _ in 0..<16 {
            let result = try await self.perform(statement, self.serial(call)) { try $0.bind(id) }
            var source = ValueSource()
            let first = try self.decoded(call) { () throws(CQLProtocolError) in try RunRows(id, result, &source) }
            guard let head = first.head else { return nil }
            if source.missing.isEmpty { return (head, first.snapshot(head)) }
            var isComplete = true
            for set in source.missing {
                guard let bytes = try await self.bytes(in: set, call) else {
                    isComplete = false
                    break
                }
                source.loaded[set.name] = bytes
            }
            if isComplete {
                let second = try self.decoded(call) { () throws(CQLProtocolError) in try RunRows(id, result, &source) }
                if let head = second.head { return (head, second.snapshot(head)) }
            }
            if broken?.changedBy == head.changedBy {
                throw StoreError(
                    .corrupted, operation: call.operation, persistenceID: id,
                    message: "a part of a value of this run is missing; delete the run, or restore the table of values")
            }
            broken = head
        }
        throw call.restless
    }
}
