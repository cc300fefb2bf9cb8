import BrokenRunStores
import PerdureConcurrency
import PerdureModel
import PerdureTestKit
import Testing
import WorkflowZoo

@testable import PerdureWorkflow

/// A run store that breaks something, and the words in which the judge must say so.
struct ScheduleSuspect: Sendable, CustomTestStringConvertible {
    let name: String
    let animal: String
    let fate: Schedule.Fate?
    let words: String
    let makeStore: @Sendable () -> BrokenRunStore

    init(
        _ name: String, with animal: String, _ fate: Schedule.Fate? = nil, finds words: String,
        _ change: @escaping @Sendable (inout BrokenRunStore) -> Void
    ) {
        self.name = name
        self.animal = animal
        self.fate = fate
        self.words = words
        self.makeStore = {
            var store = BrokenRunStore()
            change(&store)
            return store
        }
    }

    /// One whose changes go through `change` before they are stored.
    static func changing(
        _ name: String, with animal: String, _ fate: Schedule.Fate? = nil, finds words: String,
        _ change: @escaping @Sendable (inout RunCommit) -> Void
    ) -> ScheduleSuspect {
        ScheduleSuspect(name, with: animal, fate, finds: words) { store in
            store.onCommit = { base, commit throws(StoreError) in
                var commit = commit
                change(&commit)
                return try await base.commit(commit)
            }
        }
    }

    /// One whose runs go through `change` when a worker takes them.
    static func giving(
        _ name: String, with animal: String, _ fate: Schedule.Fate? = nil, finds words: String,
        _ change: @escaping @Sendable (inout RunSnapshot) -> Void
    ) -> ScheduleSuspect {
        ScheduleSuspect(name, with: animal, fate, finds: words) { store in
            let changed: @Sendable ([RunSnapshot]) -> [RunSnapshot] = { runs in
                runs.map { run in
                    var run = run
                    change(&run)
                    return run
                }
            }
            store.onClaim = { ClaimedRuns(runs: changed($0.runs), nextWake: $0.nextWake) }
            store.onAdopt = changed
        }
    }

    var testDescription: String { self.name }

