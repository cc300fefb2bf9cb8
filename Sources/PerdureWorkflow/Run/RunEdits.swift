internal import PerdureModel

/// What people do to a run that nobody drives, as changes of what is stored: no definition is needed for it.
///
/// Each takes the run over: the fence goes up, so that who drove it before can record nothing any more.
enum RunEdits {
    enum Decision: Sendable {
        case runAgain
        case failed(String)
        case completed(RunValue)
    }

    /// Ends a run, and tells the runs that it waits for.
    static func cancel(
        _ snapshot: RunSnapshot, reason: String, children: [String], retention: Int64?, _ now: Int64
    ) -> RunCommit {
        var commit = Self.change(snapshot, now)
        commit.progress.status = .cancelled
        commit.progress.failure = RunFailure(.cancelled, message: reason)
        commit.progress.parkedReason = nil
        commit.progress.completedAt = now
        commit.progress.expiresAt = retention.map { now &+ $0 }
        commit.progress.wake = .never
        for var step in snapshot.steps where !step.status.isEnded {
            if step.status == .waiting { step.attempt += 1 }
            step.status = .cancelled
            step.completedAt = now
            step.wakesAt = nil
            commit.steps.append(step)
        }
        for child in children {
            let kind = RunMessage.Kind.cancel(reason: "the run that waited for it was cancelled")
            commit.posts.append(
                (child, RunMessage(id: "cancel by parent \(commit.expectedRevision)", kind: kind, postedAt: now)))
        }
        if let parent = snapshot.run.request.parent {
            let kind = RunMessage.Kind.childEnded(
                runID: snapshot.run.id, .cancelled, RunFailure(.cancelled, message: reason))
            commit.posts.append(
                (parent.runID, RunMessage(id: RunMachine.endingID(of: snapshot.run.id), kind: kind, postedAt: now)))
        }
        commit.consumed = Self.wishes(of: snapshot)
        return commit
    }

    /// Holds a run back. When it was to be taken up stays known.
    static func pause(_ snapshot: RunSnapshot, _ now: Int64) -> RunCommit {
        var commit = Self.change(snapshot, now)
        commit.progress.status = .paused
        commit.consumed = Self.wishes(of: snapshot)
        return commit
    }

    /// Lets a run go on that was paused or parked.
    static func resume(_ snapshot: RunSnapshot, _ now: Int64) -> RunCommit {
        var commit = Self.change(snapshot, now)
        let wasParked = snapshot.run.status == .parked
        commit.progress.status = snapshot.run.progress.startedAt == nil ? .pending : .running
        commit.progress.parkedReason = nil
        commit.progress.failure = nil
        commit.progress.adoptions = 0
        // What came while it was held back counts as seen from now on: it has to be taken up for it.
        let hasMail = snapshot.messages.contains { $0.consumedBy == nil }
        if wasParked || hasMail { commit.progress.wake = .now }
        return commit
    }

    /// Tries a run again that failed or was cancelled: from the steps on that did not end well.
    static func retry(_ snapshot: RunSnapshot, _ now: Int64) -> RunCommit {
        var commit = Self.change(snapshot, now)
        commit.progress.status = snapshot.run.progress.startedAt == nil ? .pending : .running
        commit.progress.output = nil
        commit.progress.failure = nil
        commit.progress.completedAt = nil
        commit.progress.expiresAt = nil
        commit.progress.adoptions = 0
        commit.progress.wake = .now
        // A time-out of the run counts from here on.
        commit.progress.startedAt = snapshot.run.progress.startedAt.map { _ in now }
        for step in snapshot.steps {
            switch step.status {
            case .failed where step.output == nil, .cancelled: commit.steps.append(Self.fresh(step))
            case .pending, .running, .waiting, .retrying, .completed, .failed, .skipped: break
            }
        }
        commit.consumed = Self.wishes(of: snapshot)
        return commit
    }

    /// Answers the question of a run that was parked because a step must run at most once.
    ///
    /// Returns nil where there is no such question.
    static func decide(
        _ decision: Decision, onStep id: String, of snapshot: RunSnapshot, _ now: Int64
    ) -> RunCommit? {
        guard snapshot.run.status == .parked,
            var step = snapshot.steps.first(where: { IDKey($0.id) == IDKey(id) && $0.status == .running })
        else { return nil }
        var commit = Self.resume(snapshot, now)
        switch decision {
        case .runAgain: step = Self.fresh(step)
        case .failed(let reason):
            step.status = .failed
            step.completedAt = now
            step.failure = RunFailure(.executionFailed, message: reason, step: step.id, attempt: step.attempt)
        case .completed(let output):
            step.status = .completed
            step.completedAt = now
            step.output = output
            step.failure = nil
        }
        commit.steps = [step]
        return commit
    }

    /// A step that is to be begun again; its attempts go on counting.
    static func fresh(_ step: StepRecord) -> StepRecord {
        var fresh = StepRecord(
            id: step.id, position: step.position, item: step.item, definitionHash: step.definitionHash)
        fresh.attempt = step.attempt
        fresh.input = step.input
        return fresh
    }

    private static func change(_ snapshot: RunSnapshot, _ now: Int64) -> RunCommit {
        var progress = snapshot.run.progress
        progress.revision += 1
        progress.fence += 1
        progress.owner = nil
        progress.updatedAt = now
        progress.inboxSeen = snapshot.run.inboxCount
        return RunCommit(
            runID: snapshot.run.id, expectedRevision: snapshot.run.progress.revision,
            expectedFence: snapshot.run.progress.fence, progress: progress)
    }

    /// The wishes of people that are settled by another one.
    private static func wishes(of snapshot: RunSnapshot) -> [(message: String, step: String)] {
        snapshot.messages.compactMap { message in
            guard message.consumedBy == nil else { return nil }
            switch message.kind {
            case .cancel, .pause: return (message.id, "")
            case .signal, .childEnded: return nil
            }
        }
    }
}

/// What to do about a step that must run at most once, was begun, and of which nobody knows how far it came.
public struct AtMostOnceDecision: Sendable {
    let decision: RunEdits.Decision

    /// Run it again: it did nothing, or can be repeated after all.
    public static var runAgain: AtMostOnceDecision { .init(decision: .runAgain) }

    /// It counts as failed, for this reason.
    public static func failed(_ reason: String) -> AtMostOnceDecision { .init(decision: .failed(reason)) }

    /// It counts as done, with this output: of the type that the step gives.
    public static func completed(_ output: some Codable & Sendable) -> AtMostOnceDecision {
        .init(decision: .completed(RunValue(output)))
    }

    /// It counts as done, with an output whose type is not known here.
    package static func completed(value output: RunValue) -> AtMostOnceDecision {
        .init(decision: .completed(output))
    }
}
