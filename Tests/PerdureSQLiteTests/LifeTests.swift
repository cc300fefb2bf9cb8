import Glibc
import PerdureTestKit
import Testing

@testable import PerdureSQLite

/// Connecting, disconnecting, and what is left open: nothing.
@Suite struct LifeTests {
    @Test func disconnectingClosesEverything() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/states.sqlite"
            let store = try SQLiteStore(path)
            for round in 1...3 {
                try await store.connect()
                try await store.connect()
                try await store.write(
                    sample("a", UInt64(round)), if: round == 1 ? .absent : .version(UInt64(round) - 1))
                #expect(try await store.latestState(of: "a") == sample("a", UInt64(round)))
                #expect(!openFiles(below: path).isEmpty)
                await store.disconnect()
                await store.disconnect()
                // No descriptor, and no log: it was moved into the file.
                #expect(openFiles(below: path).isEmpty)
                #expect(FileKind(at: path + "-wal") == .missing)
                await expectFailure(.closed) { try await store.latestState(of: "a") }
                await expectFailure(.closed) { try await store.write(sample("b", 1), if: .absent) }
                let results = await store.write([StateWrite(sample("b", 1), if: .absent)])
                await expectFailure(.closed) { try results[0].get() }
            }
            try await store.ping()
            #expect(try await store.latestState(of: "a") == sample("a", 3))
            await store.disconnect()
        }
    }

    /// A store that nobody disconnected ends its threads and closes its file when it goes.
    @Test func aForgottenStoreClosesItself() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/states.sqlite"
            try await SQLiteStore(path).write(sample("a", 1), if: .absent)
            let clock = ContinuousClock()
            let start = clock.now
            // Its threads need a moment; a store that keeps itself alive would need for ever.
            while !openFiles(below: path).isEmpty, clock.now - start < .seconds(60) { await Task.yield() }
            #expect(openFiles(below: path).isEmpty)
            #expect(try await SQLiteStore(path).latestState(of: "a") == sample("a", 1))
        }
    }

    /// Everything that was let in before `disconnect()` is answered, and what was acknowledged is there.
    @Test func disconnectingDrains() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/states.sqlite"
            let store = try SQLiteStore(path)
            try await store.connect()
            let acknowledged = await withTaskGroup(of: String?.self) { group in
                for index in 0..<200 {
                    group.addTask {
                        do {
                            try await store.write(sample("\(index)", 1), if: .absent)
                            return "\(index)"
                        } catch let error as StoreError {
                            #expect(error.code == .closed && error.outcome == .notApplied)
                        } catch {
                            Issue.record("\(error)")
                        }
                        return nil
                    }
                }
                group.addTask {
                    await store.disconnect()
                    return nil
                }
                return await group.reduce(into: Set<String>()) { if let id = $1 { $0.insert(id) } }
            }
            let again = try SQLiteStore(path)
            #expect(Set(try await again.persistenceIDs(withPrefix: "", after: nil, limit: 1_000).ids) == acknowledged)
            await again.disconnect()
        }
    }

    @Test func connectsAndDisconnectsFromManyTasks() async throws {
        try await withStore { store in
            await withTaskGroup(of: Void.self) { group in
                for task in 0..<8 {
                    group.addTask {
                        for round in 0..<20 {
                            switch (task + round) % 4 {
                            case 0: await store.disconnect()
                            case 1: await #expect(throws: Never.self) { try await store.connect() }
                            default:
                                do throws(StoreError) {
                                    try await store.write(sample("\(task)", UInt64(round) + 1), if: .always)
                                } catch {
                                    #expect(error.code == .closed, "\(error.debugDescription)")
                                }
                            }
                        }
                    }
                }
            }
            try await store.connect()
            try await store.write(sample("last", 1), if: .absent)
        }
    }

    @Test func tellsItsObserver() async throws {
        let events = RecordingObserver()
        var configuration = SQLiteStore.Configuration()
        configuration.observer = events
        try await withStore(configuration: configuration) { store in
            try await store.write(sample("a", 1), if: .absent)
        }
        #expect(
            events.events.map(\.name) == [
                "store.schema.migrated", "store.connected", "store.batch.committed", "store.disconnected",
            ])
    }

    @Test func refusesACancelledCaller() async throws {
        try await withStore { store in
            try await store.connect()
            let task = Task {
                while !Task.isCancelled { await Task.yield() }
                try await store.write(sample("a", 1), if: .absent)
            }
            task.cancel()
            await expectFailure(.cancelled) { try await task.value }
            #expect(try await store.latestState(of: "a") == nil)
        }
    }
}
