extension RunProgress {
    /// Makes the run a worker's, who drives it from now on; whoever had it before is fenced off.
    package mutating func beTaken(by claim: RunClaim) {
        self.owner = claim.worker
        self.status = .running
        self.startedAt = self.startedAt ?? claim.now
        self.updatedAt = claim.now
        self.fence += 1
        self.revision += 1
    }

    /// Lets the run go: nobody's, and ready for whoever claims next.
    package mutating func beLetGo(at time: Int64) {
        self.owner = nil
        self.wake = .now
        self.updatedAt = time
        self.fence += 1
        self.revision += 1
    }
}
