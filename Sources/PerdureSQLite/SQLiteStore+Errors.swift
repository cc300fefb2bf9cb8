/// The one place where SQLite's results become errors of the contract.
extension SQLiteFailure {
    /// The error of the contract: its code, its outcome, and a sentence about what to do.
    ///
    /// `mayHaveHappened`: whether a commit was under way whose result is not known. Nothing that fails before a commit begins
    /// has an effect, whatever the code: the transaction is rolled back.
    func storeError(
        _ operation: StoreError.Operation, of id: String? = nil, mayHaveHappened: Bool = false,
        fileID: StaticString = #fileID, line: UInt = #line
    ) -> StoreError {
        let (code, advice) = self.verdict
        return StoreError(
            code, outcome: mayHaveHappened ? .unknown : .notApplied, operation: operation, persistenceID: id,
            message: "\(advice) [\(self)]", underlying: nil, fileID: fileID, line: line)
    }

    /// What the result means to a caller, and what a person can do about it.
    private var verdict: (StoreError.Code, String) {
        if self.isOutOfRoom {
            return (.full, "there is no room left on the disk, or the file has reached its limit; make room")
        }
        // First what the extended code tells better than the primary one.
        switch self.code {
        case .shortRead:
            return (.corrupted, "the database file ends too early; restore it from a backup")
        case .dataChecksum, .corruptFileSystem:
            return (.corrupted, "the disk returned something else than was written; restore the file from a backup")
        case .noMemoryInInputOutput:
            return (.unavailable, "there was not enough memory; try again when there is")
        case .fileMoved:
            return (.misconfigured, "the database file was moved or deleted while in use; disconnect and connect again")
        default:
            break
        }
        switch self.code.primary {
        case .busy, .locked, .lockProtocol:
            return (.unavailable, "another process kept the database locked for too long; try again")
        case .noMemory:
            return (.unavailable, "there was not enough memory; try again when there is")
        case .inputOutput:
            return (.unavailable, "the disk failed to read or write; look at the machine's log, then try again")
        case .corrupt:
            return (.corrupted, "the database file is damaged; restore it from a backup")
        case .notADatabase:
            return (.misconfigured, "the file is not an SQLite database, or is encrypted; give another path")
        case .readOnly:
            return (.forbidden, "the database can only be read; give the process the right to write file and folder")
        case .permission, .authorization:
            return (.forbidden, "the process has no right to use the database; give it the right to file and folder")
        case .cannotOpen:
            return (
                .unavailable,
                "a file could not be opened; see that the folder exists, is writable, and descriptors are left"
            )
        case .tooBig:
            return (.payloadTooLarge, "the row is larger than this SQLite holds; make the state smaller")
        case .constraint:
            return (.misconfigured, "a constraint or trigger that this library did not make refused the row; remove it")
        case .mismatch:
            return (.corrupted, "a column holds a value of the wrong type; repair the row")
        case .error, .schemaChanged:
            return (.misconfigured, "the tables are not as this library made them; call setup() or repair them")
        case .noLargeFiles:
            return (.full, "the file system cannot hold a file of this size; move the database to another")
        case .interrupted:
            return (.internalError, "the statement was interrupted; try again")
        default:
            return (.internalError, "SQLite failed in a way that it should not; please report it")
        }
    }
}
