internal import PerdureConcurrency

/// The writes of one transaction, and who of those waiting has been answered already.
///
/// `@unchecked Sendable`: `jobs` changes only while the batch is not under way, when only the writer's thread knows it.
final class WriteBatch: @unchecked Sendable {
    var jobs: [WriteJob] = []

    private struct Answers: Sendable {
        var isUnderWay = false
        /// The writes whose callers could wait no longer. Nearly always none.
        var early: Set<Int> = []
    }

    private let answers = LockedState(Answers())

    func begin() { self.answers.withLock { $0.isUnderWay = true } }

    /// Answers everybody who still waits, and makes the batch ready for the next writes.
    func finish(_ verdicts: [WriteVerdict]) {
        let early = self.answers.withLock { answers in
            defer { answers = Answers() }
            return answers.early
        }
        for index in self.jobs.indices where early.isEmpty || !early.contains(index) {
            self.jobs[index].finish(verdicts[index])
        }
        self.jobs.removeAll(keepingCapacity: true)
    }

    /// Answers those whose write `isOverdue` while it is under way.
    func expire(where isOverdue: (WriteJob) -> Bool, with error: (WriteJob) -> StoreError) {
        // The writer cannot finish, and so cannot touch the jobs, while the lock is held.
        let overdue: [WriteJob] = self.answers.withLock { answers in
            guard answers.isUnderWay else { return [] }
            var overdue: [WriteJob] = []
            for index in self.jobs.indices where isOverdue(self.jobs[index]) {
                if answers.early.insert(index).inserted { overdue.append(self.jobs[index]) }
            }
            return overdue
        }
        for job in overdue { job.finish(.failed(error(job))) }
    }
}
