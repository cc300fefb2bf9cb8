internal import PerdureConcurrency
internal import PerdureModel

/// Commits what waits: one transaction for a batch, a verdict for each write.
///
/// Lives on one thread.
final class Writer {
    private let connection: SQLiteConnection
    private let statements: WriteStatements
    private let runs: RunStatements
    private let begin: SQLiteStatement
    private let commitStatement: SQLiteStatement
    private let rollbackStatement: SQLiteStatement
    private let patience: LockPatience
    private let log = LogLength()
    private let configuration: SQLiteStore.Configuration
    private let name: String
    private let faults: CommitFault.Plan?
    /// Write IDs are 8 bytes that tell this writer from every other, and a number.
    private let writeIDPrefix: UInt64
    private var nextWriteNumber: UInt64 = 0
    /// The log is tried again when it has grown by so much since it last could not begin anew.
    private var nextRestart: Int

    /// How a try to commit some writes ended.
    private enum End {
        case committed
        /// Rolled back before its commit began, or refused by it for certain: nothing happened.
        case rolledBack(SQLiteFailure)
        /// The commit failed in a way that leaves its result open.
        case lost(SQLiteFailure)
    }

    /// Commits over a connection that has the file open and checked. `patience` is the connection's.
    init(
        on connection: SQLiteConnection, patience: LockPatience, name: String,
        configuration: SQLiteStore.Configuration, faults: CommitFault.Plan?
    ) throws(SQLiteFailure) {
        self.connection = connection
        self.patience = patience
        self.name = name
        self.configuration = configuration
        self.faults = faults
        self.writeIDPrefix = UInt64.random(in: .min ... .max)
        self.nextRestart = configuration.checkpointPageCount * 8
        self.statements = try WriteStatements(on: connection)
        self.runs = try RunStatements(on: connection)
        self.begin = try SQLiteStatement("BEGIN IMMEDIATE", on: connection)
        self.commitStatement = try SQLiteStatement("COMMIT", on: connection)
        self.rollbackStatement = try SQLiteStatement("ROLLBACK", on: connection)
        connection.watchLog(self.log)
    }

    /// Empties the log into the file and closes it. Nothing may be asked of it afterwards.
    func close() {
        // Where readers of another process are in the way, the log stays and the next to open the file reads it.
        _ = try? self.connection.checkpoint(.truncate)
        self.connection.close()
    }

    /// Carries out `jobs` in their order; `verdicts` ends up with one for each.
    func commit(_ jobs: [WriteJob], into verdicts: inout [WriteVerdict]) {
        verdicts.removeAll(keepingCapacity: true)
        for _ in 0..<jobs.count { verdicts.append(.done) }
        let firstNumber = self.nextWriteNumber
        self.nextWriteNumber += UInt64(jobs.count)

        let batch = Attempt(jobs: jobs, firstNumber: firstNumber)
        switch self.carryThrough(batch, 0..<jobs.count, &verdicts) {
        case nil:
            break
        case let failure? where jobs.count == 1 || Self.concernsAll(failure):
            self.refuse(batch, 0..<jobs.count, failure, &verdicts)
        case _?:
            // Nothing happened yet. One of them may be to blame: alone, it spoils only itself.
            self.carryThroughOneByOne(batch, &verdicts)
        }
    }

    /// The writes of a batch and the number of the first one's write ID.
    private struct Attempt {
        let jobs: [WriteJob]
        let firstNumber: UInt64
    }

    /// Whether no write of a batch could have fared better alone.
    private static func concernsAll(_ failure: SQLiteFailure) -> Bool {
        switch failure.code.primary {
        case .busy, .locked, .lockProtocol, .readOnly, .permission, .authorization, .cannotOpen, .notADatabase: true
        default: false
        }
    }

    private func carryThroughOneByOne(_ batch: Attempt, _ verdicts: inout [WriteVerdict]) {
        // A disk that fails them all should not be asked a thousand times.
        var failuresInARow = 0
        for index in batch.jobs.indices {
            guard let failure = self.carryThrough(batch, index..<index + 1, &verdicts) else {
                failuresInARow = 0
                continue
            }
            self.refuse(batch, index..<index + 1, failure, &verdicts)
            failuresInARow += 1
            if failuresInARow == 8 || Self.concernsAll(failure) {
                self.refuse(batch, index + 1..<batch.jobs.count, failure, &verdicts)
                return
            }
        }
    }

    private func refuse(
        _ batch: Attempt, _ range: Range<Int>, _ failure: SQLiteFailure, _ verdicts: inout [WriteVerdict]
    ) {
        for index in range {
            let job = batch.jobs[index]
            verdicts[index] = .failed(failure.storeError(job.operation, of: job.id))
        }
    }

    /// Commits some writes of a batch, again where the result of the commit is lost. Returns a failure if none of them happened.
    private func carryThrough(
        _ batch: Attempt, _ range: Range<Int>, _ verdicts: inout [WriteVerdict]
    ) -> SQLiteFailure? {
        var lost: Lost?
        for attempt in 0..<4 {
            if let lost { self.reportRepetition(batch, lost.writes, attempt) }
            switch self.attempt(batch, range, after: lost, &verdicts) {
            case .committed:
                return nil
            case .rolledBack(let failure):
                if lost == nil { return failure }
                lost?.failure = failure
            case .lost(let failure):
                lost = Lost(failure, range.filter { verdicts[$0].isDone || lost?.writes.contains($0) == true })
            }
        }
        guard let lost else { return nil }
        for index in range {
            let job = batch.jobs[index]
            verdicts[index] = .failed(
                lost.failure.storeError(
                    job.operation, of: job.id, mayHaveHappened: lost.writes.contains(index)))
        }
        return nil
    }

