internal import PerdureConcurrency
internal import PerdureIO
internal import PerdureState

/// One connection on its way with writes of one kind: sends them, tells verdicts, and sends again what needs it.
///
/// Changes that the statement did not make are looked at afterwards: the answer to a write is what its row says then.
final class WriteLane {
    private let core: StoreCore
    private let lease: StoreCore.Lease
    private let change: PendingWrite.Change
    /// What is still to be sent, the next at the end; each group in one transaction.
    private var groups: [[PendingWrite]]
    private let isSlow: Bool
    private var statements: StateStatements?
    private var sentAt = Duration.zero

    init(
        _ core: StoreCore, _ lease: StoreCore.Lease, _ change: PendingWrite.Change, _ groups: [[PendingWrite]],
        isSlow: Bool
    ) {
        self.isSlow = isSlow
        self.core = core
        self.lease = lease
        self.change = change
        self.groups = groups
    }

    private var connection: StoreConnection { self.lease.connection }

    private var layout: TableLayout? {
        if case .found(let layout) = self.connection.layout { layout } else { nil }
    }

    func start() {
        let deadline = self.groups.joined().map(\.deadline).min() ?? self.core.loop.now
        self.core.withStatements(on: self.connection, for: .write, deadline: deadline) { result, isUsable in
            switch result {
            case .success(let statements):
                self.statements = statements
                self.next()
            case .failure(let error):
                for write in self.groups.joined() {
                    // The tables were not found, or not asked for: nothing of this attempt was sent.
                    if isUsable || self.isLate(write) {
                        self.fail(write, error)
                    } else {
                        self.core.again(write)
                    }
                }
                self.core.writingEnded(self.lease, isReusable: isUsable, isSlow: self.isSlow)
            }
        }
    }

    private func next() {
        guard let statements = self.statements, var group = self.groups.popLast() else {
            return self.core.writingEnded(self.lease, isReusable: true, isSlow: self.isSlow)
        }
        let now = self.core.loop.now
        if group.contains(where: { $0.deadline <= now }) {
            for write in group where write.deadline <= now { self.failLate(write) }
            group.removeAll { $0.deadline <= now }
        }
        guard !group.isEmpty else { return self.next() }
        if self.change == .remove, self.layout?.isExtended == false {
            for write in group { self.failWithoutTombstones(write) }
            return self.next()
        }
        let sought = group.filter(\.isSought)
        if !sought.isEmpty {
            let others = group.filter { !$0.isSought }
            if !others.isEmpty { self.groups.append(others) }
            return self.explain(sought)
        }
        self.sentAt = now
        group.sort { $0.key < $1.key }
        self.send(group, statements)
    }

    // MARK: Sending

    private func send(_ group: [PendingWrite], _ statements: StateStatements) {
        var done = Array(repeating: self.change == .put, count: group.count)
        let exchange = Exchange(
            steps: self.steps(group, statements),
            deadline: group.map(\.deadline).min() ?? self.sentAt,
            receive: { step, rows in Self.mark(&done, group, self.change, step, rows) },
            finish: { end in self.ended(end, group, done) })
        for write in group { write.attempts += 1 }
        self.connection.send(exchange)
    }

