internal import PerdureWorkflow

/// A run as a person can read it.
struct RunText {
    private let output: Output

    init(_ output: Output) { self.output = output }

    /// A run on one line.
    func line(_ run: RunRecord) -> String {
        let took = TookText(from: run.progress.startedAt, to: run.progress.completedAt).map { "  \($0.text)" } ?? ""
        return "\(UTCTime(run.request.createdAt).text)  \(self.styled(run.status, width: 9))  \(run.id.visible)"
            + "  \(run.request.workflow.visible)\(took)"
    }

    /// Everything about a run.
    func write(_ run: RunDescription, withValues: Bool) {
        for (name, value) in self.head(of: run.run) {
            self.output.line(self.output.styled(name.padded(to: 12), .dim) + value)
        }
        if withValues {
            self.write("input", run.run.request.input)
            if let value = run.run.request.context { self.write("context", value) }
            if let value = run.run.progress.output { self.write("output", value) }
        }
        if !run.steps.isEmpty {
            self.output.line()
            var table = TextTable("STEP", "STATUS", "ATTEMPTS", "TOOK", "")
            for step in run.steps {
                let took = TookText(from: step.startedAt, to: step.completedAt)?.text ?? ""
                let failure = step.failure.map(Self.words) ?? ""
                table.add(
                    step.id.visible, step.status.rawValue, step.attempt == 0 ? "" : "\(step.attempt)", took, failure)
            }
            for line in table.lines { self.output.line(line) }
        }
        if withValues {
            for step in run.steps {
                if let value = step.input { self.write("input of \(step.id)", value) }
                if let value = step.output { self.write("output of \(step.id)", value) }
            }
            for record in run.state.sorted(by: { ($0.key, $0.step) < ($1.key, $1.step) }) {
                let name = "state \(record.key), by \(record.step)"
                if let value = record.value {
                    self.write(name, value)
                } else {
                    self.output.line("\(name.visible): removed")
                }
            }
            for message in run.messages {
                if let value = message.payload { self.write("message \(message.number)", value) }
            }
        }
        self.output.line()
        for entry in run.timeline { self.output.line(self.line(entry, of: run.run)) }
    }

    /// Something that happened, and how long after the creation.
    func line(_ entry: RunDescription.TimelineEntry, of run: RunRecord) -> String {
        let after = "+" + TookText(milliseconds: entry.time - run.request.createdAt).text
        let what = (entry.step.map { "\($0): " } ?? "") + entry.what
        return "\(UTCTime(entry.time).text)  \(after.padded(to: 12))  \(what.visible)"
    }

    private func head(of run: RunRecord) -> [(String, String)] {
        let (request, progress) = (run.request, run.progress)
        var rows = [
            ("id", request.id.visible), ("workflow", "\(request.workflow.visible), version \(request.version.visible)"),
            ("status", "\(self.styled(run.status)), \(Int((progress.progress * 100).rounded(.down))) %"),
            ("created", UTCTime(request.createdAt).text),
        ]
        if let time = progress.startedAt { rows.append(("started", UTCTime(time).text)) }
        if let time = progress.completedAt {
            let took = TookText(from: progress.startedAt, to: time).map { ", after \($0.text)" } ?? ""
            rows.append(("ended", UTCTime(time).text + took))
        }
        if let time = progress.expiresAt { rows.append(("kept until", UTCTime(time).text)) }
        if let owner = progress.owner { rows.append(("driven by", owner.visible)) }
        if progress.owner == nil, !run.status.isEnded {
            switch progress.wake {
            case .now: rows.append(("goes on", "as soon as a worker is free"))
            case .at(let time): rows.append(("goes on", UTCTime(time).text))
            case .never: rows.append(("goes on", "when it is told something"))
            }
        }
        if let reason = progress.parkedReason { rows.append(("parked", reason.visible)) }
        if let failure = progress.failure { rows.append(("failure", Self.words(failure))) }
        if let resource = request.resourceID { rows.append(("resource", resource.visible)) }
        if !request.tags.isEmpty {
            let tags = request.tags.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            rows.append(("tags", tags.joined(separator: ", ").visible))
        }
        if let parent = request.parent { rows.append(("started by", "\(parent.runID), step \(parent.step)".visible)) }
        if let origin = request.forkedFrom { rows.append(("forked from", origin.visible)) }
        return rows
    }

    private func write(_ name: String, _ value: RunValue) {
        let bytes = (try? value.bytes) ?? []
        guard let text = PayloadText.jsonLine(bytes) else {
            self.output.line("\(name.visible):")
            for line in PayloadText.dump(bytes) { self.output.line("  \(line)") }
            return
        }
        self.output.line("\(name.visible): \(text.visible)")
    }

    private static func words(_ failure: RunFailure) -> String {
        var text = failure.code.rawValue
        if let step = failure.step { text += " in \(step)" }
        text += ": \(failure.message)"
        if let type = failure.type { text += " (\(type))" }
        return text.visible
    }

    private func styled(_ status: RunStatus, width: Int = 0) -> String {
        let word = status.rawValue.padded(to: width)
        switch status {
        case .completed: return self.output.styled(word, .green)
        case .failed: return self.output.styled(word, .red)
        case .paused, .parked: return self.output.styled(word, .yellow)
        case .pending, .running, .cancelled: return word
        }
    }
}
