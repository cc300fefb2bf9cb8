/// The statements of the write path, and what each kind of write does with them.
///
/// Lives on the writer's thread. Each write is one statement where its condition holds, which is nearly always. Only when it does not is the stored version
/// read. The meaning is that of the in-memory store's table, line by line.
final class WriteStatements {
    private let connection: SQLiteConnection
    private let replace: SQLiteStatement
    private let insert: SQLiteStatement
    private let upsert: SQLiteStatement
    private let entomb: SQLiteStatement
    private let remove: SQLiteStatement
    private let forgetTombstone: SQLiteStatement
    private let findState: SQLiteStatement
    private let findTombstone: SQLiteStatement

    /// What became of one write within a transaction that is not yet committed.
    enum Step {
        case done
        case counted(UInt64)
        case answered(RunAnswer)
        case conflict(stored: UInt64)
        /// It changed nothing, and the transaction can go on without it.
        case refused(SQLiteFailure)
        /// The stored row is not as it should be; nothing was changed.
        case corrupted(String)
        /// The transaction cannot go on.
        case broken(SQLiteFailure)
    }

    /// What is stored under an ID.
    private enum Stored {
        case nothing
        case alive(version: UInt64, isMine: Bool)
        case deleted(version: UInt64, isMine: Bool)
        case corrupted(String)
    }

    init(on connection: SQLiteConnection) throws(SQLiteFailure) {
        self.connection = connection
        self.replace = try SQLiteStatement(
            """
            UPDATE states_store SET version_number = ?2, state_payload = ?3, state_manifest = ?4, timestamp = ?5,
                shard_number = ?6, write_id = ?7
            WHERE persistence_id = ?1 AND version_number = ?8
            """, on: connection)
        // The tombstone keeps versions counting, so where there is one it takes a closer look.
        self.insert = try SQLiteStatement(
            """
            INSERT INTO states_store
                (persistence_id, version_number, state_payload, state_manifest, timestamp, shard_number, write_id)
            SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7
            WHERE NOT EXISTS (SELECT 1 FROM states_tombstones WHERE persistence_id = ?1)
            ON CONFLICT DO NOTHING
            """, on: connection)
        self.upsert = try SQLiteStatement(
            """
            INSERT INTO states_store
                (persistence_id, version_number, state_payload, state_manifest, timestamp, shard_number, write_id)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
            ON CONFLICT DO UPDATE SET version_number = ?2, state_payload = ?3, state_manifest = ?4, timestamp = ?5,
                shard_number = ?6, write_id = ?7
            """, on: connection)
        // The largest version has none after it; its tombstone keeps it, which ends the ID for conditional writes.
        self.entomb = try SQLiteStatement(
            """
            INSERT INTO states_tombstones (persistence_id, version_number, timestamp, write_id)
            SELECT persistence_id, min(version_number, \(Int64.max - 1)) + 1, unixepoch() * 1000, ?2
            FROM states_store
            WHERE persistence_id = ?1 AND version_number >= 0 AND (?3 IS NULL OR version_number = ?3)
            ON CONFLICT DO UPDATE SET version_number = excluded.version_number, timestamp = excluded.timestamp,
                write_id = excluded.write_id
            """, on: connection)
        self.remove = try SQLiteStatement("DELETE FROM states_store WHERE persistence_id = ?1", on: connection)
        self.forgetTombstone = try SQLiteStatement(
            "DELETE FROM states_tombstones WHERE persistence_id = ?1", on: connection)
        self.findState = try SQLiteStatement(
            "SELECT version_number, write_id FROM states_store WHERE persistence_id = ?1", on: connection)
        self.findTombstone = try SQLiteStatement(
            "SELECT version_number, write_id FROM states_tombstones WHERE persistence_id = ?1", on: connection)
    }

