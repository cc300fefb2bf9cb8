internal import PerdureConcurrency
internal import PerdureIO
internal import PerdureState

/// One connection on its way with reads: all of them in one round trip.
final class ReadLane {
    private let core: StoreCore
    private let lease: StoreCore.Lease
    private let batch: [PendingRead]

    init(_ core: StoreCore, _ lease: StoreCore.Lease, _ batch: [PendingRead]) {
        self.core = core
        self.lease = lease
        self.batch = batch
    }

    func start() {
        let now = self.core.loop.now
        let late = self.batch.filter { $0.deadline <= now }
        for read in late {
            self.fail(read, StoreError(.timeout, operation: .read, message: "nothing was read in time"))
        }
        let batch = late.isEmpty ? self.batch : self.batch.filter { $0.deadline > now }
        guard let deadline = batch.map(\.deadline).min() else {
            return self.core.readingEnded(self.lease, isReusable: true, again: [])
        }
        self.core.withStatements(on: self.lease.connection, for: .read, deadline: deadline) { result, isUsable in
            switch result {
            case .success(let statements): self.send(batch, statements, deadline)
            case .failure(let error):
                if isUsable { for read in batch { self.fail(read, error) } }
                self.core.readingEnded(self.lease, isReusable: isUsable, again: isUsable ? [] : batch)
            }
        }
    }

    private func send(_ batch: [PendingRead], _ statements: StateStatements, _ deadline: Duration) {
        var parameters = ParameterBuffer()
        parameters.append(.text, ofRows: batch) { $1.element($0.id) }
        var answers: [PendingRead.Answer] = Array(repeating: .success(nil), count: batch.count)
        self.lease.connection.send(
            Exchange(
                steps: [.init(statement: statements.read[rows: batch.count], parameters: parameters)],
                deadline: deadline,
                receive: { _, rows in
                    for row in 0..<rows.rowCount {
                        guard let number = rows.integer(row, 0), batch.indices.contains(Int(number) - 1)
                        else { continue }
                        answers[Int(number) - 1] = StoredRow.state(of: batch[Int(number) - 1].id, rows, row)
                    }
                },
                finish: { end in self.ended(end, batch, answers) }))
    }

    private func ended(_ end: ExchangeEnd, _ batch: [PendingRead], _ answers: [PendingRead.Answer]) {
        switch end {
        case .done:
            for (read, answer) in zip(batch, answers) { read.answer(answer) }
            self.core.readingEnded(self.lease, isReusable: true, again: [])
        case .refused(let fault):
            switch fault.remedy {
            case .repeatIt: self.core.readingEnded(self.lease, isReusable: true, again: self.failingLate(batch, fault))
            case .reconnect:
                self.core.readingEnded(self.lease, isReusable: false, again: self.failingLate(batch, fault))
            case .separate, .giveUp:
                for read in batch { self.fail(read, StoreError(fault, operation: .read)) }
                self.core.readingEnded(self.lease, isReusable: true, again: [])
            }
        case .lost(let fault), .notSent(let fault):
            self.core.readingEnded(self.lease, isReusable: false, again: self.failingLate(batch, fault))
        }
    }

    /// Fails those whose deadline is over and returns the others.
    private func failingLate(_ batch: [PendingRead], _ fault: ServerFault) -> [PendingRead] {
        let now = self.core.loop.now
        return batch.filter { read in
            if read.deadline > now { return true }
            self.fail(
                read, StoreError(fault, operation: .read).late(after: self.core.configuration.readTimeout))
            return false
        }
    }

    private func fail(_ read: PendingRead, _ error: StoreError) {
        read.answer(.failure(error.with(operation: .read, persistenceID: read.id)))
    }
}

/// A row of ``StateStatements/read`` as a state.
enum StoredRow {
    static func state(of id: String, _ rows: borrowing ServerResult, _ row: Int) -> PendingRead.Answer {
        let manifest = rows.text(row, 3)
        guard let version = rows.integer(row, 1).flatMap({ UInt64(exactly: $0) }) else {
            return .failure(self.unreadable(id, manifest, "version", rows.integer(row, 1)))
        }
        guard let shard = rows.integer(row, 5).flatMap({ UInt64(exactly: $0) }) else {
            return .failure(self.unreadable(id, manifest, "shard", rows.integer(row, 5)))
        }
        guard let timestamp = rows.integer(row, 4), !rows.isNull(row, 2), !rows.isNull(row, 3) else {
            return .failure(self.unreadable(id, manifest, "payload, manifest or timestamp", nil))
        }
        return .success(
            DurableState(
                persistenceID: id, version: version,
                payload: StatePayload(manifest: manifest, bytes: rows.bytes(row, 2)),
                timestamp: StoredTimestamp.milliseconds(fromStored: timestamp), shard: shard))
    }

    private static func unreadable(_ id: String, _ manifest: String, _ column: String, _ value: Int64?) -> StoreError {
        StoreError(
            .corrupted, operation: .read, persistenceID: id,
            message:
                "the row (manifest \(manifest.debugDescription)) has the \(column) \(value.map { String($0) } ?? "NULL"),"
                + " which no state can have; repair the row, or write over it unconditionally")
    }
}
