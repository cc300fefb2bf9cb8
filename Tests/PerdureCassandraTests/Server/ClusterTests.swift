import PerdureConcurrency
import PerdureState
import PerdureTestKit
import Processes
import Testing

@testable import PerdureCassandra

/// Three nodes, of which one is killed with SIGKILL now and then and brought back.
@Suite("A cluster of three", .serialized, .enabled(if: TestCluster.cluster != nil, "needs a cluster"))
struct ClusterTests {
    @Test("keeps every promise of a state store") func keepsEveryPromise() async throws {
        // Without a proxy, so that nobody's answers get lost who did not ask for it.
        try await PromiseTests.verify(
            "cassandra, three nodes", #require(TestCluster.cluster), .persistenceID, proxied: false)
    }

    static func server(_ action: String, _ node: Int) async throws -> String {
        try await Shell.lastLine(
            of: "'\(Shell.root)/script/server' cassandra-cluster \(action) \(node) 2>&1 && echo done")
    }

    private static func state(_ id: String, _ version: UInt64, _ writer: String = "") -> DurableState {
        DurableState(
            persistenceID: id, version: version,
            payload: StatePayload(manifest: "test", bytes: Array("\(id) \(version) \(writer)".utf8)),
            timestamp: 1_700_000_000_000)
    }

    /// What the tasks of a test tell each other.
    private struct Progress {
        var acknowledged = 0
        var isOver = false
        var isDown = false
        var times: [Duration] = []
        var timesWhileDown: [Duration] = []
        var unknown = 0
        var histories = 0
    }

    @Test("loses no acknowledged write and keeps order while nodes are killed", .timeLimit(.minutes(10)))
    func losesNothingWhileNodesAreKilled() async throws {
        var setup = CassandraSetup()
        setup.replication = .copies(3)
        try await #require(TestCluster.cluster).withStore(setup, { $0.attemptTimeout = .seconds(5) }) { store in
            let progress = LockedState(Progress())
            let (news, newsMaker) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
            let seed = UInt64.random(in: 0 ... .max)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 0..<12 { group.addTask { try await Self.write(writer, to: store, progress, newsMaker) } }
                for historian in 0..<3 {
                    group.addTask { try await Self.keepHistory(historian, of: store, seed, progress) }
                }
                group.addTask {
                    defer { progress.withLock { $0.isOver = true } }
                    try await Self.wait(for: 150, more: progress, news)
                    // The one that the store asked first, and that tells it about the cluster.
                    progress.withLock { $0.isDown = true }
                    #expect(try await Self.server("crash", 1) == "done")
                    // Two of three are enough.
                    try await Self.wait(for: 150, more: progress, news)
                    #expect(try await Self.server("start", 1) == "done")
                    progress.withLock { $0.isDown = false }
                    try await Self.wait(for: 150, more: progress, news)
                }
                try await group.waitForAll()
            }
            let end = progress.withLock { $0 }
            func percentile(_ times: [Duration]) -> String {
                times.isEmpty ? "none" : "\(times.sorted()[times.count * 99 / 100])"
            }
            print(
                "killed nodes: \(end.acknowledged) conditional writes acknowledged, \(end.unknown) unknown, p99"
                    + " \(percentile(end.times)) with all nodes, \(percentile(end.timesWhileDown)) with one down;"
                    + " \(end.histories) histories, seed \(seed)")
            #expect(end.acknowledged >= 450 && end.histories > 0)
        }
    }

    /// Waits until so many more writes are acknowledged; `news` tells of each.
    private static func wait(
        for count: Int, more progress: LockedState<Progress>, _ news: AsyncStream<Void>
    ) async throws {
        let target = progress.withLock { $0.acknowledged } + count
        for await _ in news where progress.withLock({ $0.acknowledged >= target }) { return }
        throw CancellationError()
    }

    /// Counts up one ID of its own; what was acknowledged must be there in the end, and nothing that nobody asked for.
    private static func write(
        _ writer: Int, to store: CassandraStore, _ progress: LockedState<Progress>,
        _ news: AsyncStream<Void>.Continuation
    ) async throws {
        let id = "writer-\(writer)"
        let clock = SystemClock()
        var version: UInt64 = 0
        while !progress.withLock({ $0.isOver }) {
            let start = clock.now
            do throws(StoreError) {
                try await store.write(Self.state(id, version + 1), if: version == 0 ? .absent : .version(version))
                version += 1
            } catch {
                // Nobody else writes the ID.
                guard error.code != .conflict else {
                    Issue.record("a conflict with itself: \(String(reflecting: error))")
                    return
                }
                guard error.outcome == .unknown else { continue }
                progress.withLock { $0.unknown += 1 }
                let stored = try await store.latestState(of: id)?.version ?? 0
                #expect(stored == version || stored == version + 1)
                version = stored
                continue
            }
            let time = clock.now - start
            progress.withLock {
                $0.acknowledged += 1
                if $0.isDown { $0.timesWhileDown.append(time) } else { $0.times.append(time) }
            }
            news.yield()
        }
        let stored = try await store.latestState(of: id)
        #expect(stored == (version == 0 ? nil : Self.state(id, version)))
    }

    /// Lets three clients meet on one ID after the other, and checks each history.
    private static func keepHistory(
        _ historian: Int, of store: CassandraStore, _ seed: UInt64, _ progress: LockedState<Progress>
    ) async throws {
        var round = 0
        while !progress.withLock({ $0.isOver }) {
            round += 1
            let recorder = HistoryRecorder(store, of: "history-\(historian)-\(round)")
            await withTaskGroup(of: Void.self) { group in
                for client in 0..<3 {
                    let start = SeededGenerator(seed: seed &+ UInt64(historian * 1_000_003 + round * 1_009 + client))
                    group.addTask {
                        var generator = start
                        var known: UInt64 = 0
                        for turn in 0..<8 {
                            let condition: WriteCondition = known == 0 ? .absent : .version(known)
                            let answer: StateHistory.Answer
                            switch Int.random(in: 0..<10, using: &generator) {
                            case 0..<4:
                                known = await recorder.read()?.version ?? 0
                                continue
                            case 4:
                                answer = await recorder.delete(if: condition)
                                if answer == .done { known = 0 }
                            default:
                                let state = Self.state(recorder.persistenceID, known + 1, "\(client)-\(turn)")
                                answer = await recorder.write(state, if: condition)
                                if answer == .done { known += 1 }
                            }
                            if case .conflict(let stored) = answer {
                                known = Bool.random(using: &generator) ? stored : 0
                            }
                        }
                    }
                }
            }
            switch LinearizabilityChecker().verdict(on: recorder.history) {
            case .linearizable: progress.withLock { $0.histories += 1 }
            case .undecided: continue
            case .impossible(let explained, let stuck):
                Issue.record(
                    "no ideal store could have this history: after \(explained) operations none of \(stuck); seed \(seed)"
                )
            }
        }
    }
}
