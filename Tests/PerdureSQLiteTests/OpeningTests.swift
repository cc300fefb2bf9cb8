import FoundationEssentials
import Glibc
import Testing

@testable import PerdureSQLite

/// What a path can turn out to be, and what the store says to it.
@Suite struct OpeningTests {
    private static func failure(of path: String, schema: Schema = .current) async throws -> StoreError? {
        let store = try SQLiteStore(path, schema: schema, faults: nil)
        defer { #expect(openFiles(below: path).isEmpty) }
        do throws(StoreError) {
            try await store.write(sample("a", 1), if: .absent)
            await store.disconnect()
            return nil
        } catch {
            #expect(error.outcome == .notApplied && error.operation == .write, "\(error.debugDescription)")
            return error
        }
    }

    private static func run(_ sql: String, on path: String) throws {
        let connection = try SQLiteConnection(path, .readWrite(create: true))
        defer { connection.close() }
        try connection.execute(sql)
    }

    @Test func setsUpANewFileAndAnEmptyOne() async throws {
        try await withTemporaryFolder { folder in
            #expect(try await Self.failure(of: folder + "/new") == nil)
            _ = FileManager.default.createFile(atPath: folder + "/empty", contents: nil)
            #expect(try await Self.failure(of: folder + "/empty") == nil)
            try Self.run("PRAGMA journal_mode = WAL", on: folder + "/database")
            #expect(try await Self.failure(of: folder + "/database") == nil)
            #expect(try await SQLiteStore(folder + "/new").storedSchemaVersion() == SQLiteStore.schemaVersion)
            #expect(try await SQLiteStore(folder + "/none").storedSchemaVersion() == nil)
            #expect(FileManager.default.fileExists(atPath: folder + "/none") == false)
        }
    }

    @Test func opensNothingBeforeItIsUsed() async throws {
        try await withTemporaryFolder { folder in
            let store = try SQLiteStore(folder + "/s")
            #expect(FileManager.default.fileExists(atPath: folder + "/s") == false)
            try await store.connect()
            #expect(FileManager.default.fileExists(atPath: folder + "/s"))
            await store.disconnect()
        }
    }

    @Test func refusesAFolderAndAMissingOne() async throws {
        try await withTemporaryFolder { folder in
            let itself = try await Self.failure(of: folder)
            #expect(itself?.code == .misconfigured && itself?.message.contains("a folder") == true)
            let missing = try await Self.failure(of: folder + "/no/such")
            #expect(missing?.code == .misconfigured && missing?.message.contains("folder does not exist") == true)
        }
    }

    /// Other files are left as they were, byte by byte, and nothing is put beside them.
    @Test func leavesForeignFilesUntouched() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/foreign"
            let text = Array("These are the minutes of the meeting, and no database at all. ".utf8)
            try Data(text + text + text).write(to: URL(filePath: path))
            try await expectRefusal(of: path, saying: "not an SQLite database")
            try Data([1, 2, 3]).write(to: URL(filePath: path))
            try await expectRefusal(of: path, saying: "not an SQLite database")
            for journal in ["DELETE", "WAL"] {
                try FileManager.default.removeItem(atPath: path)
                try Self.run("PRAGMA journal_mode = \(journal); CREATE TABLE notes (x)", on: path)
                try await expectRefusal(of: path, saying: "another application's database")
                try Self.run("PRAGMA application_id = 77", on: path)
                try await expectRefusal(of: path, saying: "0x4d")
            }
        }
        func expectRefusal(of path: String, saying words: String) async throws {
            let folder = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
            let before = try Data(contentsOf: URL(filePath: path))
            let error = try await Self.failure(of: path)
            #expect(
                error?.code == .misconfigured && error?.message.contains(words) == true, "\(String(describing: error))")
            await expectFailure(.misconfigured) { try await SQLiteStore(path).setup() }
            await expectFailure(.misconfigured) {
                _ = try await SQLiteStore(path).storedSchemaVersion()
            }
            await expectFailure(.misconfigured) {
                try await SQLiteStore(path).backup(to: path + "-copy")
            }
            #expect(try Data(contentsOf: URL(filePath: path)) == before)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["foreign"])
        }
    }

    // MARK: Schema versions

    private static let next = Schema(
        migrations: Schema.current.migrations + ["CREATE INDEX by_shard ON states_store (shard_number)"])

    @Test func migratesOnlyWhenAsked() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/s"
            let old = try SQLiteStore(path)
            try await old.write(sample("a", 1), if: .absent)
            await old.disconnect()

            let refused = try await Self.failure(of: path, schema: Self.next)
            #expect(refused?.code == .misconfigured && refused?.message.contains("setup()") == true)
            let new = try SQLiteStore(path, schema: Self.next, faults: nil)
            try await new.setup()
            try await new.setup()
            #expect(try await new.latestState(of: "a") == sample("a", 1))
            await new.disconnect()
            #expect(try await new.storedSchemaVersion() == Self.next.version)

            let newer = try await Self.failure(of: path)
            #expect(newer?.code == .misconfigured)
            #expect(newer?.message.contains("version \(Self.next.version)") == true)
            #expect(newer?.message.contains("version \(SQLiteStore.schemaVersion)") == true)
            await expectFailure(.misconfigured) { try await SQLiteStore(path).setup() }
        }
    }

    /// A migration that fails in its middle leaves the old schema, whole.
    @Test func migratesAllOrNothing() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/s"
            try await SQLiteStore(path).setup()
            let broken = Schema(
                migrations: Schema.current.migrations
                    + ["CREATE TABLE half (x); INSERT INTO nowhere VALUES (1)"])
            await #expect(throws: StoreError.self) {
                try await SQLiteStore(path, schema: broken, faults: nil).setup()
            }
            #expect(try await Self.failure(of: path) == nil)
            let connection = try SQLiteConnection(path, .readWrite(create: false))
            #expect(try connection.integer("SELECT count(*) FROM sqlite_schema WHERE name = 'half'") == 0)
            connection.close()
        }
    }

    @Test func isSetUpOnceByMany() async throws {
        try await withTemporaryFolder { folder in
            let stores = try (0..<6).map { _ in try SQLiteStore(folder + "/s") }
            await withTaskGroup(of: Void.self) { group in
                for (index, store) in stores.enumerated() {
                    group.addTask {
                        await #expect(throws: Never.self) { try await store.write(sample("\(index)", 1), if: .absent) }
                    }
                }
            }
            #expect(try await stores[0].persistenceIDs(withPrefix: "", after: nil, limit: 100).ids.count == 6)
            for store in stores { await store.disconnect() }
        }
    }

    // MARK: Configuration

    @Test func saysWhichRuleAConfigurationBreaks() throws {
        func expectRefusal(_ words: String, _ path: String = "s", _ change: (inout SQLiteStore.Configuration) -> Void) {
            var configuration = SQLiteStore.Configuration()
            change(&configuration)
            do throws(StoreError) {
                _ = try SQLiteStore(path, configuration: configuration)
                Issue.record("\(words) was accepted")
            } catch {
                #expect(error.code == .invalidRequest && error.message.contains(words), "\(error.debugDescription)")
            }
        }
        expectRefusal("empty", "") { _ in }
        expectRefusal("NUL", "a\0b") { _ in }
        expectRefusal("InMemoryStateStore", ":memory:") { _ in }
        expectRefusal("readerCount must be 1 to 64; it is 0") { $0.readerCount = 0 }
        expectRefusal("maximumPayloadByteCount") { $0.maximumPayloadByteCount = -1 }
        expectRefusal("maximumPayloadByteCount") { $0.maximumPayloadByteCount = 1_000_000_000 }
        expectRefusal("busyTimeout") { $0.busyTimeout = .seconds(-1) }
        expectRefusal("writeDeadline") { $0.writeDeadline = .zero }
        expectRefusal("maximumBatchCount") { $0.maximumBatchCount = 0 }
        expectRefusal("maximumBatchByteCount") { $0.maximumBatchByteCount = 0 }
        expectRefusal("checkpointPageCount") { $0.checkpointPageCount = 0 }
    }
}

/// The paths of the files that this process has open, as far as they begin with `prefix`.
func openFiles(below prefix: String) -> [String] {
    let descriptors = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
    return descriptors.compactMap { descriptor in
        var target = [CChar](repeating: 0, count: 4_096)
        let count = readlink("/proc/self/fd/\(descriptor)", &target, target.count - 1)
        guard count > 0 else { return nil }
        let path = String(decoding: target[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return path.hasPrefix(prefix) ? path : nil
    }
}