    /// Carries out a write or a delete of a state within the open transaction.
    ///
    /// `isRepeated`: the write was committed before and nobody knows with what result, so what is stored may be its own.
    func run(_ job: borrowing WriteJob, writeID: UnsafeRawBufferPointer, isRepeated: Bool) -> Step {
        let step: Step?
        switch job.work {
        case .delete(let id, let condition):
            step = id.utf8.withContiguousStorageIfAvailable { id in
                self.delete(UnsafeRawBufferPointer(id), if: condition, writeID: writeID, isRepeated: isRepeated)
            }
        case .write(let state, let condition):
            step =
                state.persistenceID.utf8.withContiguousStorageIfAvailable { id in
                    state.payload.manifest.utf8.withContiguousStorageIfAvailable { manifest in
                        state.payload.bytes.withUnsafeBytes { payload in
                            let row = Row(
                                id: UnsafeRawBufferPointer(id), version: Int64(state.version), payload: payload,
                                manifest: UnsafeRawBufferPointer(manifest), timestamp: state.timestamp,
                                shard: Int64(state.shard), writeID: writeID)
                            return self.write(row, if: condition, isRepeated: isRepeated)
                        }
                    }
                } ?? nil
        case .runs:
            return .corrupted("a change of runs is not one of states")
        }
        // Not reached: a Swift string on Linux is always contiguous UTF-8.
        return step ?? .corrupted("the ID or the manifest is not contiguous UTF-8")
    }

    // MARK: Writing

    /// A row to be written, lent for one statement.
    private struct Row {
        let id: UnsafeRawBufferPointer
        let version: Int64
        let payload: UnsafeRawBufferPointer
        let manifest: UnsafeRawBufferPointer
        let timestamp: Int64
        let shard: Int64
        let writeID: UnsafeRawBufferPointer

        func bind(to statement: borrowing SQLiteStatement) {
            statement.bind(text: self.id, at: 1)
            statement.bind(self.version, at: 2)
            statement.bind(blob: self.payload, at: 3)
            statement.bind(text: self.manifest, at: 4)
            statement.bind(self.timestamp, at: 5)
            statement.bind(self.shard, at: 6)
            statement.bind(blob: self.writeID, at: 7)
        }
    }

    private func write(_ row: Row, if condition: WriteCondition, isRepeated: Bool) -> Step {
        if isRepeated {
            switch self.stored(under: row.id, writeID: row.writeID) {
            // Written again rather than believed: what a failed flush left in the log may never reach the disk.
            case .success(.alive(_, isMine: true)): return self.change(self.upsert, row)
            case .success(.corrupted(let reason)): return .corrupted(reason)
            case .success: break
            case .failure(let failure): return .broken(failure)
            }
        }
        switch condition {
        case .version(let replaced):
            self.replace.bind(Int64(replaced), at: 8)
            let step = self.change(self.replace, row)
            if case .conflict = step { return self.conflict(at: row.id) }
            return step
        case .absent:
            let step = self.change(self.insert, row)
            if case .conflict = step { return self.insertOverTombstone(row) }
            return step
        case .always:
            let step = self.change(self.upsert, row)
            guard case .done = step else { return step }
            return self.forget(row.id)
        }
    }

    private func insertOverTombstone(_ row: Row) -> Step {
        switch self.stored(under: row.id, writeID: row.writeID) {
        case .failure(let failure): return .broken(failure)
        case .success(.corrupted(let reason)): return .corrupted(reason)
        case .success(.alive(let version, _)): return .conflict(stored: version)
        case .success(.deleted(let version, _)):
            if UInt64(row.version) <= version { return .conflict(stored: version) }
        case .success(.nothing): break
        }
        let step = self.change(self.upsert, row)
        guard case .done = step else { return step }
        return self.forget(row.id)
    }

    /// Runs a statement that changes one row or, because its condition does not hold, none: then `.conflict(stored: 0)`.
    private func change(_ statement: borrowing SQLiteStatement, _ row: Row) -> Step {
        row.bind(to: statement)
        let code = statement.step()
        if code != .done {
            let failure = self.connection.failure(code)
            statement.reset()
            return self.refusedOrBroken(failure)
        }
        statement.reset()
        return self.connection.changes == 1 ? .done : .conflict(stored: 0)
    }

