internal import PerdureCQLClient
internal import PerdureModel
internal import PerdureState

/// What is open while a store is connected: a client, and what was found out about the tables.
///
/// The operations of the contract are extensions of it: reading, creating, writing, deleting, listing.
final class StateSession: StoreSession {
    let client: CQLClient
    let configuration: CassandraConfiguration
    let layout: TableLayout
    let statements: StateStatements
    let clock: any PerdureClock
    let use = SessionUse()
    let writeIDs = WriteIDGenerator()
    let timestamps: TimestampGenerator
    let turns = PartitionTurns()
    /// What is known of workflow runs, which lie in tables of their own.
    let runs = RunMemory()

    init(
        _ client: CQLClient, _ configuration: CassandraConfiguration, _ layout: TableLayout,
        _ statements: StateStatements, clock: any PerdureClock, timestamps: TimestampGenerator
    ) {
        self.client = client
        self.configuration = configuration
        self.layout = layout
        self.statements = statements
        self.clock = clock
        self.timestamps = timestamps
    }

    /// Closes the connections.
    func end() async { await self.client.disconnect() }

    func deadline(_ operation: StoreError.Operation) -> Duration {
        let time =
            switch operation {
            case .write, .delete: self.configuration.writeTimeout
            default: self.configuration.readTimeout
            }
        return self.clock.now + time
    }
}

/// One request of an operation: what it is for, and how it may be repeated.
struct Call {
    var operation: StoreError.Operation
    var id: String?
    var deadline: Duration
    /// The consistency; nil for the configured one.
    var consistency: CQLConsistency?
    /// Whether doing it twice is as good as once.
    var isRepeatable = true
    var timestamp: Int64?
    var pageSize: Int32?
    var pagingState: [UInt8]?
    /// Whether an earlier request of the same operation may have changed something.
    var mayHaveHappened = false
    /// Of a write: the version that it brings.
    var newVersion: UInt64 = 0
    /// Whether nothing is sent any more once the caller is cancelled.
    var heedsCancellation = true
}

extension StateSession {
    /// Sends a request until it is answered, or its time is over.
    func perform(
        _ statement: CQLStatement, _ call: inout Call, _ bind: (inout CQLBoundValues) throws -> Void
    ) async throws(StoreError) -> CQLResult {
        try await self.perform(&call) { options throws(CQLClientError) in
            try await self.client.execute(statement, options: options, bind)
        }
    }

    /// Sends a request until it is answered, or its time is over.
    ///
    /// What the cluster refuses for good is not repeated; nor is what may have happened, unless it may happen twice. `call` remembers
    /// whether an attempt may have.
    func perform(
        _ call: inout Call, _ send: (CQLExecutionOptions) async throws(CQLClientError) -> CQLResult
    ) async throws(StoreError) -> CQLResult {
        var attempt = 1
        var pause = Duration.milliseconds(10)
        while true {
            let left = call.deadline - self.clock.now
            guard left > .zero else { throw call.timeout }
            var options = CQLExecutionOptions(
                consistency: call.consistency, timeout: min(left, self.configuration.attemptTimeout),
                isIdempotent: call.isRepeatable, pageSize: call.pageSize, pagingState: call.pagingState,
                timestamp: call.timestamp)
            options.heedsCancellation = call.heedsCancellation
            do throws(CQLClientError) { return try await send(options) } catch {
                if error.outcome == .unknown { call.mayHaveHappened = true }
                let mayRepeat = error.isTransient && (call.isRepeatable || error.outcome == .notApplied)
                // Half the pause is random, so that those who met do not meet again.
                let wait = pause / 2 + pause * Double.random(in: 0..<0.5)
                guard mayRepeat, self.clock.now + wait < call.deadline else {
                    throw error.storeError(call.operation, of: call.id, mayHaveHappened: call.mayHaveHappened)
                }
                attempt += 1
                pause = min(pause * 2, .milliseconds(500))
                self.report(call, attempt, wait, error)
                await self.wait(wait)
            }
        }
    }

    /// The same for a request that is asked once and needs no memory.
    func perform(
        _ statement: CQLStatement, once call: Call, _ bind: (inout CQLBoundValues) throws -> Void
    ) async throws(StoreError) -> CQLResult {
        var call = call
        return try await self.perform(statement, &call, bind)
    }

    /// Waits, whether or not the caller was cancelled: what was sent is seen to its end.
    func wait(_ time: Duration) async {
        let clock = self.clock
        await Task.detached { try? await clock.sleep(for: time) }.value
    }

    private func report(_ call: Call, _ attempt: Int, _ wait: Duration, _ error: CQLClientError) {
        guard let observer = self.configuration.observer else { return }
        let isChange = call.operation == .write || call.operation == .delete
        if let id = call.id, isChange, call.mayHaveHappened {
            observer.observe(.writeRepeated(store: CassandraStore.name, persistenceID: id, attempt: attempt))
        } else {
            observer.observe(
                .requestRetried(
                    store: CassandraStore.name, operation: call.operation.rawValue, attempt: attempt, after: wait,
                    reason: error.code.description))
        }
    }

    /// Reads what an answer holds.
    func decoded<Value>(
        _ operation: StoreError.Operation, _ id: String?, mayHaveHappened: Bool = false,
        _ body: () throws(CQLProtocolError) -> Value
    ) throws(StoreError) -> Value {
        do throws(CQLProtocolError) { return try body() } catch {
            let isChange = operation == .write || operation == .delete
            throw StoreError(
                .corrupted, outcome: isChange && mayHaveHappened ? .unknown : .notApplied, operation: operation,
                persistenceID: id, message: "an answer of the cluster cannot be read: \(error.reason)",
                underlying: error)
        }
    }
}

extension Call {
    /// The error of an operation whose time is over.
    var timeout: StoreError {
        let isChange = self.operation == .write || self.operation == .delete
        return StoreError(
            .timeout, outcome: isChange && self.mayHaveHappened ? .unknown : .notApplied, operation: self.operation,
            persistenceID: self.id, message: "the time is over; try again, or allow more time")
    }

    /// The error of a change whose condition does not hold: a conflict, unless it may be its own doing.
    func refusal(_ condition: WriteCondition, stored: UInt64) -> StoreError {
        self.mayHaveHappened
            ? self.overwritten
            : .conflict(self.operation, of: self.id ?? "", condition: condition, stored: stored)
    }

    /// The error of a change whose answer was lost, where others have written since.
    var overwritten: StoreError {
        StoreError(
            .unavailable, outcome: .unknown, operation: self.operation, persistenceID: self.id,
            message: "the answer was lost, and others have written since; read the state again and decide anew")
    }

    /// The error of a change that others got in the way of again and again.
    var restless: StoreError {
        StoreError(
            .unavailable, outcome: self.mayHaveHappened ? .unknown : .notApplied, operation: self.operation,
            persistenceID: self.id, message: "the state was replaced again and again by others meanwhile; try again")
    }
}