    static let all: [ScheduleSuspect] = [
        // Who may change a run.
        ScheduleSuspect(
            "does not look at the fence, nor at the revision", with: "sequence", .stops(.commit(2), untilEnd: true),
            finds: "two were told that they made revision"
        ) { store in
            store.onCommit = { base, commit throws(StoreError) in
                var commit = commit
                if let stored = try await base.run(commit.runID)?.progress {
                    (commit.expectedRevision, commit.expectedFence) = (stored.revision, stored.fence)
                    (commit.progress.revision, commit.progress.fence) = (stored.revision + 1, stored.fence)
                }
                return try await base.commit(commit)
            }
        },
        ScheduleSuspect(
            "does not look at the revision", with: "sequence", finds: "two were told that they made revision"
        ) { store in
            store.onCommit = { base, commit throws(StoreError) in
                var commit = commit
                if let stored = try await base.run(commit.runID)?.progress {
                    (commit.expectedRevision, commit.progress.revision) = (stored.revision, stored.revision + 1)
                }
                return try await base.commit(commit)
            }
        },
        ScheduleSuspect(
            "gives a run to whoever asks next as well", with: "sleep", finds: "two were told that they made revision"
        ) { store in
            let last = LockedState<[RunSnapshot]>([])
            store.onClaim = { claimed in
                let again = last.withLock { last in
                    defer { if !claimed.runs.isEmpty { last = claimed.runs } else { last = [] } }
                    return last
                }
                return ClaimedRuns(runs: claimed.runs.isEmpty ? again : claimed.runs, nextWake: claimed.nextWake)
            }
        },

        // Results.
        ScheduleSuspect(
            "acknowledges changes that it does not make", with: "fork", finds: "was acknowledged, and is lost"
        ) {
            store in
            let number = LockedState(0)
            store.onCommit = { base, commit throws(StoreError) in
                let isLost = number.withLock { number -> Bool in
                    number += 1
                    return number % 3 == 0
                }
                return isLost ? CommitReceipt(inboxCount: 0) : try await base.commit(commit)
            }
        },
        .changing("makes one half of a change", with: "loop", finds: "has no recorded result") { $0.steps = [] },
        .giving("gives a run as it was some time ago", with: "sleep", finds: "and not there at") { run in
            if let last = run.steps.lastIndex(where: { $0.status == .completed }) { run.steps.remove(at: last) }
        },
        .giving("gives results of somebody else", with: "signal", finds: "and another at revision") { run in
            for place in run.steps.indices where run.steps[place].status == .completed {
                run.steps[place].output = RunValue(bytes: Array(#"{"number":1,"trail":["ask@another"]}"#.utf8))
            }
        },
        ScheduleSuspect("writes over a result with the next one", with: "sequence", finds: "and another at revision") {
            store in
            store.onCommit = { base, commit throws(StoreError) in
                var commit = commit
                let old = try await base.snapshot(of: commit.runID)?.steps.first { $0.status == .completed }
                if var old, let new = commit.steps.first, new.id != old.id {
                    old.output = new.output
                    commit.steps.append(old)
                }
                return try await base.commit(commit)
            }
        },
        .changing(
            "forgets what steps share", with: "state", .stops(.commit(3), untilEnd: true), finds: "must be completed"
        ) {
            $0.state = []
        },
        .changing("loses the finished steps of a run that is cancelled", with: "cancel", finds: "and not there at") {
            if $0.progress.status == .cancelled { $0.removedSteps = ["first"] }
        },
        .giving("forgets how often an attempt has failed", with: "retry", finds: "must be attempted") { run in
            for place in run.steps.indices where !run.steps[place].status.isEnded { run.steps[place].attempt = 0 }
        },
        .changing(
            "forgets that a step was announced", with: "once", .crashes(.commit(2), isAfter: false),
            finds: "must run at most once"
        ) { $0.steps.removeAll { $0.status == .running } },

        // Messages.
        ScheduleSuspect("loses messages", with: "signal", .lives, finds: "is RUNNING") { store in
            store.onPost = { _, _, _ throws(StoreError) in .posted }
        },
        .giving("takes messages away and records nothing", with: "signal", finds: "is RUNNING") { run in
            for place in run.messages.indices { run.messages[place].consumedBy = "nobody" }
        },
        .changing("gives a message to two steps", with: "signal", finds: "signals must be taken") { $0.consumed = [] },
        ScheduleSuspect("takes a message again and again", with: "signal", finds: "signals must be taken") { store in
            store.onPost = { base, message, id throws(StoreError) in
                var message = message
                let verdict = try await base.post(message, to: id)
                guard case .duplicate = verdict else { return verdict }
                message.id += ", again"
                return try await base.post(message, to: id)
            }
        },
        .changing("keeps the ends of children to itself", with: "child", .lives, finds: "is RUNNING") { $0.posts = [] },
        ScheduleSuspect("loses wishes", with: "cancel", .lives, finds: "is RUNNING") { store in
            store.onPost = { _, _, _ throws(StoreError) in .posted }
            store.onCommit = { base, commit throws(StoreError) in
                var commit = commit
                if commit.progress.status == .cancelled {
                    (commit.progress.status, commit.progress.wake) = (.running, .never)
                }
                return try await base.commit(commit)
            }
        },

        // Time.
        .changing("forgets runs that sleep", with: "sleep", .lives, finds: "is RUNNING") {
            if case .at = $0.progress.wake { $0.progress.wake = .never }
        },
        .changing("wakes runs too early", with: "sleep", finds: "must take 30 ms") { commit in
            if case .at = commit.progress.wake { commit.progress.wake = .now }
            for place in commit.steps.indices where commit.steps[place].status == .waiting {
                commit.steps[place].wakesAt = 0
            }
        },
    ]
}

/// The judge is held to stores of which we know what is wrong with them, and to histories that cannot be.
@Suite(.timeLimit(.minutes(5))) struct JudgeTests {
    @Test(arguments: ScheduleSuspect.all) func isFound(_ suspect: ScheduleSuspect) async throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var violations: [String] = []
        for number in 0..<60 {
            let schedule = Schedule(
                seed: seed, number: number, animal: suspect.animal, fate: suspect.fate, store: suspect.makeStore(),
                patience: .milliseconds(800))
            let found = try await schedule.findings().violations
            if found.contains(where: { $0.contains(suspect.words) }) { return }
            violations += found
        }
        Issue.record("\(suspect.name) is not found, seed \(seed); but \(violations.prefix(3))")
    }

    /// A line of a history that cannot be, and what must be said of it.
    struct Falsehood: Sendable, CustomTestStringConvertible {
        let line: String
        let words: String
        var testDescription: String { self.line }

        init(_ line: String, finds words: String) {
            self.line = line
            self.words = words
        }
    }

    /// What two workers did to a run: one was only slow.
    static let history = [
        "took r 1 1", "ran r/a w.1", "stored r 2 1", "recorded r 2 a=1", "ran r/b w.2", "took r 3 2", "held r 3 a=1",
        "ran r/b v.1", "refused r 3 1", "stored r 4 2", "recorded r 4 b=2", "ran once-1/pay v.2", "decided once-1",
        "used r w.1", "ran once-1/pay v.3", "seen r 4 2", "held r 4 a=1,b=2", "end r 4", "kept r w.1 v.1",
    ]

    @Test(arguments: [
        Falsehood("stored r 5 1", finds: "revision 5 has fence 1, after one of 2"),
        Falsehood("stored r 4 2", finds: "two were told that they made revision 4"),
        Falsehood("took r 3 2", finds: "two were told that they made revision 3"),
        Falsehood("seen r 3 3", finds: "revision 4 has fence 2, after one of 3"),
        Falsehood("took r 5 2", finds: "taken with fence 2, which somebody had at revision 4"),
        Falsehood("stored r 5 2", finds: "revision 5 was acknowledged, and is lost"),
        Falsehood("recorded r 4 a=1", finds: "r/a: recorded with revision 2, and again with 4"),
        Falsehood("held r 3 b=1", finds: "r/a: recorded with revision 2, and not there at 3"),
        Falsehood("held r 4 a=1,b=3", finds: "r/b: recorded, and another at revision 4"),
        Falsehood("held r 2 a=1,c c=1", finds: "r/c c: a result at revision 2, gone or another at 3"),
        Falsehood("ran once-1/pay v.4", finds: "once-1/pay must run at most once, and ran 3 times"),
        Falsehood("used r w.1 w.2", finds: "r: went on from w.2, which is recorded nowhere"),
        Falsehood("ran cancel-1/never v.4", finds: "cancel-1/never ran, though its run was to end before it"),
        Falsehood("ran r/c v.1", finds: "two executions left one mark"),
        Falsehood("violation r/a ran though it was recorded", finds: "r/a ran though it was recorded"),
    ])
    func isSaid(_ falsehood: Falsehood) {
        #expect(Judge.violations(in: Self.history) == [])
        let violations = Judge.violations(in: Self.history + [falsehood.line])
        #expect(violations.contains { $0.contains(falsehood.words) }, "\(violations)")
    }

    @Test func seesARunThatEndedWrongly() async throws {
        let lines = LockedState<[String]>([])
        let witness = Witness(name: "w") { line in lines.withLock { $0.append(line) } }
        let animal = try #require(Zoo(witness).animal("sequence"))
        let memory = InMemoryRunStore()
        try await withEngine(witness.watching(EncodingRunStore(memory))) {
            Zoo(witness).workflows
        } _: { engine in
            try await Keeper(engine, witness).start(animal, 5)
            _ = try? await engine.run(animal.workflow, "sequence-5").value
        }
        let good = try #require(try await memory.snapshot(of: "sequence-5"))
        #expect(Judge.violations(of: good, animal, 5) == [])
        #expect(Judge.violations(of: good, animal, 6).count == 1)
        #expect(Judge.violations(of: nil, animal, 5).count == 1)
        // A result that is not made of what is recorded.
        var swapped = good
        swapped.steps[0].output = RunValue(Parcel(6, trail: ["first@another"]))
        #expect(!Judge.violations(of: swapped, animal, 5).isEmpty)
        #expect(Judge.changes(of: good, to: swapped).count == 1)
        #expect(Judge.changes(of: good, to: good).isEmpty)
        #expect(Judge.reruns(after: [good], in: ["ran sequence-5/second w.9", "ran other/second w.8"]).count == 1)
        var open = good
        open.steps[2].status = .waiting
        #expect(Judge.violations(of: open, animal, 5).contains { $0.contains("has ended, and third is WAITING") })
        // A handler that runs although the process knows its result.
        let look = try await Judge.look(at: animal, 5, in: memory)
        #expect(Judge.violations(in: lines.withLock { $0 } + look.lines) == [])
    }
}
