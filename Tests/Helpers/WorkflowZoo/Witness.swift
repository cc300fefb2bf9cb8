internal import PerdureConcurrency
internal import PerdureModel
package import PerdureTestKit

/// What a process has seen of runs: which handlers were executed, which runs it took, and which changes the store has acknowledged.
///
/// Everything is told at once, a line each, so that a process that is killed leaves what it knew:
///
/// - `ran KEY MARK`: a handler was executed, for the step that the idempotency key names;
/// - `used RUN MARKS`: it was given what these executions had a hand in;
/// - `took RUN REVISION FENCE`: the run is this process's from then on;
/// - `held RUN REVISION RESULTS`: the results that were recorded of it by then;
/// - `stored RUN REVISION FENCE`: the store has acknowledged a change;
/// - `recorded RUN REVISION RESULTS`: the results that are recorded with it;
/// - `refused RUN REVISION FENCE`: the store has refused a change, as somebody else had the run;
/// - `decided RUN`: a person is about to answer a run's question, so a step may run again;
/// - `violation WORDS`: a handler was executed although this process knew its result.
package final class Witness: Sendable {
    private struct State {
        var count = 0
        /// The steps of each run of which this process knows that they have ended.
        var ended: [IDKey: Set<IDKey>] = [:]
    }

    /// Unlike that of any other process.
    package let name: String
    private let tell: @Sendable (String) -> Void
    private let state = LockedState(State())

    /// A witness that tells its lines to `tell`.
    package init(name: String, telling tell: @escaping @Sendable (String) -> Void) {
        self.name = name
        self.tell = tell
    }

    /// `store`, with this witness watching.
    package func watching(_ store: some RunStore) -> any RunStore { WitnessedRunStore(store, self) }

    /// Notes that a handler is executed with `parcel`; returns a mark that no other execution has.
    func ran(_ context: StepContext, with parcel: Parcel) -> String {
        let (mark, isKnown) = self.state.withLock { state -> (String, Bool) in
            state.count += 1
            let isKnown = state.ended[IDKey(context.runID)]?.contains(IDKey(context.step)) ?? false
            return ("\(self.name).\(state.count)", isKnown)
        }
        self.tell("ran \(context.idempotencyKey) \(mark)")
        if !parcel.trail.isEmpty { self.tell("used \(context.runID) \(parcel.marks.joined(separator: " "))") }
        // One that was given up may begin all the same, with its task cancelled.
        if isKnown, !context.isCancelled { self.tell("violation \(context.idempotencyKey) ran though it was recorded") }
        return mark
    }

    /// Notes that a person decides what becomes of a step.
    package func decided(_ runID: String) {
        self.tell("decided \(runID)")
    }

    func took(_ snapshot: RunSnapshot) {
        let steps = Set(snapshot.steps.filter(\.status.isEnded).map { IDKey($0.id) })
        self.state.withLock { $0.ended[IDKey(snapshot.run.id)] = steps }
        self.took(snapshot.run.id, snapshot.run.progress)
        self.tell(Self.held(snapshot))
    }

    /// What is recorded of a run, as of the revision that somebody has read.
    static func held(_ snapshot: RunSnapshot) -> String {
        "held \(snapshot.run.id) \(snapshot.run.progress.revision) \(RecordedResults(snapshot.steps).line)"
    }

    func took(_ runID: String, _ progress: RunProgress) {
        self.tell("took \(runID) \(progress.revision) \(progress.fence)")
    }

    func stored(_ commit: RunCommit) {
        self.state.withLock { state in
            for step in commit.steps where step.status.isEnded {
                state.ended[IDKey(commit.runID), default: []].insert(IDKey(step.id))
            }
            for step in commit.removedSteps { state.ended[IDKey(commit.runID)]?.remove(IDKey(step)) }
        }
        self.tell("stored \(commit.runID) \(commit.progress.revision) \(commit.expectedFence)")
        let results = RecordedResults(commit.steps)
        if !results.digests.isEmpty {
            self.tell("recorded \(commit.runID) \(commit.progress.revision) \(results.line)")
        }
    }

    func refused(_ commit: RunCommit) {
        self.tell("refused \(commit.runID) \(commit.progress.revision) \(commit.expectedFence)")
    }
}

/// A store whose calls a witness sees.
package final class WitnessedRunStore<Base: RunStore>: RunStoreWrapper {
    package let base: any RunStore
    private let wrapped: Base
    private let witness: Witness

    /// Lets `witness` see the calls of `base`.
    package init(_ base: Base, _ witness: Witness) {
        self.base = base
        self.wrapped = base
        self.witness = witness
    }

    package func create(_ creation: RunCreation) async throws(StoreError) -> CreateVerdict {
        let verdict = try await self.wrapped.create(creation)
        if case .created = verdict, creation.progress.owner != nil {
            self.witness.took(creation.request.id, creation.progress)
        }
        return verdict
    }

    package func commit(_ commit: RunCommit) async throws(StoreError) -> CommitReceipt {
        do {
            let receipt = try await self.wrapped.commit(commit)
            self.witness.stored(commit)
            return receipt
        } catch {
            if error.code == .conflict { self.witness.refused(commit) }
            throw error
        }
    }

    package func claim(_ claim: RunClaim) async throws(StoreError) -> ClaimedRuns {
        let claimed = try await self.wrapped.claim(claim)
        for run in claimed.runs { self.witness.took(run) }
        return claimed
    }

    package func adopt(_ claim: RunClaim) async throws(StoreError) -> [RunSnapshot] {
        let runs = try await self.wrapped.adopt(claim)
        for run in runs { self.witness.took(run) }
        return runs
    }
}

extension WitnessedRunStore: RunNotifications where Base: RunNotifications {
    /// What the wrapped store tells.
    package func notices(_ receive: @escaping @Sendable (RunNotice) -> Void) async throws(StoreError) {
        try await self.wrapped.notices(receive)
    }
}
