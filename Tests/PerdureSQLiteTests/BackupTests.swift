import FoundationEssentials
import PerdureConcurrency
import Testing

@testable import PerdureSQLite

/// A copy is whole, of one moment, and never in anybody's way.
@Suite struct BackupTests {
    @Test func copiesWhileOthersWrite() async throws {
        try await withTemporaryFolder { folder in
            let store = try SQLiteStore(folder + "/states.sqlite")
            for index in 0..<300 { try await store.write(sample("\(index)", 1, padding: 6_000), if: .absent) }
            // Every pair is written in one go, so a copy of one moment never has the second without the first.
            let isDone = LockedState(false)
            let writing = Task {
                var version: UInt64 = 0
                while !isDone.withLock({ $0 }) {
                    version += 1
                    try await store.write(sample("first", version), if: .always)
                    try await store.write(sample("second", version), if: .always)
                }
            }
            let progress = LockedState([SQLiteStore.BackupProgress]())
            try await store.backup(to: folder + "/copy") { step in progress.withLock { $0.append(step) } }
            isDone.withLock { $0 = true }
            try await writing.value
            await store.disconnect()

            let steps: [SQLiteStore.BackupProgress] = progress.withLock { $0 }
            #expect(steps.count > 1 && steps.last.map { $0.finishedPageCount == $0.pageCount } == true)
            let copy = try SQLiteStore(folder + "/copy")
            for index in 0..<300 {
                #expect(try await copy.latestState(of: "\(index)") == sample("\(index)", 1, padding: 6_000))
            }
            let first = try await copy.latestState(of: "first")?.version ?? 0
            let second = try await copy.latestState(of: "second")?.version ?? 0
            #expect(first == second || first == second + 1)
            try await copy.write(sample("new", 1), if: .absent)
            await copy.disconnect()
            let names = try FileManager.default.contentsOfDirectory(atPath: folder)
            #expect(Set(names) == ["states.sqlite", "copy"])
        }
    }

    @Test func neverOverwrites() async throws {
        try await withTemporaryFolder { folder in
            let store = try SQLiteStore(folder + "/states.sqlite")
            try await store.write(sample("a", 1), if: .absent)
            try Data([1]).write(to: URL(filePath: folder + "/copy"))
            await expectFailure(.invalidRequest) { try await store.backup(to: folder + "/copy") }
            await expectFailure(.invalidRequest) {
                try await store.backup(to: folder + "/states.sqlite")
            }
            await expectFailure(.misconfigured) { try await store.backup(to: folder + "/no/copy") }
            #expect(try Data(contentsOf: URL(filePath: folder + "/copy")) == Data([1]))
            // Something comes to be there while it copies.
            await expectFailure(.invalidRequest) {
                try await store.backup(to: folder + "/late") { _ in
                    _ = FileManager.default.createFile(atPath: folder + "/late", contents: Data([2]))
                }
            }
            #expect(try Data(contentsOf: URL(filePath: folder + "/late")) == Data([2]))
            await store.disconnect()
            await expectFailure(.misconfigured) {
                try await SQLiteStore(folder + "/none").backup(to: folder + "/other")
            }
        }
    }

    @Test func givesUpWhenCancelled() async throws {
        try await withTemporaryFolder { folder in
            let store = try SQLiteStore(folder + "/states.sqlite")
            for index in 0..<300 { try await store.write(sample("\(index)", 1, padding: 9_000), if: .absent) }
            let task = Task {
                try await store.backup(to: folder + "/copy") { _ in withUnsafeCurrentTask { $0?.cancel() } }
            }
            task.cancel()
            await expectFailure(.cancelled) { try await task.value }
            await store.disconnect()
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["states.sqlite"])
        }
    }
}
