import PerdureModel
import Testing

@testable import PerdureWorkflow

/// What the machine says to what it is told, event by event.
@Suite struct TranscriptTests {
    /// A machine, and what it said, in words.
    final class Transcript {
        var machine: RunMachine
        var now = Moment(wall: 1_000, steady: .zero)
        var works: [String: StepWork] = [:]
        var commit: RunCommit?
        // As they are stored.
        private var progress: RunProgress
        private var steps: [String: StepRecord] = [:]
        private var messages: [RunMessage] = []

        init(_ nodes: [Node], runTimeout: Duration? = nil) {
            let graph = WorkflowGraph(
                name: "w", version: "1", nodes: nodes,
                configuration: .init(retry: .none, stepTimeout: .seconds(30), runTimeout: runTimeout))
            let request = RunRequest(id: "r", workflow: "w", version: "1", input: RunValue(0), createdAt: 0)
            self.machine = RunMachine(creating: request, by: "me", RunPlan(graph), .init(), self.now)
            self.progress = self.machine.creation(self.now).progress
            self.machine.stored(CommitReceipt(inboxCount: 0), self.now)
        }

        /// Everything that it has to say now.
        func says() -> [String] {
            var said: [String] = []
            while true {
                switch self.machine.next(self.now) {
                case .perform(let work):
                    self.works[work.id] = work
                    said.append("perform \(work.id)#\(work.attempt)")
                case .commit(let commit):
                    self.commit = commit
                    let steps = commit.steps.map { "\($0.id) \($0.status.rawValue)" }.joined(separator: ", ")
                    let owner = commit.progress.owner == nil ? ", released" : ""
                    said.append("commit \(commit.progress.status.rawValue) [\(steps)]\(owner)")
                case .readMail: said.append("read mail")
                case .wait: return said
                case .leave(let departure): return said + ["leave \(departure)"]
                }
            }
        }

        func ended(_ id: String, _ outcome: StepOutcome = .value(RunValue(1), changes: [])) -> Bool {
            guard let work = self.works[id] else { return false }
            return self.machine.ended(work.token, with: outcome, self.now)
        }

        func stored(inboxCount: UInt64 = 0) {
            if let commit = self.commit {
                self.progress = commit.progress
                for step in commit.steps { self.steps[step.id] = step }
            }
            self.machine.stored(CommitReceipt(inboxCount: inboxCount), self.now)
        }

        /// A signal is posted, and the machine reads it.
        func signal(_ name: String) {
            var message = RunMessage(id: "m", kind: .signal(name), payload: RunValue(1), postedAt: 0)
            message.number = 1
            self.messages = [message]
            self.machine.take(mail: self.messages, count: 1, self.now)
        }

        private var snapshot: RunSnapshot {
            let run = RunRecord(
                request: self.machine.request, progress: self.progress, inboxCount: UInt64(self.messages.count))
            return RunSnapshot(run: run, steps: Array(self.steps.values), state: [], messages: self.messages)
        }

        /// The process dies; another takes up what is stored.
        func crash() {
            self.progress.owner = "another"
            self.progress.fence += 1
            self.machine = RunMachine(self.snapshot, self.machine.plan, .init(), self.now)
        }

        /// A person has the run tried again, after it failed.
        func retried() {
            self.stored()
            self.commit = RunEdits.retry(self.snapshot, self.now.wall)
            self.stored()
            self.crash()
        }

        func pass(_ duration: Duration) {
            self.now.steady += duration
            self.now.wall += duration.wholeMilliseconds
            self.machine.tick(self.now)
        }
    }

    private static func step(_ name: String, after input: Int = -1, _ change: (inout StepSettings) -> Void = { _ in })
        -> Node
    {
        var settings = StepSettings()
        change(&settings)
        return Node(name: name, kind: .step { value, _ in value }, inputs: [input], settings: settings)
    }

    private static func gather(_ inputs: [Int]) -> Node { Node(name: "", kind: .gather { $0[0] }, inputs: inputs) }

    private static let trouble = StepOutcome.failed(RunFailure(.executionFailed, message: "no"), isRetryable: true)

    @Test("one step after the other, each once the one before is stored") func sequence() {
        let run = Transcript([Self.step("a"), Self.step("b", after: 0)])
        #expect(run.says() == ["perform a#1"])
        #expect(run.ended("a"))
        #expect(run.says() == ["commit RUNNING [a COMPLETED]"])
        #expect(run.says() == [])
        run.stored()
        #expect(run.says() == ["perform b#1"])
        #expect(run.ended("b"))
        #expect(run.says() == ["commit COMPLETED [b COMPLETED], released"])
        run.stored()
        #expect(run.says() == ["leave stored"])
    }

