import PerdureConcurrency
import PerdureTestKit
import Testing

@testable import PerdureSQLite

/// The answer to a commit is lost: the write is sent again under its own ID, and is never in conflict with itself.
@Suite struct LostCommitTests {
    @Test(arguments: [CommitFault.answerLost, .requestLost])
    func isResolved(_ fault: CommitFault) async throws {
        try await withTemporaryFolder { folder in
            let faults = PlannedFaults()
            let events = RecordingObserver()
            var configuration = SQLiteStore.Configuration()
            configuration.observer = events
            let store = try SQLiteStore(
                folder + "/s", configuration: configuration, faults: { faults.next(for: $0) })
            faults.plan(fault, for: "a")
            try await store.write(sample("a", 1), if: .absent)
            faults.plan(fault, for: "a")
            try await store.write(sample("a", 2), if: .version(1))
            #expect(try await store.latestState(of: "a") == sample("a", 2))
            faults.plan(fault, for: "a")
            try await store.delete("a", if: .version(2))
            faults.plan(fault, for: "a")
            try await store.write(sample("a", 4), if: .absent)
            faults.plan(fault, for: "a")
            try await store.write(sample("a", 3), if: .always)
            #expect(try await store.latestState(of: "a") == sample("a", 3))
            let repetitions = events.events.count { if case .writeRepeated = $0 { true } else { false } }
            #expect(repetitions == 5)
            await store.disconnect()
        }
    }

    /// Neighbours of a write that conflicts get their own answers, also when the commit of all of them is repeated.
    @Test func keepsConflictsApart() async throws {
        try await withTemporaryFolder { folder in
            let faults = PlannedFaults()
            let store = try SQLiteStore(folder + "/s", faults: { faults.next(for: $0) })
            try await store.write(sample("b", 5), if: .absent)
            faults.plan(.answerLost, for: "a")
            let results = await store.write([
                StateWrite(sample("a", 1), if: .absent), StateWrite(sample("b", 2), if: .version(1)),
            ])
            #expect(throws: Never.self) { try results[0].get() }
            guard case .failure(let error) = results[1] else {
                Issue.record("the conflict was not reported")
                return
            }
            // The first try said conflict, and the second says it again: it was never this write's own doing.
            #expect(error.code == .conflict && error.outcome == .notApplied && error.storedVersion == 5, "\(error)")
            await store.disconnect()
        }
    }

    /// Others wrote between the lost commit and its repetition: nobody can tell any more.
    @Test(arguments: [CommitFault.answerLost, .requestLost])
    func isUnknownOnceOthersHaveWritten(_ fault: CommitFault) async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/s"
            let faults = PlannedFaults()
            var configuration = SQLiteStore.Configuration()
            configuration.observer = Overwriter(path: path)
            let store = try SQLiteStore(path, configuration: configuration, faults: { faults.next(for: $0) })
            try await store.write(sample("a", 1), if: .absent)
            faults.plan(fault, for: "a")
            do throws(StoreError) {
                try await store.write(sample("a", 2), if: .version(1))
                Issue.record("nobody can know that it happened")
            } catch {
                #expect(error.outcome == .unknown && error.code == .unavailable, "\(error.debugDescription)")
            }
            #expect(try await store.latestState(of: "a")?.version == 9)
            await store.disconnect()
        }
    }

    /// Writes something else over a row just before a write of it is repeated.
    private struct Overwriter: EventObserver {
        let path: String

        func observe(_ event: PerdureEvent) {
            guard case .writeRepeated(_, "a", _) = event else { return }
            do {
                let connection = try SQLiteConnection(self.path, .readWrite(create: false))
                try connection.execute(
                    "UPDATE states_store SET version_number = 9, write_id = NULL WHERE persistence_id = 'a'")
                connection.close()
            } catch {
                Issue.record("\(error)")
            }
        }
    }
}
