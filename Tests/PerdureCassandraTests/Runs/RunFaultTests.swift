import PerdureCQLClient
import PerdureConcurrency
import PerdureModel
import PerdureWorkflow
import Testing

@testable import PerdureCassandra

/// Operations on runs that others get in the way of, or that end half way.
@Suite(
    "Failures within operations on runs, on Cassandra", .serialized,
    .enabled(if: TestCluster.single != nil, "needs a node: script/server cassandra start"), .timeLimit(.minutes(5)))
struct RunFaultTests {
    private static let time: Int64 = 1_700_000_000_000

    @Test("a worker that others keep from being registered is told so") func registrations() async throws {
        try await #require(TestCluster.single).withRunTables("faults") { tables in
            let proxy = try LossyProxy(to: tables.port)
            defer { proxy.stop() }
            var configuration = tables
            (configuration.port, configuration.newestVersion) = (proxy.port, .v4)
            let store = try CassandraStore(configuration)
            let name = "restless-\(UInt64.random(in: 0 ... .max))"
            let worker = WorkerRecord(
                id: name, name: name, leaseMilliseconds: 1_000, registeredAt: Self.time, renewedAt: Self.time)
            _ = try await store.workers()
            let client = try CQLClient(tables.client)
            try await client.connect()
            // Whoever registers a worker moves its partition on.
            let statement = try await client.prepare(
                "UPDATE \(tables.names.quotedRuns("_workers")) SET revision = ? WHERE shard IN ?")
            let count = LockedState<Int64>(1_000_000)
            proxy.set {
                let isDone = Latch()
                isDone.enter()
                Task {
                    let revision = count.withLock { count in
                        count += 1
                        return count
                    }
                    _ = try? await client.execute(
                        statement, options: CQLExecutionOptions(consistency: .quorum, timeout: .seconds(10))
                    ) { values in
                        try values.bind(revision)
                        try values.bind((0..<8).map { Int32($0) })
                    }
                    isDone.leave()
                }
                isDone.wait()
            }
            let error = await failure { () async throws(StoreError) in try await store.register(worker) }
            #expect(error?.code == .unavailable && error?.outcome == .notApplied, "\(String(reflecting: error))")
            proxy.set(rival: nil)
            #expect(try await !store.workers().contains { $0.id == name })
            try await store.register(worker)
            #expect(try await store.workers().contains { $0.id == name })
            await client.disconnect()
            await store.disconnect()
        }
    }

    /// The process that ended a child has ended itself before the parent was told; somebody else removes the child.
    @Test("what a run had to say is said before it is removed", arguments: [false, true])
    func removals(isPurged: Bool) async throws {
        try await #require(TestCluster.single).withRunTables("faults") { tables in
            let other = try CassandraStore(tables)
            var found = 0
            // The hints, the change itself, the message, ...
            for write in 1...6 {
                let prefix = "said-\(String(UInt64.random(in: 0 ... .max), radix: 36))"
                for id in ["parent", "child"] {
                    let request = RunRequest(
                        id: "\(prefix)-\(id)", workflow: "\(prefix)-flow", version: "1", input: RunValue(7),
                        createdAt: Self.time)
                    var progress = RunProgress(status: .running, definitionHash: 1, at: Self.time)
                    (progress.owner, progress.startedAt) = ("nobody", Self.time)
                    _ = try await other.create(RunCreation(request: request, progress: progress))
                }
                try await Self.end("\(prefix)-child", of: "\(prefix)-parent", tables, dyingAt: write)
                if isPurged {
                    _ = try await other.purgeRuns(expiredAt: Self.time + 100, limit: 1_000)
                } else {
                    let error = await failure { () async throws(StoreError) in
                        try await other.delete("\(prefix)-child", expectedRevision: 2, expectedFence: 0)
                    }
                    #expect(error == nil || error?.code == .conflict)
                }
                guard try await other.run("\(prefix)-child") == nil else { continue }
                found += 1
                let parent = try await other.snapshot(of: "\(prefix)-parent")
                #expect(parent?.messages.map(\.id) == ["end"], "died at write \(write)")
            }
            #expect(found >= 2)
            await other.disconnect()
        }
    }

    /// Ends a child, with word to its parent, as a process that dies at one of its writes.
    private static func end(
        _ child: String, of parent: String, _ tables: CassandraConfiguration, dyingAt write: Int
    ) async throws {
        let proxy = try LossyProxy(to: tables.port)
        defer { proxy.stop() }
        var configuration = tables
        (configuration.port, configuration.newestVersion) = (proxy.port, .v4)
        (configuration.writeTimeout, configuration.readTimeout) = (.seconds(1), .seconds(1))
        let mortal = try CassandraStore(configuration)
        _ = try await mortal.run(child)
        proxy.end(atWrite: write, .answer)
        var progress = RunProgress(status: .completed, definitionHash: 1, at: self.time)
        (progress.revision, progress.progress, progress.startedAt) = (2, 1, self.time)
        (progress.completedAt, progress.expiresAt) = (self.time + 60, self.time + 90)
        var commit = RunCommit(runID: child, expectedRevision: 1, expectedFence: 0, progress: progress)
        commit.posts = [
            (parent, RunMessage(id: "end", kind: .childEnded(runID: child, .completed, nil), postedAt: self.time))
        ]
        _ = try? await mortal.commit(commit)
        proxy.stop()
        await mortal.disconnect()
    }
}
