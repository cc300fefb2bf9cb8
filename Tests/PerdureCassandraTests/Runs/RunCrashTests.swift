import PerdureConcurrency
import PerdureTestKit
import PerdureWorkflow
import Testing

@testable import PerdureCassandra

/// A process that ends before or after any of its writes: what it had begun is found by another, and nothing is done by half.
@Suite(
    "Crashes on Cassandra", .serialized,
    .enabled(if: TestCluster.single != nil, "needs a node: script/server cassandra start"), .timeLimit(.minutes(15)))
struct RunCrashTests {
    private static let time: Int64 = 1_700_000_000_000

    @Test("goes on from every point at which a process can end") func crashPoints() async throws {
        try await #require(TestCluster.single).withRunTables("runs") { tables in
            let other = try CassandraStore(tables)
            let whole = try await Self.life(tables, other, endingAt: nil)
            #expect(whole.isOver)
            var found = 0
            for write in 1...whole.writes {
                for loss in [LossyProxy.Loss.request, .answer] {
                    let life = try await Self.life(tables, other, endingAt: (write, loss))
                    // The last write only clears up.
                    #expect(!life.isOver || write == whole.writes, "the process should have ended at write \(write)")
                    if try await Self.afterlife(life, on: other) { found += 1 }
                }
            }
            // All but those before whose end nothing was asked for successfully.
            print("\(2 * whole.writes) crash points, \(found) of them with a run to go on with")
            #expect(found >= 2 * whole.writes - 8)
            await other.disconnect()
        }
    }

    /// What a process did until its end.
    private struct Life {
        let prefix: String
        /// Whether it came to the end of what it had to do.
        var isOver = false
        /// Whether it was told that its run is there.
        var isAcknowledged = false
        var writes = 0
        var child: String { "\(self.prefix)-child" }
        var parent: String { "\(self.prefix)-parent" }
        var workflow: String { "\(self.prefix)-flow" }
        var worker: String { "\(self.prefix)-worker" }
    }

    /// Starts a run under a limit, takes it, records a step, lets it sleep, takes it again, and ends it with word to its parent.
    private static func life(
        _ tables: CassandraConfiguration, _ other: CassandraStore, endingAt end: (Int, LossyProxy.Loss)?
    ) async throws -> Life {
        var life = Life(prefix: "crash-\(String(UInt64.random(in: 0 ... .max), radix: 36))")
        var waiting = RunProgress(status: .running, definitionHash: 1, wake: .never, at: self.time)
        waiting.startedAt = self.time
        _ = try await other.create(
            RunCreation(request: self.request(life.parent, "\(life.prefix)-parents"), progress: waiting))

        let proxy = try LossyProxy(to: tables.port)
        defer { proxy.stop() }
        var configuration = tables
        (configuration.port, configuration.newestVersion) = (proxy.port, .v4)
        // It does not come back: how long it tries does not matter.
        if end != nil { (configuration.writeTimeout, configuration.readTimeout) = (.seconds(1), .seconds(1)) }
        let store = try CassandraStore(configuration)
        try await store.connect()
        // Prepares everything, so that only writes are left to be counted.
        _ = try await store.run(life.child)
        let before = proxy.writes.all
        if let end { proxy.end(atWrite: end.0, end.1) }
        do {
            try await self.live(&life, store)
            life.isOver = true
        } catch {
            // It is dead: whatever it is told has no effect.
        }
        life.writes = proxy.writes.all - before
        proxy.stop()
        await store.disconnect()
        return life
    }

    private static func live(_ life: inout Life, _ store: CassandraStore) async throws {
        let worker = WorkerRecord(
            id: life.worker, name: life.worker, leaseMilliseconds: 1_000, registeredAt: self.time,
            renewedAt: self.time)
        try await store.register(worker)
        var request = self.request(life.child, life.workflow)
        (request.workflowLimit, request.resourceID) = (1, life.prefix)
        request.parent = RunParent(runID: life.parent, step: "s")
        _ = try await store.create(
            RunCreation(request: request, progress: RunProgress(definitionHash: 1, at: self.time)))
        life.isAcknowledged = true
        for _ in 0..<2 {
            let claim = RunClaim(worker: life.worker, workflows: [life.workflow], limit: 1, now: self.time + 50)
            guard var run = try await store.claim(claim).runs.first else { throw NothingToDo() }
            while let commit = self.next(run, isPatient: true) {
                _ = try await store.commit(commit)
                guard commit.progress.owner != nil else { break }
                run.run.progress = commit.progress
                run.steps += commit.steps
            }
        }
    }

    private struct NothingToDo: Error {}

    private static func request(_ id: String, _ workflow: String) -> RunRequest {
        RunRequest(id: id, workflow: workflow, version: "1", input: RunValue(7), createdAt: self.time)
    }

    /// The next change of a run by who drives it: two steps, a sleep between them, and word to the parent with the last.
    private static func next(_ run: RunSnapshot, isPatient: Bool) -> RunCommit? {
        guard run.steps.count < 2 else { return nil }
        var progress = run.run.progress
        progress.revision += 1
        progress.adoptions = 0
        var step = StepRecord(
            id: "s\(run.steps.count)", position: run.steps.count, definitionHash: 1, status: .completed)
        step.output = RunValue("of step \(run.steps.count)")
        if run.steps.isEmpty {
            if isPatient { (progress.owner, progress.wake) = (nil, .at(self.time + 40)) }
        } else {
            (progress.owner, progress.status, progress.progress) = (nil, .completed, 1)
            (progress.completedAt, progress.expiresAt) = (self.time + 60, self.time + 90)
        }
        var commit = RunCommit(
            runID: run.run.id, expectedRevision: run.run.progress.revision, expectedFence: run.run.progress.fence,
            progress: progress)
        commit.steps = [step]
        if progress.status == .completed, let parent = run.run.request.parent {
            let word = RunMessage(
                id: "end", kind: .childEnded(runID: run.run.id, .completed, nil), payload: step.output,
                postedAt: self.time)
            commit.posts = [(parent.runID, word)]
        }
        return commit
    }

    /// Another process finds what the dead one left, by hints alone, and brings it to its end; false where there was nothing.
    private static func afterlife(_ life: Life, on store: CassandraStore) async throws -> Bool {
        let heir = "\(life.prefix)-heir"
        _ = try await store.bury(life.worker, beat: 1)
        try await store.register(
            WorkerRecord(id: heir, name: heir, leaseMilliseconds: 1_000, registeredAt: self.time, renewedAt: self.time))
        let workflows = [life.workflow, "\(life.prefix)-parents"]
        let claim = RunClaim(worker: heir, workflows: workflows, limit: 10, now: self.time + 100)
        let clock = SystemClock()
        let deadline = clock.now + .seconds(20)
        var isChildOver = false
        var word: RunMessage?
        repeat {
            for var run in try await store.adopt(claim) + store.claim(claim).runs {
                if run.run.id == life.parent { word = run.messages.first }
                while run.run.id == life.child, let commit = self.next(run, isPatient: false) {
                    _ = try await store.commit(commit)
                    run.run.progress = commit.progress
                    run.steps += commit.steps
                }
            }
            // Looked at without its ID: whoever reads a run brings on what it has to say.
            isChildOver = try await store.runs(
                where: self.all(of: life.workflow), after: nil, limit: 5, now: self.time
            ).runs.allSatisfy { $0.status == .completed }
        } while (word == nil || !isChildOver) && life.isAcknowledged && clock.now < deadline
        let child = try await store.snapshot(of: life.child)
        if life.isAcknowledged { #expect(child != nil, "an acknowledged run is gone") }
        guard let child else { return false }
        guard life.isAcknowledged else { return true }
        #expect(child.run.status == .completed && child.steps.map(\.id) == ["s0", "s1"])
        #expect(word?.id == "end", "the parent was not told, or nobody found it awake")
        let parent = try await store.snapshot(of: life.parent)
        #expect(parent?.messages.count == 1)
        for status in RunStatus.allCases {
            var filter = self.all(of: life.workflow)
            filter.statuses = [status]
            let count = try await store.countRuns(where: filter, now: self.time)
            #expect(count == (status == .completed ? 1 : 0))
        }
        let left = try await store.adopt(claim)
        #expect(left.isEmpty)
        return true
    }

    private static func all(of workflow: String) -> RunFilter {
        var filter = RunFilter()
        filter.workflow = workflow
        return filter
    }
}
