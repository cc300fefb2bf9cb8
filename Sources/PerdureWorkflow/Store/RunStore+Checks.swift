package import PerdureModel

/// The checks that every store makes before it does anything, so that all of them refuse the same things in the same words.
extension RunStore {
    /// Checks a run's ID against the rule of ``PersistenceID``.
    package func checkRunID(_ id: String, for operation: StoreError.Operation) throws(StoreError) {
        if let violation = PersistenceID.violation(in: id) {
            throw StoreError(.invalidRequest, operation: operation, persistenceID: id, message: violation)
        }
    }

    /// Checks everything about a creation that can be told without the store's data.
    package func check(_ creation: RunCreation) throws(StoreError) {
        let request = creation.request
        let check = RunCheck(runID: request.id, operation: .write)
        try check.run()
        try check.text(request.workflow, "the workflow's name")
        try check.text(request.version, "the workflow's version")
        try check.text(request.resourceID, "the resource's ID")
        for (name, value) in request.tags {
            try check.text(name, "a tag's name")
            try check.text(value, "a tag's value")
        }
        try check.text(request.parent?.runID, "the parent's ID")
        try check.text(request.parent?.step, "the parent's step")
        try check.text(request.forkedFrom, "the ID of the run that it was forked from")
        try check.limit(request.workflowLimit, "the workflow's limit")
        try check.limit(request.resourceLimit, "the resource's limit")
        guard creation.progress.revision == 1 else {
            throw check.refusal("a run begins with revision 1, this one has \(creation.progress.revision)")
        }
        try check.progress(creation.progress)
        try check.records(creation.steps, creation.state)
    }

    /// Checks everything about a change that can be told without the store's data.
    package func check(_ commit: RunCommit) throws(StoreError) {
        let check = RunCheck(runID: commit.runID, operation: .write)
        try check.run()
        guard commit.progress.revision == commit.expectedRevision &+ 1, commit.expectedRevision >= 1 else {
            throw check.refusal(
                "revision \(commit.progress.revision) cannot follow revision \(commit.expectedRevision):"
                    + " they count from 1, one by one")
        }
        guard commit.progress.fence >= commit.expectedFence else {
            throw check.refusal(
                "fence \(commit.progress.fence) cannot follow fence \(commit.expectedFence): fences only go up")
        }
        try check.progress(commit.progress)
        try check.records(commit.steps, commit.state)
        for post in commit.posts {
            try self.checkRunID(post.runID, for: .write)
            try check.message(post.message)
        }
    }

    /// Checks a message and the run that it is posted to.
    package func check(_ message: RunMessage, to runID: String) throws(StoreError) {
        let check = RunCheck(runID: runID, operation: .write)
        try check.run()
        try check.message(message)
    }

    /// Checks what a worker asks for.
    package func check(_ claim: RunClaim) throws(StoreError) {
        let check = RunCheck(runID: nil, operation: .write)
        try check.worker(claim.worker)
        guard claim.limit >= 1 else {
            throw check.refusal("a worker takes at least 1 run, this claim is for \(claim.limit)")
        }
    }

    /// Checks a worker.
    package func check(_ worker: WorkerRecord) throws(StoreError) {
        let check = RunCheck(runID: nil, operation: .write)
        try check.worker(worker.id)
        try check.text(worker.name, "the worker's name")
        try check.text(worker.process, "the worker's process")
        guard worker.beat <= UInt64(Int64.max) else {
            throw check.refusal("a beat is at most \(Int64.max), this one is \(worker.beat)")
        }
    }

    /// Checks the size of a page.
    package func checkRunLimit(_ limit: Int) throws(StoreError) {
        guard (1...1_000).contains(limit) else {
            throw StoreError(
                .invalidRequest, operation: .list, message: "a page has 1 to 1000 runs, this one would have \(limit)")
        }
    }
}

/// The rules for what is stored of a run.
private struct RunCheck {
    let runID: String?
    let operation: StoreError.Operation

    func refusal(_ message: String) -> StoreError {
        StoreError(.invalidRequest, operation: self.operation, persistenceID: self.runID, message: message)
    }

    func run() throws(StoreError) {
        if let violation = self.runID.flatMap(PersistenceID.violation(in:)) { throw self.refusal(violation) }
    }

    func worker(_ id: String) throws(StoreError) {
        if let violation = PersistenceID.violation(in: id) { throw self.refusal("the worker's ID: \(violation)") }
    }

    /// Some databases store no NUL in texts.
    func text(_ text: String?, _ what: @autoclosure () -> String) throws(StoreError) {
        guard let text, PersistenceID.containsNUL(text) else { return }
        throw self.refusal("\(what()) must not contain NUL (U+0000)")
    }

    func limit(_ limit: Int?, _ what: @autoclosure () -> String) throws(StoreError) {
        guard let limit, limit < 1 else { return }
        throw self.refusal("\(what()) is \(limit); a run with it could never begin, so it must be at least 1")
    }

    func progress(_ progress: RunProgress) throws(StoreError) {
        guard max(progress.revision, progress.fence, progress.inboxSeen) < UInt64(Int64.max) else {
            throw self.refusal("revisions, fences and numbers of messages are less than \(Int64.max)")
        }
        try self.text(progress.owner, "the owner's ID")
        // Nobody would ever take such a run up again once its owner is gone.
        guard progress.owner == nil || progress.status == .running else {
            throw self.refusal("a run that is \(progress.status.rawValue) has no owner: only running ones are driven")
        }
        guard progress.expiresAt == nil || progress.status.isEnded else {
            throw self.refusal("a run that is \(progress.status.rawValue) cannot expire: only ended ones do")
        }
    }

    func records(_ steps: [StepRecord], _ state: [StateRecord]) throws(StoreError) {
        for step in steps { try self.text(step.id, "a step's ID") }
        for record in state {
            try self.text(record.key, "a key of the shared state")
            try self.text(record.step, "a step's ID")
        }
    }

    func message(_ message: RunMessage) throws(StoreError) {
        if let violation = PersistenceID.violation(in: message.id) {
            throw self.refusal("the message's ID: \(violation)")
        }
        switch message.kind {
        case .signal(let name): try self.text(name, "the signal's name")
        case .childEnded(let runID, _, _): try self.text(runID, "the child's ID")
        case .cancel, .pause: break
        }
    }
}

extension StoreError {
    /// The conflict of a change whose revision or fence is not the run's, in the words that all stores use.
    ///
    /// `stored` is the revision that is there, 0 where there is no such run.
    package static func runConflict(
        _ operation: Operation, of runID: String, expected: (revision: UInt64, fence: UInt64), stored: UInt64
    ) -> StoreError {
        StoreError(
            .conflict, operation: operation, persistenceID: runID,
            message: stored == 0
                ? "there is no such run"
                : "expected revision \(expected.revision) and fence \(expected.fence), found revision \(stored)"
                    + "\(stored == expected.revision ? " with another fence" : ""); read the run again and decide anew",
            storedVersion: stored)
    }
}