    @Test("what ends while a commit is under way goes into the next") func oneCommitAtATime() {
        let run = Transcript([Self.step("a"), Self.step("b"), Self.step("c"), Self.gather([0, 1, 2])])
        #expect(run.says() == ["perform a#1", "perform b#1", "perform c#1"])
        #expect(run.ended("a"))
        #expect(run.says() == ["commit RUNNING [a COMPLETED]"])
        #expect(run.ended("c") && run.ended("b"))
        #expect(run.says() == [])
        run.stored()
        #expect(run.says() == ["commit COMPLETED [c COMPLETED, b COMPLETED], released"])
    }

    @Test("a sleep, and the release, ride on the commit before") func sleeping() {
        let sleep = Node(name: "s", kind: .sleep(.duration(.seconds(60))), inputs: [0])
        let run = Transcript([Self.step("a"), sleep, Self.step("b", after: 1)])
        #expect(run.says() == ["perform a#1"])
        #expect(run.ended("a"))
        #expect(run.says() == ["commit RUNNING [a COMPLETED, s WAITING], released"])
        #expect(run.commit?.progress.wake == .at(61_000))
        run.stored()
        #expect(run.says() == ["leave stored"])
    }

    @Test("a short sleep is waited for, and its end costs no commit") func napping() {
        let sleep = Node(name: "s", kind: .sleep(.duration(.seconds(1))), inputs: [0])
        let run = Transcript([Self.step("a"), sleep, Self.step("b", after: 1)])
        _ = run.says()
        #expect(run.ended("a"))
        #expect(run.says() == ["commit RUNNING [a COMPLETED, s WAITING]"])
        run.stored()
        #expect(run.says() == [])
        #expect(run.machine.alarm(run.now) == .seconds(1))
        run.pass(.seconds(1))
        #expect(run.says() == ["perform b#1"])
        #expect(run.ended("b"))
        #expect(run.says() == ["commit COMPLETED [s COMPLETED, b COMPLETED], released"])
    }

    @Test("a failed attempt is recorded with the time of the next; the last fails the run") func retrying() {
        let run = Transcript([
            Self.step("a") {
                $0.retry = RetryPolicy(maximumAttempts: 2, backoff: .linear, delay: .seconds(2), jitter: 0)
            }
        ])
        #expect(run.says() == ["perform a#1"])
        #expect(run.ended("a", Self.trouble))
        #expect(run.says() == ["commit RUNNING [a RETRYING]"])
        #expect(run.commit?.steps.first?.wakesAt == 3_000)
        run.stored()
        run.pass(.seconds(1))
        #expect(run.says() == [])
        run.pass(.seconds(1))
        #expect(run.says() == ["perform a#2"])
        #expect(run.ended("a", Self.trouble))
        #expect(run.says() == ["commit FAILED [a FAILED], released"])
    }

    /// A wait that begins when its condition was asked: that is not stored at once.
    private static func wait(timeout: Duration? = nil) -> Node {
        var settings = StepSettings()
        settings.retry = .immediate(attempts: 2)
        settings.condition = { _, _ in true }
        let waiting = Node.Waiting(name: "go", timeout: timeout, isRequired: false) { input, _, _ in input }
        return Node(name: "w", kind: .signal(waiting), inputs: [-1], settings: settings)
    }

    @Test("an attempt that a crash cut off uses up none of the policy's, whether its beginning was recorded or not")
    func cutOff() {
        for isRecorded in [false, true] {
            let run = Transcript([Self.step("a"), Self.wait(), Self.gather([0, 1])])
            #expect(run.says() == ["perform a#1", "perform w#1"])
            #expect(run.ended("w", .conditionHolds))
            run.signal("go")
            #expect(run.says() == ["perform w#1"])
            if isRecorded {
                #expect(run.ended("a"))
                #expect(run.says() == ["commit RUNNING [w RUNNING, a COMPLETED]"])
                run.stored()
            }
            run.crash()
            if !isRecorded {
                #expect(run.says() == ["perform a#1", "perform w#1"])
                #expect(run.ended("w", .conditionHolds))
            }
            // The one that takes its place has its number, and two may fail.
            #expect(run.says() == ["perform w#1"])
            #expect(run.ended("w", Self.trouble))
            #expect(run.says() == ["commit RUNNING [w RETRYING]"])
            run.stored()
            #expect(run.says() == ["perform w#2"])
            run.crash()
            run.pass(.zero)
            #expect(run.says().last == "perform w#2")
            #expect(run.ended("w", Self.trouble))
            #expect(run.says().last?.hasPrefix("commit FAILED [w FAILED") == true)
            #expect(run.commit?.steps.first?.failure?.attempt == 2)
        }
    }

