internal import PerdureConcurrency
internal import PerdureModel
internal import PerdureWorkflow

/// One operation on a table of runs: the table's session, how the table is laid out, what is known, and until when.
///
/// The operations of the contract are extensions of it.
struct RunWork: Sendable {
    let session: TableSession
    let layout: DynamoDBRunLayout
    let known: KnownRuns
    let operation: StoreError.Operation
    let deadline: Duration

    init(
        _ session: TableSession, _ layout: DynamoDBRunLayout, _ known: KnownRuns, _ operation: StoreError.Operation
    ) {
        self.session = session
        self.layout = layout
        self.known = known
        self.operation = operation
        self.deadline = session.deadline(operation)
    }

    var table: String { self.session.table }
    var limit: Int { self.session.configuration.maximumPayloadByteCount }

    /// How often a change is tried whose run is another each time that one looks.
    static let attempts = 100

    // MARK: Reading

    func get(_ key: Item, of id: String? = nil) async throws(StoreError) -> Item? {
        try await self.perform(
            .getItem(
                table: self.table, key: key, isConsistent: true, reportsCapacity: self.session.reportsCapacity), id)
    }

    func perform<Answer>(_ request: Operation<Answer>, _ id: String? = nil) async throws(StoreError) -> Answer {
        try await self.session.perform(request, self.operation, of: id, deadline: self.deadline)
    }

    /// A page of a partition; of an index, which is never asked for consistency.
    func query(
        _ expression: Expression, of index: RunIndex? = nil, after start: Item? = nil, limit: Int? = nil,
        isAscending: Bool = true, onlyCounts: Bool = false
    ) async throws(StoreError) -> ItemPage {
        try await self.perform(
            .query(
                table: self.table, index: index?.rawValue, expression, after: start, limit: limit,
                isAscending: isAscending, isConsistent: index == nil, onlyCounts: onlyCounts,
                reportsCapacity: self.session.reportsCapacity))
    }

    /// All items that an expression finds, page by page.
    func all(_ expression: Expression) async throws(StoreError) -> [Item] {
        var items: [Item] = []
        var start: Item?
        repeat {
            let page = try await self.query(expression, after: start)
            items += page.items
            start = page.next
        } while start != nil
        return items
    }

    /// The items under any number of keys, as many as there are, in any order.
    func items(_ keys: [Item]) async throws(StoreError) -> [Item] {
        var items: [Item] = []
        var first = 0
        while first < keys.count {
            items += try await self.session.items(
                Array(keys[first..<min(first + 100, keys.count)]), self.operation, deadline: self.deadline)
            first += 100
        }
        return items
    }

    /// The item of a run as far as its own goes, read from the table or remembered.
    func row(_ id: String) async throws(StoreError) -> RunRow? {
        guard let item = try await self.get(RunKey.run(id), of: id) else { return nil }
        return try self.row(in: item, id)
    }

    func row(in item: Item, _ id: String) throws(StoreError) -> RunRow {
        try self.reading(id) { () throws(AnswerFlaw) in try RunRow(item, isSparse: true) }
    }

    func reading<Value>(_ id: String, _ body: () throws(AnswerFlaw) -> Value) throws(StoreError) -> Value {
        do throws(AnswerFlaw) { return try body() } catch {
            throw StoreError(
                .corrupted, operation: self.operation, persistenceID: id,
                message: "an item of the run cannot be read: \(error.description); repair it, or delete the run's items"
            )
        }
    }

    /// The items of a run as of one moment; nil when there is none.
    func partition(_ id: String) async throws(StoreError) -> RunPartition? {
        var last: RunPartition?
        for round in 1...64 {
            let items = try await self.all(.partition(RunKey.partition(id)))
            let found = try self.reading(id) { () throws(AnswerFlaw) in try RunPartition(items) }
            guard let found else { return nil }
            if found.isWhole { return found }
            last = found
            // Somebody was just changing it.
            if round > 2 { try await self.session.pause(1, self.operation, of: id, deadline: self.deadline) }
        }
        // The service takes expired items away one by one.
        if let last, last.row.progress.isOver(at: self.session.client.settings.clock.unixMilliseconds) { return last }
        throw StoreError(
            .corrupted, operation: self.operation, persistenceID: id,
            message: "items of the run are missing, or are newer than it; somebody else writes them")
    }

