internal import CSQLite

/// A connection to a database file, used by one thread at a time: SQLite's own locks are off.
///
/// `@unchecked Sendable`: whoever opens it hands it to exactly one thread, and nobody else calls it afterwards.
final class SQLiteConnection: @unchecked Sendable {
    private var handle: OpaquePointer?

    enum Access {
        case readWrite(create: Bool)
        case readOnly
        /// A database of its own in memory, whatever the path.
        case inMemory
    }

    /// Opens the file at `path`.
    init(_ path: String, _ access: Access) throws(SQLiteFailure) {
        let flags: Int32 =
            switch access {
            case .readOnly: SQLITE_OPEN_READONLY
            case .readWrite(create: false): SQLITE_OPEN_READWRITE
            case .readWrite(create: true): SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
            case .inMemory: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MEMORY
            }
        // Some builds take "file:…" for a URI; a path that cannot begin so is only ever a path.
        let path = path.utf8.first == UInt8(ascii: "/") ? path : "./" + path
        let status = sqlite3_open_v2(path, &self.handle, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nil)
        guard status == SQLITE_OK else {
            let failure = self.failure(ResultCode(rawValue: status))
            sqlite3_close(self.handle)
            self.handle = nil
            throw failure
        }
    }

    deinit { self.close() }

    /// Finalizes every statement and closes the file. Statements that are still around must not be used again.
    func close() {
        guard let handle = self.handle else { return }
        while let statement = sqlite3_next_stmt(handle, nil) { sqlite3_finalize(statement) }
        sqlite3_close(handle)
        self.handle = nil
    }

    fileprivate var isOpen: Bool { self.handle != nil }

    /// The last failure of this connection, under the code that a call returned.
    func failure(_ code: ResultCode) -> SQLiteFailure {
        guard let handle = self.handle else {
            return SQLiteFailure(code: code, message: String(cString: sqlite3_errstr(code.rawValue)), errorNumber: 0)
        }
        // The message belongs to the connection's last call, which another one may have overtaken.
        let isCurrent = sqlite3_extended_errcode(handle) == code.rawValue
        let text = isCurrent ? sqlite3_errmsg(handle) : sqlite3_errstr(code.rawValue)
        return SQLiteFailure(
            code: code, message: text.map { String(cString: $0) } ?? "unknown",
            errorNumber: sqlite3_system_errno(handle))
    }

    /// Runs SQL that returns nothing of interest.
    func execute(_ sql: String) throws(SQLiteFailure) {
        let code = ResultCode(rawValue: sqlite3_exec(self.handle, sql, nil, nil, nil))
        guard code == .ok else { throw self.failure(code) }
    }

    /// The first column of the first row that `sql` yields, as an integer; nil when it yields none.
    func integer(_ sql: String) throws(SQLiteFailure) -> Int64? {
        let statement = try SQLiteStatement(sql, on: self)
        return try statement.hasRow() ? statement.integer(at: 0) : nil
    }

    /// The first column of the first row that `sql` yields, as text; nil when it yields none.
    func text(_ sql: String) throws(SQLiteFailure) -> String? {
        let statement = try SQLiteStatement(sql, on: self)
        return try statement.hasRow() ? statement.text(at: 0) : nil
    }

    /// How many rows the last statement inserted, updated or deleted.
    var changes: Int64 { sqlite3_changes64(self.handle) }

    /// The number of the row that was last inserted.
    var lastRow: Int64 { sqlite3_last_insert_rowid(self.handle) }

    /// Whether a transaction is open.
    var isInTransaction: Bool { sqlite3_get_autocommit(self.handle) == 0 }

    /// Whether the file can only be read.
    var isReadOnly: Bool { sqlite3_db_readonly(self.handle, "main") == 1 }

    /// Lets the file be as it is when the connection closes: nothing is moved out of its write-ahead log.
    func leaveLogAlone(_ leaves: Bool) { _ = csqlite_leave_log_on_close(self.handle, leaves ? 1 : 0) }

    /// The beginning of the file as it lies on disk; nothing is locked, recovered or changed by looking.
    func header() throws(SQLiteFailure) -> FileHeader {
        var bytes = [UInt8](repeating: 0, count: FileHeader.byteCount)
        let code = ResultCode(rawValue: csqlite_read_header(self.handle, &bytes, Int32(bytes.count)))
        switch code {
        case .ok: return FileHeader(bytes)
        // Zeros stand where the file had ended.
        case .shortRead: return FileHeader(Array(bytes.prefix { $0 != 0 }))
        default: throw self.failure(code)
        }
    }

    /// How a checkpoint goes about it.
    enum Checkpoint {
        /// Moves what can be moved without waiting for anybody.
        case passive
        /// Waits for readers, so that the log begins anew.
        case restart
        /// Waits for readers, and empties the log.
        case truncate
    }

    /// Moves pages from the write-ahead log into the file; says how many the log held, -1 if unknown.
    @discardableResult func checkpoint(_ mode: Checkpoint) throws(SQLiteFailure) -> Int {
        let mode =
            switch mode {
            case .passive: SQLITE_CHECKPOINT_PASSIVE
            case .restart: SQLITE_CHECKPOINT_RESTART
            case .truncate: SQLITE_CHECKPOINT_TRUNCATE
            }
        var pages: Int32 = -1
        let code = ResultCode(rawValue: sqlite3_wal_checkpoint_v2(self.handle, "main", mode, &pages, nil))
        guard code == .ok else { throw self.failure(code) }
        return Int(pages)
    }