    @Test("a wait that was over does not begin again after a crash") func waitIsOver() {
        let run = Transcript([Self.step("a"), Self.wait(timeout: .seconds(2)), Self.gather([0, 1])])
        #expect(run.says() == ["perform a#1", "perform w#1"])
        #expect(run.ended("w", .conditionHolds))
        run.pass(.seconds(2))
        #expect(run.says() == ["perform w#1"])
        #expect(run.ended("a"))
        #expect(run.says() == ["commit RUNNING [w RUNNING, a COMPLETED]"])
        run.stored()
        run.crash()
        #expect(run.says() == ["perform w#1"])
        #expect(run.machine.alarm(run.now) == run.now.steady + .seconds(30))
    }

    @Test("when a person has a step tried again the policy begins anew, and attempts go on counting") func anew() {
        let run = Transcript([Self.step("a") { $0.retry = .immediate(attempts: 2) }])
        #expect(run.says() == ["perform a#1"])
        let hopeless = StepOutcome.failed(RunFailure(.executionFailed, message: "no"), isRetryable: false)
        #expect(run.ended("a", hopeless))
        #expect(run.says() == ["commit FAILED [a FAILED], released"])
        run.retried()
        #expect(run.says() == ["perform a#2"])
        #expect(run.ended("a", Self.trouble))
        #expect(run.says() == ["commit RUNNING [a RETRYING]"])
        run.stored()
        #expect(run.says() == ["perform a#3"])
        #expect(run.ended("a", Self.trouble))
        #expect(run.says() == ["commit FAILED [a FAILED], released"])
    }

    @Test("an attempt that takes too long is over; what it gives later does not count") func timeout() {
        let run = Transcript([Self.step("a"), Self.step("b"), Self.gather([0, 1])])
        #expect(run.says() == ["perform a#1", "perform b#1"])
        run.pass(.seconds(29))
        #expect(run.ended("b"))
        run.pass(.seconds(1))
        #expect(run.machine.abandoned.count == 1)
        #expect(!run.ended("a"))
        // What ended before is recorded with the end.
        #expect(run.says() == ["commit FAILED [b COMPLETED, a FAILED], released"])
        #expect(run.commit?.progress.failure?.code == .timeout)
    }

    @Test("when one branch fails the others are cancelled") func siblings() {
        let run = Transcript([Self.step("a"), Self.step("b"), Self.gather([0, 1])])
        _ = run.says()
        #expect(run.ended("a", Self.trouble))
        #expect(run.says() == ["commit FAILED [a FAILED, b CANCELLED], released"])
        #expect(run.machine.abandoned.count == 1)
        #expect(!run.ended("b"))
    }

    @Test("a step that must run at most once is announced before it begins") func atMostOnce() {
        let run = Transcript([Self.step("a"), Self.step("b", after: 0) { $0.rerun = .atMostOnce }])
        _ = run.says()
        #expect(run.ended("a"))
        #expect(run.says() == ["commit RUNNING [a COMPLETED, b RUNNING]"])
        run.stored()
        #expect(run.says() == ["perform b#1"])
    }

    @Test("messages are read as soon as the store tells of them; a cancelled run ends at once") func cancelling() {
        let run = Transcript([Self.step("a"), Self.step("b", after: 0), Self.step("c"), Self.gather([1, 2])])
        _ = run.says()
        #expect(run.ended("a"))
        _ = run.says()
        run.stored(inboxCount: 1)
        #expect(run.says() == ["read mail"])
        var message = RunMessage(id: "m", kind: .cancel(reason: "enough"), postedAt: 0)
        message.number = 1
        run.machine.take(mail: [message], count: 1, run.now)
        #expect(run.says() == ["commit CANCELLED [c CANCELLED], released"])
        #expect(run.commit?.consumed.map(\.message) == ["m"])
        #expect(run.commit?.progress.inboxSeen == 1)
    }

    @Test("a hint that comes while messages are read has them read again") func hints() {
        let run = Transcript([Self.step("a")])
        run.machine.hintMail()
        #expect(run.says() == ["read mail"])
        run.machine.hintMail()
        run.machine.take(mail: [], count: 0, run.now)
        #expect(run.says() == ["read mail"])
        run.machine.take(mail: [], count: 0, run.now)
        #expect(run.says() == ["perform a#1"])
    }

