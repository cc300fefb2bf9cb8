internal import PerdureModel

/// Reads states and runs over a connection of its own.
///
/// `@unchecked Sendable`: made on one thread and handed to another, which alone uses it from then on.
final class Reader: @unchecked Sendable {
    private let connection: SQLiteConnection
    private let patience: LockPatience
    private let begin: SQLiteStatement
    private let end: SQLiteStatement
    private let find: SQLiteStatement
    private let list: SQLiteStatement
    private let look: SQLiteStatement
    private let runs: RunRows

    /// Reads over a connection that has the file open and checked. `patience` is the connection's.
    init(on connection: SQLiteConnection, patience: LockPatience) throws(SQLiteFailure) {
        self.connection = connection
        self.patience = patience
        self.begin = try SQLiteStatement("BEGIN", on: connection)
        self.end = try SQLiteStatement("COMMIT", on: connection)
        self.find = try SQLiteStatement(
            """
            SELECT version_number, state_payload, state_manifest, timestamp, shard_number
            FROM states_store WHERE persistence_id = ?1
            """, on: connection)
        self.list = try SQLiteStatement(
            "SELECT persistence_id FROM states_store WHERE persistence_id >= ?1 ORDER BY persistence_id LIMIT ?2",
            on: connection)
        self.runs = RunRows(on: connection)
        self.look = try SQLiteStatement("SELECT count(*) FROM (SELECT 1 FROM states_store LIMIT 1)", on: connection)
    }

    /// Closes the connection. Nothing may be asked of it afterwards.
    func close() { self.connection.close() }

    /// Answers reads that waited together.
    ///
    /// They share one snapshot, taken after the last of them was asked for, so each sees every write acknowledged before it.
    func answer(_ jobs: [ReadJob]) {
        // A transaction saves each further read its locks. Where it cannot begin, each read says by itself what is wrong.
        let isShared = jobs.contains { jobs.count > 1 || $0.isPlural } && (try? self.begin.run()) != nil
        for job in jobs {
            switch job.request {
            case .state(let id, let continuation): continuation.resume(returning: self.state(of: id))
            case .states(let ids, let continuation): continuation.resume(returning: ids.map { self.state(of: $0) })
            case .ids(let request, let continuation): continuation.resume(returning: self.ids(request))
            case .runs(let read): read(self.runs)
            case .ping(let continuation): continuation.resume(returning: self.ping())
            }
        }
        if isShared, self.connection.isInTransaction { try? self.end.run() }
    }

    private func ping() -> ReadAnswer<Void> {
        do throws(SQLiteFailure) {
            if try self.look.hasRow() { self.look.reset() }
            return .success(())
        } catch {
            return .failure(error.storeError(.ping))
        }
    }

    // MARK: A state

    private func state(of id: String) -> ReadAnswer<DurableState?> {
        var name = id
        return name.withUTF8 { bytes in
            self.find.bind(text: UnsafeRawBufferPointer(bytes), at: 1)
            do throws(SQLiteFailure) {
                guard try self.find.hasRow() else { return .success(nil) }
            } catch {
                return .failure(error.storeError(.read, of: id))
            }
            defer { self.find.reset() }
            return self.state(of: id, in: self.find)
        }
    }

    private func state(of id: String, in row: borrowing SQLiteStatement) -> ReadAnswer<DurableState?> {
        func corrupted(_ what: String) -> ReadAnswer<DurableState?> {
            .failure(
                StoreError(
                    .corrupted, operation: .read, persistenceID: id,
                    message: "the stored row cannot be read: \(what); repair it or restore the file from a backup"))
        }
        for (column, name) in [(Int32(0), "version_number"), (3, "timestamp"), (4, "shard_number")]
        where row.kind(at: column) != .integer {
            return corrupted("\(name) is no integer")
        }
        guard row.kind(at: 1) == .blob else { return corrupted("state_payload is no blob") }
        let version = row.integer(at: 0)
        guard version >= 0 else { return corrupted("version_number is \(version)") }
        let shard = row.integer(at: 4)
        guard shard >= 0 else { return corrupted("shard_number is \(shard)") }
        guard let manifest = row.text(at: 2) else { return corrupted("state_manifest is no UTF-8 text") }
        return .success(
            DurableState(
                persistenceID: id, version: UInt64(version),
                payload: StatePayload(manifest: manifest, bytes: Array(row.bytes(at: 1))),
                timestamp: row.integer(at: 3), shard: UInt64(shard)))
    }

    // MARK: A page of IDs

    private func ids(_ request: ReadJob.ListRequest) -> ReadAnswer<StateIDPage> {
        var ids: [String] = []
        // Bytes decide, as the column compares: Swift's own order of strings is another one.
        var start = [UInt8](request.prefix.utf8)
        if let cursor = request.cursor, start.lexicographicallyPrecedes(cursor.utf8) { start = Array(cursor.utf8) }
        let result: ReadAnswer<Void> = start.withUnsafeBytes { start in
            self.list.bind(text: start, at: 1)
            // One for the cursor itself, which is not wanted again, and one to see whether more follow.
            self.list.bind(Int64(request.limit) + 2, at: 2)
            defer { self.list.reset() }
            while true {
                let code = self.list.step()
                if code == .done { return .success(()) }
                guard code == .row else { return .failure(self.connection.failure(code).storeError(.list)) }
                guard let id = self.list.text(at: 0) else {
                    return .failure(
                        StoreError(
                            .corrupted, operation: .list,
                            message:
                                "a persistence_id after \(ids.last.debugDescription) is no UTF-8 text; repair the row"
                        ))
                }
                if let cursor = request.cursor, id.utf8.elementsEqual(cursor.utf8) { continue }
                guard id.utf8.starts(with: request.prefix.utf8) else { return .success(()) }
                ids.append(id)
            }
        }
        if case .failure(let error) = result { return .failure(error) }
        guard ids.count > request.limit else { return .success(StateIDPage(ids: ids, next: nil)) }
        ids.removeLast(ids.count - request.limit)
        return .success(StateIDPage(ids: ids, next: ids.last.map { StateIDPage.Cursor($0) }))
    }
}
