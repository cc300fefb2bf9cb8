import FoundationEssentials
import Glibc
import Processes
import Testing

@testable import PerdureSQLite

/// Files that are damaged, locked or write-protected.
@Suite struct DamageTests {
    /// A disconnected store's file with many rows in it.
    private static func withFile(_ body: (String) async throws -> Void) async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/states.sqlite"
            let store = try SQLiteStore(path)
            for index in 0..<100 { try await store.write(sample("\(index)", 1, padding: 500), if: .absent) }
            await store.disconnect()
            try await body(path)
        }
    }

    @Test func saysThatPagesAreDamaged() async throws {
        try await Self.withFile { path in
            var bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
            // All but the first page, which holds the schema.
            for index in 4_096..<bytes.count { bytes[index] = ~bytes[index] }
            try Data(bytes).write(to: URL(filePath: path))
            try await expectCorruption(path)
        }
    }

    @Test func saysThatAFileEndsTooEarly() async throws {
        try await Self.withFile { path in
            #expect(truncate(path, 8_192) == 0)
            try await expectCorruption(path)
        }
    }

    private func expectCorruption(_ path: String) async throws {
        let store = try SQLiteStore(path)
        var codes: Set<StoreError.Code> = []
        for index in 0..<100 {
            do throws(StoreError) {
                _ = try await store.latestState(of: "\(index)")
                try await store.write(sample("\(index)", 2), if: .version(1))
            } catch {
                #expect(error.persistenceID == "\(index)" && error.outcome == .notApplied, "\(error.debugDescription)")
                codes.insert(error.code)
            }
        }
        #expect(codes == [.corrupted])
        await store.disconnect()
    }

    @Test func saysWhichTableIsMissing() async throws {
        try await Self.withFile { path in
            let connection = try SQLiteConnection(path, .readWrite(create: false))
            try connection.execute("DROP TABLE states_tombstones")
            connection.close()
            await expectFailure(.misconfigured) { try await SQLiteStore(path).connect() }
        }
    }

    /// One row that a constraint of somebody's refuses does not spoil the others of its batch.
    @Test func refusesOnlyTheRowThatIsToBlame() async throws {
        try await Self.withFile { path in
            let connection = try SQLiteConnection(path, .readWrite(create: false))
            for action in ["ABORT", "ROLLBACK"] {
                try connection.execute(
                    """
                    DROP TRIGGER IF EXISTS picky;
                    CREATE TRIGGER picky BEFORE INSERT ON states_store WHEN new.persistence_id = 'bad \(action)'
                    BEGIN SELECT raise(\(action), 'no'); END
                    """)
                let store = try SQLiteStore(path)
                let ids = ["x \(action)", "bad \(action)", "y \(action)"]
                let results = await store.write(ids.map { StateWrite(sample($0, 1), if: .absent) })
                #expect(throws: Never.self) { try results[0].get() }
                await expectFailure(.misconfigured) { try results[1].get() }
                #expect(throws: Never.self) { try results[2].get() }
                #expect(try await store.latestState(of: ids[0]) != nil)
                #expect(try await store.latestState(of: ids[1]) == nil)
                #expect(try await store.latestState(of: ids[2]) != nil)
                await store.disconnect()
            }
            connection.close()
        }
    }

    /// The file has reached its limit: small writes that fit still do, and all is well once there is room.
    @Test func saysThatThereIsNoRoom() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/s"
            let child = try await ChildProcess.crashChild(["full", path, "-", "200000"])
            #expect(child.violations.isEmpty && child.isFinished, "\(child.lines)")
            #expect(child.lines.contains("big: notApplied") && child.lines.contains("small: done"), "\(child.lines)")
            #expect(child.lines.contains("big again: done"), "\(child.lines)")
        }
    }

    @Test func saysThatItMayNotWrite() async throws {
        try await Self.withFile { path in
            let folder = String(path.prefix(path.count - "/states.sqlite".count))
            #expect(chmod(path, 0o444) == 0)
            #expect(chmod(folder, 0o755) == 0)
            let file = try await ChildProcess.crashChild(["readonly", path, "-", "0"])
            #expect(file.lines.first == "forbidden notApplied", "\(file.lines)")
            #expect(chmod(path, 0o666) == 0)
            #expect(chmod(folder, 0o555) == 0)
            let inside = try await ChildProcess.crashChild(["readonly", path, "-", "0"])
            #expect(chmod(folder, 0o755) == 0)
            let first = inside.lines.first ?? ""
            #expect(["forbidden notApplied", "unavailable notApplied"].contains(first), "\(inside.lines)")
        }
    }

    // MARK: Locks

    @Test func waitsForALockAndGivesUp() async throws {
        try await Self.withFile { path in
            let other = try SQLiteConnection(path, .readWrite(create: false))
            try other.execute("BEGIN IMMEDIATE")
            var configuration = SQLiteStore.Configuration()
            configuration.busyTimeout = .milliseconds(20)
            let store = try SQLiteStore(path, configuration: configuration)
            do throws(StoreError) {
                try await store.write(sample("0", 2), if: .version(1))
                Issue.record("the lock was held by another")
            } catch {
                #expect(error.code == .unavailable && error.outcome == .notApplied, "\(error.debugDescription)")
            }
            // Reading goes on meanwhile, and writing once the lock is free.
            #expect(try await store.latestState(of: "0")?.version == 1)
            try other.execute("ROLLBACK")
            other.close()
            try await store.write(sample("0", 2), if: .version(1))
            await store.disconnect()
        }
    }

    /// The disk, or whoever holds the lock, keeps the writer busy past the deadline: those in line are withdrawn.
    @Test func keepsItsDeadline() async throws {
        try await Self.withFile { path in
            let other = try SQLiteConnection(path, .readWrite(create: false))
            var configuration = SQLiteStore.Configuration()
            configuration.busyTimeout = .seconds(20)
            configuration.writeDeadline = .milliseconds(40)
            configuration.maximumBatchCount = 1
            let store = try SQLiteStore(path, configuration: configuration)
            try await store.connect()
            try other.execute("BEGIN IMMEDIATE")
            let errors: [StoreError] = await withTaskGroup(of: StoreError?.self) { group in
                for index in 0..<5 {
                    group.addTask {
                        do throws(StoreError) {
                            try await store.write(sample("\(index)", 2), if: .version(1))
                            return nil
                        } catch { return error }
                    }
                }
                return await group.reduce(into: []) { if let error = $1 { $0.append(error) } }
            }
            #expect(errors.count == 5 && errors.allSatisfy { $0.code == .timeout })
            // One was under way; the others never will be.
            #expect(errors.count { $0.outcome == .unknown } == 1)
            try other.execute("ROLLBACK")
            other.close()
            await store.disconnect()
            let after = try SQLiteStore(path)
            for error in errors where error.outcome == .notApplied {
                #expect(try await after.latestState(of: error.persistenceID ?? "")?.version == 1)
            }
            await after.disconnect()
        }
    }
}