    private func steps(_ group: [PendingWrite], _ statements: StateStatements) -> [Exchange.Step] {
        var parameters = ParameterBuffer()
        if self.change == .remove {
            parameters.append(arrayOf: .text, group) { $1.element($0.persistenceID) }
            parameters.append(arrayOf: .bigint, group) { write, buffer in
                switch write.condition {
                case .version(let version): buffer.element(Int64(version))
                case .always: buffer.element(Int64(-1))
                // No row has this version: nothing is deleted.
                case .absent: buffer.element(Int64(-2))
                }
            }
            parameters.append(arrayOf: .uuid, group) { $1.element($0.id) }
            return [.init(statement: statements.remove, parameters: parameters)]
        }
        let isExtended = self.layout?.isExtended ?? false
        let unit: StoredTimestamp.Unit = self.core.configuration.writesNanoseconds ? .nanoseconds : .milliseconds
        parameters.append(.text, ofRows: group) { $1.element($0.persistenceID) }
        parameters.append(.bigint, ofRows: group) { $1.element(Int64($0.state.version)) }
        parameters.append(.bytea, ofRows: group) { $1.element($0.state.payload.bytes) }
        parameters.append(.text, ofRows: group) { $1.element($0.state.payload.manifest) }
        parameters.append(.bigint, ofRows: group) {
            $1.element(StoredTimestamp.stored(milliseconds: $0.state.timestamp, as: unit))
        }
        parameters.append(.bigint, ofRows: group) { $1.element(Int64($0.state.shard)) }
        if isExtended { parameters.append(.uuid, ofRows: group) { $1.element($0.id) } }
        switch self.change {
        case .put, .remove:
            return [.init(statement: statements.put[rows: group.count], parameters: parameters)]
        case .replace:
            parameters.append(.bigint, ofRows: group) { write, buffer in
                if case .version(let version) = write.condition { buffer.element(Int64(version)) }
            }
            return [.init(statement: statements.replace[rows: group.count], parameters: parameters)]
        case .create:
            let create = Exchange.Step(statement: statements.create[rows: group.count], parameters: parameters)
            guard isExtended else { return [create] }
            var check = ParameterBuffer()
            check.append(arrayOf: .text, group) { $1.element($0.persistenceID) }
            check.append(arrayOf: .bigint, group) { $1.element(Int64($0.state.version)) }
            check.append(arrayOf: .uuid, group) { $1.element($0.id) }
            return [create, .init(statement: statements.uncreate, parameters: check)]
        }
    }

    /// Notes which rows a statement names as changed, or, in the second step of creating, as changed back.
    private static func mark(
        _ done: inout [Bool], _ group: [PendingWrite], _ change: PendingWrite.Change, _ step: Int,
        _ rows: borrowing ServerResult
    ) {
        switch change {
        case .put: break
        case .replace:
            for row in 0..<rows.rowCount {
                guard let number = rows.integer(row, 0), group.indices.contains(Int(number) - 1) else { continue }
                done[Int(number) - 1] = true
            }
        case .create, .remove:
            guard rows.rowCount > 0 else { return }
            if rows.rowCount == group.count {
                for index in done.indices { done[index] = step == 0 }
                return
            }
            var places: [IDKey: Int] = [:]
            for (index, write) in group.enumerated() { places[write.key] = index }
            for row in 0..<rows.rowCount {
                if let index = places[IDKey(rows.text(row, 0))] { done[index] = step == 0 }
            }
        }
    }

    private func ended(_ end: ExchangeEnd, _ group: [PendingWrite], _ done: [Bool]) {
        switch end {
        case .done:
            self.core.configuration.observer?.observe(
                .batchCommitted(
                    store: PostgresStore.name, writes: group.count, took: self.core.loop.now - self.sentAt))
            var undone: [PendingWrite] = []
            for (index, write) in group.enumerated() {
                if done[index] { self.core.end(write, with: nil) } else { undone.append(write) }
            }
            if undone.isEmpty { self.next() } else { self.explain(undone) }
        case .refused(let fault): self.refused(fault, group)
        case .lost(let fault): self.lost(fault, group)
        case .notSent(let fault):
            for write in group { self.repeatOrFail(write, fault) }
            self.giveUp()
        }
    }

    // MARK: What was not done

