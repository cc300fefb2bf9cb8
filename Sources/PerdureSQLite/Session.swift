internal import PerdureModel

/// What is open while a store is connected: a connection that writes and a few that read.
///
/// Made and closed on the writer's thread; each reader is handed to a thread of its own.
final class Session {
    let writer: Writer
    let readers: [Reader]

    /// Opens the file, sees that it is ours, and makes its tables where it is new.
    init(_ database: SQLiteDatabase) throws(StoreError) {
        let configuration = database.configuration
        let file = DatabaseFile(
            database.path, schema: database.schema, configuration: configuration, for: .connect)
        let opened = try file.openForWriting(migrates: false)
        var readers: [Reader] = []
        for _ in 0..<configuration.readerCount {
            let opened = try file.openForReading()
            do throws(SQLiteFailure) {
                readers.append(try Reader(on: opened.connection, patience: opened.patience))
            } catch {
                throw error.storeError(.connect)
            }
        }
        self.readers = readers
        do throws(SQLiteFailure) {
            self.writer = try Writer(
                on: opened.connection, patience: opened.patience, name: SQLiteDatabase.name,
                configuration: configuration, faults: database.faults)
        } catch {
            throw error.storeError(.connect)
        }
    }
}