    func snapshot(_ partition: RunPartition) throws(StoreError) -> RunSnapshot {
        try self.reading(partition.row.id) { () throws(AnswerFlaw) in try partition.snapshot() }
    }

    /// A run in its item, with the chunks of its values; nil when it is another meanwhile.
    func record(in item: Item, _ id: String) async throws(StoreError) -> RunRecord? {
        let keys = try self.reading(id) { () throws(AnswerFlaw) in
            var keys: [String] = []
            for name in RunRow.values { keys += try RunValueReader.chunkKeys(of: name, in: item) }
            return keys
        }
        var values = RunValueReader()
        if !keys.isEmpty {
            let partition = RunKey.partition(id)
            let chunks = try await self.items(keys.map { RunKey.key(partition, $0) })
            if chunks.count < keys.count, try await self.get(RunKey.run(id), of: id) != item { return nil }
            for chunk in chunks { values.add(chunk) }
        }
        return try self.reading(id) { () throws(AnswerFlaw) in try RunRow(item, values).record }
    }

    func record(_ id: String) async throws(StoreError) -> RunRecord? {
        for _ in 0..<16 {
            guard let item = try await self.get(RunKey.run(id), of: id) else { return nil }
            if let record = try await self.record(in: item, id) { return record }
        }
        throw self.restless(id)
    }

    // MARK: Writing

    func action(_ kind: TransactionAction.Kind, _ expression: Expression = Expression()) -> TransactionAction {
        TransactionAction(kind, table: self.table, expression)
    }

    /// What makes the markers of `old` those of `new`.
    func moves(from old: [RunMarker], to new: [RunMarker]) -> [TransactionAction] {
        var actions: [TransactionAction] = []
        for marker in old where !new.contains(where: { $0.hasKey(of: marker) }) {
            actions.append(self.action(.delete(key: marker.key)))
        }
        for marker in new
        where !old.contains(where: { $0.hasKey(of: marker) && $0.attributes == marker.attributes }) {
            actions.append(self.action(.put(marker.item)))
        }
        return actions
    }

    /// The update of a run's own item, as long as it is what it was.
    func update(_ row: RunRow, _ attributes: [(String, AttributeValue?)]) -> TransactionAction {
        var expression = row.isUnchanged
        expression.change(attributes)
        return self.action(.update(key: RunKey.run(row.id)), expression)
    }

    /// What became of a transaction.
    enum Sent: Sendable {
        case done
        /// Conditions were not met, or others were just writing the same items: for each action its reason.
        case refused([ServiceFault.CancellationReason], mayHaveHappened: Bool)
    }

    /// Sends actions that happen together or not at all; a single update by itself.
    func send(_ actions: [TransactionAction], token: String, _ id: String?) async throws(StoreError) -> Sent {
        do throws(CallFailure) {
            if actions.count == 1, case .update(let key) = actions[0].kind {
                _ = try await self.session.client.perform(
                    .updateItem(
                        table: self.table, key: key, actions[0].expression, isRepeatable: true,
                        reportsCapacity: self.session.reportsCapacity), deadline: self.deadline)
            } else {
                try await self.session.client.perform(
                    .transactWriteItems(
                        actions, token: token, byteCount: 4_096, reportsCapacity: self.session.reportsCapacity),
                    deadline: self.deadline)
            }
            return .done
        } catch {
            if let fault = error.fault {
                if fault.name == "ConditionalCheckFailedException" {
                    let reason = ServiceFault.CancellationReason(code: "ConditionalCheckFailed", item: fault.item)
                    return .refused([reason], mayHaveHappened: error.mayHaveHappened)
                }
                let isContended =
                    fault.name == "TransactionConflictException"
                    || fault.reasons.contains { $0.code == "TransactionConflict" }
                if fault.isFailedCondition || isContended, self.session.client.now < self.deadline {
                    return .refused(fault.reasons, mayHaveHappened: error.mayHaveHappened)
                }
            }
            throw error.storeError(self.operation, of: id)
        }
    }