    /// What is known after a commit whose result is lost.
    private struct Lost {
        var failure: SQLiteFailure
        /// The writes that were in it, and so may have happened. Those that were refused have not.
        let writes: Set<Int>

        init(_ failure: SQLiteFailure, _ writes: [Int]) {
            self.failure = failure
            self.writes = Set(writes)
        }
    }

    private func reportRepetition(_ batch: Attempt, _ writes: Set<Int>, _ attempt: Int) {
        guard let observer = self.configuration.observer else { return }
        for index in writes.sorted() {
            let id = batch.jobs[index].id
            observer.observe(.writeRepeated(store: self.name, persistenceID: id, attempt: attempt))
        }
    }

    /// Runs one transaction.
    private func attempt(
        _ batch: Attempt, _ range: Range<Int>, after lost: Lost?, _ verdicts: inout [WriteVerdict]
    ) -> End {
        do throws(SQLiteFailure) { try self.begin.run() } catch {
            self.rollBack()
            return .rolledBack(error)
        }
        for index in range {
            let isRepeated = lost?.writes.contains(index) == true
            let step = withUnsafeBytes(of: (self.writeIDPrefix, batch.firstNumber + UInt64(index))) { writeID in
                self.run(batch.jobs[index], writeID, before: isRepeated ? verdicts[index] : nil)
            }
            switch step {
            case .done:
                verdicts[index] = .done
            case .counted(let number):
                verdicts[index] = .counted(number)
            case .answered(let answer):
                verdicts[index] = .answered(answer)
            case .conflict(let stored):
                verdicts[index] = isRepeated ? self.unresolved(batch.jobs[index]) : .conflict(stored: stored)
            case .refused(let failure):
                let job = batch.jobs[index]
                verdicts[index] = .failed(
                    failure.storeError(job.operation, of: job.id, mayHaveHappened: isRepeated))
            case .corrupted(let reason):
                verdicts[index] = .failed(Self.corrupted(batch.jobs[index], reason, isRepeated: isRepeated))
            case .broken(let failure):
                self.rollBack()
                return .rolledBack(failure)
            }
        }
        if let fault = self.faults?(batch.jobs[range].map(\.id)) { return self.fail(fault) }
        do throws(SQLiteFailure) { try self.commitStatement.run() } catch {
            self.rollBack()
            // A page that did not fit was never whole in the log, so the commit it belongs to does not exist. Anything else,
            // above all a failed flush, may have left a whole one behind.
            return error.isOutOfRoom || error.code.primary == .busy ? .rolledBack(error) : .lost(error)
        }
        return .committed
    }

    /// Carries out one write; `before` is what it gave in a transaction whose commit is lost.
    private func run(
        _ job: borrowing WriteJob, _ writeID: UnsafeRawBufferPointer, before: WriteVerdict?
    ) -> WriteStatements.Step {
        if case .runs(let write) = job.work { return self.runs.run(write, writeID: writeID, before: before) }
        return self.statements.run(job, writeID: writeID, isRepeated: before != nil)
    }

    /// Ends the transaction as a test has planned it.
    private func fail(_ fault: CommitFault) -> End {
        if case .answerLost = fault { try? self.commitStatement.run() }
        self.rollBack()
        return .lost(SQLiteFailure(code: .inputOutput, message: "a planned fault", errorNumber: 0))
    }

    private func rollBack() {
        guard self.connection.isInTransaction else { return }
        // Fails only when SQLite has rolled back already.
        try? self.rollbackStatement.run()
    }

    /// The verdict on a write whose first try may have happened, and over which others have written since.
    private func unresolved(_ job: WriteJob) -> WriteVerdict {
        .failed(
            StoreError(
                .unavailable, outcome: .unknown, operation: job.operation, persistenceID: job.id,
                message: "the disk failed during the commit, and others have written since; read the state again"))
    }

    private static func corrupted(_ job: WriteJob, _ reason: String, isRepeated: Bool) -> StoreError {
        StoreError(
            .corrupted, outcome: isRepeated ? .unknown : .notApplied, operation: job.operation,
            persistenceID: job.id,
            message: "the stored row cannot be read: \(reason); repair it, or write over it with condition .always")
    }

    // MARK: The log

    /// Moves the write-ahead log into the file when it has grown long. Called when nobody waits for an answer.
    func tendLog() {
        guard self.log.pages >= self.configuration.checkpointPageCount else {
            self.nextRestart = self.configuration.checkpointPageCount * 8
            return
        }
        // A checkpoint that fails loses nothing: the log is kept, and the next one tries again.
        if self.log.pages >= self.nextRestart {
            // Readers have kept the log from beginning anew for long; wait for them this once.
            let pages = try? self.connection.checkpoint(.restart)
            self.nextRestart = max(pages ?? self.log.pages, self.log.pages) + self.configuration.checkpointPageCount * 8
        } else {
            _ = try? self.connection.checkpoint(.passive)
        }
    }
}
