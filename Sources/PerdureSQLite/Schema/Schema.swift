/// The tables of a store's file, and how they come to be.
///
/// A file is known by its header: `application_id` says that it is ours, `user_version` which schema it has.
struct Schema: Sendable {
    /// The SQL of each version, from the version before: the first makes version 1 of an empty file.
    let migrations: [String]

    /// The version that these migrations end at.
    var version: Int { self.migrations.count }

    /// "PRDU": what the header of our files says.
    static let applicationID: Int64 = 0x5052_4455

    /// The schema of this release.
    static let current = Schema(
        migrations: [PackageResources.schema1_sql, PackageResources.schema2_sql].map {
            String(decoding: $0, as: UTF8.self)
        })

    /// What a file is.
    enum Finding: Equatable {
        /// Nothing yet: no file, an empty one, or a database without tables.
        case empty
        /// Ours, with this schema.
        case ours(version: Int)
        /// Somebody else's; says whose, as far as known.
        case foreign(String)
    }

    /// What the file is that a connection has open. Reads only, and all of it at one moment: another process may be setting it up.
    static func find(on connection: SQLiteConnection) throws(SQLiteFailure) -> Finding {
        if connection.isInTransaction { return try self.findInTransaction(connection) }
        try connection.execute("BEGIN")
        defer { try? connection.execute("ROLLBACK") }
        return try self.findInTransaction(connection)
    }

    private static func findInTransaction(_ connection: SQLiteConnection) throws(SQLiteFailure) -> Finding {
        let application = try connection.integer("PRAGMA application_id") ?? 0
        let version = try connection.integer("PRAGMA user_version") ?? 0
        if application == Self.applicationID { return .ours(version: Int(version)) }
        if application != 0 {
            return .foreign("its application ID is 0x\(String(UInt32(truncatingIfNeeded: application), radix: 16))")
        }
        let objects = try connection.integer("SELECT count(*) FROM sqlite_schema") ?? 0
        return objects == 0 ? .empty : .foreign("it has tables, but not this library's application ID")
    }

    /// Brings the file to this schema, all in one transaction. Returns the version that it had, 0 for none, or what keeps it from it.
    ///
    /// Looks again once it holds the write lock: another process may have been quicker.
    func apply(on connection: SQLiteConnection) throws(SQLiteFailure) -> (from: Int, finding: Finding) {
        try connection.execute("BEGIN IMMEDIATE")
        do throws(SQLiteFailure) {
            let finding = try Self.find(on: connection)
            let from: Int
            switch finding {
            case .empty: from = 0
            case .ours(let version): from = version
            case .foreign:
                try connection.execute("ROLLBACK")
                return (0, finding)
            }
            if from < self.version {
                for migration in self.migrations[max(0, from)...] { try connection.execute(migration) }
                try connection.execute("PRAGMA application_id = \(Self.applicationID)")
                try connection.execute("PRAGMA user_version = \(self.version)")
            }
            try connection.execute("COMMIT")
            return (from, finding)
        } catch {
            if connection.isInTransaction { try? connection.execute("ROLLBACK") }
            throw error
        }
    }
}
