internal import PerdureModel
internal import PerdureWorkflow

/// Follows a run until it ends.
struct RunWatching {
    let store: any RunStore
    let output: Output
    let pause: Duration

    /// Prints what happens; returns how the run ended.
    func follow(_ id: String) async throws -> RunStatus {
        let engine = WorkflowEngine(operatingOn: self.store)
        let clock = SystemClock()
        var shown: Set<RunDescription.TimelineEntry> = []
        var seen: (revision: UInt64, inbox: UInt64) = (0, 0)
        while true {
            try Task.checkCancellation()
            guard let record = try await self.store.run(id) else {
                throw WorkflowError(
                    .notFound, runID: id,
                    message: seen.revision == 0 ? "there is no run \(id.debugDescription)" : "the run was deleted")
            }
            if (record.progress.revision, record.inboxCount) != seen, let run = try await engine.describe(id) {
                seen = (run.run.progress.revision, run.run.inboxCount)
                for entry in run.timeline where shown.insert(entry).inserted { self.show(entry, of: run.run) }
                self.output.flush()
                if run.run.status.isEnded {
                    if let failure = run.run.progress.failure, !self.output.isJSON {
                        Output.note("perdure: \(failure.code.rawValue): \(failure.message)".visible)
                    }
                    return run.run.status
                }
                if let reason = run.run.progress.parkedReason, !self.output.isJSON { self.output.line(reason.visible) }
                continue
            }
            try await clock.sleep(for: self.pause)
        }
    }

    private func show(_ entry: RunDescription.TimelineEntry, of run: RunRecord) {
        if self.output.isJSON {
            self.output.json([
                ("time", .number(entry.time)), ("step", .optional(entry.step)), ("what", .string(entry.what)),
            ])
        } else {
            self.output.line(RunText(self.output).line(entry, of: run))
        }
    }
}