    /// Calls `box` after each commit with the length of the write-ahead log. Replaces SQLite's own automatic checkpoint.
    func watchLog(_ log: LogLength) {
        sqlite3_wal_hook(
            self.handle,
            { context, _, _, pages in
                guard let context else { return SQLITE_OK }
                Unmanaged<LogLength>.fromOpaque(context).takeUnretainedValue().pages = Int(pages)
                return SQLITE_OK
            }, Unmanaged.passUnretained(log).toOpaque())
    }

    /// Waits for other connections' locks as `patience` says.
    func waitForLocks(_ patience: LockPatience) {
        sqlite3_busy_handler(
            self.handle,
            { context, count in
                guard let context else { return 0 }
                return Unmanaged<LockPatience>.fromOpaque(context).takeUnretainedValue().wait(count) ? 1 : 0
            }, Unmanaged.passUnretained(patience).toOpaque())
    }

    /// Prepares a statement; see ``SQLiteStatement``.
    fileprivate func prepare(_ sql: String) throws(SQLiteFailure) -> OpaquePointer {
        var statement: OpaquePointer?
        let code = ResultCode(
            rawValue: sqlite3_prepare_v3(self.handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil))
        guard code == .ok, let statement else { throw self.failure(code) }
        return statement
    }

    /// The raw handle, for the backup API in this folder.
    var raw: OpaquePointer? { self.handle }
}

/// How long the write-ahead log is, in pages, as of the last commit.
///
/// Lives on its connection's thread.
final class LogLength {
    var pages = 0
}

/// A prepared statement: owns it, and finalizes it when it goes, unless its connection was closed before.
struct SQLiteStatement: ~Copyable {
    private let handle: OpaquePointer
    private let connection: SQLiteConnection

    init(_ sql: String, on connection: SQLiteConnection) throws(SQLiteFailure) {
        self.handle = try connection.prepare(sql)
        self.connection = connection
    }

    deinit {
        if self.connection.isOpen { sqlite3_finalize(self.handle) }
    }

    // MARK: Running

    /// Goes on to the next row or to the end.
    func step() -> ResultCode { ResultCode(rawValue: sqlite3_step(self.handle)) }

    /// Makes it ready to run again, and lets go of the locks that it holds.
    func reset() { sqlite3_reset(self.handle) }

    /// Runs a statement that returns no rows, and resets it.
    func run() throws(SQLiteFailure) {
        let code = self.step()
        if code == .done || code == .row {
            self.reset()
            return
        }
        // Resetting repeats the error, so ask first.
        let failure = self.connection.failure(code)
        self.reset()
        throw failure
    }

    /// Whether there is a row; the caller resets when done with it. Resets by itself when it fails or there is none.
    func hasRow() throws(SQLiteFailure) -> Bool {
        let code = self.step()
        if code == .row { return true }
        let failure = code == .done ? nil : self.connection.failure(code)
        self.reset()
        if let failure { throw failure }
        return false
    }

    // MARK: Parameters

    // Bytes are lent, not copied: they must stay where they are until the statement is reset.

    func bind(_ value: Int64, at index: Int32) { sqlite3_bind_int64(self.handle, index, value) }

    func bindNull(at index: Int32) { sqlite3_bind_null(self.handle, index) }

    func bind(text: UnsafeRawBufferPointer, at index: Int32) {
        _ = csqlite_bind_text_static(self.handle, index, text.baseAddress, Int32(truncatingIfNeeded: text.count))
    }

    func bind(blob: UnsafeRawBufferPointer, at index: Int32) {
        _ = csqlite_bind_blob_static(self.handle, index, blob.baseAddress, Int32(truncatingIfNeeded: blob.count))
    }

    func bind(_ value: Double, at index: Int32) { sqlite3_bind_double(self.handle, index, value) }

    /// As ``bind(text:at:)``, with a copy that the statement keeps.
    func bind(copyOfText text: UnsafeRawBufferPointer, at index: Int32) {
        _ = csqlite_bind_text_copy(self.handle, index, text.baseAddress, Int32(truncatingIfNeeded: text.count))
    }

    /// As ``bind(blob:at:)``, with a copy that the statement keeps.
    func bind(copyOfBlob blob: UnsafeRawBufferPointer, at index: Int32) {
        _ = csqlite_bind_blob_copy(self.handle, index, blob.baseAddress, Int32(truncatingIfNeeded: blob.count))
    }

    // MARK: Columns

    enum Kind {
        case integer, real, text, blob, null
    }

    func kind(at column: Int32) -> Kind {
        switch sqlite3_column_type(self.handle, column) {
        case SQLITE_INTEGER: .integer
        case SQLITE_FLOAT: .real
        case SQLITE_TEXT: .text
        case SQLITE_BLOB: .blob
        default: .null
        }
    }

    func integer(at column: Int32) -> Int64 { sqlite3_column_int64(self.handle, column) }

    func double(at column: Int32) -> Double { sqlite3_column_double(self.handle, column) }

    /// The bytes of a text or a blob, where they lie: good until the next step, reset or call for this column.
    func bytes(at column: Int32) -> UnsafeRawBufferPointer {
        let start =
            self.kind(at: column) == .text
            ? UnsafeRawPointer(sqlite3_column_text(self.handle, column)) : sqlite3_column_blob(self.handle, column)
        return UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(self.handle, column)))
    }

    /// The text of a column; nil when it is no text, or no valid UTF-8.
    func text(at column: Int32) -> String? {
        guard self.kind(at: column) == .text else { return nil }
        return String(validating: self.bytes(at: column), as: UTF8.self)
    }
}
