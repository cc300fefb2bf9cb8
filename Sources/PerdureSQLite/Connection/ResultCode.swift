internal import CSQLite
internal import Glibc

/// A result of SQLite's, as far as the store acts on it.
///
/// Extended codes keep their upper bits.
struct ResultCode: RawRepresentable, Hashable, Sendable {
    let rawValue: Int32

    init(rawValue: Int32) { self.rawValue = rawValue }

    /// The code without what the extended one adds.
    var primary: ResultCode { ResultCode(rawValue: self.rawValue & 0xff) }

    static let ok = ResultCode(rawValue: SQLITE_OK)
    static let row = ResultCode(rawValue: SQLITE_ROW)
    static let done = ResultCode(rawValue: SQLITE_DONE)

    static let error = ResultCode(rawValue: SQLITE_ERROR)
    static let permission = ResultCode(rawValue: SQLITE_PERM)
    static let busy = ResultCode(rawValue: SQLITE_BUSY)
    static let locked = ResultCode(rawValue: SQLITE_LOCKED)
    static let noMemory = ResultCode(rawValue: SQLITE_NOMEM)
    static let readOnly = ResultCode(rawValue: SQLITE_READONLY)
    static let interrupted = ResultCode(rawValue: SQLITE_INTERRUPT)
    static let inputOutput = ResultCode(rawValue: SQLITE_IOERR)
    static let corrupt = ResultCode(rawValue: SQLITE_CORRUPT)
    static let full = ResultCode(rawValue: SQLITE_FULL)
    static let cannotOpen = ResultCode(rawValue: SQLITE_CANTOPEN)
    static let lockProtocol = ResultCode(rawValue: SQLITE_PROTOCOL)
    static let schemaChanged = ResultCode(rawValue: SQLITE_SCHEMA)
    static let tooBig = ResultCode(rawValue: SQLITE_TOOBIG)
    static let constraint = ResultCode(rawValue: SQLITE_CONSTRAINT)
    static let mismatch = ResultCode(rawValue: SQLITE_MISMATCH)
    static let noLargeFiles = ResultCode(rawValue: SQLITE_NOLFS)
    static let authorization = ResultCode(rawValue: SQLITE_AUTH)
    static let notADatabase = ResultCode(rawValue: SQLITE_NOTADB)

    // Extended codes; C defines them as macros of macros, which Swift does not import.
    static let shortRead = ResultCode(rawValue: SQLITE_IOERR | (2 << 8))
    static let noMemoryInInputOutput = ResultCode(rawValue: SQLITE_IOERR | (12 << 8))
    static let dataChecksum = ResultCode(rawValue: SQLITE_IOERR | (32 << 8))
    static let corruptFileSystem = ResultCode(rawValue: SQLITE_IOERR | (33 << 8))
    static let fileMoved = ResultCode(rawValue: SQLITE_READONLY | (4 << 8))
}

/// A call of SQLite's that failed, with what it said.
struct SQLiteFailure: Error, CustomStringConvertible {
    let code: ResultCode
    /// SQLite's own words. They can name tables and columns, never values.
    let message: String
    /// The system's error number beneath, 0 if none.
    let errorNumber: Int32

    /// Whether there was no room for what was to be written. SQLite says so only of a full disk, not of a quota or a size limit.
    var isOutOfRoom: Bool {
        switch self.code.primary {
        case .full: true
        case .inputOutput: self.errorNumber == EFBIG || self.errorNumber == EDQUOT
        default: false
        }
    }

    var description: String {
        let system = self.errorNumber == 0 ? "" : ", system error \(self.errorNumber)"
        return "SQLite: \(self.message) (code \(self.code.rawValue)\(system))"
    }
}
