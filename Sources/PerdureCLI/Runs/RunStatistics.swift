internal import PerdureWorkflow

/// What runs came to, by workflow.
struct RunStatistics {
    private struct Line {
        var counts: [RunStatus: Int] = [:]
        var completed: Int64 = 0
        var took: Int64 = 0
        var longest: Int64 = 0
    }

    private var workflows: [String: Line] = [:]

    mutating func add(_ run: RunRecord) {
        var line = self.workflows[run.request.workflow] ?? Line()
        line.counts[run.status, default: 0] += 1
        if run.status == .completed, let start = run.progress.startedAt, let end = run.progress.completedAt {
            line.completed += 1
            line.took += max(0, end - start)
            line.longest = max(line.longest, end - start)
        }
        self.workflows[run.request.workflow] = line
    }

    func write(to output: Output) {
        var table = TextTable(
            "WORKFLOW", "RUNS", "WAITING", "RUNNING", "HELD", "COMPLETED", "FAILED", "CANCELLED", "MEAN", "LONGEST")
        for (name, line) in self.workflows.sorted(by: { $0.key < $1.key }) {
            func count(_ statuses: RunStatus...) -> Int { statuses.reduce(0) { $0 + (line.counts[$1] ?? 0) } }
            let mean = line.completed == 0 ? 0 : line.took / line.completed
            if output.isJSON {
                output.json(
                    [("workflow", .string(name)), ("runs", .number(line.counts.values.reduce(0, +)))]
                        + RunStatus.allCases.map { ($0.rawValue, .number(line.counts[$0] ?? 0)) } + [
                            ("meanMilliseconds", line.completed == 0 ? .null : .number(mean)),
                            ("longestMilliseconds", line.completed == 0 ? .null : .number(line.longest)),
                        ])
            } else {
                table.add(
                    name.visible, "\(line.counts.values.reduce(0, +))", "\(count(.pending))", "\(count(.running))",
                    "\(count(.paused, .parked))", "\(count(.completed))", "\(count(.failed))", "\(count(.cancelled))",
                    line.completed == 0 ? "" : TookText(milliseconds: mean).text,
                    line.completed == 0 ? "" : TookText(milliseconds: line.longest).text)
            }
        }
        if !output.isJSON { for line in table.lines { output.line(line) } }
    }

    /// How many runs stand where.
    static func write(_ counts: [(RunStatus, Int)], to output: Output) {
        let total = counts.reduce(0) { $0 + $1.1 }
        if output.isJSON {
            return output.json(counts.map { ($0.0.rawValue, .number($0.1)) } + [("total", .number(total))])
        }
        var table = TextTable("STATUS", "RUNS")
        for (status, count) in counts { table.add(status.rawValue, "\(count)") }
        table.add("total", "\(total)")
        for line in table.lines { output.line(line) }
    }
}