    /// A failed statement takes back what it did. Whether the transaction goes on depends on what failed.
    private func refusedOrBroken(_ failure: SQLiteFailure) -> Step {
        switch failure.code.primary {
        case .constraint, .tooBig, .mismatch:
            self.connection.isInTransaction ? .refused(failure) : .broken(failure)
        default: .broken(failure)
        }
    }

    private func forget(_ id: UnsafeRawBufferPointer) -> Step {
        self.forgetTombstone.bind(text: id, at: 1)
        // The row is written already, so failing here must take the transaction with it.
        do throws(SQLiteFailure) { try self.forgetTombstone.run() } catch { return .broken(error) }
        return .done
    }

    // MARK: Deleting

    private func delete(
        _ id: UnsafeRawBufferPointer, if condition: WriteCondition, writeID: UnsafeRawBufferPointer, isRepeated: Bool
    ) -> Step {
        if isRepeated {
            switch self.stored(under: id, writeID: writeID) {
            case .success(.deleted(_, isMine: true)): return .done
            case .success: break
            case .failure(let failure): return .broken(failure)
            }
        }
        switch condition {
        case .absent:
            break
        case .version(let version) where version > UInt64(Int64.max):
            break
        case .version, .always:
            self.entomb.bind(text: id, at: 1)
            self.entomb.bind(blob: writeID, at: 2)
            if case .version(let version) = condition {
                self.entomb.bind(Int64(version), at: 3)
            } else {
                self.entomb.bindNull(at: 3)
            }
            do throws(SQLiteFailure) { try self.entomb.run() } catch { return self.refusedOrBroken(error) }
            if self.connection.changes == 1 {
                self.remove.bind(text: id, at: 1)
                do throws(SQLiteFailure) { try self.remove.run() } catch { return .broken(error) }
                return .done
            }
        }
        switch (condition, self.stored(under: id, writeID: writeID)) {
        case (_, .failure(let failure)): return .broken(failure)
        case (_, .success(.corrupted(let reason))): return .corrupted(reason)
        case (_, .success(.alive(let version, _))): return .conflict(stored: version)
        case (.version, .success(.deleted(let version, _))): return .conflict(stored: version)
        case (.version, .success(.nothing)): return .conflict(stored: 0)
        case (_, .success): return .done
        }
    }

    // MARK: What is stored

    private func conflict(at id: UnsafeRawBufferPointer) -> Step {
        switch self.stored(under: id, writeID: UnsafeRawBufferPointer(start: nil, count: 0)) {
        case .success(.nothing): .conflict(stored: 0)
        case .success(.alive(let version, _)), .success(.deleted(let version, _)): .conflict(stored: version)
        case .success(.corrupted(let reason)): .corrupted(reason)
        case .failure(let failure): .broken(failure)
        }
    }

    private func stored(
        under id: UnsafeRawBufferPointer, writeID: UnsafeRawBufferPointer
    ) -> Result<Stored, SQLiteFailure> {
        do throws(SQLiteFailure) {
            if let row = try self.find(self.findState, id, writeID) {
                return .success(
                    row.version >= 0
                        ? .alive(version: UInt64(row.version), isMine: row.isMine)
                        : .corrupted("version_number is \(row.version)"))
            }
            if let row = try self.find(self.findTombstone, id, writeID) {
                return .success(
                    row.version >= 0
                        ? .deleted(version: UInt64(row.version), isMine: row.isMine)
                        : .corrupted("version_number of the tombstone is \(row.version)"))
            }
            return .success(.nothing)
        } catch {
            return .failure(error)
        }
    }

    private func find(
        _ statement: borrowing SQLiteStatement, _ id: UnsafeRawBufferPointer, _ writeID: UnsafeRawBufferPointer
    ) throws(SQLiteFailure) -> (version: Int64, isMine: Bool)? {
        statement.bind(text: id, at: 1)
        guard try statement.hasRow() else { return nil }
        defer { statement.reset() }
        // A version that is no integer cannot be one; it comes out as negative.
        let version = statement.kind(at: 0) == .integer ? statement.integer(at: 0) : -1
        let isMine = !writeID.isEmpty && statement.bytes(at: 1).elementsEqual(writeID)
        return (version, isMine)
    }
}
