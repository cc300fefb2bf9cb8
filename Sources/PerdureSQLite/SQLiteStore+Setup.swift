internal import PerdureConcurrency
public import PerdureState

extension SQLiteStore {
    /// Makes the tables, or brings those of an older release up to date.
    ///
    /// Idempotent; the store need not be connected. All or nothing: it happens in one transaction. Programs of an older release can no longer open the file afterwards, so make
    /// a backup first.
    ///
    /// - Throws: ``StoreError/Code/misconfigured`` when the file is somebody else's or of a newer release, or what keeps the file
    ///   from being written.
    public func setup() async throws(StoreError) {
        let database = self.database
        let result = await Self.onThread(.setup) { () throws(StoreError) in
            let file = DatabaseFile(
                database.path, schema: database.schema, configuration: database.configuration, for: .setup)
            try file.openForWriting(migrates: true).connection.close()
        }
        try result.get()
    }

    /// The schema that the file has, or nil when there is no file yet, or an empty one.
    ///
    /// The store need not be connected. Compare it with ``schemaVersion`` to see whether ``setup()`` has something to do. Changes nothing.
    ///
    /// - Throws: ``StoreError/Code/misconfigured`` when the file is somebody else's, or what keeps it from being read.
    public func storedSchemaVersion() async throws(StoreError) -> Int? {
        let database = self.database
        let result = await Self.onThread(.setup) { () throws(StoreError) -> Int? in
            let file = DatabaseFile(
                database.path, schema: database.schema, configuration: database.configuration, for: .setup)
            return try file.version()
        }
        return try result.get()
    }

    /// Runs `body` on a thread of its own, because it blocks.
    static func onThread<Value: Sendable>(
        _ operation: StoreError.Operation, _ body: @escaping @Sendable () throws(StoreError) -> Value
    ) async -> Result<Value, StoreError> {
        do throws(BlockingThread.StartFailure) {
            return try await BlockingThread.run(named: "perdure-sqlite-x") {
                do throws(StoreError) { return .success(try body()) } catch { return .failure(error) }
            }
        } catch {
            return .failure(SQLiteDatabase.noThread(error, operation))
        }
    }
}