    /// Writes the chunks of values before anything refers to them.
    func upload(_ chunks: [Item], _ id: String) async throws(StoreError) {
        do throws(StoreError) {
            // Four chunks of 400 KB are well within what a request may have.
            var start = 0
            while start < chunks.count {
                let page = chunks[start..<min(start + 8, chunks.count)].map { BatchWrite.put($0) }
                try await self.session.writeBatch(Array(page), isRepeatable: true, deadline: self.deadline)
                start += 8
            }
        } catch {
            // Nothing refers to them: as if nothing had been written. They go with the run.
            throw error.with(operation: self.operation, persistenceID: id, outcome: .notApplied)
        }
    }

    // MARK: Errors

    /// Makes a change in as many attempts as it takes; `body` notes when one of them may have happened though it seemed to fail.
    ///
    /// From then on nothing that goes wrong leaves it certain that nothing has happened.
    func attempting<Value>(
        _ body: (inout Bool) async throws(StoreError) -> Value
    ) async throws(StoreError) -> Value {
        var mayHaveHappened = false
        do throws(StoreError) { return try await body(&mayHaveHappened) } catch {
            throw mayHaveHappened ? error.with(outcome: .unknown) : error
        }
    }

    func restless(_ id: String?) -> StoreError {
        StoreError(
            .unavailable, operation: self.operation, persistenceID: id,
            message: "the run was changed again and again by others meanwhile; try again")
    }

    func lostSight(of id: String) -> StoreError {
        StoreError(
            .unavailable, outcome: .unknown, operation: self.operation, persistenceID: id,
            message: "the answer was lost, and others have changed the run since; read it again and decide anew")
    }
}

/// Runs as this process last wrote or read them, so that a worker need not read a run again before each step.
///
/// Never the truth: every change is made on condition that the run still is what it is here.
final class KnownRuns: Sendable {
    private struct Contents {
        var rows: [IDKey: RunRow] = [:]
        /// Workflows that are in the table's list.
        var workflows: Set<IDKey> = []
        var layout: DynamoDBRunLayout?
    }

    private let contents = LockedState(Contents())
    /// A row has some hundred bytes.
    private static let capacity = 8_192

    subscript(id: String) -> RunRow? { self.contents.withLock { $0.rows[IDKey(id)] } }

    func remember(_ row: RunRow) {
        self.contents.withLock { contents in
            // Whoever drives runs drives these few; the others cost a read.
            if contents.rows.count >= Self.capacity { contents.rows.removeAll(keepingCapacity: true) }
            contents.rows[IDKey(row.id)] = row.status.isEnded ? nil : row.withoutValues
        }
    }

    func forget(_ id: String) { self.contents.withLock { _ = $0.rows.removeValue(forKey: IDKey(id)) } }

    func hasWorkflow(_ name: String) -> Bool { self.contents.withLock { $0.workflows.contains(IDKey(name)) } }
    func addWorkflow(_ name: String) { self.contents.withLock { _ = $0.workflows.insert(IDKey(name)) } }

    var layout: DynamoDBRunLayout? {
        get { self.contents.withLock { $0.layout } }
        set { self.contents.withLock { $0.layout = newValue } }
    }
}

extension RunRow {
    /// The row without what is large.
    var withoutValues: RunRow {
        var row = self
        row.request.input = RunValue(bytes: [])
        row.request.context = nil
        row.progress.output = nil
        return row
    }
}