    /// Looks at the rows of writes that their statement did not make.
    private func explain(_ group: [PendingWrite]) {
        guard let statements = self.statements else { return self.next() }
        var parameters = ParameterBuffer()
        parameters.append(arrayOf: .text, group) { $1.element($0.persistenceID) }
        var findings = Array(repeating: RowFinding(), count: group.count)
        self.connection.send(
            Exchange(
                steps: [.init(statement: statements.explain, parameters: parameters)],
                deadline: max(group.map(\.deadline).min() ?? .zero, self.core.loop.now + .milliseconds(100)),
                receive: { _, rows in
                    for row in 0..<rows.rowCount {
                        guard let number = rows.integer(row, 0), findings.indices.contains(Int(number) - 1)
                        else { continue }
                        findings[Int(number) - 1] = RowFinding(rows, row)
                    }
                },
                finish: { end in
                    switch end {
                    case .done:
                        for (write, finding) in zip(group, findings) { self.conclude(write, finding) }
                        self.next()
                    case .refused(let fault):
                        for write in group { self.repeatOrFail(write, fault) }
                        self.next()
                    case .lost(let fault), .notSent(let fault):
                        // Only looking was lost: the writes themselves were not made.
                        for write in group { self.repeatOrFail(write, fault) }
                        self.giveUp()
                    }
                }))
    }

    private func conclude(_ write: PendingWrite, _ finding: RowFinding) {
        switch finding.verdict(on: write) {
        case .done: self.core.end(write, with: nil)
        case .again:
            if self.isLate(write) { self.failLate(write) } else { self.core.again(write) }
        case .conflict(let stored):
            self.core.end(
                write,
                with: .conflict(
                    write.operation, of: write.persistenceID, condition: write.condition, stored: stored))
        case .unseen(let stored): self.seekFurther(write, stored)
        case .unknown(let stored):
            self.core.end(
                write,
                with: StoreError(
                    .unavailable, outcome: .unknown, operation: write.operation, persistenceID: write.persistenceID,
                    message:
                        "the server's answer was lost, and others have written since (version \(stored) is stored):"
                        + " this change may have been applied before theirs; read the state again",
                    storedVersion: stored))
        case .corrupted(let reason):
            self.core.end(
                write,
                with: StoreError(
                    .corrupted, outcome: write.mayHaveHappened ? .unknown : .notApplied, operation: write.operation,
                    persistenceID: write.persistenceID, message: reason))
        }
    }

    /// How long after a look another follows; the server may be about to commit.
    private static let waits: [Duration] = [.milliseconds(5), .milliseconds(20), .milliseconds(80), .milliseconds(320)]

    private func seekFurther(_ write: PendingWrite, _ stored: UInt64) {
        if write.looks < Self.waits.count, !self.isLate(write) {
            write.looks += 1
            return self.core.again(write, after: Self.waits[write.looks - 1])
        }
        self.fail(
            write,
            StoreError(
                .unavailable, operation: write.operation,
                message: "the server's answer was lost, and the row (version \(stored)) has no trace of this change:"
                    + " it was not applied, or others have written over it. Unconditional changes are not sent again,"
                    + " for they could hit later ones; read the state again, or write with a condition",
                storedVersion: stored))
    }

    // MARK: Refusals and losses

    /// The server refused the transaction: nothing of it was applied.
    private func refused(_ fault: ServerFault, _ group: [PendingWrite]) {
        switch fault.remedy {
        case .repeatIt:
            for write in group { self.repeatOrFail(write, fault) }
            self.next()
        case .separate where group.count > 1:
            if fault.isLock { self.setLockedAside(group) } else { self.halve(group) }
        case .separate:
            let write = group[0]
            if fault.isLock {
                write.travelsAlone = true
                self.repeatOrFail(write, fault)
            } else {
                self.fail(write, StoreError(fault, operation: write.operation))
            }
            self.next()
        case .reconnect:
            for write in group { self.repeatOrFail(write, fault) }
            self.giveUp()
        case .giveUp:
            for write in group { self.fail(write, StoreError(fault, operation: write.operation)) }
            self.next()
        }
    }

    /// One row is to blame, nobody knows which: halves find it.
    private func halve(_ group: [PendingWrite]) {
        self.groups.append(Array(group[(group.count / 2)...]))
        self.groups.append(Array(group[..<(group.count / 2)]))
        self.next()
    }

