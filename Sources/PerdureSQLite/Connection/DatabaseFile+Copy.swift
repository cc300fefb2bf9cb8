internal import CSQLite
internal import Glibc
internal import PerdureModel

extension DatabaseFile {
    /// The schema version of the file, nil when there is none yet.
    ///
    /// Refuses what is not ours; changes nothing.
    func version() throws(StoreError) -> Int? {
        guard let connection = try self.openExisting() else { return nil }
        defer { connection.close() }
        switch try self.attempt({ () throws(SQLiteFailure) in try Schema.find(on: connection) }) {
        case .empty: return nil
        case .ours(let version): return version
        case .foreign(let reason): throw self.foreign(reason)
        }
    }

    /// Copies the file, as it is at one moment, to a new one at `path`.
    func copy(
        to path: String, isCancelled: () -> Bool, progress: (SQLiteStore.BackupProgress) -> Void
    ) throws(StoreError) {
        func refuse(_ code: StoreError.Code, _ reason: String) -> StoreError {
            StoreError(code, operation: .backup, message: "cannot back up to \(path): \(reason)")
        }
        if path.isEmpty || path.utf8.contains(0) { throw refuse(.invalidRequest, "it is not a path") }
        guard FileKind(at: path) == .missing else {
            throw refuse(.invalidRequest, "something is there already; a backup never overwrites, give another path")
        }
        guard FileKind.hasFolder(path) else {
            throw refuse(.misconfigured, "its folder does not exist; make the folder, or give another path")
        }
        guard let source = try self.openExisting() else {
            throw self.refusal(.misconfigured, "there is nothing to back up: no file, or an empty one")
        }
        defer { source.close() }
        switch try self.attempt({ () throws(SQLiteFailure) in try Schema.find(on: source) }) {
        case .empty: throw self.refusal(.misconfigured, "there is nothing to back up: the file has no tables")
        case .foreign(let reason): throw self.foreign(reason)
        case .ours: break
        }

        let partial = "\(path).partial-\(UInt32.random(in: 0 ... .max))"
        defer { unlink(partial) }
        // A transaction holds the source still: otherwise every write of others would make the copy begin again.
        try self.attempt { () throws(SQLiteFailure) in
            try source.execute("BEGIN")
            _ = try source.integer("SELECT count(*) FROM sqlite_schema")
            let target = try SQLiteConnection(partial, .readWrite(create: true))
            defer { target.close() }
            // Nobody sees the copy before it is whole, so it needs no journal. It is flushed below.
            try target.execute("PRAGMA journal_mode = OFF")
            try target.execute("PRAGMA synchronous = OFF")
            try target.copy(from: source) {
                progress($0); return !isCancelled()
            }
        }
        if isCancelled() {
            throw StoreError(
                .cancelled, operation: .backup, message: "the caller's task was cancelled; no backup was made")
        }
        try Self.flush(partial, refuse)
        // A link, because a rename would replace what has come to be there meanwhile.
        guard link(partial, path) == 0 else {
            throw errno == EEXIST
                ? refuse(.invalidRequest, "something is there already; a backup never overwrites, give another path")
                : refuse(.unavailable, String(cString: strerror(errno)))
        }
        let slash = path.utf8.lastIndex(of: UInt8(ascii: "/"))
        try Self.flush(slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? ".", refuse)
    }

    private static func flush(
        _ path: String, _ refuse: (StoreError.Code, String) -> StoreError
    ) throws(StoreError) {
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw refuse(.unavailable, String(cString: strerror(errno))) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw refuse(.unavailable, String(cString: strerror(errno))) }
    }

    /// Opens a file that is there for looking at it, or returns nil.
    ///
    /// Refuses what is not ours by its header.
    private func openExisting() throws(StoreError) -> SQLiteConnection? {
        try self.checkKind()
        if FileKind(at: self.path) == .missing { return nil }
        let connection = try self.open(.readWrite(create: false)).connection
        let header = try self.attempt { () throws(SQLiteFailure) in try connection.header() }
        try self.check(header)
        // Looking must not tidy up.
        connection.leaveLogAlone(FileKind(at: self.path + "-wal") != .missing)
        return connection
    }
}

extension SQLiteConnection {
    /// Copies the whole database of `source` into this one, which must be empty, until `goesOn` says no.
    fileprivate func copy(
        from source: SQLiteConnection, goesOn: (SQLiteStore.BackupProgress) -> Bool
    ) throws(SQLiteFailure) {
        guard let backup = sqlite3_backup_init(self.raw, "main", source.raw, "main") else {
            throw self.failure(ResultCode(rawValue: sqlite3_errcode(self.raw)))
        }
        var code = ResultCode.ok
        // 1 MiB at a time, so that the caller hears of it.
        while code == .ok {
            code = ResultCode(rawValue: sqlite3_backup_step(backup, 256))
            let all = Int(sqlite3_backup_pagecount(backup))
            let progress = SQLiteStore.BackupProgress(
                finishedPageCount: all - Int(sqlite3_backup_remaining(backup)), pageCount: all)
            if !goesOn(progress) { break }
        }
        let end = ResultCode(rawValue: sqlite3_backup_finish(backup))
        if end != .ok { throw self.failure(end) }
    }
}
