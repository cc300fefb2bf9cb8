internal import Glibc
package import PerdureState

extension SQLiteStore: StoreInspection {
    package func setupSteps() async throws(StoreError) -> [String] {
        let schema = self.database.schema
        let from = try await self.storedSchemaVersion() ?? 0
        guard from < schema.version else { return [] }
        return ["BEGIN IMMEDIATE"] + Array(schema.migrations[from...])
            + [
                "PRAGMA application_id = \(Schema.applicationID)", "PRAGMA user_version = \(schema.version)", "COMMIT",
                "PRAGMA journal_mode = WAL",
            ]
    }

    package func inspect() async throws(StoreError) -> [StoreFinding] {
        var findings: [StoreFinding] = []
        let version = try await self.storedSchemaVersion()
        switch version {
        case nil: findings.append(.init(.trouble, "schema", "the file is empty; `store setup` makes the tables"))
        case Self.schemaVersion?:
            findings.append(.init(.good, "schema", "version \(Self.schemaVersion), this release's"))
        case let version?:
            findings.append(
                .init(
                    .trouble, "schema",
                    "version \(version), and this release has \(Self.schemaVersion); `store setup` migrates it"))
        }
        let database = self.database
        let result = await Self.onThread(.read) { () throws(StoreError) -> [StoreFinding] in
            let file = DatabaseFile(
                database.path, schema: database.schema, configuration: database.configuration, for: .read)
            let connection = try file.open(.readOnly).connection
            defer { connection.close() }
            do throws(SQLiteFailure) {
                let pages = try connection.integer("PRAGMA page_count") ?? 0
                let size = try connection.integer("PRAGMA page_size") ?? 0
                let mode = try connection.text("PRAGMA journal_mode") ?? "?"
                let isCurrent = try connection.integer("PRAGMA user_version") == Int64(Self.schemaVersion)
                let missing = isCurrent ? try database.schema.findMissing(on: connection) : []
                return missing + [
                    StoreFinding(.good, "library", "SQLite \(try connection.text("SELECT sqlite_version()") ?? "?")"),
                    StoreFinding(.good, "size", "\(pages * size) bytes in \(pages) pages"),
                    mode == "wal"
                        ? StoreFinding(.good, "log", "a write-ahead log")
                        : StoreFinding(
                            .advice, "log",
                            "journal mode \(mode); it becomes a write-ahead log when the store is first used"),
                ]
            } catch {
                throw error.storeError(.read)
            }
        }
        findings += try result.get()
        let folder = self.database.path.split(separator: "/").dropLast().joined(separator: "/")
        let place = self.database.path.hasPrefix("/") ? "/" + folder : folder.isEmpty ? "." : folder
        for (what, path) in [("the file", self.database.path), ("its folder", place)] {
            findings.append(
                access(path, R_OK | W_OK) == 0
                    ? .init(.good, "rights", "\(what) can be read and written")
                    : .init(.trouble, "rights", "\(what) cannot be written: \(String(cString: strerror(errno)))"))
        }
        return findings
    }
}
