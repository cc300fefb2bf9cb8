internal import Glibc
public import PerdureState

extension SQLiteStore {
    /// How far a backup has come.
    public struct BackupProgress: Sendable, Hashable {
        /// The pages of the copy that are done.
        public var finishedPageCount: Int
        /// All pages of the copy.
        public var pageCount: Int
    }

    /// Copies the store as it is at one moment to a new file at `path`, while it is in use.
    ///
    /// The store need not be connected. Reads and writes go on meanwhile; the write-ahead log cannot begin anew until the copy is done, so it grows with what is
    /// written. The copy appears under its name only when it is whole and on the disk; it is a store of its own, and opens
    /// as one. Until then it lies beside it under the name with `.partial-` and a number, which a crash can leave behind.
    ///
    /// - Parameters:
    ///   - path: where the copy goes. Nothing may be there: a backup never overwrites.
    ///   - progress: called now and then, on a thread of the backup's own; it should return soon.
    /// - Throws: ``StoreError/Code/invalidRequest`` when something is at `path` already; ``StoreError/Code/misconfigured`` when there
    ///   is no store to copy or no folder to copy to; ``StoreError/Code/full`` and others when it cannot be read or written.
    ///   Nothing is left at `path` then. Cancelling the caller gives up with ``StoreError/Code/cancelled``.
    public func backup(
        to path: String, progress: @escaping @Sendable (BackupProgress) -> Void = { _ in }
    ) async throws(StoreError) {
        let database = self.database
        let isCancelled = CancellationFlag()
        let result = await withTaskCancellationHandler {
            await Self.onThread(.backup) { () throws(StoreError) in
                let file = DatabaseFile(
                    database.path, schema: database.schema, configuration: database.configuration, for: .backup)
                try file.copy(to: path, isCancelled: { isCancelled.isSet }, progress: progress)
            }
        } onCancel: {
            isCancelled.set()
        }
        try result.get()
    }
}