    @Test("a refused commit is the end of it: nothing is recorded, handlers are told") func fencedOff() {
        let run = Transcript([Self.step("a"), Self.step("b"), Self.gather([0, 1])])
        _ = run.says()
        #expect(run.ended("a"))
        _ = run.says()
        run.machine.drop()
        #expect(run.machine.abandoned.count == 1)
        #expect(!run.ended("b"))
        #expect(run.says() == ["leave lost"])
    }

    @Test("a result that the store does not take fails the run") func rejected() {
        let run = Transcript([Self.step("a"), Self.step("b", after: 0)])
        _ = run.says()
        #expect(run.ended("a"))
        _ = run.says()
        run.machine.rejected(StoreError(.payloadTooLarge, operation: .write, message: "too large"), run.now)
        #expect(run.says() == ["commit FAILED [a FAILED], released"])
        #expect(run.commit?.steps.first?.output == nil)
    }

    @Test("a run that takes longer than it may fails") func runTimeout() {
        let run = Transcript([Self.step("a") { $0.timeout = .seconds(500) }], runTimeout: .seconds(100))
        _ = run.says()
        #expect(run.machine.alarm(run.now) == .seconds(100))
        run.pass(.seconds(100))
        #expect(run.says() == ["commit FAILED [a CANCELLED], released"])
        #expect(run.commit?.progress.failure?.code == .timeout)
    }

    @Test("stopping: what is under way is recorded, nothing else begins") func stopping() {
        let run = Transcript([Self.step("a"), Self.step("b", after: 0)])
        _ = run.says()
        run.machine.stop()
        #expect(run.says() == [])
        #expect(run.ended("a"))
        #expect(run.says() == ["commit RUNNING [a COMPLETED]"])
        run.stored()
        #expect(run.says() == ["leave stopped"])
    }
}

/// What becomes of commits of which nobody knows whether they happened.
@Suite struct CommitResolutionTests {
    private static func resolution() -> CommitResolution {
        var progress = RunProgress(status: .running, definitionHash: 0, at: 0)
        progress.revision = 5
        progress.fence = 2
        return CommitResolution(RunCommit(runID: "r", expectedRevision: 4, expectedFence: 2, progress: progress))
    }

    private static func error(_ code: StoreError.Code, _ outcome: StoreError.Outcome = .notApplied) -> StoreError {
        StoreError(code, outcome: outcome, operation: .write, message: "")
    }

    private static func record(revision: UInt64, fence: UInt64) -> RunRecord {
        var progress = RunProgress(status: .running, definitionHash: 0, at: 0)
        progress.revision = revision
        progress.fence = fence
        return RunRecord(
            request: RunRequest(id: "r", workflow: "w", version: "1", input: RunValue(1), createdAt: 0),
            progress: progress, inboxCount: 3)
    }

    @Test("a conflict is the end, unless an earlier sending may have happened") func conflicts() {
        var plain = Self.resolution()
        #expect(plain.failed(Self.error(.conflict)) == .fencedOff)
        var uncertain = Self.resolution()
        #expect(uncertain.failed(Self.error(.timeout, .unknown)) == .read(failures: 1))
        #expect(uncertain.found(Self.record(revision: 4, fence: 2)) == .send(failures: 1))
        #expect(uncertain.failed(Self.error(.conflict)) == .read(failures: 1))
        #expect(uncertain.found(Self.record(revision: 5, fence: 2)) == .stored(inboxCount: 3))
    }

    @Test("another fence, another revision, or no run: somebody else's") func others() {
        var resolution = Self.resolution()
        _ = resolution.failed(Self.error(.timeout, .unknown))
        #expect(resolution.found(Self.record(revision: 5, fence: 3)) == .fencedOff)
        #expect(resolution.found(Self.record(revision: 6, fence: 2)) == .fencedOff)
        #expect(resolution.found(nil) == .fencedOff)
    }

    @Test("what can be tried again is, with growing pauses; what never can be is told") func trying() {
        var resolution = Self.resolution()
        #expect(resolution.failed(Self.error(.unavailable)) == .send(failures: 1))
        #expect(resolution.failed(Self.error(.throttled)) == .send(failures: 2))
        #expect(resolution.failed(Self.error(.payloadTooLarge)) == .rejected)
        #expect(CommitResolution.pause(after: 0) == .zero)
        #expect(CommitResolution.pause(after: 1) < CommitResolution.pause(after: 3))
        #expect(CommitResolution.pause(after: 1_000) == .milliseconds(2_000))
    }
}
