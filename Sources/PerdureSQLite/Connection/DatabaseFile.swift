internal import PerdureModel

/// A store's file: how it is opened, and what is checked before anything in it is touched.
struct DatabaseFile {
    let path: String
    let schema: Schema
    let configuration: SQLiteStore.Configuration
    /// What is being done, for errors.
    let operation: StoreError.Operation

    init(
        _ path: String, schema: Schema, configuration: SQLiteStore.Configuration, for operation: StoreError.Operation
    ) {
        self.path = path
        self.schema = schema
        self.configuration = configuration
        self.operation = operation
    }

    /// A connection, and the patience with which it waits for locks.
    typealias Opened = (connection: SQLiteConnection, patience: LockPatience)

    /// Opens the file for writing.
    ///
    /// A new or empty one gets its tables. One of an older schema is brought up to date if `migrates`, and otherwise refused.
    func openForWriting(migrates: Bool) throws(StoreError) -> Opened {
        try self.checkKind()
        let opened = try self.open(.readWrite(create: true))
        let connection = opened.connection
        let header = try self.attempt { () throws(SQLiteFailure) in try connection.header() }
        try self.check(header)
        if connection.isReadOnly {
            throw self.refusal(
                .forbidden, "the file can only be read; give the process the right to write it, and its folder")
        }
        // A file that turns out to be somebody else's keeps the log that a crash may have left.
        let mayBeForeign = header != .database(applicationID: UInt32(Schema.applicationID))
        if mayBeForeign, FileKind(at: self.path + "-wal") != .missing { connection.leaveLogAlone(true) }
        let finding = try self.attempt { () throws(SQLiteFailure) in try Schema.find(on: connection) }
        try self.check(finding, migrates: migrates)
        connection.leaveLogAlone(false)

        if finding != .ours(version: self.schema.version) {
            let found = try self.attempt { () throws(SQLiteFailure) in try self.schema.apply(on: connection) }
            // Another process may have been quicker, and newer.
            try self.check(found.finding, migrates: true)
            if found.from < self.schema.version {
                self.configuration.observer?.observe(
                    .schemaMigrated(store: SQLiteDatabase.name, from: found.from, to: self.schema.version))
            }
        }
        try self.useLog(opened)
        try self.attempt { () throws(SQLiteFailure) in
            // FULL: the log is flushed before a commit returns. NORMAL would lose acknowledged writes with the power.
            try connection.execute("PRAGMA synchronous = FULL")
            // A log that grew while a reader kept it from beginning anew is cut down again.
            try connection.execute("PRAGMA journal_size_limit = 67108864")
            try connection.execute("PRAGMA cache_size = -16384")
        }
        return opened
    }

    /// Opens the file for reading. It must have been checked by ``openForWriting(migrates:)``.
    func openForReading() throws(StoreError) -> Opened {
        // Not read-only: reading a file with a log writes to the index of the log.
        let opened = try self.open(.readWrite(create: false))
        try self.attempt { () throws(SQLiteFailure) in try opened.connection.execute("PRAGMA query_only = ON") }
        return opened
    }

    func open(_ access: SQLiteConnection.Access) throws(StoreError) -> Opened {
        let patience = LockPatience(limit: self.configuration.busyTimeout.nanoseconds)
        let connection = try self.attempt { () throws(SQLiteFailure) in try SQLiteConnection(self.path, access) }
        connection.waitForLocks(patience)
        return (connection, patience)
    }

    /// Turns the write-ahead log on. The file remembers it.
    private func useLog(_ opened: Opened) throws(StoreError) {
        var count: Int32 = 0
        while true {
            let mode: String?
            do throws(SQLiteFailure) {
                mode = try opened.connection.text("PRAGMA journal_mode = WAL")
            } catch {
                // Two processes that change the mode at once do not wait for each other by themselves.
                guard error.code.primary == .busy, opened.patience.wait(count) else {
                    throw error.storeError(self.operation)
                }
                count += 1
                continue
            }
            if mode == "wal" { return }
            throw self.refusal(
                .misconfigured,
                "the file cannot have a write-ahead log (its journal mode stays \(mode ?? "unknown"));"
                    + " put it on a local file system that has shared memory")
        }
    }

    // MARK: What is refused

    func checkKind() throws(StoreError) {
        switch FileKind(at: self.path) {
        case .file: return
        case .missing:
            guard FileKind.hasFolder(self.path) else {
                throw self.refusal(.misconfigured, "its folder does not exist; make the folder, or give another path")
            }
        case .other(let kind):
            throw self.refusal(.misconfigured, "it is \(kind); give the path of a file")
        case .unreachable(let number):
            throw self.refusal(
                .misconfigured,
                "it cannot be reached (system error \(number)); see that each part of the path exists and may be entered"
            )
        }
    }

    func check(_ header: FileHeader) throws(StoreError) {
        switch header {
        case .empty: return
        // The journal beside it undoes what there is of the making.
        case .blank where FileKind(at: self.path + "-journal") == .file: return
        case .blank, .other:
            throw self.refusal(.misconfigured, "it is not an SQLite database; it was left untouched, give another path")
        case .database(let application):
            guard application == 0 || application == UInt32(Schema.applicationID) else {
                throw self.foreign("its application ID is 0x\(String(application, radix: 16))")
            }
        }
    }

    private func check(_ finding: Schema.Finding, migrates: Bool) throws(StoreError) {
        switch finding {
        case .empty: return
        case .foreign(let reason): throw self.foreign(reason)
        case .ours(let version):
            if version > self.schema.version {
                throw self.refusal(
                    .misconfigured,
                    "it has schema version \(version), made by a newer release; this one knows version"
                        + " \(self.schema.version). Use a release that is as new")
            }
            if version < self.schema.version, !migrates {
                throw self.refusal(
                    .misconfigured,
                    "it has schema version \(version), this release needs version \(self.schema.version);"
                        + " make a backup, then call setup() to bring it up to date")
            }
        }
    }

    func foreign(_ reason: String) -> StoreError {
        self.refusal(
            .misconfigured,
            "it is another application's database (\(reason)); it was left untouched, give another path")
    }

    func refusal(_ code: StoreError.Code, _ reason: String) -> StoreError {
        StoreError(code, operation: self.operation, message: "cannot use \(self.path): \(reason)")
    }

    func attempt<Result>(
        _ body: () throws(SQLiteFailure) -> Result
    ) throws(StoreError) -> Result {
        do throws(SQLiteFailure) { return try body() } catch { throw error.storeError(self.operation) }
    }
}