    /// Lets the writes of rows that somebody else has locked travel alone, and the others go on at once.
    private func setLockedAside(_ group: [PendingWrite]) {
        guard let statements = self.statements else { return self.next() }
        var parameters = ParameterBuffer()
        parameters.append(arrayOf: .text, group) { $1.element($0.persistenceID) }
        var isFree = Array(repeating: false, count: group.count)
        self.connection.send(
            Exchange(
                steps: [.init(statement: statements.unlocked, parameters: parameters)],
                deadline: self.core.loop.now + .seconds(1),
                receive: { _, rows in
                    for row in 0..<rows.rowCount {
                        guard let number = rows.integer(row, 0), isFree.indices.contains(Int(number) - 1)
                        else { continue }
                        isFree[Int(number) - 1] = true
                    }
                },
                finish: { end in
                    switch end {
                    case .done where isFree.contains(false):
                        for (write, isFree) in zip(group, isFree) where !isFree {
                            write.travelsAlone = true
                            self.core.again(write)
                        }
                        let others = zip(group, isFree).filter { $0.1 }.map { $0.0 }
                        if !others.isEmpty { self.groups.append(others) }
                        self.next()
                    case .done, .refused:
                        // It is free by now, or it is a row that is only being made.
                        self.halve(group)
                    case .lost(let fault), .notSent(let fault):
                        for write in group { self.repeatOrFail(write, fault) }
                        self.giveUp()
                    }
                }))
    }

    /// No answer came: each write may have been applied, or may still be.
    private func lost(_ fault: ServerFault, _ group: [PendingWrite]) {
        for write in group {
            write.mayHaveHappened = true
            if write.isRepeatable(self.layout), !self.isLate(write) {
                self.core.configuration.observer?.observe(
                    .writeRepeated(
                        store: PostgresStore.name, persistenceID: write.persistenceID, attempt: write.attempts + 1))
                self.core.again(write)
            } else if write.leavesTraces(self.layout), !self.isLate(write) {
                write.isSought = true
                self.core.again(write)
            } else {
                self.fail(write, StoreError(fault, operation: write.operation), isLate: self.isLate(write))
            }
        }
        self.giveUp()
    }

    /// Sends a write again that this attempt did not make, unless it is of no use.
    private func repeatOrFail(_ write: PendingWrite, _ fault: ServerFault) {
        if fault.isHopeless(after: write.attempts) || self.isLate(write) {
            self.fail(write, StoreError(fault, operation: write.operation), isLate: self.isLate(write))
        } else {
            self.core.again(write)
        }
    }

    /// The connection is of no use any more: what was not sent goes back into the line.
    private func giveUp() {
        for write in self.groups.joined() { self.core.again(write) }
        self.groups = []
        self.core.writingEnded(self.lease, isReusable: false, isSlow: self.isSlow)
    }

    private func isLate(_ write: PendingWrite) -> Bool { write.deadline <= self.core.loop.now }

    private func fail(_ write: PendingWrite, _ error: StoreError, isLate: Bool = false) {
        let outcome: StoreError.Outcome = write.mayHaveHappened ? .unknown : .notApplied
        let error = isLate ? error.late(after: self.core.configuration.writeTimeout) : error
        self.core.end(
            write, with: error.with(operation: write.operation, persistenceID: write.persistenceID, outcome: outcome))
    }

    private func failLate(_ write: PendingWrite) {
        self.fail(
            write,
            StoreError(
                .timeout, operation: write.operation,
                message: "the change was not made within \(self.core.configuration.writeTimeout)"))
    }

    private func failWithoutTombstones(_ write: PendingWrite) {
        self.fail(
            write,
            StoreError(
                .misconfigured, operation: .delete,
                message: "the table was made by another program and has no tombstones, without which a deleted state's"
                    + " versions would begin anew; add them with setup()"))
    }
}
