public import PerdureModel

extension WorkflowEngine {
    /// A page of the runs for which `filter` holds, the newest first.
    ///
    /// - Parameters:
    ///   - filter: which runs; all without one.
    ///   - cursor: ``RunPage/next`` of the page before; nil for the first.
    ///   - limit: the most runs in a page, 1 to 1,000.
    /// - Returns: the runs, and where the next page begins.
    /// - Throws: ``StoreError``, also for a limit or a cursor that is none.
    public func runs(
        where filter: RunFilter = RunFilter(), after cursor: RunPage.Cursor? = nil, limit: Int = 100
    ) async throws(StoreError) -> RunPage {
        try await self.core.store.runs(
            where: filter, after: cursor, limit: limit, now: self.core.clock.unixMilliseconds)
    }

    /// How many runs there are for which `filter` holds; all without one.
    public func countRuns(where filter: RunFilter = RunFilter()) async throws(StoreError) -> Int {
        try await self.core.store.countRuns(where: filter, now: self.core.clock.unixMilliseconds)
    }

    /// A run with all that is known of it; nil when there is none.
    public func describe(_ runID: String) async throws(StoreError) -> RunDescription? {
        try await self.core.store.snapshot(of: runID).map(RunDescription.init)
    }
}

/// A run with all that is known of it.
public struct RunDescription: Sendable {
    /// The run.
    public let run: RunRecord
    /// Its steps, in the order of the definition; elements of loops in the list's order.
    public let steps: [StepRecord]
    /// Its shared state, and who set it.
    public let state: [StateRecord]
    /// What it was told from outside, in the order of its coming.
    public let messages: [RunMessage]

    init(_ snapshot: RunSnapshot) {
        self.run = snapshot.run
        self.steps = snapshot.steps
        self.state = snapshot.state
        self.messages = snapshot.messages
    }

    /// What happened, in the order of the time; of one time in the order of the definition.
    public var timeline: [TimelineEntry] {
        var entries = [TimelineEntry(time: self.run.request.createdAt, step: nil, what: "created")]
        if let time = self.run.progress.startedAt { entries.append(.init(time: time, step: nil, what: "started")) }
        for message in self.messages {
            entries.append(.init(time: message.postedAt, step: message.consumedBy, what: message.kind.inWords))
        }
        for step in self.steps {
            if let time = step.startedAt {
                entries.append(.init(time: time, step: step.id, what: "attempt \(max(step.attempt, 1)) began"))
            }
            if let time = step.completedAt {
                entries.append(.init(time: time, step: step.id, what: step.status.rawValue))
            } else if let time = step.wakesAt {
                entries.append(.init(time: time, step: step.id, what: "\(step.status.rawValue), goes on"))
            }
        }
        if let time = self.run.progress.completedAt {
            entries.append(.init(time: time, step: nil, what: self.run.status.rawValue))
        }
        return entries.enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }.map(
            \.element)
    }

    /// Something that happened to a run.
    public struct TimelineEntry: Sendable, Hashable {
        /// When, in Unix milliseconds.
        public let time: Int64
        /// The step that it happened to; nil for the run.
        public let step: String?
        /// What it was, in words.
        public let what: String
    }
}

extension RunMessage.Kind {
    fileprivate var inWords: String {
        switch self {
        case .signal(let name): "signal \(name.debugDescription)"
        case .childEnded(let runID, let status, _): "\(runID.debugDescription) ended: \(status.rawValue)"
        case .cancel(let reason): "cancellation asked for: \(reason)"
        case .pause: "pause asked for"
        }
    }
}
